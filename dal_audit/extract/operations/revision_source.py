"""A revision of Alembic's as it is written: what its functions do one after the other, as data.

Only what stands there in a straight line is read as an operation; of a branch, a loop, or a call of
anything else it is told that it is there. Nothing is run.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.constraints import constraint_text
from dal_audit.extract.operations.effects import Effect, Operation
from dal_audit.extract.operations.enumerations import enumeration_effects
from dal_audit.extract.operations.lowering import AlembicLowering
from dal_audit.extract.operations.revision_text import FunctionPlace, ModuleNames, place_of
from dal_audit.extract.operations.terms import Term, call, string, term_of
from dal_audit.extract.operations.types import UNKNOWN_TYPE
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_places import LiteralPlaces
from dal_audit.extract.python.name_uses import CallSite, read_names
from dal_audit.extract.python.parse.parser import UnparsableError, parse
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.prefilter.sql_marks import executes
from dal_audit.extract.python.sql_calls import texts
from dal_audit.extract.source import Lines
from dal_audit.extract.sql.statements import split
from dal_audit.extract.surroundings import ALONE, Surroundings
from dal_audit.facts.sql import MODEL_TABLE

_IDLE: Final = (ast.Pass, ast.Import, ast.ImportFrom, ast.Global, ast.Return)
_DEPTH: Final = 5
_BLOCKS: Final = frozenset({"batch_alter_table", "autocommit_block"})
_SILENT: Final = frozenset({"print", "debug", "info", "warning", "get_bind", "get_context"})
"""Calls that leave the database alone."""
_WRAPS: Final = frozenset({"text", "DDL"})
_NAME: Final = "constraint_name"
_EXACTLY: Final = "alembic.op.f"
_ENGINES: Final = ("sqlite", "postgresql")
_WITHOUT_TYPE: Final = re.compile(rf'(?<=" ){UNKNOWN_TYPE}\b|(?<= TYPE ){UNKNOWN_TYPE}\b')
_UNREAD: Final = re.compile(f"{UNKNOWN}|{MODEL_TABLE}")
_STAND_IN: Final = "TEXT"
"""What a type is taken for that is the project's own: a column goes and comes by its name."""
_OF_ROWS: Final = frozenset({"insert", "update", "delete"})
_OF_SESSIONS: Final = frozenset({"add", "add_all", "commit", "flush", "close", "rollback"})


class Action(Struct, frozen=True):
    """What one statement of a revision does.

    `name` is Alembic's for an operation, `execute` for SQL, `rows` for what changes rows alone,
    `create` or `drop` for an enumeration (`owner`), and empty for what is not followed. `lines` are
    the first and the last line of the statement, `source` is how it begins. `arguments` are by the
    names of their parameters; where not all are known, it is not `is_whole`. `sql` are the
    statements on each engine, which lack one where they are not known; where SQLite makes the table
    anew (`copies`), they are not what is run there.
    """

    name: str
    lines: tuple[int, int]
    source: str
    arguments: dict[str, Term] = field(default_factory=dict)
    rest: tuple[Term, ...] = ()
    owner: Term | None = None
    is_whole: bool = True
    block: Term | None = None
    """The call that opens the block of `batch_alter_table` around it."""
    opened_at: int = 0
    """The line on which that block begins."""
    is_autonomous: bool = False
    sql: dict[str, tuple[str, ...]] = field(default_factory=dict)
    copies: bool = False

    def term(self, name: str) -> Term | None:
        """Return an argument; None where it is not given, or is None."""
        found = self.arguments.get(name)
        return None if found is None or found.value == "None" else found

    def text(self, name: str) -> str:
        """Return an argument that is a string, also in a call such as `op.f`; empty for others."""
        return text_of(self.arguments.get(name))


class UnreadableRevisionError(ValueError):
    """A module that cannot be read as Python."""


class RevisionSource(Struct, frozen=True):
    """A revision: its two directions, its names, and where its way back stands."""

    up: tuple[Action, ...]
    down: tuple[Action, ...]
    names: ModuleNames
    place: FunctionPlace


def text_of(term: Term | None) -> str:
    """Return the string that an expression is, also in a call that gives it back."""
    while (
        term is not None and term.kind == "call" and term.last_name in {"f", "quoted_name", "conv"}
    ):
        term = term.arguments[0] if term.arguments else None
    return "" if term is None else term.text or ""


def revision_source(text: str, surroundings: Surroundings = ALONE) -> RevisionSource:
    """Return a revision as it is written, with the names that a naming convention makes.

    Raises UnreadableRevisionError for what Python does not parse, or is nested too deeply.
    """
    try:
        tree = parse(text)
    except (UnparsableError, RecursionError) as error:
        raise UnreadableRevisionError(str(error)) from error
    lines = Lines(text)
    place = place_of(tree, lines)
    lowering = AlembicLowering(tree, LiteralPlaces(lines), surroundings)
    names = read_names(tree, frozenset(), call_sites=True)
    try:
        reader = _Reader(tree, lines, lowering, names.call_sites)
        up = tuple(reader.actions("upgrade"))
        return RevisionSource(
            up, tuple(reader.actions("downgrade")), ModuleNames.of(tree, text), place
        )
    finally:
        names.module.forget()


class _Reader:
    def __init__(
        self, tree: ast.Module, lines: Lines, lowering: AlembicLowering, sites: Iterable[CallSite]
    ) -> None:
        self.functions = {own.name: own for own in tree.body if isinstance(own, ast.FunctionDef)}
        self.lines = lines
        self.lowering = lowering
        self.scopes = {id(site.node): site.scope for site in sites}
        self.entered: list[str] = []

    def actions(self, name: str) -> Iterator[Action]:
        """Yield what a function of the module does."""
        self.lowering.begin()
        function = self.functions.get(name)
        yield from self._block(function.body) if function is not None else ()

    def _block(
        self, body: Sequence[ast.stmt], opened_at: int = 0, *, is_autonomous: bool = False
    ) -> Iterator[Action]:
        for statement in body:
            openings = _openings(statement)
            if isinstance(statement, ast.With) and openings:
                is_batch = "batch_alter_table" in openings
                yield from self._block(
                    statement.body,
                    statement.lineno if is_batch else opened_at,
                    is_autonomous=is_autonomous or "autocommit_block" in openings,
                )
            elif (function := self._entered(statement)) is not None:
                self.entered.append(function.name)
                yield from self._block(function.body, is_autonomous=is_autonomous)
                self.entered.pop()
            elif not self._is_silent(statement):
                yield self._action(statement, opened_at, is_autonomous=is_autonomous)

    def _entered(self, statement: ast.stmt) -> ast.FunctionDef | None:
        """Return the function of the module that a statement calls with nothing, and only calls."""
        call = statement.value if isinstance(statement, ast.Expr) else None
        if not isinstance(call, ast.Call) or call.args or call.keywords:
            return None
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        return None if name in self.entered else self.functions.get(name)

    def _is_silent(self, statement: ast.stmt) -> bool:
        """Return whether a statement leaves the database alone."""
        if isinstance(statement, _IDLE):
            return not any(isinstance(node, ast.Call) for node in nodes_in(statement))
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            return True
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            return last_name(statement.value.func) in _SILENT
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
            return False
        calls = [node for node in nodes_in(statement) if isinstance(node, ast.Call)]
        return not any(self._is_doing(node) for node in calls)

    def _is_doing(self, call: ast.Call, depth: int = 0) -> bool:
        """Return whether a call changes anything in the database, or may."""
        scope = self.scopes.get(id(call))
        function = self.functions.get(last_name(call.func))
        if function is not None:
            inner = (node for node in nodes_in(function) if isinstance(node, ast.Call))
            return depth > _DEPTH or any(self._is_doing(node, depth + 1) for node in inner)
        is_operation = scope is not None and self.lowering.operations(call, scope) is not None
        return is_operation or executes(last_name(call.func))

    def _action(self, statement: ast.stmt, opened_at: int, *, is_autonomous: bool) -> Action:
        found = Action(
            "",
            (statement.lineno, statement.end_lineno or statement.lineno),
            self.lines.line(statement.lineno).strip(),
            is_whole=False,
            opened_at=opened_at,
            is_autonomous=is_autonomous,
        )
        node = statement.value if isinstance(statement, (ast.Expr, ast.Assign)) else None
        scope = self.scopes.get(id(node))
        if not isinstance(node, ast.Call) or scope is None:
            return found
        return self._operation(found, node) or self._other(found, node) or found

    def _operation(self, found: Action, node: ast.Call) -> Action | None:
        scope = self.scopes[id(node)]
        read = self.lowering.operations(node, scope)
        if read is None:
            return None
        known = {own.engine: _known(self.lowering.effects(own)) for own in read}
        own = read[-1].arguments
        opening = self.lowering.opening(node)
        rest = tuple(_named(argument, read[-1]) for argument in own.rest)
        arguments = {name: term_of(value, scope) for name, value in own.values.items()}
        if read[-1].final_name not in {"", own.text(_NAME)}:
            arguments[_NAME] = call(_EXACTLY, string(read[-1].final_name))
        return replace(
            found,
            name=read[-1].name,
            arguments=arguments,
            rest=rest,
            is_whole=own.is_whole and all(term.is_known for term in (*rest, *arguments.values())),
            block=None if opening is None else term_of(opening, scope),
            sql={engine: sql for engine, sql in known.items() if sql is not None},
            copies=read[0].is_rebuild,
        )

    def _other(self, found: Action, node: ast.Call) -> Action | None:
        """Return what SQL does, or what makes or drops an enumeration."""
        scope = self.scopes[id(node)]
        name = last_name(node.func)
        if executes(name) and len(node.args) == 1 and not node.keywords:
            argument = node.args[0]
            while isinstance(argument, ast.Call) and last_name(argument.func) in _WRAPS:
                argument = argument.args[0] if argument.args else ast.Constant(None)
            several = [str(text) for text, _ in texts(argument, scope)]
            if len(several) == 1 and UNKNOWN not in several[0]:
                sql = tuple(_statements(several[0]))
                return replace(
                    found, name="execute", is_whole=True, sql=dict.fromkeys(_ENGINES, sql)
                )
        if _changes_rows(node):
            return replace(found, name="rows", is_whole=True, sql=dict.fromkeys(_ENGINES, ()))
        effects = enumeration_effects(node, scope)
        if effects is None or not isinstance(node.func, ast.Attribute):
            return None
        owner = term_of(node.func.value, scope)
        made = tuple(str(own.sql) for own in effects)
        by_engine = {"sqlite": (), "postgresql": made}
        return replace(found, name=name, owner=owner, is_whole=owner.is_known, sql=by_engine)


def _named(node: ast.expr, operation: Operation) -> Term:
    """Return an argument of an operation; a constraint with the name that it is run with."""
    term = term_of(node, operation.arguments.scope)
    own = constraint_text(node, operation.arguments.scope)
    name = "" if own is None else operation.name_of(own.part, own.name, is_exact=own.is_exact)
    is_given = own is None or name in {"", own.name}
    return term if is_given else term.with_keyword("name", call(_EXACTLY, string(name)))


def _openings(statement: ast.stmt) -> list[str]:
    """Return which blocks of Alembic's a statement opens; nothing where it opens others."""
    items = statement.items if isinstance(statement, ast.With) else []
    calls = [own.context_expr for own in items if isinstance(own.context_expr, ast.Call)]
    names = [last_name(own.func) for own in calls]
    return names if len(names) == len(items) and _BLOCKS.issuperset(names) else []


def _changes_rows(node: ast.Call) -> bool:
    """Return whether a call changes rows alone, by SQLAlchemy's own expressions or a session."""
    if last_name(node.func) in _OF_SESSIONS and isinstance(node.func, ast.Attribute):
        return last_name(node.func.value) == "session"
    inner = (own for argument in node.args[:1] for own in ast.walk(argument))
    calls = (own for own in inner if isinstance(own, ast.Call))
    return executes(last_name(node.func)) and any(last_name(own.func) in _OF_ROWS for own in calls)


def _known(effects: Sequence[Effect]) -> tuple[str, ...] | None:
    """Return statements as text; None where one is not known as it is run."""
    if any(not own.is_whole or not own.sql or _UNREAD.search(own.sql) for own in effects):
        return None
    return tuple(_WITHOUT_TYPE.sub(_STAND_IN, str(own.sql)) for own in effects)


def _statements(text: str) -> Iterator[str]:
    for statement in split(text).statements:
        yield text[statement.start : statement.end]
