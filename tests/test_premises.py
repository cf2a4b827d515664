"""What many findings hang on is said, with the line of configuration that decides it."""

from __future__ import annotations

from pathlib import Path

from dal_audit.audit import audit
from dal_audit.policy.request import Request
from dal_audit.triage.premises import LEAST


def notes(folder: Path, files: dict[str, str]) -> tuple[str, ...]:
    """Return the notes on a project with these files."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return audit(Request(folder=folder)).notes


def importing(count: int, folder: str = "app/") -> dict[str, str]:
    return {f"{folder}m{index}.py": "import asyncpg\n" for index in range(count)}


def rejected(count: int = LEAST) -> dict[str, str]:
    """Return storage whose migrations PostgreSQL alone takes."""
    ups = {f"m/{index:04}_a.up.sql": f"DROP FUNCTION f{index}();\n" for index in range(count)}
    downs = {name.replace(".up.", ".down."): "SELECT 1;\n" for name in ups}
    return {"app/db/store.py": "import asyncpg\n", **ups, **downs}


def test_storage_that_was_not_found_is_said_to_decide(tmp_path: Path) -> None:
    (note,) = notes(tmp_path, importing(LEAST))
    assert note == (
        "10 of 10 findings hang on where storage is, which was not found; "
        "write `storage = [...]` if it is there"
    )
    assert notes(tmp_path, {"dal-audit.toml": 'storage = ["db/**"]\n'}) == ()


def test_what_imports_a_driver_for_others_is_likely_storage(tmp_path: Path) -> None:
    users = {f"app/u{index}.py": "from app.access import Pool\n" for index in range(LEAST)}
    (note,) = notes(tmp_path, {"app/access.py": "from asyncpg import Pool\n", **users})
    assert note.endswith(
        "`app/access.py` imports a driver and hands it on: "
        'write `storage = ["app/access.py"]` if it is there'
    )


def test_few_findings_hang_on_nothing(tmp_path: Path) -> None:
    assert notes(tmp_path, importing(LEAST - 1)) == ()


def test_a_backend_that_nothing_speaks_to_is_said_to_decide(tmp_path: Path) -> None:
    (note,) = notes(tmp_path, rejected())
    assert note.endswith('if it is for PostgreSQL alone, write `backends = ["postgresql"]`')
    assert "findings are that SQLite rejects what the project runs" in note


def test_a_backend_that_something_speaks_to_is_none_to_doubt(tmp_path: Path) -> None:
    assert notes(tmp_path, {**rejected(), "app/db/file.py": "import sqlite3\n"}) == ()


def test_findings_in_tests_are_said_to_be_there(tmp_path: Path) -> None:
    known = {"dal-audit.toml": 'storage = ["db/**"]\n'}
    (note,) = notes(tmp_path, {**known, **importing(LEAST, "pkg/tests/")})
    assert "10 of 11 findings lie in tests" in note
    assert 'write `exclude = ["pkg/tests"]`' in note


def test_a_folder_of_tests_alone_is_no_storage(tmp_path: Path) -> None:
    files = {"tests/db/a.py": "import asyncpg\n", **importing(LEAST)}
    assert "which was not found" in notes(tmp_path, files)[0]


def test_imports_that_only_declare_models_are_said_to_be_decided(tmp_path: Path) -> None:
    base = "from sqlalchemy.orm import DeclarativeBase\n\n\nclass Base(DeclarativeBase): ...\n"
    model = (
        "from sqlalchemy import Column, Integer\nfrom app.base import Base\n\n\n"
        "class Row{0}(Base):\n    id = Column(Integer)\n"
    )
    models = {f"app/m{number}.py": model.format(number) for number in range(LEAST)}
    files = {"app/base.py": base, **models, "dal-audit.toml": 'storage = ["db/**"]\n'}
    (note,) = notes(tmp_path, files)
    assert note.startswith("11 of 12 findings are imports that only declare ORM models; ")
    assert 'write `orm-models = "allow-imports"`' in note
    decided = 'storage = ["db/**"]\norm-models = "allow"\n'
    assert notes(tmp_path, {"dal-audit.toml": decided}) == ()


def test_imports_that_fetch_rows_declare_no_models(tmp_path: Path) -> None:
    text = "from sqlalchemy import select\n\n\nclass Rows:\n    all = select(1)\n"
    files = {f"app/m{number}.py": text for number in range(LEAST)}
    assert notes(tmp_path, {**files, "dal-audit.toml": 'storage = ["db/**"]\n'}) == ()
