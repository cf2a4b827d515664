"""The literals of a Python migration: names, lists of names, and SQL that it runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from dal_audit.extract.python.constant_folding import MAX_DEPTH, fold_constant, follow_assignment
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.scopes import Assigned, Scope
from dal_audit.extract.python.text_formats import UNKNOWN
from dal_audit.facts import Span
from dal_audit.facts.migrations import EmbeddedSql

Names: TypeAlias = Mapping[str, ast.expr]
"""What each name of a module or a class is assigned; the last assignment counts."""

_RUNS: Final = frozenset({"execute", "exec_driver_sql", "executescript"})
"""Methods of Alembic's `op`, of connections and of cursors that run the text given to them."""

_WRAPS: Final = frozenset({"text", "dedent", "DDL"})
"""Calls whose first argument is the SQL: `sqlalchemy.text`, `DDL`, `textwrap.dedent`."""

_DEPTH: Final = 60
"""A name that stands for a name that stands for more names than this is not followed."""


def names_of(body: Sequence[ast.stmt]) -> Names:
    """Return what the names of a body are assigned, outside any function or condition."""
    found: dict[str, ast.expr] = {}
    for statement in body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        found.update({target.id: value for target in targets if isinstance(target, ast.Name)})
    return found


def strings_in(node: ast.expr, names: Names) -> tuple[str, ...]:
    """Return the strings that an expression stands for: one, those of a sequence, or none."""
    for _hop in range(_DEPTH):
        if not isinstance(node, ast.Name) or node.id not in names:
            break
        node = names[node.id]
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else ()
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return tuple(
            member.value
            for member in node.elts
            if isinstance(member, ast.Constant) and isinstance(member.value, str)
        )
    return ()


def sql_in(
    node: ast.AST, names: Names, span: Callable[[ast.expr], Span], *, every: bool = False
) -> Iterator[EmbeddedSql]:
    """Return the SQL that a function runs, in the order of its text.

    With `every`, the node itself is SQL: a text, a list of texts, or of pairs of a text and its
    parameters (Django's `RunSQL`).
    """
    if every and isinstance(node, ast.expr):
        nodes = list(_statements(node, names))
    else:
        calls = [call for call in ast.walk(node) if isinstance(call, ast.Call) and call.args]
        calls.sort(key=lambda call: (call.lineno, call.col_offset))
        nodes = [
            call.args[0]
            for call in calls
            if isinstance(call.func, ast.Attribute) and call.func.attr in _RUNS
        ]
    scope = Scope("module")
    for name, value in names.items():
        scope.bind(name, Assigned(value, scope))
    for expression in nodes:
        text, whole, at = _text(expression, scope)
        if text is not None:
            yield EmbeddedSql(span(at), text, whole)


def _statements(node: ast.expr, names: Names) -> Iterator[ast.expr]:
    if isinstance(node, ast.Name) and node.id in names:
        node = names[node.id]
    if not isinstance(node, (ast.List, ast.Tuple)):
        yield node
        return
    for member in node.elts:
        pair = isinstance(member, (ast.Tuple, ast.List)) and member.elts
        yield pair[0] if pair else member


def _text(node: ast.expr, scope: Scope) -> tuple[str | None, bool, ast.expr]:
    """Return a text as far as it is known, whether that is all, and where it is written.

    `known` is None where nothing of it is known.
    """
    is_whole = True
    for _hop in range(MAX_DEPTH):
        node = follow_assignment(node, scope)
        texts = fold_constant(node, scope)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts = (node.value,)  # However long it is.
        known = texts[0].replace(UNKNOWN, "") if len(texts) == 1 else ""
        if known or texts == ("",):
            return known, is_whole and UNKNOWN not in texts[0], node
        held, keeps = _held(node)
        if held is None:
            break
        node, is_whole = held, is_whole and keeps
    return None, False, node


def _held(node: ast.expr) -> tuple[ast.expr | None, bool]:
    """Return what an expression takes its text from, and whether it leaves the text as it is.

    `text(…).bindparams(…)`, `"…".format(…)`, `"…".strip()`, `"…" % …`, `"…" + …`.
    """
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        return node.left, False
    if not isinstance(node, ast.Call):
        return None, False
    if node.args and last_name(node.func) in _WRAPS:
        return node.args[0], True
    if isinstance(node.func, ast.Attribute):
        return node.func.value, node.func.attr in {"bindparams", "strip"}
    return None, False
