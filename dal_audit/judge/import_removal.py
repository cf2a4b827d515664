"""Whether an import that a breach is about can be taken out, as nothing in the project uses it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Final

from msgspec.structs import replace

from dal_audit.assemble.imported_names import is_reached_otherwise, is_read_elsewhere
from dal_audit.assemble.project import Project
from dal_audit.facts import Import, Span, Target
from dal_audit.fix.imports import without
from dal_audit.fix.model import Applicability, Fix

_OFFERING: Final = frozenset({"__init__", "conftest"})
"""Modules whose names others read without a word of it: a package's, and fixtures."""


def removal_of(
    fact: Import,
    spans: Collection[Span],
    path: str,
    project: Project,
    applicability: Applicability = "safe",
) -> Fix | None:
    """Return how the names at some places of a statement are taken out of it.

    Those that anything may use stay; None where that is each of them, and where what stands there
    is no name that it binds. So does what may be a module that is read by another way: in `sa.orm`
    of `import sqlalchemy as sa`, which `import sqlalchemy.orm` alone may load.
    """
    targets = [target for target in fact.targets if target.span in spans]
    place = PurePosixPath(path)
    if len(targets) < len(set(spans)) or place.stem in _OFFERING or place.suffix == ".ipynb":
        return None
    module = project.module_name(path)
    kept = [
        replace(target, removal=None) if _may_be_read(module, target, project) else target
        for target in targets
    ]
    return without(fact, kept, applicability)


def _may_be_read(module: str, target: Target, project: Project) -> bool:
    """Return whether something else reads what an import that nothing uses binds, or loads."""
    return target.removal is not None and (
        is_read_elsewhere(module, target.bound, project)
        or is_reached_otherwise(target.name, project)
    )
