"""Rust's front end: from the bytes of a file to its facts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from dal_audit.catalogue.url_schemes import shipped_schemes
from dal_audit.extract.passwords import passwords
from dal_audit.extract.rust import declarations, expressions, macros
from dal_audit.extract.rust.suppressions import suppressions
from dal_audit.extract.rust.syntax import RustSource, flawed
from dal_audit.extract.rust.tokens import unquoted
from dal_audit.extract.rust.walk import Handler, Walk
from dal_audit.extract.source import UndecodableError, decode_script, not_decoded
from dal_audit.facts import START, ConnectionUrl, NotUnderstood, Span
from dal_audit.facts.rust import RustFact

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_PARSED_BYTES: Final = 16 << 20
"""Larger files are not parsed: a syntax tree takes many times the memory of its text."""

_HANDLERS: Final[Mapping[str, Handler]] = {
    "use_declaration": declarations.use,
    "extern_crate_declaration": declarations.extern_crate,
    "mod_item": declarations.module,
    "struct_item": declarations.structure,
    "union_item": declarations.structure,
    "enum_item": declarations.structure,
    "enum_variant": declarations.variant,
    "trait_item": declarations.trait,
    "impl_item": declarations.implementation,
    "function_item": declarations.function,
    "function_signature_item": declarations.function,
    "type_item": declarations.alias,
    "const_item": declarations.value,
    "static_item": declarations.value,
    "block": declarations.block,
    "identifier": expressions.path,
    "scoped_identifier": expressions.path,
    "type_identifier": expressions.type_name,
    "scoped_type_identifier": expressions.type_name,
    "generic_type": expressions.generic,
    "generic_function": expressions.generic,
    "call_expression": expressions.call,
    "field_expression": expressions.field,
    "await_expression": expressions.first,
    "try_expression": expressions.first,
    "let_declaration": expressions.let,
    "let_condition": expressions.condition,
    "match_expression": expressions.match,
    "match_arm": expressions.arm,
    "struct_expression": expressions.structure,
    "string_literal": expressions.literal,
    "raw_string_literal": expressions.literal,
    "binary_expression": expressions.comparison,
    "closure_expression": expressions.closure,
    "macro_invocation": macros.macro,
    "macro_definition": macros.macro_definition,
    "attribute_item": macros.attribute,
    "inner_attribute_item": macros.attribute,
    "where_clause": expressions.types,
    "type_parameters": expressions.types,
    "block_comment": lambda _walk, _node, _context: None,
}

_URL: Final = re.compile(
    r"(?P<scheme>[a-z0-9]+)(?:\+[\w-]+)?:(?://(?=/*[^/\s])(?P<rest>\S+)|(?P<memory>:memory:\S*))"
)


def rust_facts(data: bytes) -> tuple[RustFact, ...]:
    """Return the facts of a file's bytes."""
    if len(data) > MAX_PARSED_BYTES:
        detail = f"larger than {MAX_PARSED_BYTES >> 20} MiB"
        return (NotUnderstood(START, "unreadable", detail),)
    try:
        decode_script(data)
    except UndecodableError as error:
        return (not_decoded(data, error),)
    source = RustSource(data)
    walk = Walk(source, _HANDLERS)
    walk.run()
    return (walk.facts(), *_urls(walk), *suppressions(source), *_flaws(source))


def _urls(walk: Walk) -> Iterator[ConnectionUrl]:
    """Yield the database URLs in a file's literals, whichever stores the catalogue speaks of."""
    source = walk.source
    for start, end, around in walk.literals:
        literal = source.data[start:end]
        found = _URL.fullmatch(unquoted(literal).strip())
        store = STORES.get(found["scheme"]) if found is not None else None
        if found is None or store is None or (found["memory"] and store != "SQLite"):
            continue
        secrets = tuple(_secrets(source, found["rest"] or "", start, end))
        span = source.between(start, end)
        statement = source.span(around) if around is not None else START
        yield ConnectionUrl(span, statement, found["scheme"], store, secrets)


STORES: Final = {name: row.store for row in shipped_schemes() for name in row.names}
"""The stores by their URLs' schemes."""


def _secrets(source: RustSource, rest: str, start: int, end: int) -> Iterator[Span]:
    """Yield where the passwords of a URL stand; the whole literal where that is not plain."""
    for before, secret, after in passwords(rest):
        if secret.startswith("{"):
            continue
        whole = (before + secret + after).encode()
        index = source.data.find(whole, start, end)
        first = index + len(before.encode()) if index >= 0 else start
        yield source.between(first, first + len(secret.encode()) if index >= 0 else end)


def _flaws(source: RustSource) -> Iterator[NotUnderstood]:
    """Yield the first place that the grammar does not take, with how many there are."""
    places = list(_places(source))
    if places:
        more = f" and in {len(places) - 1} more places" if len(places) > 1 else ""
        detail = f"the grammar does not take what stands here{more}; the rest is audited"
        yield NotUnderstood(places[0], "unparsable", detail, is_part=True)


def _places(source: RustSource) -> Iterator[Span]:
    """Yield the places that the grammar does not take, but for attributes that are read."""
    for node in flawed(source.root):
        if not _is_read(node, source):
            span = source.span(node)
            yield Span(span.line, span.column, span.line, span.column + 1)


def _is_read(node: Node, source: RustSource) -> bool:
    """Return whether all that stands here is read, though the grammar does not take it.

    Those are attributes, types of other languages (`extern "C" { type Window; }`), and a
    `let self = …`, which is Rust where a macro renames it.
    """
    if node.is_missing:
        return _follows_self(node)
    if _FOREIGN_TYPE.fullmatch(source.text(node)) is not None:
        return _is_foreign(node)
    children = node.children if node.is_error else []
    return bool(children) and all(child.type == "attribute_item" for child in children)


_FOREIGN_TYPE: Final = re.compile(r"(?:pub(?:\s*\([^)]*\))?\s+)?type\s+\w+")


def _is_foreign(node: Node) -> bool:
    """Return whether something stands in a block of another language's declarations."""
    block = node.parent
    around = block.parent if block is not None else None
    return around is not None and around.type == "foreign_mod_item"


def _follows_self(missing: Node) -> bool:
    before = missing.prev_named_sibling
    pattern = missing.parent
    is_range = pattern is not None and pattern.type == "range_pattern"
    return is_range and before is not None and before.type == "self"
