"""Which modules of the standard library hand on nothing of the project or of a driver."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from functools import lru_cache

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.disk.ancestors import ancestors_of

_INITS = ("/__init__.py", "/__init__.pyi")


def foreign_modules(
    paths: Iterable[str], catalogue: Catalogue, roots: Iterable[str] = ()
) -> frozenset[str]:
    """Return the standard library's modules, by their first names, that stay strangers.

    What is imported from them is no driver's, and nothing of the project's: no file or folder of
    it that may be imported by its own name alone has such a name. What lies in a package is
    imported by the package's name (`app/typing.py` as `app.typing`), and hides no module, unless
    the package is one of the source `roots` that are configured.
    """
    drivers = {module.partition(".")[0] for module in catalogue.by_module}
    return sys.stdlib_module_names - _own_modules(tuple(paths), frozenset(roots)) - drivers


@lru_cache(2)  # Each round of a run asks for those of the same files.
def _own_modules(paths: tuple[str, ...], roots: frozenset[str]) -> AbstractSet[str]:
    """Return the first names by which something of a project may be imported."""
    packages = {path.rpartition("/")[0] for path in paths if path.endswith(_INITS)} - roots
    own = {path.rpartition("/")[2].partition(".")[0] for path in paths if _hides(path, packages)}
    folders = ancestors_of(paths, "/")
    own.update(folder.rpartition("/")[2] for folder in folders if _hides(folder, packages))
    return own


def _hides(path: str, packages: set[str]) -> bool:
    """Return whether a file or folder may be imported by its name alone."""
    around = path.rpartition("/")[0]
    is_own = around in packages and around.rpartition("/")[2] not in {"", "src"}
    return not is_own
