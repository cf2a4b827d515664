"""From an Alembic operation to the SQL statements that it comes to, each with its place.

What is told of an operation is told on each engine by itself, for Alembic and SQLAlchemy write
another statement for each. Where both are the same, they are one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec.structs import replace

from dal_audit.catalogue.operations import ALEMBIC, OperationForm, about, form_of, forms_by_mark
from dal_audit.extract.operations.alembic import ALIASES, PARAMETERS, effects_of
from dal_audit.extract.operations.batch import BLOCK, Block, blocks_by_call, convention_of
from dal_audit.extract.operations.call_arguments import Arguments, origin_of
from dal_audit.extract.operations.effects import Effect, Operation
from dal_audit.extract.operations.enumeration_classes import spell_enumerations
from dal_audit.extract.operations.enumerations import enumeration_effects
from dal_audit.extract.operations.inlining import inline_functions
from dal_audit.extract.operations.inspection import condition
from dal_audit.extract.operations.respelling import guard, respelled
from dal_audit.extract.operations.statements import StatementWriter
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_places import LiteralPlaces
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.surroundings import ALONE, Surroundings
from dal_audit.facts import Span
from dal_audit.facts.sql import (
    Embedding,
    OtherStatement,
    Query,
    Rewriting,
    SqlConstruct,
    SqlStatement,
)

ENGINES: Final = ("sqlite", "postgresql")
"""The engines whose compilers are known here."""

_OP: Final = "alembic.op"
_OPS: Final = frozenset({"op", "operations"})
"""What a parameter is called that stands for Alembic's operations."""
_AUTOCOMMIT: Final = "autocommit_block"
_FIRST: Final = 1 << 20
"""Where constructs are counted from that are no part of a statement's text."""


class AlembicLowering:
    """Lowers the operations of one module."""

    def __init__(
        self,
        tree: ast.Module,
        literals: LiteralPlaces,
        surroundings: Surroundings = ALONE,
    ) -> None:
        """Take the module, and what others say of it."""
        self._convention = surroundings.convention
        inline_functions(tree)
        spell_enumerations(tree)
        text = literals.lines.text
        has_blocks = BLOCK in text or _AUTOCOMMIT in text
        contexts = [
            node for node in (nodes_in(tree) if has_blocks else ()) if isinstance(node, ast.With)
        ]
        self._blocks = blocks_by_call(contexts)
        self._autonomous = _calls_in_autocommit(contexts)
        self._literals = literals
        self._made_types: dict[str, set[str]] = {}

    def begin(self) -> None:
        """Begin a direction: what it makes is made for the first time."""
        self._made_types = {engine: set() for engine in ENGINES}

    def statements(
        self, call: ast.Call, scope: Scope, within: Embedding
    ) -> list[SqlStatement] | None:
        """Return the statements of an operation; None where a call is none."""
        engines = [own for own in ENGINES if within.engines is None or own in within.engines]
        span = self._span(call)
        read = self.operations(call, scope, engines)
        if read is not None:
            block = self._blocks.get(id(call))
            effects = {own.engine: self._effects(own, block, scope) for own in read}
            marks = {operation.engine: self._marks(operation) for operation in read}
            constructs = tuple(self._constructs(marks, span, read[0])) if read else ()
        else:
            made = enumeration_effects(call, scope)
            if made is None:
                return None
            effects = {"postgresql": made} if "postgresql" in engines else {}
            constructs = ()
        if read and all(len(every) == 1 for every in effects.values()):
            within = replace(within, guard=guard(read[0], self._literals))
        if read:
            within = replace(within, condition=condition(read[0], self._literals))
        return list(self._written(effects, constructs, span, within))

    def operations(
        self, call: ast.Call, scope: Scope, engines: Sequence[str] = ENGINES
    ) -> list[Operation] | None:
        """Return an operation as it is read for each engine; None where a call is none."""
        block = self._blocks.get(id(call))
        if last_name(call.func) not in PARAMETERS:
            return None
        if block is None and not _is_operation(call, scope):
            return None
        return [self._operation(call, scope, block, engine) for engine in engines]

    def effects(self, operation: Operation) -> list[Effect]:
        """Return what an operation does, in order."""
        arguments = operation.arguments
        return self._effects(operation, self._blocks.get(id(arguments.call)), arguments.scope)

    def opening(self, call: ast.Call) -> ast.Call | None:
        """Return the call that opens the block of an operation; None where it is in none."""
        block = self._blocks.get(id(call))
        return None if block is None else block.opening

    def _operation(
        self, call: ast.Call, scope: Scope, block: Block | None, engine: str
    ) -> Operation:
        name = last_name(call.func)
        parameters = PARAMETERS[name]
        if block is not None:
            parameters = tuple(own for own in parameters if own != "table_name")
        arguments = Arguments(call, parameters, scope)
        for alias, meant in ALIASES.items():
            if alias in arguments.values and meant in PARAMETERS[name] and alias not in parameters:
                arguments.values.setdefault(meant, arguments.values.pop(alias))
        made = self._made_types.setdefault(engine, set())
        found = Operation(
            name, arguments, engine, "", is_rebuild=False, made_types=made,
            convention=self._convention,
        )  # fmt: skip
        if block is not None:
            opening = Arguments(block.opening, ("table_name", "schema"), scope)
            arguments.values.update(
                {own: opening.values[own] for own in ("table_name", "schema") if opening.has(own)}
            )
            found.is_copied = block.mode(opening) == "anew"
            found.is_rebuild = engine == "sqlite" and found.is_copied
            found.copy_convention = convention_of(opening)
        found.plain_table = arguments.text("table_name")
        return found

    def _effects(self, operation: Operation, block: Block | None, scope: Scope) -> list[Effect]:
        """Return what an operation does; SQLite's copy of a table is made of the whole block."""
        operation.is_early = (
            block is not None
            and operation.is_rebuild
            and block.adds_later(operation.arguments.call)
        )
        if block is not None and operation.is_rebuild and operation.name == "drop_column":
            column = operation.arguments.text("column_name")
            operation.is_readded = block.adds_again(operation.arguments.call, column, scope)
        found = effects_of(operation)
        if block is None or not operation.is_rebuild:
            return found
        if operation.name == "drop_index":
            return [replace(effect, is_guarded=True) for effect in found]
        if operation.name != "drop_column":
            return found
        drops = block.drops_later(operation.arguments.call)
        reads = (self._operation(own, scope, block, operation.engine) for own in drops)
        return [*(effect for read in reads for effect in effects_of(read)), *found]

    def _marks(self, operation: Operation) -> Mapping[str, ast.expr | None]:
        """Return the words that are true of an operation, with the parts that they are about."""
        marks: dict[str, ast.expr | None] = {operation.name: None}
        marks["batch" if operation.is_copied else "outside"] = None
        if id(operation.arguments.call) in self._autonomous:
            marks["autocommit"] = None
        if operation.arguments.text("schema"):
            marks["schema"] = operation.arguments.values["schema"]
        return {**marks, **operation.marks}

    def _constructs(
        self, marks: Mapping[str, Mapping[str, ast.expr | None]], span: Span, operation: Operation
    ) -> Iterator[SqlConstruct]:
        """Yield the forms that an operation is of, on any of the engines that reject them."""
        found: dict[str, tuple[Span, Rewriting | None]] = {}
        for engine, said in marks.items():
            for form in _forms_of(said.keys()):
                if form.differs or not form.engines.get(engine, True):
                    part = about(form, said)
                    rewriting = respelled(form, part, operation, self._literals)
                    found.setdefault(form.id, (self._about(part, span), rewriting))
        for number, (form_id, (place, rewriting)) in enumerate(found.items()):
            first = _FIRST + 2 * number
            yield SqlConstruct(place, form_id, first, first + 1, rewriting=rewriting)

    def _written(
        self,
        effects: Mapping[str, Sequence[Effect]],
        constructs: tuple[SqlConstruct, ...],
        span: Span,
        within: Embedding,
    ) -> Iterator[SqlStatement]:
        """Yield what an operation does on each engine, and what is to be said of all of it."""
        writer = StatementWriter(self._literals, span)
        several = list(effects.items())
        is_one = len(several) == len(ENGINES) and several[0][1] == several[1][1]
        if constructs or not several:
            head = SqlStatement(span, "", Query("SELECT", constant=True), constructs=constructs)
            yield replace(head, within=within)
        for engine, every in several[: 1 if is_one else None]:
            own = within if is_one else replace(within, engines=(engine,))
            for statement in (each for effect in every for each in writer.statements(effect)):
                is_unread = isinstance(statement.structure, OtherStatement)
                kept = tuple(_without_echoes(statement.constructs, constructs))
                yield replace(statement, constructs=kept, within=replace(own, is_unread=is_unread))

    def _about(self, node: ast.expr | None, call: Span) -> Span:
        """Return the place of a part of an operation; what is written elsewhere has the call's."""
        if node is None or not call.line <= node.lineno <= call.end_line:
            return call
        return self._span(node)

    def _span(self, node: ast.expr) -> Span:
        return self._literals.lines.span(*self._literals.bounds(node))


def _without_echoes(
    own: Iterable[SqlConstruct], told: Sequence[SqlConstruct]
) -> Iterator[SqlConstruct]:
    """Yield the constructs of a statement that no form of its operation says in their places."""
    instead = [(form_of(form.feature).instead, form.span) for form in told]
    for construct in own:
        at = construct.span
        start, end = (at.line, at.column), (at.end_line, at.end_column)
        if not any(
            construct.feature in ids
            and (span.line, span.column) <= start
            and end <= (span.end_line, span.end_column)
            for ids, span in instead
        ):
            yield construct


def _is_operation(call: ast.Call, scope: Scope) -> bool:
    """Return whether a call is one of Alembic's `op`."""
    if not isinstance(call.func, ast.Attribute):
        return False
    owner = call.func.value
    return last_name(owner) in _OPS or origin_of(owner, scope) == _OP


def _forms_of(said: AbstractSet[str]) -> Iterator[OperationForm]:
    """Yield the forms of which an operation is."""
    by_mark = forms_by_mark(ALEMBIC)
    for mark in said:
        yield from (form for form in by_mark.get(mark, ()) if form.fits(said))


def _calls_in_autocommit(contexts: Iterable[ast.With]) -> frozenset[int]:
    """Return the calls that run outside of the migration's transaction, by their identity."""
    found: set[int] = set()
    for statement in contexts:
        for item in statement.items:
            opening = item.context_expr
            if isinstance(opening, ast.Call) and last_name(opening.func) == _AUTOCOMMIT:
                found.update(id(node) for node in ast.walk(statement))
    return frozenset(found)
