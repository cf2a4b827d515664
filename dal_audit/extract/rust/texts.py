"""Texts that are put together in one place: literals, `concat!`, `format!`, constants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.rust.paths import path_of
from dal_audit.extract.rust.tokens import TokenText, tokens, unquoted
from dal_audit.extract.rust.walk import KnownText

if TYPE_CHECKING:
    from tree_sitter import Node

    from dal_audit.extract.rust.walk import Context, Walk

_HOLE: Final = re.compile(r"\{\{|\}\}|\{[^{}]*\}")
_SEEN_THROUGH: Final = frozenset(
    {"reference_expression", "parenthesized_expression", "try_expression", "await_expression"}
)
_SAME: Final = frozenset({"as_str", "to_string", "to_owned", "into", "as_ref", "clone", "trim"})
_MACROS: Final = frozenset({"format", "concat", "include_str", "indoc", "formatdoc"})
"""Macros that make a text of those that they are handed."""
_FROM: Final = frozenset({"String::from", "AssertSqlSafe", "sqlx::AssertSqlSafe"})


def text_of(node: Node, context: Context, walk: Walk) -> KnownText | None:
    """Return the text that an expression is, as far as it is known; None for no text."""
    source = walk.source
    while True:
        kind = node.type
        if kind in {"string_literal", "raw_string_literal"}:
            return KnownText(unquoted(source.data[node.start_byte : node.end_byte]), "", node)
        if kind in _SEEN_THROUGH and node.named_children:
            node = node.child_by_field_name("value") or node.named_children[-1]
        elif kind == "macro_invocation":
            return _of_macro(node, walk)
        elif kind == "call_expression":
            inner = _of_call(node, walk)
            if inner is None:
                return None
            node = inner
        elif kind in {"identifier", "scoped_identifier"}:
            path = path_of(node, source)
            is_constant = path.rpartition("::")[2].isupper()
            return context.texts.get(path) or (KnownText("", path, None) if is_constant else None)
        else:
            return None


def _of_call(node: Node, walk: Walk) -> Node | None:
    """Return what a call hands on as it is."""
    function = node.child_by_field_name("function")
    arguments = node.child_by_field_name("arguments")
    if function is None or arguments is None:
        return None
    if function.type == "field_expression":
        field = function.child_by_field_name("field")
        is_same = field is not None and walk.source.text(field) in _SAME
        return function.child_by_field_name("value") if is_same else None
    is_from = path_of(function, walk.source) in _FROM
    return arguments.named_children[0] if is_from and arguments.named_children else None


def _of_macro(node: Node, walk: Walk) -> KnownText | None:
    name = node.child_by_field_name("macro")
    last = path_of(name, walk.source).rpartition("::")[2] if name is not None else ""
    texts = _handed_to(node, walk) if last in _MACROS else []
    if not texts:
        return None
    if last == "include_str":
        return KnownText("", f"file:{texts[0]}", node)
    if last == "concat":
        return KnownText("".join(texts), "", node)
    return KnownText(_HOLE.sub(_filled, texts[0]) if last != "indoc" else texts[0], "", node)


def _handed_to(macro: Node, walk: Walk) -> list[str]:
    """Return the texts among a macro's tokens."""
    trees = (child for child in macro.named_children if child.type == "token_tree")
    return [
        token.text
        for tree in trees
        for token in tokens(walk.source.data, tree.start_byte + 1, tree.end_byte - 1)
        if isinstance(token, TokenText)
    ]


def _filled(found: re.Match[str]) -> str:
    return found[0][0] if len(set(found[0])) == 1 else UNKNOWN
