"""Paths as a file spells them, in `use` trees, types and expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from dal_audit.facts.rust import RustType

if TYPE_CHECKING:
    from tree_sitter import Node

    from dal_audit.extract.rust.syntax import RustSource

PATHS: Final = frozenset(
    {"identifier", "type_identifier", "scoped_identifier", "scoped_type_identifier"}
)
"""The kinds of nodes that are a path, or its only segment."""

_SPELLED: Final = PATHS | {"crate", "self", "super", "metavariable"}


_PLAIN: Final = re.compile(rb"[\w#:]+", re.ASCII)
"""A path without white space, comments and generic arguments."""


class Leaf(Struct, frozen=True):
    """A leaf of a `use` tree: its whole path, the name that it binds, and its node."""

    path: str
    bound: str
    node: Node


def path_of(node: Node, source: RustSource) -> str:
    """Return the path that a node spells, without generic arguments and `r#`; empty for none."""
    kind = node.type
    if kind in {"identifier", "type_identifier", "metavariable"}:
        return source.text(node).removeprefix("r#")
    if kind in _SPELLED - PATHS:
        return kind
    if kind in {"generic_type", "generic_type_with_turbofish", "generic_function"}:
        inner = node.child_by_field_name("type") or node.child_by_field_name("function")
        return path_of(inner, source) if inner is not None else ""
    if kind not in PATHS:
        return ""
    spelled = source.data[node.start_byte : node.end_byte]
    if _PLAIN.fullmatch(spelled):
        return spelled.decode().replace("r#", "")
    return _scoped(node, source)


def _scoped(node: Node, source: RustSource) -> str:
    segments: list[str] = []
    while node.type in {"scoped_identifier", "scoped_type_identifier"}:
        name, before = node.child_by_field_name("name"), node.child_by_field_name("path")
        segments.append(path_of(name, source) if name is not None else "")
        if before is None:
            segments.append("")  # It begins with `::`.
            return "::".join(reversed(segments))
        node = before
    first = path_of(node, source)
    if not first or not all(segments):
        return ""
    return "::".join((first, *reversed(segments)))


def leaves(node: Node, source: RustSource, before: str = "") -> Iterator[Leaf]:
    """Yield the leaves of a `use` tree."""
    match node.type:
        case "use_as_clause":
            path, alias = node.child_by_field_name("path"), node.child_by_field_name("alias")
            if path is not None and alias is not None:
                bound = source.text(alias).removeprefix("r#")
                yield _leaf(_joined(before, path_of(path, source)), bound, path)
        case "use_wildcard":
            paths = node.named_children
            yield Leaf(
                _joined(before, _written(paths[0], source) if paths else "") + "::*", "", node
            )
        case "scoped_use_list":
            path = node.child_by_field_name("path")
            start = _joined(before, _written(path, source) if path is not None else "")
            listed = node.child_by_field_name("list")
            for child in listed.named_children if listed is not None else ():
                yield from leaves(child, source, start)
        case "use_list":
            for child in node.named_children:
                yield from leaves(child, source, before)
        case _:
            path_text = _written(node, source)
            if path_text:
                whole = _joined(before, path_text)
                yield _leaf(whole, whole.rpartition("::")[2], node)


def _leaf(path: str, bound: str, node: Node) -> Leaf:
    """Return a leaf; `self` at the end of a path stands for what is before it."""
    if path.endswith("::self"):
        path = path.removesuffix("::self")
        bound = path.rpartition("::")[2] if bound == "self" else bound
    return Leaf(path, "" if bound == "_" else bound, node)


def _written(node: Node, source: RustSource) -> str:
    return path_of(node, source)


def _joined(before: str, path: str) -> str:
    return f"{before}::{path}" if before and path else before or path


def types_in(node: Node | None, source: RustSource) -> tuple[RustType, ...]:
    """Return the paths in a type, the outermost first."""
    if node is None:
        return ()
    known = source.types.get(node.id)
    if known is None:
        known = source.types[node.id] = tuple(_types_in(node, source))
    return known


def _types_in(node: Node, source: RustSource) -> Iterator[RustType]:
    waiting = [node]
    while waiting:
        part = waiting.pop()
        kind = part.type
        if kind in PATHS:
            path = path_of(part, source)
            if path:
                yield RustType(path, source.span(part))
                continue
        if kind != "lifetime":
            waiting += [child for child in reversed(part.children) if child.is_named]
