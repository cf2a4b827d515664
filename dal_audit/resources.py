"""Where the rule book lies: in the wheel as `dal_audit/rules`, in a checkout beside the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def rules_folder() -> Path:
    """Return the folder that holds the rule book.

    A wheel carries it inside the package (`force-include` in pyproject.toml); an editable install
    does not get that, so the checkout's folder serves there.
    """
    package = Path(__file__).resolve().parent
    packaged = package / "rules"
    return packaged if packaged.is_dir() else package.parent / "rules"
