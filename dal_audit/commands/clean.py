"""The command `clean`: the caches of projects are removed."""

from __future__ import annotations

from dal_audit.catalogue.rulebook import known_rules
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.projects import plan_audit
from dal_audit.extract.cache_file import remove_cache
from dal_audit.policy.request import Request


def clean(request: Request) -> None:
    """Remove the caches of all projects that are asked for.

    Raises ConfigurationError and UsageError as `audit` does, OSError where one cannot be removed.
    """
    if request.cache_folder is not None:
        remove_cache(request.folder / request.cache_folder)
        return
    for scope in plan_audit(request.paths, request.folder, request.config, known_rules()).scopes:
        remove_cache(scope.policy.root / CACHE)
