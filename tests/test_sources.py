"""The files that findings point into are read where a report shows them, and not before."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Related
from dal_audit.report.sources import Sources
from tests.reports import finding_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "a.py").write_text("import redis\n")
    (tmp_path / "b.py").write_text('URL = "postgresql://me:s3cr3t@db.example.org/x"\n')
    return tmp_path


def sources(root: Path, **instead: Path) -> Sources:
    elsewhere = {f"{name}.py": file for name, file in instead.items()}
    related = tuple(Related(Place(path, Span(1, 1, 1, 2)), "here") for path in ("b.py", "c.py"))
    return Sources([finding_of("a.py", related=related)], root, {}, elsewhere)


def test_a_file_is_read_when_it_is_asked_for(root: Path) -> None:
    found = sources(root)
    (root / "a.py").write_text("# a\n")
    assert found["a.py"] == b"# a\n"
    (root / "a.py").unlink()
    assert found["a.py"] == b"# a\n"


def test_what_cannot_be_read_or_has_no_finding_is_not_there(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "d.py").write_text("")
    found = sources(root)
    assert "d.py" not in found
    assert sorted(found) == ["a.py", "b.py", "c.py"]
    assert found["c.py"] == b""  # It is not there.

    def refuse(_file: Path) -> bytes:
        raise PermissionError

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert sorted(sources(root)) == ["c.py"]


def test_secrets_are_masked(root: Path) -> None:
    assert sources(root)["b.py"] == b'URL = "postgresql://me:******@db.example.org/x"\n'


def test_what_lies_elsewhere_is_read_before_it_goes(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("# other\n")
    found = sources(root, a=other)
    other.unlink()
    assert found["a.py"] == b"# other\n"
