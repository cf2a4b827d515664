"""The zones of a project: its storage, its migrations, and who may name a backend.

What is configured counts; where nothing is, a zone is found by the names of folders and by what
they import.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from typing import Final

from dal_audit.policy import Policy, compile_globs

MIGRATION_MARKER: Final = "script.py.mako"
"""Alembic's template: the folder that holds it is an Alembic environment."""

_DJANGO: Final = re.compile(r"((?:.*/)?migrations)/\d{4}_\w+\.py\Z")
"""What Django calls an app's migrations (django-admin, `makemigrations`)."""

_SHOWN: Final = 2
"""How many storage packages a message names."""


def configured_storage(policy: Policy, paths: Iterable[str]) -> frozenset[str]:
    """Return the paths that a policy calls storage, whatever they import."""
    matches = compile_globs(tuple(policy.storage or ()), anchored=True)
    return frozenset(filter(matches, paths))


class Zones:
    """Which files lie in which zone; paths are POSIX and relative to the project's root."""

    def __init__(
        self,
        policy: Policy,
        modules: frozenset[str],
        markers: frozenset[str],
        storage: tuple[str, ...],
    ) -> None:
        """Take the policy, the paths of Python files and markers, and storage's path globs."""
        self.policy = policy
        self.modules = modules
        self.markers = markers
        self.storage = storage
        self.in_migrations = compile_globs(self._migration_globs, anchored=True)
        """Tells of a path whether it lies among the migrations."""
        self.in_composition_root = compile_globs(policy.composition_roots or (), anchored=True)
        """Tells of a path whether the file may name concrete backends."""

    # Storage

    @cached_property
    def storage_paths(self) -> frozenset[str]:
        """The Python files in the storage package, where drivers may appear."""
        matches = compile_globs((*self.storage, *self._migration_globs), anchored=True)
        return frozenset(path for path in self.modules if matches(path))

    def in_storage(self, path: str) -> bool:
        """Return whether a file lies in the storage package, where drivers may appear."""
        return path in self.storage_paths

    def storage_description(self, path_prefix: str) -> str:
        """Return the storage packages as a message names them, seen from where a prefix leads."""
        names = [glob.removesuffix("/**").removesuffix("/*") for glob in self.storage]
        if not names:
            return "the storage package"
        shown = " or ".join(f"`{path_prefix}{name}`" for name in names[:_SHOWN])
        return f"{shown} or {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown

    # Migrations

    @cached_property
    def migration_folders(self) -> tuple[str, ...]:
        """The folders of Python migrations ("" is the root): Alembic environments, and Django's."""
        of_alembic = {
            path.rpartition("/")[0]
            for path in self.markers
            if path.rpartition("/")[2] == MIGRATION_MARKER
        }
        of_django = {found[1] for path in self.modules if (found := _DJANGO.match(path))}
        return tuple(sorted(of_alembic | of_django))

    @cached_property
    def _migration_globs(self) -> tuple[str, ...]:
        configured = (folder.path.rstrip("/") for folder in self.policy.migrations or ())
        found = self.migration_folders if self.policy.storage is None else ()
        return (
            *(f"{folder}/**" for folder in configured),
            *(f"{folder}/**" if folder else "**" for folder in found),
        )

    # What is assumed

    def assumptions(self) -> Iterable[str]:
        """Yield what is assumed of storage and migrations where neither is configured."""
        if self.policy.storage is not None:
            return
        if self.storage:
            yield f"storage: {', '.join(glob.removesuffix('/**') for glob in self.storage)}"
        else:
            yield "storage: none found, so no file may import a driver"
        if self.migration_folders:
            yield f"migrations: {', '.join(folder or '.' for folder in self.migration_folders)}"
