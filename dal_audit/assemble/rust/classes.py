"""Structs, enums and traits with their `impl`s, as the classes that every language has.

A trait is an interface; what implements it has it for a base. An `impl` block in another file than
its type is a base, too, so that its members keep their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.rust.module_tree import inner_name, module_scope
from dal_audit.assemble.rust.names import RustNames
from dal_audit.assemble.rust.resolution import Resolution
from dal_audit.facts import OWN_MODULE, ClassDefinition, Member, Parameter, TypeName
from dal_audit.facts.rust import RustFile, RustImpl, RustMember, RustShape, RustType

_SELF: Final = f"{OWN_MODULE}self."


class _Block(Struct, frozen=True):
    """An `impl` block, its file, and the project's trait that it implements (empty for none)."""

    path: str
    block: RustImpl
    trait: str
    is_inherent: bool


class Classes:
    """Puts the types of a project together with their `impl` blocks."""

    def __init__(
        self, files: Mapping[str, RustFile], resolution: Resolution, names: RustNames
    ) -> None:
        """Find out which blocks belong to which type."""
        self.files = files
        self.resolution = resolution
        self.names = names
        self._blocks: dict[str, list[_Block]] = {}
        self._implemented: set[str] = set()
        """The traits that some `impl` block is for."""
        self._homes: dict[str, str] = {}
        """The files of the types, by these names."""
        for path, read in files.items():
            for shape in read.shapes:
                self._homes.setdefault(self._name(path, read, shape), path)
        for path, read in files.items():
            for block in read.impls:
                self._add(path, block)

    def _name(self, path: str, read: RustFile, shape: RustShape) -> str:
        inner = inner_name(read, module_scope(read, shape.scope))
        return ".".join(filter(None, (self.resolution.tree.names[path], inner, shape.name)))

    def _add(self, path: str, block: RustImpl) -> None:
        owner = self._far(block.owner[:1], path, block.scope)
        trait = self._far(block.trait[:1], path, block.scope)
        self._implemented.add(trait)
        if owner in self._homes:
            own = trait if trait and self.names.is_own(trait) else ""
            found = _Block(path, block, own, not block.trait)
            self._blocks.setdefault(owner, []).append(found)

    def _far(self, types: tuple[RustType, ...], path: str, scope: int) -> str:
        for part in types:
            found = self.resolution.meaning(part.path, path, scope)
            return found.far if found is not None else ""
        return ""

    def of_file(self, path: str) -> Iterator[ClassDefinition]:
        """Yield the classes of a file, and the parts of others' that stand in it."""
        read = self.files[path]
        for shape in read.shapes:
            name = self._name(path, read, shape)
            if self._homes[name] == path:
                yield self._class(path, shape, name)
        for name, blocks in self._blocks.items():
            here = [found for found in blocks if found.path == path]
            if here and self._homes[name] != path:
                yield self._part(name, here)

    def _class(self, path: str, shape: RustShape, name: str) -> ClassDefinition:
        blocks = self._blocks.get(name, ())
        members = [self._member(member, path, shape.scope, shape) for member in shape.members]
        bases = [*self._types(shape.bases, path, shape.scope)]
        for found in blocks:
            if found.trait:
                bases.append(TypeName(shape.span, found.trait))
            if found.path == path:
                members += self._of_block(found)
        others = dict.fromkeys(found.path for found in blocks if found.path != path)
        bases += [TypeName(shape.span, self._part_name(other, name)) for other in others]
        inner = name.removeprefix(f"{self.resolution.tree.names[path]}.")
        return ClassDefinition(
            inner,
            shape.span,
            shape.extent,
            tuple(dict.fromkeys(bases)),
            tuple(members),
            arguments=tuple(self._types(shape.bounds, path, shape.scope)),
            is_trait=shape.is_trait,
            is_open=shape.is_trait and bool(shape.reach) and name not in self._implemented,
        )

    def _part_name(self, path: str, name: str) -> str:
        return f"{self.resolution.tree.names[path]}.{name.rpartition('.')[2]}"

    def _part(self, name: str, blocks: list[_Block]) -> ClassDefinition:
        """Return what the `impl` blocks of one file give a type of another one."""
        first = blocks[0].block
        members = [member for found in blocks for member in self._of_block(found)]
        last = name.rpartition(".")[2]
        span = first.owner[0].span
        return ClassDefinition(last, span, first.extent, (), tuple(members))

    def _of_block(self, found: _Block) -> Iterator[Member]:
        """Yield the members of a block; those of a foreign trait are that one's business."""
        if found.is_inherent or found.trait:
            for member in found.block.members:
                made = self._member(member, found.path, found.block.scope, None)
                yield made if found.is_inherent else _shown(made)

    def _member(self, member: RustMember, path: str, scope: int, shape: RustShape | None) -> Member:
        is_trait = shape is not None and shape.is_trait
        types = tuple(self._types(member.types, path, scope))
        is_method = member.kind == "method"
        if is_method and not member.types:
            types = (TypeName(member.span, "()"),)
        return Member(
            member.name,
            member.span,
            "method" if is_method else "attribute",
            types,
            tuple(
                Parameter(
                    each.name,
                    "plain",
                    has_default=False,
                    types=tuple(self._types(each.types, path, scope)),
                )
                for each in member.parameters
            ),
            made_by=tuple(_SELF + name for name in member.gives) if is_method else (),
            is_async=member.is_async,
            is_abstract=is_trait and is_method and not member.has_body,
            is_bound=member.takes_self,
            has_body=member.has_body,
            decorators=("staticmethod",) if is_method and not member.takes_self else (),
            is_private=not is_trait and not member.reach,
        )

    def _types(self, types: tuple[RustType, ...], path: str, scope: int) -> Iterator[TypeName]:
        """Yield what types name: drivers' and the project's whole, others by their last names."""
        for part in types:
            if self.names.is_wrapper(part.path):
                continue
            found = self.resolution.meaning(part.path, path, scope)
            if found is not None and self.names.matters(found.near):
                yield TypeName(part.span, found.near)
            else:
                yield TypeName(part.span, part.path.rpartition("::")[2])


def _shown(member: Member) -> Member:
    """Return a member of a trait, which whoever sees the trait sees."""
    return replace(member, is_private=False)
