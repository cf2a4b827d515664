"""What names of Rust are to the catalogue and the project: a driver's, an error, its own."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from dal_audit.assemble.rust.module_tree import ModuleTree
from dal_audit.catalogue.drivers import RUST, Catalogue, Driver
from dal_audit.catalogue.object_kinds import Kinds

_WRAPPERS: Final = frozenset(
    {
        "Arc",
        "Rc",
        "Box",
        "Option",
        "Result",
        "Vec",
        "Pin",
        "Cow",
        "Mutex",
        "RwLock",
        "RefCell",
        "Cell",
    }
    | {"OnceCell", "OnceLock", "LazyLock", "Lazy", "HashMap", "BTreeMap", "Future", "Send", "Sync"}
    | {"BoxFuture", "Weak", "Self", "Sized", "BoxStream", "Stream", "ArcSwap"}
)
"""Types that say nothing of what is in them."""


class RustNames:
    """Tells whose a name is."""

    def __init__(self, catalogue: Catalogue, tree: ModuleTree) -> None:
        """Take the drivers in force, and the project's crates."""
        self.catalogue = catalogue
        self.kinds = Kinds(catalogue)
        self.tops = frozenset(crate.name for crate in tree.crates)
        self._errors: dict[str, str] = {}
        self._listed: dict[str, AbstractSet[str]] = {}

    @cached_property
    def crates(self) -> AbstractSet[str]:
        """The drivers' crates."""
        return frozenset(name for name in self.catalogue.by_module if name.startswith(RUST))

    @cached_property
    def pools(self) -> AbstractSet[str]:
        """The crates of pools that hold whatever they are given."""
        known = self.catalogue.by_module
        return frozenset(name for name in self.crates if known[name].kind == "pool")

    def driver_of(self, name: str) -> Driver | None:
        """Return the driver that a name belongs to, if it is one's; the project's own is none."""
        return None if self.is_own(name) else self.catalogue.driver_of(name)

    def is_own(self, name: str) -> bool:
        """Return whether a name is one of the project's."""
        return name.partition(".")[0] in self.tops

    def matters(self, name: str) -> bool:
        """Return whether a name is a driver's or the project's."""
        return self.is_own(name) or self.catalogue.driver_of(name) is not None

    def names_in(self, module: str) -> AbstractSet[str]:
        """Return what is known of the names in a driver's module; nothing of another."""
        if module not in self._listed:
            is_drivers = self.driver_of(module) is not None
            names = self.kinds.names_in(module) if is_drivers else ()
            self._listed[module] = frozenset(names)
        return self._listed[module]

    def error(self, name: str) -> str:
        """Return the driver's error that a name is, or a variant of; empty for another name."""
        if name not in self._errors:
            self._errors[name] = self._error(name) if self.driver_of(name) is not None else ""
        return self._errors[name]

    def _error(self, name: str) -> str:
        parts = name.split(".")
        heads = (".".join(parts[:count]) for count in range(2, len(parts) + 1))
        return next((head for head in heads if self.kinds.role(head) == "exception"), "")

    def role(self, name: str) -> str:
        """Return the role of a driver's type; empty for another name."""
        return self.kinds.role(name) if self.driver_of(name) is not None else ""

    @staticmethod
    def is_wrapper(spelled: str) -> bool:
        """Return whether a path is that of a type which says nothing of what it holds."""
        return spelled.rpartition("::")[2] in _WRAPPERS
