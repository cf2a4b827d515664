"""Drivers' exceptions become storage's own errors: which, where from, and when not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.commands.fix import fixed, write_changes
from dal_audit.policy.request import Request

ERRORS = "class Taken(Exception): ...\n\n\nclass Busy(Exception): ...\n"
STORE = """import sqlite3

import psycopg

from app.storage.errors import Busy, Taken


def add(connection):
    try:
        connection.execute("INSERT INTO t (a) VALUES (1)")
    except (sqlite3.IntegrityError, psycopg.errors.UniqueViolation) as error:
        raise Taken("it") from error
    except sqlite3.OperationalError:
        raise Busy
"""
CALLER = "{imports}\n\n\ntry:\n    f()\nexcept {caught}:\n    pass\n"


def mended(tmp_path: Path, imports: str, caught: str, **others: str) -> str:
    """Return what fixes make of a module that catches exceptions, without its first imports."""
    files = {
        "app/storage/errors.py": ERRORS,
        "app/storage/users.py": STORE,
        "app/a.py": CALLER.format(imports=imports, caught=caught),
    }
    for path, text in {**files, **others}.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    request = Request(folder=tmp_path, cache=False, select=("DAL104",))
    result = fixed(request, unsafe=True)
    assert result.refused == ()
    write_changes(result.changes)
    return (tmp_path / "app/a.py").read_bytes().decode()


TAKEN = "from app.storage.errors import Taken"


@pytest.mark.parametrize(
    ("before", "caught", "after", "catches"),
    [
        ("import sqlite3", "sqlite3.IntegrityError", f"import sqlite3\n\n{TAKEN}", "Taken"),
        ("import sqlite3", "sqlite3.OperationalError as e", None, "Busy as e"),
        ("import sqlite3", "(sqlite3.IntegrityError, OSError)", None, "(Taken, OSError)"),
        (
            "import sqlite3\nimport psycopg",
            "(sqlite3.IntegrityError, psycopg.errors.UniqueViolation)",
            f"import sqlite3\nimport psycopg\n\n{TAKEN}",
            "Taken",
        ),
        (
            "import sqlite3",
            "(sqlite3.IntegrityError, sqlite3.OperationalError)",
            None,
            "(Taken, Busy)",
        ),
        (f"import sqlite3\n{TAKEN} as T", "sqlite3.IntegrityError", "", "T"),
        (
            "import sqlite3\nfrom app.storage.errors import Busy  # why",
            "sqlite3.IntegrityError",
            "import sqlite3\nfrom app.storage.errors import Busy, Taken  # why",
            "Taken",
        ),
        (
            "import sqlite3\nfrom app.storage.errors import (\n    Busy,\n)",
            "sqlite3.IntegrityError",
            "import sqlite3\nfrom app.storage.errors import (\n    Busy, Taken,\n)",
            "Taken",
        ),
        (
            "import sqlite3\nfrom app.a import x\nfrom app.zoo import y",
            "sqlite3.IntegrityError",
            f"import sqlite3\nfrom app.a import x\n{TAKEN}\nfrom app.zoo import y",
            "Taken",
        ),
    ],
)
def test_a_clause_catches_what_storage_raises(
    tmp_path: Path, before: str, caught: str, after: str | None, catches: str
) -> None:
    text = mended(tmp_path, before, caught)
    imports, _, rest = text.partition("\n\n\ntry:")
    assert f"except {catches}:" in rest
    if after is not None:
        assert imports == (after or before)


@pytest.mark.parametrize(
    ("imports", "caught"),
    [
        ("import sqlite3", "sqlite3.Error"),
        ("import sqlite3", "(sqlite3.IntegrityError, sqlite3.Error)"),
        ("import sqlite3\n\n\nclass Taken: ...", "sqlite3.IntegrityError"),
        ("if x:\n    import sqlite3", "sqlite3.IntegrityError"),
    ],
)
def test_what_is_not_known_is_left_alone(tmp_path: Path, imports: str, caught: str) -> None:
    assert mended(tmp_path, imports, caught) == CALLER.format(imports=imports, caught=caught)


@pytest.mark.parametrize(
    ("clauses", "is_mended"),
    [
        ("except sqlite3.IntegrityError as e:\n    print(e.sqlite_errorcode)\n", False),
        ("except (OSError, sqlite3.IntegrityError) as e:\n    f(lambda: e.x)\n", False),
        ("except sqlite3.IntegrityError as e:\n    print(e, e.args)\n", True),
        ("except sqlite3.IntegrityError:\n    pass\nexcept Taken:\n    pass\n", False),
        ("except Exception:\n    pass\nexcept sqlite3.IntegrityError:\n    pass\n", True),
        ("except sqlite3.IntegrityError:\n    pass\nexcept (OSError, Busy):\n    pass\n", True),
        ("except sqlite3.IntegrityError:\n    try: g()\n    except Taken: pass\n", True),
    ],
)
def test_a_handler_that_is_tied_to_its_exception_is_left_alone(
    tmp_path: Path, clauses: str, is_mended: bool
) -> None:
    head = "import sqlite3\nfrom app.storage.errors import Busy, Taken\n\n\ntry:\n    f()\n"
    text = mended(tmp_path, "", "", **{"app/a.py": head + clauses})
    assert text == head + clauses.replace(
        "sqlite3.IntegrityError", "Taken" * is_mended or "sqlite3.IntegrityError"
    )


def test_what_storage_raises_in_two_ways_is_left_alone(tmp_path: Path) -> None:
    other = STORE.replace('Taken("it")', "Busy")
    text = mended(
        tmp_path, "import sqlite3", "sqlite3.IntegrityError", **{"app/storage/b.py": other}
    )
    assert "except sqlite3.IntegrityError" in text


def test_a_class_of_the_drivers_is_no_error_of_storage(tmp_path: Path) -> None:
    errors = (
        "import sqlite3\n\n\nclass Taken(sqlite3.IntegrityError): ...\nclass Busy(Taken): ...\n"
    )
    text = mended(
        tmp_path, "import sqlite3", "sqlite3.IntegrityError", **{"app/storage/errors.py": errors}
    )
    assert "except sqlite3.IntegrityError" in text


def test_what_is_configured_counts_before(tmp_path: Path) -> None:
    policy = '[error-map]\n"sqlite3.IntegrityError" = "app.storage.errors:Busy"\n'
    text = mended(
        tmp_path, "import sqlite3", "sqlite3.IntegrityError", **{"dal-audit.toml": policy}
    )
    assert "except Busy:" in text


def test_lines_end_as_those_of_the_file(tmp_path: Path) -> None:
    caller = CALLER.format(imports="import sqlite3", caught="sqlite3.IntegrityError")
    text = mended(tmp_path, "", "", **{"app/a.py": caller.replace("\n", "\r\n")})
    assert f"{TAKEN}\r\n" in text
    assert text.count("\n") == text.count("\r\n")
