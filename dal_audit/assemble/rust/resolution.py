"""What paths mean: through scopes, `use`, globs, modules and crates (Reference, "Name resolution").

Own names and items of a scope come before the crates that it can name, and these before what globs
bring. A glob over a module of the project is walked; of a driver's the catalogue knows the names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property

from msgspec import Struct

from dal_audit.assemble.rust.crates import STANDARD
from dal_audit.assemble.rust.module_tree import ModuleTree, inner_name, module_scope
from dal_audit.facts.rust import RustFile, RustItem, RustUse


class Meaning(Struct, frozen=True):
    """What a path means: the name that it has where it is taken from, and the one at the end.

    `use` is what the file itself has it by, if anything; `is_item` says that the path begins with
    an item of the scope, so that nothing comes from elsewhere.
    """

    near: str
    far: str
    use: RustUse | None = None
    is_item: bool = False


class _Table(Struct, frozen=True):
    """What a scope binds, by names."""

    items: Mapping[str, list[RustItem]]
    uses: Mapping[str, list[RustUse]]
    globs: tuple[RustUse, ...]


_NONE: frozenset[tuple[str, str]] = frozenset()


class Resolution:
    """Resolves the paths of a project's files."""

    def __init__(
        self,
        tree: ModuleTree,
        drivers: AbstractSet[str],
        names_in: Callable[[str], AbstractSet[str]],
        hidden: Mapping[str, AbstractSet[str]] | None = None,
    ) -> None:
        """Take the modules, the drivers' crates, and what is known of the names in one's module.

        `hidden` are the crates that are none of a driver's in a file, by its path.
        """
        self.tree = tree
        self.drivers = drivers
        self.names_in = names_in
        self.hidden = hidden or {}
        self.modules = frozenset(tree.names.values()) | tree.places.keys()
        """The names of all modules, read or not."""
        self._tables: dict[tuple[str, int], _Table] = {}
        for path, read in tree.files.items():
            self._add_tables(path, read)
        self._members: dict[tuple[str, str], str | None] = {}
        self._meanings: dict[tuple[str, str, int], Meaning | None] = {}
        self._globs: dict[str, tuple[str, ...]] = {}
        self._is_cut = False
        """Whether an answer lacks what a circle would have led to."""

    def _add_tables(self, path: str, read: RustFile) -> None:
        items: dict[int, dict[str, list[RustItem]]] = {}
        uses: dict[int, dict[str, list[RustUse]]] = {}
        globs: dict[int, list[RustUse]] = {}
        for item in read.items:
            items.setdefault(item.scope, {}).setdefault(item.name, []).append(item)
        for use in read.uses:
            if use.path.endswith("::*"):
                globs.setdefault(use.scope, []).append(use)
            elif use.bound:
                uses.setdefault(use.scope, {}).setdefault(use.bound, []).append(use)
        for number in range(len(read.scopes)):
            self._tables[path, number] = _Table(
                items.get(number, {}), uses.get(number, {}), tuple(globs.get(number, ()))
            )

    def meaning(self, spelled: str, path: str, scope: int) -> Meaning | None:
        """Return what a path means in a scope of a file; None where that is not known."""
        key = (spelled, path, scope)
        if key not in self._meanings:
            self._meanings[key] = self._meaning(spelled, path, scope, _NONE, None)
        return self._meanings[key]

    def of_use(self, use: RustUse, path: str) -> Meaning | None:
        """Return what a `use` names; a glob's meaning is that of what stands before `*`."""
        return self._meaning(use.path.removesuffix("::*"), path, use.scope, _NONE, use)

    def _meaning(
        self,
        spelled: str,
        path: str,
        scope: int,
        seen: frozenset[tuple[str, str]],
        asking: RustUse | None,
    ) -> Meaning | None:
        first, *rest = spelled.split("::")
        if first == "" and rest:
            start = self._crate(rest.pop(0), path, scope, is_explicit=True)
        else:
            start = self._start(first, path, scope, seen, asking, is_alone=not rest)
        if start is None:
            return None
        near, far = start.near, start.far
        is_hop = asking is not None and start.near != start.far
        for segment in rest:
            if segment == "super":
                far = near = far.rpartition(".")[0] or far
                continue
            near = f"{near if is_hop else far}.{segment}"
            found = self.member(far, segment, seen)
            if found is None:
                return None
            is_hop = is_hop or (asking is not None and found != f"{far}.{segment}")
            far = found
        return Meaning(near, far, start.use, start.is_item)

    def _start(
        self,
        first: str,
        path: str,
        scope: int,
        seen: frozenset[tuple[str, str]],
        asking: RustUse | None,
        *,
        is_alone: bool,
    ) -> Meaning | None:
        """Return what the first segment of a path means."""
        read = self.tree.files[path]
        if first in {"crate", "$crate"}:
            name = self.tree.crate_of[path].name
            return Meaning(name, name)
        if first in {"self", "super"}:
            module = self._module_name(path, scope)
            name = module if first == "self" else module.rpartition(".")[0]
            return Meaning(name, name) if name else None
        chain = list(_chain(read, scope))
        found = self._bound(first, path, chain, seen, asking, is_alone=is_alone)
        if found is None and not (asking is not None and asking.is_extern):
            found = self._crate(first, path, scope)
        return found or self._by_globs(first, path, chain, seen, asking)

    def _module_name(self, path: str, scope: int) -> str:
        inner = inner_name(self.tree.files[path], module_scope(self.tree.files[path], scope))
        own = self.tree.names[path]
        return f"{own}.{inner}" if inner else own

    def _bound(
        self,
        name: str,
        path: str,
        chain: list[int],
        seen: frozenset[tuple[str, str]],
        asking: RustUse | None,
        *,
        is_alone: bool,
    ) -> Meaning | None:
        """Return what the scopes themselves bind to a name."""
        for number in chain:
            table = self._tables[path, number]
            for use in table.uses.get(name, ()):
                if use is asking or (path, use.path) in seen:
                    continue
                inner = self._meaning(use.path, path, use.scope, seen | {(path, use.path)}, use)
                if inner is not None:
                    # A `use` of what another one brought takes it from there.
                    is_hop = asking is not None and "." in inner.near
                    own = f"{self._module_name(path, number)}.{name}"
                    return Meaning(own if is_hop else inner.near, inner.far, use)
            module = self._module_name(path, number)
            for item in table.items.get(name, ()):
                if is_alone or item.space in {"type", "both"}:
                    return Meaning(f"{module}.{name}", f"{module}.{name}", is_item=True)
            is_module = self.tree.files[path].scopes[number].kind == "module"
            if is_module and f"{module}.{name}" in self.modules:
                return Meaning(f"{module}.{name}", f"{module}.{name}", is_item=True)
        return None

    def _crate(
        self, name: str, path: str, scope: int, *, is_explicit: bool = False
    ) -> Meaning | None:
        """Return the crate that a name means in a file, if its manifest or the language has it."""
        crate = self.tree.crate_of[path]
        if name in STANDARD:
            return Meaning(f"::{name}", f"::{name}")
        plain = f"::{name}"
        if crate.externs is None:
            is_known = plain in self.drivers and plain not in self.hidden.get(path, ())
            return Meaning(plain, plain) if is_known or is_explicit else None
        found = crate.externs.get(name)
        if found is None and plain in self.drivers and self._is_in_macro(path, scope):
            found = plain
        if found is None or found in self.hidden.get(path, ()):
            return None
        return Meaning(found, found)

    def _is_in_macro(self, path: str, scope: int) -> bool:
        """Return whether a scope is in a macro's body, whose paths resolve where it is used."""
        scopes = self.tree.files[path].scopes
        while scope >= 0:
            if scopes[scope].kind == "macro":
                return True
            scope = scopes[scope].parent
        return False

    def _by_globs(
        self,
        name: str,
        path: str,
        chain: list[int],
        seen: frozenset[tuple[str, str]],
        asking: RustUse | None,
    ) -> Meaning | None:
        """Return what the globs of some scopes bring by a name."""
        for number in chain:
            for use in self._tables[path, number].globs:
                key = (path, use.path + name)
                if use is asking or key in seen:
                    continue
                around = self._meaning(
                    use.path.removesuffix("::*"), path, use.scope, seen | {key}, use
                )
                far = self._from_glob(around.far, name, seen | {key}) if around else None
                if around is not None and far is not None:
                    return Meaning(f"{around.far}.{name}", far, use)
        return None

    def _from_glob(self, around: str, name: str, seen: frozenset[tuple[str, str]]) -> str | None:
        """Return what a glob over a module brings by a name; None where that is not known."""
        if around in self.modules:
            return self.member(around, name, seen) if around in self.tree.places else None
        return f"{around}.{name}" if name in self.names_in(around) else None

    def member(
        self, around: str, name: str, seen: frozenset[tuple[str, str]] = _NONE
    ) -> str | None:
        """Return the name at the end of what a name in a module or another thing leads to.

        None where a module that was read has no such name.
        """
        if around not in self.tree.places:
            return f"{around}.{name}"
        key = (around, name)
        if key in self._members:
            return self._members[key]
        if key in seen:
            self._is_cut = True
            return None
        before, self._is_cut = self._is_cut, False
        found = self._of_module(around, name, seen | {key})
        if found is not None or not self._is_cut:
            self._members[key] = found
        self._is_cut = self._is_cut or before
        return found

    def _of_module(self, around: str, name: str, seen: frozenset[tuple[str, str]]) -> str | None:
        """Return what a module has by a name itself, or by the globs over others: each once."""
        waiting, met = [around], {around}
        while waiting:
            module = waiting.pop(0)
            if module in self.tree.places:
                found = self._own_member(module, name, seen)
                further = self._glob_targets(module)
                waiting += [target for target in further if target not in met]
                met.update(further)
            else:
                found = f"{module}.{name}" if name in self.names_in(module) else None
            if found is not None:
                return found
        return None

    def _own_member(self, around: str, name: str, seen: frozenset[tuple[str, str]]) -> str | None:
        path, number = self.tree.places[around]
        table = self._tables[path, number]
        for use in table.uses.get(name, ()):
            inner = self._meaning(use.path, path, use.scope, seen, use)
            if inner is not None:
                return inner.far
        plain = f"{around}.{name}"
        return plain if name in table.items or plain in self.modules else None

    def limit_of(self, path: str, number: int) -> str:
        """Return the module beyond which nothing of another one is seen, whatever is public in it.

        That is the one which declares it, or a module around it, as private. Empty where there is
        none, and where somebody hands on all that the module has.
        """
        name = self._module_name(path, number)
        while name not in self._handed_on and (parent := name.rpartition(".")[0]):
            place = self.tree.places.get(parent)
            listed = self._tables[place].items.get(name.rpartition(".")[2], ()) if place else ()
            if any(item.kind == "module" and not item.reach for item in listed):
                return parent
            name = parent
        return ""

    def is_handed_on(self, name: str, path: str, number: int) -> bool:
        """Return whether somebody hands on what a module has by a name."""
        return f"{self._module_name(path, number)}.{name}" in self._handed_on

    @cached_property
    def _handed_on(self) -> frozenset[str]:
        """The names that others can use by a `use`, and the modules that they can use by a glob."""
        found = (
            self.of_use(use, path)
            for path, read in self.tree.files.items()
            for use in read.uses
            if use.reach
        )
        return frozenset(meaning.far for meaning in found if meaning is not None)

    def _glob_targets(self, module: str) -> tuple[str, ...]:
        """Return the modules, and the drivers' ones, that the globs of a module are over."""
        if module not in self._globs:
            self._globs[module] = ()  # A glob that only leads on through itself ends here.
            path, number = self.tree.places[module]
            found = [self.of_use(use, path) for use in self._tables[path, number].globs]
            targets = dict.fromkeys(meaning.far for meaning in found if meaning is not None)
            self._globs[module] = tuple(targets)
        return self._globs[module]


def _chain(read: RustFile, scope: int) -> Iterator[int]:
    """Yield a scope and those around it, up to the module."""
    while True:
        yield scope
        if read.scopes[scope].kind == "module":
            return
        scope = read.scopes[scope].parent
