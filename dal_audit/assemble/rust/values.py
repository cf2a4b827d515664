"""What values are in Rust: the project's types that a receiver's can be.

Only what is written counts: the types of fields, parameters and `let`, `T::new()`, and what methods
of the project's own types say that they return.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from dal_audit.assemble.rust.resolution import Resolution
from dal_audit.facts.rust import RustFile, RustMember, RustType, RustValue


class OwnType(Struct):
    """A type of the project: its file and scope, and the members that all its `impl`s give it."""

    path: str
    scope: int
    members: dict[str, tuple[str, int, RustMember]]
    """Each member with the file and the scope in which its types are written."""


class Values:
    """Follows receivers to the project's types."""

    def __init__(self, files: Mapping[str, RustFile], resolution: Resolution) -> None:
        """Index the types of the project with their members."""
        self.files = files
        self.resolution = resolution
        self.types: dict[str, OwnType] = {}
        """The types by their names."""
        self._aliases: dict[str, tuple[str, int, tuple[RustType, ...]]] = {}
        for path, read in files.items():
            self._index_shapes(path, read)
        for path, read in files.items():
            self._index_impls(path, read)

    def _index_shapes(self, path: str, read: RustFile) -> None:
        for item in read.items:
            if item.kind in {"alias", "value", "function"}:
                found = self.resolution.meaning(item.name, path, item.scope)
                if found is not None and found.is_item:
                    self._aliases[found.far] = (path, item.scope, item.types)
        for shape in read.shapes:
            found = self.resolution.meaning(shape.name, path, shape.scope)
            if found is not None and found.is_item:
                members = {member.name: (path, shape.scope, member) for member in shape.members}
                self.types.setdefault(found.far, OwnType(path, shape.scope, members))

    def _index_impls(self, path: str, read: RustFile) -> None:
        for block in read.impls:
            for owner in self._named([part.path for part in block.owner[:1]], path, block.scope):
                known = self.types.get(owner)
                if known is not None:
                    for member in block.members:
                        known.members.setdefault(member.name, (path, block.scope, member))

    def _named(self, paths: Sequence[str], path: str, scope: int) -> Iterator[str]:
        """Yield the project's types among some paths, those behind aliases too."""
        for spelled in paths:
            found = self.resolution.meaning(spelled, path, scope)
            if found is None:
                continue
            if found.far in self.types:
                yield found.far
            elif found.far in self._aliases:
                yield from self._of_alias(found.far, set())

    def _of_alias(self, name: str, seen: set[str]) -> Iterator[str]:
        path, scope, types = self._aliases[name]
        for part in types if name not in seen else ():
            found = self.resolution.meaning(part.path, path, scope)
            if found is not None and found.far in self.types:
                yield found.far
            elif found is not None and found.far in self._aliases:
                yield from self._of_alias(found.far, seen | {name})

    def of(self, value: RustValue, path: str) -> list[str]:
        """Return the names of the project's types that a value can be of."""
        spelled = [part.removeprefix("=") for part in value.types]
        if not spelled:
            return []
        if value.is_made:
            types = list(self._made(spelled[0], path, value.scope))
        elif value.types[:1] != (spelled[0],):
            types = list(self._of_static(spelled[0], path, value.scope))
        else:
            types = list(self._named(spelled, path, value.scope))
        for step in value.steps:
            types = [inner for owner in types for inner in self._step(owner, step)]
        return list(dict.fromkeys(types))

    def _made(self, spelled: str, path: str, scope: int) -> Iterator[str]:
        """Yield what a call gives: an object of the type before it, or what it returns."""
        found = self.resolution.meaning(spelled, path, scope)
        if found is None:
            return
        owner, _, name = found.far.rpartition(".")
        if owner in self.types:
            member = self.types[owner].members.get(name)
            given = [owner] if member is None else list(self._given(owner, member))
            yield from given
        elif found.far in self._aliases:
            yield from self._of_alias(found.far, set())

    def _of_static(self, spelled: str, path: str, scope: int) -> Iterator[str]:
        found = self.resolution.meaning(spelled, path, scope)
        if found is not None and found.far in self._aliases:
            yield from self._of_alias(found.far, set())

    def _step(self, owner: str, step: str) -> Iterator[str]:
        """Yield what a field or a method of a type gives."""
        known = self.types[owner].members.get(step.removesuffix("()"))
        if known is not None:
            yield from self._given(owner, known)

    def _given(self, owner: str, known: tuple[str, int, RustMember]) -> Iterator[str]:
        path, scope, member = known
        paths = [part.path for part in member.types]
        if "Self" in paths:
            yield owner
        yield from self._named(paths, path, scope)
