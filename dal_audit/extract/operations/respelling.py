"""How an operation is written that every engine takes: the edits of its module.

What is written, and where (`of`: a type, a default, a block, an argument), the catalogue of
operations says. Where the call does not stand as the edits need it, there are none.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.operations import OperationForm
from dal_audit.extract.operations.call_arguments import Arguments, name_in, origin_of
from dal_audit.extract.operations.columns import is_boolean
from dal_audit.extract.operations.defaults import truth_of
from dal_audit.extract.operations.effects import Operation
from dal_audit.extract.operations.types import type_text
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_places import LiteralPlaces
from dal_audit.extract.python.scopes import Scope
from dal_audit.facts import Edit, Span
from dal_audit.facts.sql import Rewriting

_BATCH: Final = "batch_op"
_INDENT: Final = "    "
_NOT_IN_BATCH: Final = frozenset({"schema", "source_schema", "if_exists", "if_not_exists"})
"""Arguments that the operations of a block do not take, or take otherwise."""
_ROOTS: Final = ("sa", "sqlalchemy", "db")
"""What modules call SQLAlchemy."""
_GIVEN: Final = ("_pkey", "_key", "_fkey", "_check")
"""The ends of names that PostgreSQL gives to constraints, which have none on SQLite."""
_CLOCK: Final = re.compile(r"\(*\s*now\s*\(\s*\)\s*\)*\Z", re.IGNORECASE)


class Written(Struct, frozen=True):
    """An operation as it stands in its module; `part` is what its form is about."""

    operation: Operation
    form: OperationForm
    part: ast.expr | None
    literals: LiteralPlaces

    @property
    def call(self) -> ast.Call:
        """The call."""
        return self.operation.arguments.call

    @property
    def scope(self) -> Scope:
        """Where its names are looked up."""
        return self.operation.arguments.scope

    @property
    def source(self) -> str:
        """The module."""
        return self.literals.lines.text

    def text(self, node: ast.expr) -> str:
        """Return an expression as it is written."""
        start, end = self.literals.bounds(node)
        return self.source[start:end]

    def holds(self, node: ast.expr) -> bool:
        """Return whether an expression stands in the call itself, and not in a name's value."""
        (first, last), (start, end) = (self.literals.bounds(own) for own in (self.call, node))
        return first <= start and end <= last

    def edit(self, start: int, end: int, text: str) -> Edit:
        """Return an edit from one index in the module to another."""
        return Edit(self.literals.lines.span(start, end), text)


def respelled(
    form: OperationForm, part: ast.expr | None, operation: Operation, literals: LiteralPlaces
) -> Rewriting | None:
    """Return how an operation of a form is written portably; None where that cannot be said."""
    if not form.fixes:
        return None
    edits = _WRITERS[form.fixes[0].of](Written(operation, form, part, literals))
    return Rewriting(edits, 0) if edits else None


def _type(written: Written) -> tuple[Edit, ...]:
    """Write another type in the place of each that the form names itself."""
    names = {
        mark.rpartition(":")[2].rpartition(".")[2] for mark in written.form.marks[0].split("|")
    }
    root = _root(written.scope)
    to = written.form.fixes[0].to

    def is_such(node: ast.expr) -> bool:
        if not isinstance(node, (ast.Call, ast.Attribute, ast.Name)):
            return False
        named = node.func if isinstance(node, ast.Call) else node
        # A type of the project's own stands there under another name.
        is_spelled = written.text(named).endswith(last_name(named))
        is_own = is_spelled and origin_of(named, written.scope).startswith("sqlalchemy.")
        is_bare = not isinstance(node, ast.Call) or not (node.args or node.keywords)
        return is_own and last_name(named) in names and (is_bare or "{t}" in to or "Uuid" in to)

    quote = (
        "'" if "'" in written.text(written.call) and '"' not in written.text(written.call) else '"'
    )
    return tuple(
        written.edit(
            *written.literals.bounds(node),
            to.replace("sa.", f"{root}.").replace("{t}", written.text(node)).replace('"', quote),
        )
        for node in (_every(written, is_such) if root else ())
    )


def _every(written: Written, is_such: Callable[[ast.expr], bool]) -> list[ast.expr]:
    """Return all parts of a call that are like the one that its form is about; none but with that.

    A form is found in a call once: it would still be there for the next such part of it.
    """
    part, found, within = written.part, list[ast.expr](), set[int]()
    if part is None or not is_such(part) or not written.holds(part):
        return []
    for node in ast.walk(written.call):
        if isinstance(node, ast.Call):
            within.add(id(node.func))
        if isinstance(node, ast.expr) and id(node) not in within and is_such(node):
            found.append(node)
            within.update(id(own) for own in ast.walk(node))
    return found if part in found else [part]


def _root(scope: Scope) -> str:
    """Return what a module calls SQLAlchemy; empty where it does not import it as a whole."""
    names = (name for name in _ROOTS if origin_of(ast.Name(name), scope) == "sqlalchemy")
    return next(names, "")


def _clock(written: Written) -> tuple[Edit, ...]:
    """Write SQLAlchemy's own expression for the time of each `now()` of PostgreSQL."""
    part, root = written.part, _root(written.scope)
    if not isinstance(part, ast.Call) or not root:
        return ()
    name = last_name(part.func)

    def is_such(node: ast.expr) -> bool:
        if not isinstance(node, ast.Call) or not node.args or last_name(node.func) != name:
            return False
        return _CLOCK.match(name_in(node.args[0], written.scope)) is not None

    return tuple(
        written.edit(*written.literals.bounds(node), f"{root}.func.now()")
        for node in _every(written, is_such)
    )


def _truth(written: Written) -> tuple[Edit, ...]:
    """Write SQLAlchemy's own expressions for what is true, and what is not, of each Boolean."""
    part, root = written.part, _root(written.scope)
    if part is None or not root or not written.holds(part):
        return ()
    told = truth_of(part, written.scope)
    kind = "" if told is None else told[1]
    edits = []
    for node in _defaults_of_booleans(written):
        truth = truth_of(node, written.scope)
        if truth is not None and truth[1] == kind and written.holds(node):
            word = f"{root}.{str(truth[0]).lower()}()"
            edits.append(written.edit(*written.literals.bounds(node), word))
    return tuple(edits)


def _defaults_of_booleans(written: Written) -> Iterator[ast.expr]:
    """Yield the defaults of all Booleans in an operation, as they are written."""
    for node in ast.walk(written.call):
        if not isinstance(node, ast.Call):
            continue
        arguments = Arguments(node, ("name", "type_"), written.scope)
        given = arguments.values.get("server_default")
        declared = arguments.node("type_") or arguments.node("existing_type")
        if given is None or declared is None:
            continue
        if is_boolean(type_text(declared, written.scope, written.operation.engine)):
            yield given


def _condition(written: Written) -> tuple[Edit, ...]:
    """Give one engine the condition of an index that the other one has."""
    node = written.part
    keyword = next((own for own in written.call.keywords if own.value is node), None)
    if node is None or keyword is None:
        return ()
    _, end = written.literals.bounds(node)
    other = written.form.fixes[0].to.partition("=")[0]
    return (written.edit(end, end, f", {other}={written.text(node)}"),)


def _batch(written: Written) -> tuple[Edit, ...]:
    """Put a call, which is all of its lines, into a block for its table."""
    call, lines = written.call, written.literals.lines
    start, end = written.literals.bounds(call)
    first = lines.line_of(start)
    indent = written.source[lines.starts[first - 1] : start]
    rest = written.source[end:].partition("\n")[0].strip()
    if indent.strip() or (rest and not rest.startswith("#")) or not _fits_in_block(written):
        return ()
    table = written.operation.arguments.values.get("table_name")
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    removal = _removal(written, table) if table is not None else None
    if owner is None or table is None or removal is None:
        return ()
    bounds = written.literals.bounds(owner)
    opening = f"with {written.text(owner)}.batch_alter_table({written.text(table)}) as {_BATCH}:"
    ending = "\r\n" if "\r\n" in written.source else "\n"
    edits = [written.edit(start, bounds[1], f"{opening}{ending}{indent}{_INDENT}{_BATCH}"), removal]
    for number in range(first + 1, lines.line_of(end) + 1):
        at = lines.starts[number - 1]
        is_gone = removal.span.line < number <= removal.span.end_line
        edits += [] if is_gone else [written.edit(at, at, _INDENT)]
    return tuple(edits)


def _fits_in_block(written: Written) -> bool:
    """Return whether a block takes the operation, and nothing in it spans lines by its words."""
    arguments = written.operation.arguments
    if written.operation.name == "create_exclude_constraint":
        return False
    if not arguments.is_whole or any(own.arg in _NOT_IN_BATCH for own in written.call.keywords):
        return False
    name, table = arguments.text("constraint_name"), written.operation.plain_table
    is_given = name.startswith(f"{table}_") and name.endswith(_GIVEN)
    is_named = written.operation.name == "alter_column" or (name and not is_given)
    texts = (
        node for node in ast.walk(written.call) if isinstance(node, (ast.Constant, ast.JoinedStr))
    )
    return bool(is_named) and all(node.lineno == node.end_lineno for node in texts)


def _removal(written: Written, table: ast.expr) -> Edit | None:
    """Return the edit that takes the table out of the arguments; None where it cannot be."""
    call = written.call
    every: list[tuple[int, int]] = sorted(
        [written.literals.bounds(own) for own in call.args]
        + [_bounds_of(written, own) for own in call.keywords]
    )
    own = next((pair for pair in every if pair[1] == written.literals.bounds(table)[1]), None)
    if own is None:
        return None
    at = every.index(own)
    start, end = own[0], every[at + 1][0] if at + 1 < len(every) else own[1]
    if at + 1 == len(every) and at:
        start = every[at - 1][1]
    between = written.source[start:end]
    return None if "#" in between else written.edit(start, end, "")


def _bounds_of(written: Written, keyword: ast.keyword) -> tuple[int, int]:
    """Return where an argument by name begins and ends, its name included."""
    start = written.literals.lines.offset(keyword.lineno, keyword.col_offset)
    return start, written.literals.bounds(keyword.value)[1]


def guard(operation: Operation, literals: LiteralPlaces) -> Edit | None:
    """Return the edit that lets an operation be run again; None where no argument does so."""
    word = _GUARDS.get(operation.name)
    call = operation.arguments.call
    is_given = any(own.arg in {word, None} for own in call.keywords)
    if word is None or is_given or not operation.arguments.is_whole:
        return None
    _, end = literals.bounds(call)
    ends = [literals.bounds(own)[1] for own in (*call.args, *(own.value for own in call.keywords))]
    last = max(ends, default=end)
    source = literals.lines.text
    rest = source[last : end - 1]
    if rest.strip() not in {"", ","}:
        return None
    at: Span = literals.lines.span(last, last)
    if "\n" not in rest:
        return Edit(at, f", {word}=True")
    line = literals.lines.line(literals.lines.line_of(last))
    if not rest.strip():
        return None
    indent = line[: len(line) - len(line.lstrip())]
    ending = "\r\n" if "\r\n" in source else "\n"
    before = source[source.rfind("\n", 0, last) + 1 : last]
    is_aligned = indent and before.strip()
    return Edit(at, f",{ending}{indent}{word}=True") if is_aligned else None


_GUARDS: Final = {
    "create_table": "if_not_exists",
    "create_index": "if_not_exists",
    "drop_table": "if_exists",
    "drop_index": "if_exists",
}
"""The argument that both engines take for a guard, of Alembic's operations that have one."""

_WRITERS: Final[dict[str, Callable[[Written], tuple[Edit, ...]]]] = {
    "type": _type,
    "clock": _clock,
    "truth": _truth,
    "condition": _condition,
    "batch": _batch,
}
