"""The statement that an operation runs, as facts: what it does, and what is wrong with its text.

Only what the project wrote is judged by its words: of what the tool puts around it the catalogue of
operations tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.effects import Effect
from dal_audit.extract.operations.places import OperationPlaces
from dal_audit.extract.operations.types import UNKNOWN_TYPE
from dal_audit.extract.python.literal_places import LiteralPlaces
from dal_audit.extract.sql.calls import lacked_calls
from dal_audit.extract.sql.patterns import shipped_matcher
from dal_audit.extract.sql.scripts import constructs_of
from dal_audit.extract.sql.statements import Statement, each_statement
from dal_audit.extract.sql.structure import head_of, read_structure
from dal_audit.extract.sql.tokens import Token
from dal_audit.facts import Span
from dal_audit.facts.sql import (
    AlterAction,
    AlterTable,
    Clause,
    Column,
    CreateObject,
    CreateTable,
    Drop,
    OtherStatement,
    SqlName,
    SqlStatement,
    Structure,
)

_AROUND = 2
"""How many tokens of the tool's may stand in a construct of the project's: `DEFAULT (`."""


class StatementWriter:
    """Writes the statements of one operation."""

    def __init__(self, literals: LiteralPlaces, call: Span) -> None:
        """Take the module's literals, and the operation's place."""
        self._literals = literals
        self._call = call

    def statements(self, effect: Effect) -> Iterator[SqlStatement]:
        """Yield the statements of an effect."""
        if not effect.sql or UNKNOWN in effect.sql:
            yield self._opaque(str(effect.sql or effect.table))
            return
        places = OperationPlaces(self._literals, effect.sql, self._call)
        found: list[SqlStatement] = []

        def take(statement: Statement, comments: Sequence[Token]) -> None:
            found.append(self._fact(statement, comments, places, effect))

        each_statement(str(effect.sql), take)
        yield from found if len(found) == 1 else [self._opaque(str(effect.sql))]

    def _fact(
        self,
        statement: Statement,
        comments: Sequence[Token],
        places: OperationPlaces,
        effect: Effect,
    ) -> SqlStatement:
        tokens = statement.tokens
        own = [places.is_spelled(token.start) for token in tokens]
        structure = read_structure(tokens, places).structure
        if structure is None:
            return self._opaque(" ".join(token.text for token in tokens))
        fact = SqlStatement(self._call, head_of(tokens), _as_run(structure, effect, self._call))
        return _judged(fact, tokens, own, places, comments) if any(own) else fact

    def _opaque(self, text: str) -> SqlStatement:
        """Return what stands for a statement of which only the names are known."""
        body = f"EXECUTE {text or '*'}".replace(UNKNOWN, " ")
        return SqlStatement(self._call, "DO", OtherStatement(("DO",), body))


def _judged(
    fact: SqlStatement,
    tokens: tuple[Token, ...],
    own: Sequence[bool],
    places: OperationPlaces,
    comments: Sequence[Token],
) -> SqlStatement:
    """Return a statement with what is to be judged of the project's own words in it."""

    def is_own(first: int, last: int) -> bool:
        return any(own[first:last]) and own[first:last].count(False) <= _AROUND

    view = shipped_matcher().view(tokens)
    return replace(
        fact,
        constructs=tuple(
            replace(construct, rewriting=None)
            for construct in constructs_of(view, places, comments)
            if is_own(construct.first, construct.last)
        ),
        calls=tuple(called for called in lacked_calls(view, places) if own[called.first]),
    )


def _as_run(structure: Structure, effect: Effect, call: Span) -> Structure:
    """Return what a statement does with what its text does not say."""
    match structure:
        case AlterTable(actions=actions):
            known = tuple(map(_known_action, actions))
            return replace(
                structure,
                actions=known,
                rebuilds=effect.rebuilds,
                knows_names=effect.knows_names,
                convention=effect.convention,
            )
        case CreateTable():
            return _known_table(structure, call, is_whole=effect.is_whole)
        case CreateObject() if effect.is_guarded:
            return replace(structure, if_not_exists=True)
        case Drop(what="index"):
            owner = SqlName(call, (effect.table,), (True,)) if effect.table else None
            is_guarded = structure.if_exists or effect.is_guarded
            return replace(structure, table=owner, if_exists=is_guarded)
        case _:
            return structure


def _known_action(action: AlterAction) -> AlterAction:
    """Return an action without a type that is not known."""
    if action.type is not None and action.type.name == UNKNOWN_TYPE:
        action = replace(action, type=None)
    return action if action.column is None else replace(action, column=_known(action.column))


def _known(column: Column) -> Column:
    is_unknown = column.type is not None and column.type.name.startswith(UNKNOWN_TYPE)
    return replace(column, type=None) if is_unknown else column


def _known_table(create: CreateTable, call: Span, *, is_whole: bool) -> CreateTable:
    """Return a table without types that are not known, its constraints behind its columns.

    In the code they stand in any order; the tool writes them last.
    """
    columns = tuple(map(_known, create.columns))
    last = max((column.span for column in columns), default=call)
    constraints = tuple(
        constraint if constraint.span > last else replace(constraint, span=last)
        for constraint in create.constraints
    )
    options = create.options if is_whole else (*create.options, Clause(call, ("INHERITS",), ()))
    return replace(create, columns=columns, constraints=constraints, options=options)
