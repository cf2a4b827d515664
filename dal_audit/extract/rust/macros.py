"""Macros and attributes: what stands in their tokens, which no grammar binds together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dal_audit.extract.rust.paths import path_of
from dal_audit.extract.rust.sql_callees import may_be_sql, takes_file
from dal_audit.extract.rust.tokens import TokenPath, TokenText, tokens
from dal_audit.extract.rust.walk import Context, Walk
from dal_audit.extract.sql_detection import read_sql
from dal_audit.facts import START, UseKind
from dal_audit.facts.rust import RustItem, RustPath, RustSql

if TYPE_CHECKING:
    from tree_sitter import Node

_BODIES: Final = frozenset({"quote", "quote_spanned", "parse_quote", "macro_rules"})
"""Macros whose tokens are code for somewhere else."""

_TALKING: Final = frozenset(
    {"println", "eprintln", "print", "eprint", "panic", "assert", "assert_eq", "assert_ne", "debug"}
    | {"info", "warn", "error", "trace", "debug_assert", "debug_assert_eq", "unreachable", "bail"}
    | {"anyhow", "ensure", "matches", "todo", "unimplemented", "event", "span", "log", "write"}
    | {"writeln", "format_err", "dbg"}
)
"""Macros that test or show a URL, and open nothing with it."""


_GOES_ON: Final = re.compile(rb"\s*\+")
"""What stands behind a text that is only how a longer one begins."""


def macro(walk: Walk, node: Node, context: Context) -> None:
    """Take down a macro's path, and what stands in its tokens."""
    name = node.child_by_field_name("macro")
    spelled = path_of(name, walk.source) if name is not None else ""
    if name is not None and not walk.is_idle(spelled, is_macro=True):
        walk.path(name, context, "call")
    last = spelled.rpartition("::")[2]
    tree = next((child for child in node.named_children if child.type == "token_tree"), None)
    if tree is not None:
        scope = walk.scope("macro", last, context.scope) if last in _BODIES else context.scope
        role: UseKind = "except" if last == "matches" else "value"
        together = walk.source.line(node) if last == "matches" else 0
        inner = replace(context, scope=scope, role=role, together=together)
        _tokens(walk, tree, inner, spelled, node)


def macro_definition(walk: Walk, node: Node, context: Context) -> None:
    """Take down a macro of the file's own, and the paths in what it expands to."""
    name = node.child_by_field_name("name")
    if name is not None:
        span = walk.source.span(name)
        walk.items.append(
            RustItem(context.scope, walk.source.text(name), "macro", "macro", span, "")
        )
    scope = walk.scope("macro", "", context.scope)
    for rule in node.named_children:
        right = rule.child_by_field_name("right") if rule.type == "macro_rule" else None
        if right is not None:
            _tokens(walk, right, replace(context, scope=scope), "", None)


def _tokens(walk: Walk, tree: Node, context: Context, macro_path: str, node: Node | None) -> None:
    """Take down the paths and texts among tokens; `macro_path` is what takes them."""
    talks = macro_path.rpartition("::")[2] in _TALKING
    around = node or context.statement
    is_first = True
    for token in tokens(walk.source.data, tree.start_byte + 1, tree.end_byte - 1):
        if isinstance(token, TokenPath):
            _token_path(walk, token, context)
            continue
        if not talks:
            walk.literal(token.start, token.end, around)
        if token.callee is not None:
            _token_text(walk, token, context, token.callee.path, around, is_macro=token.is_macro)
        elif is_first:
            _token_text(walk, token, context, macro_path, around, is_macro=True)
            is_first = False


def _token_text(
    walk: Walk,
    token: TokenText,
    context: Context,
    callee: str,
    around: Node | None,
    *,
    is_macro: bool,
) -> None:
    """Take down a text among tokens that a function or a macro is handed, if it may be SQL."""
    source = walk.source
    is_file = is_macro and takes_file(callee)
    text, constant = ("", f"file:{token.text}") if is_file else (token.text, "")
    if not callee or not may_be_sql(callee, text, constant):
        return
    walk.calls.append(
        RustSql(
            context.scope,
            callee,
            None,
            text,
            constant,
            source.between(token.start, token.end),
            source.span(around) if around is not None else START,
            is_macro,
            does=read_sql(text, certain=True),
            engines=context.engines,
            is_open=_GOES_ON.match(source.data, token.end) is not None,
        )
    )


def _token_path(walk: Walk, token: TokenPath, context: Context) -> None:
    """Take down a path among tokens: several segments, or one that begins with a capital."""
    path, is_macro = token.path, token.after == "!"
    if "::" not in path:
        says_something = is_macro or path[0].isupper()
        if not says_something or walk.is_idle(path, is_macro=is_macro):
            return
    span = walk.source.between(token.start, token.end)
    role: UseKind = (
        "call" if token.after in {"(", "!"} and context.role == "value" else context.role
    )
    walk.paths.append(RustPath(context.scope, path, span, role, context.together))


def attribute(walk: Walk, node: Node, context: Context) -> None:
    """Take down the paths of an attribute: its own, and those that `derive` takes."""
    for inner in node.named_children:
        head = inner.named_child(0) if inner.type == "attribute" else None
        if head is None:
            continue
        if head.type == "scoped_identifier":
            walk.path(head, context, "derive")
        tree = inner.child_by_field_name("arguments")
        name = walk.source.text(head)
        if tree is not None and name in {"derive", "cfg_attr"}:
            _derives(walk, tree, context, is_open=name == "derive")
        elif tree is not None and name not in {"doc", "cfg", "error"}:
            _literals(walk, tree, node)


def _literals(walk: Walk, tree: Node, statement: Node) -> None:
    """Note the texts that an attribute is given, which may be URLs."""
    for token in tokens(walk.source.data, tree.start_byte, tree.end_byte):
        if isinstance(token, TokenText):
            walk.literal(token.start, token.end, statement)


def _derives(walk: Walk, tree: Node, context: Context, *, is_open: bool) -> None:
    source = walk.source
    inside = is_open
    for token in tokens(source.data, tree.start_byte, tree.end_byte):
        if not isinstance(token, TokenPath):
            continue
        if token.path == "derive" and token.after == "(":
            inside = True
        elif inside or "::" in token.path:
            span = source.between(token.start, token.end)
            walk.paths.append(RustPath(context.scope, token.path, span, "derive"))
