"""Links that lead out of a project: nothing is written through one.

Whoever wrote the project could have laid it, to a file of whoever audits it.
"""

from __future__ import annotations

import os
from pathlib import Path

from dal_audit.discover.errors import UsageError


def leads_out(file: Path, root: Path) -> bool:
    """Return whether a path that lies below a folder, as it is written, is elsewhere in truth.

    A path that lies elsewhere to begin with was chosen by whoever gave it: it leads nowhere.
    """
    written, top = Path(os.path.abspath(file)), Path(os.path.abspath(root))  # noqa: PTH100  # no link is to be resolved
    if not written.is_relative_to(top):
        return False
    return not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(root))


def check_within(file: Path, root: Path) -> None:
    """Raise UsageError where what is to be written would be written outside a project."""
    if leads_out(file, root):
        raise UsageError(
            f"error: `{file}` is a link that leads out of the project; nothing was written"
        )
