"""A driver's name in `__all__`: how it is taken out, and who takes it from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.commands.fix import fixed
from dal_audit.policy.request import Request

HEAD = "from sqlite3 import Row, connect\n\nfrom .users import Users\n\n"
USERS = "import sqlite3\n\n\nclass Users: ...\n"


def request(tmp_path: Path, listing: str, **others: str) -> Request:
    files = {"app/storage/__init__.py": HEAD + listing, "app/storage/users.py": USERS, **others}
    for path, text in files.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Request(folder=tmp_path, cache=False, select=("DAL105",))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("__all__ = ['Row', 'Users']\n", "__all__ = ['Users']\n"),
        ("__all__ = ['Users', 'Row']\n", "__all__ = ['Users']\n"),
        ("__all__ = ['Row', 'Users', 'connect']\n", "__all__ = ['Users']\n"),
        ("__all__ = ('Row', 'Users', 'connect',)\n", "__all__ = ('Users',)\n"),
        ("__all__ = ('Row', 'Users', 'connect')\n", None),
        (
            "__all__ = ['Users']\n__all__ += ['x', 'Row']\n",
            "__all__ = ['Users']\n__all__ += ['x']\n",
        ),
        (
            "__all__ = [\n    'Row',  # why\n    'Users',  # who\n]\n",
            "__all__ = [\n    # why\n    'Users',  # who\n]\n",
        ),
        (
            "__all__ = [\n    # sqlite3\n    'Row',\n    'Users',\n]\n",
            "__all__ = [\n    # sqlite3\n    'Users',\n]\n",
        ),
        ("__all__ = ['Row']\n", None),
        ("__all__ = ('Users', 'Row')\n", None),
        ("__all__ = ['Users', 'Row', 'Row']\n", None),
        ("__all__ = ['Users']\n__all__.append('Row')\n", None),
        ("__all__ = ['Users', 'Row', *users.__all__]\n", None),
        ("__all__ = ['Users', 'R' 'ow']\n", "__all__ = ['Users']\n"),
    ],
)
def test_a_name_is_taken_out_of_a_list(tmp_path: Path, before: str, after: str | None) -> None:
    result = fixed(request(tmp_path, before), unsafe=True)
    texts = [change.after.decode() for change in result.changes]
    assert texts == ([] if after is None else [HEAD + after])
    assert fixed(request(tmp_path, before)).changes == ()


def test_who_takes_the_name_is_said(tmp_path: Path) -> None:
    others = {
        "app/a.py": "from app.storage import Row\n\nRow\n",
        "app/b.py": "from .storage import *\n\nRow\n",
        "app/c.py": "from app.storage import Users\n\nUsers\n",
    }
    report = audit(request(tmp_path, "__all__ = ['Row', 'Users']\n", **others))
    (fix,) = (finding.breach.fix for finding in report.open)
    assert fix is not None
    assert fix.message == (
        "take `Row` out of `__all__`; it is taken from here by `app/a.py`, `app/b.py`"
    )
