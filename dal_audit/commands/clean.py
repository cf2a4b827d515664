"""The command `clean`: the caches of projects are removed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from dal_audit.catalogue.rulebook import known_rules
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.projects import plan_audit
from dal_audit.extract.cache_file import remove_cache
from dal_audit.policy.request import Request
from dal_audit.report.summary import plural


def clean(request: Request) -> Iterator[str]:
    """Remove the caches of all projects that are asked for, and yield what was removed of each.

    Raises ConfigurationError and UsageError as `audit` does, OSError where one cannot be removed.
    """
    for folder in _caches(request):
        files, size = remove_cache(folder)
        shown = Path(os.path.relpath(folder, request.folder)).as_posix()
        if files:
            yield f"removed {shown}: {plural(files, 'file')}, {size / 1024:.0f} KiB"
        else:
            yield f"nothing to remove in {shown}"


def _caches(request: Request) -> Iterator[Path]:
    if request.cache_folder is not None:
        yield request.folder / request.cache_folder
        return
    for scope in plan_audit(request.paths, request.folder, request.config, known_rules()).scopes:
        yield scope.policy.root / CACHE
