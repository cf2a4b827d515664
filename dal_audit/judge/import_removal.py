"""Whether an import that a breach is about can be taken out, as nothing in the project uses it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Final

from msgspec.structs import replace

from dal_audit.assemble.imported_names import is_reached_otherwise, is_read_elsewhere
from dal_audit.assemble.project import Project
from dal_audit.facts import Import, Span
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

    Those that anything may use stay. None where that is each of them, and where what stands there
    is no name that it binds. It is unsafe where a name may be a module that is read otherwise, too:
    `psycopg2.extensions` of `import psycopg2`, which only `from psycopg2 import extensions` loads.
    """
    targets = [target for target in fact.targets if target.span in spans]
    place = PurePosixPath(path)
    if len(targets) < len(set(spans)) or place.stem in _OFFERING or place.suffix == ".ipynb":
        return None
    module = project.module_name(path)
    kept = [
        replace(target, removal=None)
        if target.removal is not None and is_read_elsewhere(module, target.bound, project)
        else target
        for target in targets
    ]
    unused = (target.name for target in kept if target.removal is not None)
    if any(is_reached_otherwise(name, project) for name in unused):
        applicability = "unsafe"
    return without(fact, kept, applicability)
