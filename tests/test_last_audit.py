"""What an audit found is reported again where all that it rests on answers the same; else it is audited.

The reports are compared with those of an audit without a cache, byte for byte, in each format.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import fields, replace

from dal_audit.assemble import access_evidence
from dal_audit.audit import audit
from dal_audit.commands import last_audit
from dal_audit.commands.baseline import write_baselines
from dal_audit.commands.kept_audit import KeptFound, KeptResult
from dal_audit.commands.last_audit import LastAudit
from dal_audit.discover import git_listing
from dal_audit.discover.cache_folder import CACHE
from dal_audit.extract import cache, extractor
from dal_audit.extract.cache_file import remove_cache
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request
from dal_audit.report.formats import Format
from dal_audit.report.model import Report
from dal_audit.report.outcome import Outcome
from dal_audit.report.render import render
from dal_audit.triage.baseline import baseline_text
from tests.examples import TODAY
from tests.sampling import runs
from tests.test_cache_edits import (
    CONFIGURATIONS,
    LATER_NS,
    MODULES,
    PURE,
    PYTHON_FILES,
    STORE,
    edit,
    edits,
    put,
    start,
)

PATHS: Final = (
    (".",),
    (".",),
    ("app/one.py",),
    ("app/part/three.py", "app/storage/store.py"),
    ("app/part",),
    ("app", "tests"),
)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what is as young as the run, too; `tick` sees to it that edits have stamps of their own."""
    monkeypatch.setattr(last_audit, "SETTLED_NS", 0)
    monkeypatch.setattr(cache, "SETTLED_NS", 0)


@pytest.fixture(params=["small project", "large project"])
def size(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Audit as in a small project, where all is parsed, and as in a large one."""
    if request.param == "large project":
        monkeypatch.setattr(extractor, "THOROUGH_BYTES", -1)
    return str(request.param)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository without migrations."""
    root = tmp_path / "project"
    begin(root)
    (root / "migrations" / "0001_books.sql").unlink()
    git(root, "init", "-q", "-b", "main", ".")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    tick(tmp_path)
    return root


def begin(root: Path) -> None:
    """Write the project, and the folder of its cache."""
    start(root)
    put(root / ".gitignore", "ignored/\nCargo.toml\n.dal-audit-baseline.jsonl\n")
    put(root / "ignored" / "a.py", "import sqlite3\n")
    (root / CACHE).mkdir()


def git(folder: Path, *words: str) -> None:
    """Run git in a folder."""
    subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def tick(outside: Path) -> None:
    """Wait until a file that is written now is younger than all that was written before."""
    mark = outside / "tick"
    mark.write_text("")
    before = mark.stat().st_mtime_ns
    while mark.stat().st_mtime_ns == before:
        time.sleep(0.001)
        mark.write_text("")


def asked(root: Path, paths: Sequence[str] = (".",), **further: Any) -> Request:
    """Return a request that keeps what it finds."""
    return Request(tuple(paths), folder=root, today=TODAY, cache=True, jobs=1, **further)


def known(request: Request) -> Report | None:
    """Return the report that the last audit tells, and keep what it hangs on by now."""
    last = LastAudit(request)
    report = last.report()
    if report is not None:
        last.kept(report)
    return report


def kept(request: Request) -> Report:
    """Audit, and keep what was found."""
    last = LastAudit(request)
    report = audit(request)
    last.kept(report)
    return report


def said(report: Report) -> tuple[str, ...]:
    """Return a report in each format, and what else is said of it."""
    forms: tuple[Format, ...] = get_args(Format)
    return (*(render(report, form) for form in forms), str(report.files), str(report.ruled_out))


def append(file: Path, text: str) -> None:
    """Write a text behind what a file holds."""
    put(file, (file.read_text() if file.exists() else "") + text)


def insert(file: Path, said: str) -> None:
    """Put a line below so many of a file's lines; `said` is the number, and the line."""
    number, _, line = said.partition(" ")
    lines = file.read_bytes().splitlines(keepends=True) if file.exists() else []
    lines.insert(int(number), f"{line}\n".encode())
    if lines[1:]:
        file.write_bytes(b"".join(lines))


def rewrite(file: Path) -> None:
    """Write a file as editors do: beside it, and moved into its place."""
    beside = file.with_suffix(".tmp")
    beside.write_text(f"{file.read_text()}# moved\n")
    beside.replace(file)


def stage(root: Path) -> None:
    """Change a file, and add it to git's index."""
    append(root / "app/one.py", "# a comment\n")
    git(root, "add", ".")


def commit(root: Path) -> None:
    """Change a file, and commit it."""
    stage(root)
    git(root, "commit", "-q", "-m", "next")


def link(file: Path, other: Path) -> None:
    """Put a link in a file's place."""
    file.unlink()
    file.symlink_to(other)


SAME: Final[dict[str, Callable[[Path], object]]] = {
    "a comment in a file": lambda root: append(root / "app/one.py", "# a comment\n"),
    "a file without a finding grows": lambda root: append(root / "tests/test_app.py", "x = 1\n"),
    "a finding moves": lambda root: put(root / "app/one.py", f"# why\n{MODULES['carrier']}"),
    "a blank line is put above": lambda root: put(root / "app/one.py", f"\n{MODULES['carrier']}"),
    "a finding in a function moves": lambda root: put(
        root / "app/part/three.py",
        MODULES["borrower"].replace("    return", "    # why\n    return"),
    ),
    "storage with SQL moves": lambda root: put(
        root / "app/storage/store.py", STORE.replace("    def find", "    # why\n    def find")
    ),
    "an interface moves": lambda root: put(root / "app/storage/interface.py", f"# why\n{PURE}"),
    "a file imports what is none of the project's": lambda root: put(
        root / "tests/test_app.py", "import json\nfrom nothing import more\n"
    ),
    "a file that names a driver imports a standard module": lambda root: put(
        root / "app/one.py", f"import json\n{MODULES['carrier']}"
    ),
    "a file with an access imports a standard module": lambda root: put(
        root / "app/part/three.py", f"import json\n{MODULES['borrower']}"
    ),
    "a file that accesses lead to imports one": lambda root: put(
        root / "app/two.py", f"import json\n{MODULES['facade']}"
    ),
    "a file is touched": lambda root: (root / "app/one.py").touch(),
    "a file is written beside and moved": lambda root: rewrite(root / "app/one.py"),
    "a file is staged": stage,
    "all is committed": commit,
    "an ignored file appears": lambda root: put(root / "ignored/b.py", "import sqlite3\n"),
    "a folder of no files appears": lambda root: (root / "app/empty").mkdir(),
}

OTHER: Final[dict[str, Callable[[Path], object]]] = {
    "a file imports another one": lambda root: put(
        root / "tests/test_app.py", "from app import storage\n"
    ),
    "a list of names gets another one": lambda root: put(
        root / "app/two.py", f"import json\n{MODULES['facade']}".replace("'Store'", "'json'")
    ),
    "findings change places": lambda root: put(
        root / "app/storage/__init__.py", "from app.storage.store import Store, Row\n"
    ),
    "a file imports more": lambda root: append(root / "app/one.py", "import redis\n"),
    "a file appears": lambda root: put(root / "app/four.py", ""),
    "a file that is no program appears": lambda root: put(root / "app/notes.txt", ""),
    "a file goes": lambda root: (root / "app/one.py").unlink(),
    "a file becomes a link": lambda root: link(root / "app/one.py", root / "app/two.py"),
    "a file is no text any more": lambda root: (root / "app/one.py").write_bytes(b"\xff"),
    "git ignores less": lambda root: put(root / ".gitignore", ""),
    "the configuration changes": lambda root: put(root / "dal-audit.toml", CONFIGURATIONS["wide"]),
    "a baseline that git ignores appears": lambda root: put(
        root / ".dal-audit-baseline.jsonl", baseline_text(Counter())
    ),
    "a manifest that git ignores appears": lambda root: put(root / "Cargo.toml", ""),
    "another file configures": lambda root: put(
        root / "app/part/dal-audit.toml", CONFIGURATIONS["wide"]
    ),
    "a set of migrations appears": lambda root: put(root / "migrations/0001_a.sql", "SELECT 1;\n"),
    "the repository goes": lambda root: (root / ".git").rename(root.parent / "git"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=list(SAME))
def test_what_changes_no_answer_changes_no_report(
    project: Path, change: Callable[[Path], object], tmp_path: Path
) -> None:
    put(project / "tests/test_app.py", "")
    git(project, "add", ".")
    kept(asked(project))
    tick(tmp_path)
    change(project)
    report = known(asked(project))
    assert report is not None
    assert said(report) == said(audit(replace(asked(project), cache=False)))


@pytest.mark.parametrize("change", OTHER.values(), ids=list(OTHER))
def test_what_changes_an_answer_is_audited_anew(
    project: Path, change: Callable[[Path], object], tmp_path: Path
) -> None:
    kept(asked(project))
    assert known(asked(project)) is not None
    tick(tmp_path)
    change(project)
    assert known(asked(project)) is None


@pytest.mark.parametrize(
    "change",
    [
        ("app/reader.py", "from app.away import made", "from app.hands import made"),
        ("app/away.py", "import json", "from .hands import other"),
    ],
    ids=["of the spared file", "of one that it imports, relatively"],
)
def test_where_files_were_spared_an_import_into_the_project_counts(
    project: Path, change: tuple[str, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_evidence, "WORTH_A_CLOSURE", 1)
    hands = "from app.storage.store import Store\n\ndef made():\n    return Store('')\n"
    put(project / "app/hands.py", hands)
    put(project / "app/away.py", "import json\n")
    reader = "from app.away import made\n\ndef f():\n    return made().pool\n"
    put(project / "app/reader.py", reader)
    git(project, "add", ".")
    tick(tmp_path)
    kept(asked(project))
    name, before, after = change
    put(project / "app/reader.py", f"import json\n{reader}")
    assert known(asked(project)) is not None
    tick(tmp_path)
    put(project / name, (project / name).read_text().replace(before, after))
    assert known(asked(project)) is None


@pytest.mark.parametrize("imported", ["", "from app.storage.store import Store\n"])
def test_an_import_that_a_fix_writes_stands_where_an_audit_puts_it(
    project: Path, imported: str, tmp_path: Path
) -> None:
    put(project / "app/storage/errors.py", "class Taken(Exception):\n    pass\n")
    raised = STORE.replace("        return self", "        try:\n            return self")
    put(
        project / "app/storage/store.py",
        f"from app.storage.errors import Taken\n{raised}"
        "        except sqlite3.IntegrityError as error:\n            raise Taken from error\n",
    )
    catching = (
        f"{imported}import sqlite3\nROW: sqlite3.Row\n\ndef f(store):\n    try:\n"
        "        store.find('a')\n    except sqlite3.IntegrityError:\n        pass\n"
    )
    put(project / "app/one.py", catching)
    git(project, "add", ".")
    tick(tmp_path)
    assert "import Taken" in "".join(said(kept(asked(project))))
    for text in (f"# why\n{catching}", catching.replace("\nROW", "\n# why\nROW")):
        tick(tmp_path)
        put(project / "app/one.py", text)
        report = known(asked(project)) or kept(asked(project))
        assert said(report) == said(audit(replace(asked(project), cache=False)))


def test_a_standard_module_that_hides_what_a_star_brings_counts(
    project: Path, tmp_path: Path
) -> None:
    put(project / "app/two.py", "from app.storage.store import *\n")
    reader = "from app.two import Store\n\ndef f(store: Store):\n    return store.pool\n"
    put(project / "app/part/three.py", reader)
    git(project, "add", ".")
    for text in ("import json as Store\n", ""):
        tick(tmp_path)
        kept(asked(project))
        tick(tmp_path)
        put(project / "app/two.py", f"from app.storage.store import *\n{text}")
        assert known(asked(project)) is None


@pytest.mark.parametrize(
    "path", ["seeds/a.sql", "seeds", "dal-audit.toml", "app/left_out.py"], ids=str
)
def test_what_is_looked_at_by_its_name_alone_tells_of_nothing_else(
    project: Path, path: str, tmp_path: Path
) -> None:
    put(project / "seeds/a.sql", "INSERT OR REPLACE INTO a VALUES (1);\n")
    put(project / "app/left_out.py", "import sqlite3\n")
    configuration = f'exclude = ["app/left_out.py"]\n{CONFIGURATIONS["usual"]}'
    put(project / "dal-audit.toml", configuration)
    git(project, "add", ".")
    tick(tmp_path)
    kept(asked(project, ["app", path]))
    for paths in (["."], ["app/one.py"]):
        assert known(asked(project, paths)) is None
    kept(asked(project))
    assert known(asked(project)) is not None


def test_a_link_in_a_circle_keeps_nothing_from_being_kept(project: Path, tmp_path: Path) -> None:
    circle = project / "app/circle.py"
    circle.symlink_to(circle)
    tick(tmp_path)
    kept(asked(project))
    report = known(asked(project))
    assert report is not None
    assert said(report) == said(audit(replace(asked(project), cache=False)))


@pytest.mark.parametrize("appears", ["", "late.py"])
def test_the_run_that_makes_the_folder_of_the_cache_keeps_what_it_found(
    project: Path, appears: str, tmp_path: Path
) -> None:
    put(project / "migrations/0001_a.sql", "SELECT 1;\n")  # So that git is not asked once more.
    remove_cache(project / CACHE)
    git(project, "add", ".")
    tick(tmp_path)
    request = asked(project)
    last = LastAudit(request)
    report = audit(request)
    tick(tmp_path)
    if appears:
        put(project / appears, "")
    last.kept(report)
    assert (known(request) is None) == bool(appears)


@pytest.mark.parametrize("is_long_ago", [True, False])
def test_a_root_that_changed_just_now_is_not_settled(
    project: Path, is_long_ago: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove_cache(project / CACHE)
    tick(tmp_path)
    begun = time.time_ns()
    times = iter([begun])
    later = begun + LATER_NS if is_long_ago else begun
    monkeypatch.setattr(last_audit, "time_ns", lambda: next(times, later))
    last = LastAudit(asked(project))
    swept = last.kept(audit(asked(project)))
    assert swept is not None
    assert bool(swept.settled) is is_long_ago


def test_where_there_are_migrations_gits_history_counts(project: Path, tmp_path: Path) -> None:
    put(project / "migrations/0001_books.sql", "CREATE TABLE a (b TEXT);\n")
    kept(asked(project))
    assert known(asked(project)) is not None
    tick(tmp_path)
    git(project, "add", ".")
    assert known(asked(project)) is None


def test_where_there_are_migrations_the_index_counts_by_what_it_has(
    project: Path, tmp_path: Path
) -> None:
    put(project / "migrations/0001_books.sql", "CREATE TABLE a (b TEXT);\n")
    put(project / "app/four.py", "")
    git(project, "add", "app", "migrations")
    git(project, "commit", "-q", "-m", "second")
    tick(tmp_path)
    kept(asked(project))
    tick(tmp_path)
    stage(project)
    report = known(asked(project))
    assert report is not None
    assert said(report) == said(audit(replace(asked(project), cache=False)))
    tick(tmp_path)
    git(project, "rm", "-q", "--cached", "app/four.py")
    assert known(asked(project)) is None


def test_a_file_that_is_written_beside_migrations_is_asked(project: Path, tmp_path: Path) -> None:
    put(project / "migrations/0001_books.sql", "CREATE TABLE a (b TEXT);\n")
    kept(asked(project))
    tick(tmp_path)
    rewrite(project / "app/one.py")
    assert known(asked(project)) is not None
    tick(tmp_path)
    rewrite(project / "migrations/0001_books.sql")
    assert known(asked(project)) is None


def test_a_folder_that_appears_beside_a_written_file_is_looked_at(
    project: Path, tmp_path: Path
) -> None:
    kept(asked(project))
    tick(tmp_path)
    rewrite(project / "app/one.py")
    (project / "app/empty").mkdir()
    tick(tmp_path)
    assert known(asked(project)) is not None
    put(project / "app/empty/a.py", "import sqlite3\n")
    assert known(asked(project)) is None


def test_the_table_of_a_model_that_a_migration_names_counts(project: Path, tmp_path: Path) -> None:
    models = project / "app/models.py"
    put(models, 'class Shelf:\n    __tablename__ = "shelves"\n')
    put(project / "alembic/script.py.mako", "")
    revision = (
        "from alembic import op\nimport sqlalchemy as sa\nfrom app.models import Shelf\n\n"
        'revision = "1"\ndown_revision = None\n\n\ndef upgrade():\n'
        '    op.create_table("shelves", sa.Column("id", sa.Integer, primary_key=True))\n\n\n'
        "def downgrade():\n    op.drop_table(Shelf.__tablename__)\n"
    )
    put(project / "alembic/versions/1_shelves.py", revision)
    git(project, "add", ".")
    tick(tmp_path)
    before = said(kept(asked(project)))
    assert known(asked(project)) is not None
    tick(tmp_path)
    put(models, 'class Shelf:\n    __tablename__ = "places"\n')
    assert known(asked(project)) is None
    assert said(audit(replace(asked(project), cache=False))) != before


def test_the_line_of_an_accepted_finding_counts(project: Path, tmp_path: Path) -> None:
    put(project / "app/one.py", MODULES["leak"])
    write_baselines(asked(project), grow=False)
    tick(tmp_path)
    kept(asked(project))
    assert known(asked(project)) is not None
    tick(tmp_path)
    put(project / "app/one.py", MODULES["leak"].replace("sqlite3\n", "sqlite3  # x\n", 1))
    assert known(asked(project)) is None


@pytest.mark.parametrize(
    "paths", [("app/one.py",), ("app/part",), ("app/one.py", "app/storage"), (".",)], ids=" ".join
)
def test_any_run_tells_of_other_paths(project: Path, paths: tuple[str, ...]) -> None:
    kept(asked(project, ["app/two.py"]))
    report = known(asked(project, paths))
    assert report is not None
    assert said(report) == said(audit(replace(asked(project, paths), cache=False)))


@pytest.mark.parametrize(
    "paths", [("ignored/a.py",), ("ignored",), ("dal-audit.toml",), ("app/four.py",)], ids=" ".join
)
def test_what_the_last_audit_did_not_look_at_it_does_not_tell(
    project: Path, paths: tuple[str, ...]
) -> None:
    kept(asked(project))
    put(project / "app/four.py", "")
    assert known(asked(project, paths)) is None


@pytest.mark.parametrize(
    "further",
    [
        {"select": ("DAL101",)},
        {"ignore": ("DAL101",)},
        {"baseline": Path("other.jsonl")},
        {"since": "HEAD"},
    ],
    ids=str,
)
def test_another_request_is_another_audit(project: Path, further: dict[str, Any]) -> None:
    kept(asked(project))
    assert known(asked(project, **further)) is None


def test_a_young_file_is_asked_and_young_configuration_is_not_believed(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(last_audit, "SETTLED_NS", 10**15)
    kept(asked(project))
    assert known(asked(project)) is None
    for file in (project, *project.parents, *project.rglob("*")):
        assert file.exists()


def test_one_changed_file_is_all_that_is_read(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(asked(project))
    tick(tmp_path)
    append(project / "app/one.py", "# a comment\n")
    read: list[str] = []
    real = extractor.read_bytes

    def reading(path: str, size: int) -> bytes:
        read.append(path)
        return real(path, size)

    monkeypatch.setattr(extractor, "read_bytes", reading)
    assert known(asked(project)) is not None
    assert set(read) == {str(project / "app/one.py")}


def test_git_is_asked_only_where_its_view_may_be_another(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(asked(project))
    tick(tmp_path)
    append(project / "app/one.py", "# a comment\n")

    def refused(*_words: object, **_named: object) -> None:
        raise AssertionError

    monkeypatch.setattr(git_listing, "ask_git", refused)
    assert known(asked(project)) is not None


def test_all_of_a_finding_and_of_an_outcome_is_kept() -> None:
    assert fields_of(KeptFound) == fields_of(Finding)
    assert set(fields_of(KeptResult)) == {*fields_of(Outcome)} - {"root", "inquiry"}


def fields_of(record: type) -> tuple[str, ...]:
    """Return the names of a record's fields."""
    return tuple(field.name for field in fields(record))


def test_an_ignored_folder_that_is_left_out_counts(project: Path, tmp_path: Path) -> None:
    configuration = f'exclude = ["ignored/gone/**"]\n{CONFIGURATIONS["usual"]}'
    put(project / "dal-audit.toml", configuration)
    tick(tmp_path)
    kept(asked(project))
    assert known(asked(project)) is not None
    (project / "ignored/gone").mkdir()
    assert known(asked(project)) is None


def test_a_configuration_that_is_named_counts(project: Path, tmp_path: Path) -> None:
    put(project / "ignored/other.toml", CONFIGURATIONS["usual"])
    tick(tmp_path)
    request = asked(project, config=project / "ignored/other.toml")
    kept(request)
    assert known(request) is not None
    tick(tmp_path)
    put(project / "ignored/other.toml", CONFIGURATIONS["wide"])
    assert known(request) is None


def test_clean_removes_it(project: Path) -> None:
    kept(asked(project))
    assert list((project / CACHE).glob("*.audit"))
    remove_cache(project / CACHE)
    assert not (project / CACHE).exists()


accept = st.tuples(st.just("accept"), st.just(""), st.just(""))
of_git = st.tuples(
    st.just("git"),
    st.sampled_from(["add .", "commit -q --allow-empty -m next", "reset -q"]),
    st.just(""),
)
small = st.tuples(
    st.just("write"),
    st.sampled_from(PYTHON_FILES),
    st.sampled_from(
        [
            said
            for text in MODULES.values()
            for said in (f"{text}# a comment\n", f"# a comment\n{text}", f"import json\n\n{text}")
        ]
    ),
)
further = st.tuples(
    st.just("insert"),
    st.sampled_from(PYTHON_FILES),
    st.builds(
        "{} {}".format,
        st.integers(0, 12),
        st.sampled_from(
            [
                *("", "# why", "    # why", "    pass", "x = 1", '"""Why."""', "    import json"),
                *("import json as Row", "from app.one import Row", "# dal-audit: allow[DAL] why"),
            ]
        ),
    ),
)
rounds = st.tuples(
    st.lists(st.one_of(small, further, further, edits, accept, of_git), min_size=0, max_size=2),
    st.sampled_from(PATHS),
)


@settings(max_examples=runs(80))
@example(done=[([], ("app/one.py",)), ([("touch", "app/one.py", "")], (".",))])
@given(done=st.lists(rounds, min_size=1, max_size=5))
def test_after_any_edits_it_tells_what_an_audit_without_a_cache_finds(
    done: Sequence[tuple[Sequence[tuple[str, str, str]], tuple[str, ...]]],
    size: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    outside = tmp_path_factory.mktemp("edited")
    root = outside / "project"
    begin(root)
    git(root, "init", "-q", "-b", "main", ".")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "first")
    for several, paths in done:
        for what, name, text in several:
            if what == "accept":
                write_baselines(Request(folder=root, today=TODAY, jobs=1), grow=True)
            elif what == "git":
                git(root, *name.split())
            elif what == "insert":
                insert(root / name, text)
            else:
                edit(root, what, name, text)
        tick(outside)
        present = [path for path in paths if os.path.lexists(root / path)] or ["."]
        cold = said(audit(replace(asked(root, present), cache=False)))
        assert said(known(asked(root, present)) or kept(asked(root, present))) == cold, size
        report = known(asked(root, present))
        assert report is None or said(report) == cold
