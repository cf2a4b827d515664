"""What a file takes from elsewhere: its `use` statements, its globs, and whole paths in its code.

A use of a name hangs on the statement that binds it; what a glob brings is reported where it is
used; whole paths hang together, on the first one or on a statement that names the same driver.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.assemble.rust.names import RustNames
from dal_audit.assemble.rust.resolution import Meaning, Resolution
from dal_audit.facts import Import, Reference, Span, Target, UseKind
from dal_audit.facts.rust import RustFile, RustPath, RustUse


class _Taken(Struct):
    """A `use`, its meaning, and the references that hang on it."""

    use: RustUse
    near: str
    far: str
    uses: list[Reference] = field(default_factory=list)


class ImportsOfFile:
    """Sorts a file's paths by what they hang on."""

    def __init__(
        self,
        path: str,
        read: RustFile,
        resolution: Resolution,
        names: RustNames,
        sharper: AbstractSet[tuple[int, int]],
    ) -> None:
        """Take a file, and where another rule says more of what stands there."""
        self.path = path
        self.read = read
        self.resolution = resolution
        self.names = names
        self.sharper = sharper
        self._taken: dict[int, _Taken] = {}
        for number, use in enumerate(read.uses):
            found = resolution.of_use(use, path)
            if found is not None and names.matters(found.near):
                self._taken[number] = _Taken(use, found.near, found.far)
        self._numbers = {id(use): number for number, use in enumerate(read.uses)}
        self._by_glob: dict[int, dict[str, list[Reference]]] = {}
        self._by_path: dict[str, list[Reference]] = {}
        self._quoted: set[Span] = set()
        """The whole paths that stand in code which a macro writes."""
        for used in read.paths:
            self._sort(used)

    def _sort(self, used: RustPath) -> None:
        found = self.resolution.meaning(used.path, self.path, used.scope)
        if found is None or not self.names.matters(found.near):
            return
        reference = self._reference(used, found)
        if found.use is not None:
            number = self._numbers[id(found.use)]
            if not found.use.path.endswith("::*"):
                if number in self._taken:
                    self._taken[number].uses.append(reference)
            elif self._is_drivers_glob(number):
                self._taken[number].uses.append(reference)
            elif not self._is_at_home(self._brought(used)):
                self._by_glob.setdefault(number, {}).setdefault(found.near, []).append(reference)
        elif not found.is_item and not self._is_at_home(found.near):
            driver = self.names.driver_of(found.near)
            key = found.far if driver is None else found.near.partition(".")[0]
            if self._is_quoted(used.scope):
                self._quoted.add(used.span)
            self._by_path.setdefault(key, []).append(reference)

    def _is_quoted(self, scope: int) -> bool:
        """Return whether a scope is in what `quote!` is handed: code for wherever it is written."""
        while scope >= 0:
            around = self.read.scopes[scope]
            if around.kind == "macro" and around.name:
                return True
            scope = around.parent
        return False

    def _brought(self, used: RustPath) -> str:
        """Return the name by which a glob brings what a path begins with."""
        first = used.path.partition("::")[0]
        found = self.resolution.meaning(first, self.path, used.scope)
        return found.near if found is not None else ""

    def _is_drivers_glob(self, number: int) -> bool:
        taken = self._taken.get(number)
        return taken is not None and self.names.driver_of(taken.near) is not None

    def _is_at_home(self, near: str) -> bool:
        """Return whether a name is one of a module that this very file holds."""
        module = near.rpartition(".")[0]
        places = self.resolution.tree.places
        while module and module not in places:
            module = module.rpartition(".")[0]
        return bool(module) and places[module][0] == self.path

    def _reference(self, used: RustPath, found: Meaning) -> Reference:
        """Return a reference; only an error can be caught, and its variants are the error."""
        role: UseKind = used.role
        near = found.near
        if role == "except":
            error = self.names.error(found.far)
            if not error:
                role = "value"
            else:
                surplus = found.far.count(".") - error.count(".")
                near = ".".join(near.split(".")[: len(near.split(".")) - surplus]) or near
        return Reference(used.span, near, role, used.together)

    def facts(self) -> Iterator[Import]:
        """Yield what the file imports, in whichever way."""
        self._join_paths()
        statements: dict[Span, list[_Taken]] = {}
        for taken in self._taken.values():
            statements.setdefault(taken.use.statement, []).append(taken)
        for statement, group in statements.items():
            targets = tuple(_target(taken) for taken in group if not self._is_idle_glob(taken))
            if targets:
                is_offer = any(taken.use.reach for taken in group)
                yield Import(statement, targets, is_offer=is_offer)
        for named in self._by_glob.values():
            yield _by_paths(_firsts(named))
        yield from self._paths()

    def _is_idle_glob(self, taken: _Taken) -> bool:
        """Return whether a `use` is a glob over the project, of which only what is used counts."""
        is_glob = taken.use.path.endswith("::*")
        return is_glob and self.names.driver_of(taken.near) is None

    def _join_paths(self) -> None:
        """Hang whole paths on a statement that names the same crate, or the same name."""
        for taken in self._taken.values():
            is_driver = self.names.driver_of(taken.near) is not None
            key = taken.near.partition(".")[0] if is_driver else taken.far
            taken.uses += self._by_path.pop(key, ())

    def _paths(self) -> Iterator[Import]:
        """Yield the paths that hang on no statement: a driver's crate each, others together."""
        own = {}
        for key, references in self._by_path.items():
            if self.names.is_own(key):
                own[key] = references
                continue
            found = _by_paths(_firsts({references[0].name: references}))
            is_covered = self._is_covered(min(references, key=_place))
            is_quoted = all(reference.span in self._quoted for reference in references)
            yield replace(found, is_covered=is_covered, is_quoted=is_quoted)
        if own:
            yield _by_paths(_firsts(own))

    def _is_covered(self, first: Reference) -> bool:
        return first.role == "except" or (first.span.line, first.span.column) in self.sharper


def _place(reference: Reference) -> Span:
    return reference.span


def _firsts(named: dict[str, list[Reference]]) -> list[Target]:
    """Return a target for each name, at its first use."""
    targets = []
    for references in named.values():
        ordered = sorted(references, key=_place)
        first = ordered[0]
        bound = first.name.rpartition(".")[2]
        targets.append(Target(first.span, first.name, bound, tuple(ordered)))
    return sorted(targets, key=lambda target: target.span)


def _by_paths(targets: Iterable[Target]) -> Import:
    listed = tuple(targets)
    return Import(listed[0].span, listed, by_path=True)


def _target(taken: _Taken) -> Target:
    name = f"{taken.near}.*" if taken.use.path.endswith("::*") else taken.near
    bound = taken.use.bound or ("" if name.endswith(".*") else name.rpartition(".")[2])
    return Target(taken.use.span, name, bound, tuple(sorted(taken.uses, key=_place)))
