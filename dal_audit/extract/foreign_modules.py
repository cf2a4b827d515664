"""Which modules of the standard library hand on nothing of the project or of a driver."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from dal_audit.catalogue.drivers import Catalogue


def foreign_modules(paths: Iterable[str], catalogue: Catalogue) -> frozenset[str]:
    """Return the standard library's modules, by their first names, that stay strangers.

    What is imported from them is no driver's, and nothing of the project's: no file or folder of
    it has such a name.
    """
    known = list(paths)
    own = set("/".join(known).split("/"))
    own.update(path.rpartition("/")[2].partition(".")[0] for path in known)
    drivers = {module.partition(".")[0] for module in catalogue.by_module}
    return sys.stdlib_module_names - own - drivers
