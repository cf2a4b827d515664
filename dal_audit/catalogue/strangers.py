"""Modules of the standard library that are no driver's, and no file of the project is called so."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from dal_audit.catalogue.drivers import Catalogue


def foreign_modules(paths: Iterable[str], catalogue: Catalogue) -> frozenset[str]:
    """Return the standard library's modules, by their first names, that stay strangers.

    What is imported from them is no driver's, and nothing of the project's: no file or folder of
    it has such a name.
    """
    own = set()
    folders = set()
    for path in paths:
        folder, _, name = path.rpartition("/")
        own.add(name.partition(".")[0])
        folders.add(folder)
    own.update(part for folder in folders for part in folder.split("/"))
    drivers = {module.partition(".")[0] for module in catalogue.by_module}
    return sys.stdlib_module_names - own - drivers
