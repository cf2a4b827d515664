"""A migration of Django's as it is written: what each operation runs, and what it lacks to go back.

Only what stands there as a literal is read: the SQL of `RunSQL`, and of `RunPython` a function that
does nothing but execute SQL. Of all else it is told whether it may change tables. Nothing is run.
Sources: Django's `db/migrations/operations/special.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.catalogue.engine_names import ENGINES, Engine
from dal_audit.extract.embedded.migration import ModuleContext, Operation, operations_of_migration
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import Arguments
from dal_audit.extract.operations.revision_text import ModuleNames
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.name_uses import CallSite
from dal_audit.extract.python.parse.parser import UnparsableError, parse
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.prefilter.sql_marks import executes
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.python.sql_calls import texts
from dal_audit.extract.source import Lines
from dal_audit.extract.sql.statements import split
from dal_audit.facts.models import ModelOperation
from dal_audit.facts.sql import SqlStatement

Kind: TypeAlias = Literal["sql", "python", "models"]
Statements: TypeAlias = dict[Engine, tuple[str, ...]]
"""The statements on each engine; there is none for an engine of which they are not known."""

_PARAMETERS: Final = {
    "RunSQL": ("sql", "reverse_sql", "state_operations", "hints", "elidable"),
    "RunPython": ("code", "reverse_code", "atomic", "hints", "elidable"),
}
_PAIR: Final = 2
_NOOP: Final = "noop"
_UNFOLLOWED: Final = frozenset({"db_collation", "db_tablespace", "db_comment"})
"""What fields and models are told that no record of them keeps."""
_ALIAS: Final = "alias"


class CallPlace(Struct, frozen=True):
    """Where a call stands in a text, by indexes into it.

    It is from its first character to behind its bracket; its arguments from the first to behind the
    last, `opening` is behind the name that is called. `idle` is a `None` for what it lacks.
    """

    start: int
    opening: int
    first: int
    last: int
    end: int
    idle: tuple[int, int] | None = None


class FunctionSource(Struct, frozen=True):
    """A function that a migration runs: its name, its two parameters, and its last line."""

    name: str
    parameters: tuple[str, str]
    last_line: int


class OperationSource(Struct, frozen=True):
    """An operation.

    `facts` are what stands for it, `source` is how its first line reads, `line` the number of that.
    `sql` is what it runs by itself, of `RunSQL` and `RunPython`. It `may_change` tables where not
    all that it does is known; where it is not `is_exact`, what it makes is more than its facts say.
    `lacks` is the call of one that nothing takes back, `noop` is how it
    is said there that nothing needs to.
    """

    kind: Kind
    facts: tuple[SqlStatement, ...]
    line: int
    source: str
    sql: Statements
    may_change: bool = False
    is_of_state: bool = False
    is_exact: bool = True
    lacks: CallPlace | None = None
    noop: str = ""
    function: FunctionSource | None = None


class MigrationSource(Struct, frozen=True):
    """A migration: its operations in the order of a run, and the names of its module."""

    operations: tuple[OperationSource, ...]
    names: ModuleNames


class UnreadableMigrationError(ValueError):
    """A module that cannot be read as Python."""


def migration_source(text: str) -> MigrationSource:
    """Return a migration as it is written.

    Raises UnreadableMigrationError for what Python does not parse, or is nested too deeply.
    """
    try:
        tree = parse(text)
        lines = Lines(text)

        def read(operation: Operation, around: ModuleContext) -> OperationSource:
            return _Reader(lines, around).operation(operation)

        operations = operations_of_migration(tree, lines, read)
    except (UnparsableError, RecursionError) as error:
        raise UnreadableMigrationError(str(error)) from error
    return MigrationSource(tuple(operations), ModuleNames.of(tree, text))


class _Reader:
    """Reads the operations of one module."""

    def __init__(self, lines: Lines, around: ModuleContext) -> None:
        self.lines = lines
        self.around = around

    def operation(self, own: Operation) -> OperationSource:
        """Return an operation as it is written."""
        call, site = own.node, own.site
        name = last_name(call.func) if isinstance(call, ast.Call) else ""
        if isinstance(call, ast.Call) and site is not None and name in _PARAMETERS:
            return self._run(own, call, site.scope, name)
        is_of_state = own.stage.runs == "state"
        return OperationSource(
            "models",
            own.statements,
            call.lineno,
            self._source(call),
            {},
            may_change=not is_of_state and any(map(_is_unread, own.statements)),
            is_of_state=is_of_state,
            is_exact=not any(map(_is_unfollowed, nodes_in(call))),
        )

    def _source(self, node: ast.expr) -> str:
        return self.lines.line(node.lineno).strip()

    def _run(self, own: Operation, call: ast.Call, scope: Scope, name: str) -> OperationSource:
        arguments = Arguments(call, _PARAMETERS[name], scope)
        forward, backward = _PARAMETERS[name][:_PAIR]
        argument = arguments.node(forward)
        is_sql = name == "RunSQL"
        function = None if is_sql else self._function(arguments.values.get(forward))
        sql = self._of_list(argument, scope) if is_sql else self._of_code(argument, function)
        lacks = arguments.is_whole and arguments.node(backward) is None and argument is not None
        return OperationSource(
            "sql" if is_sql else "python",
            own.statements,
            call.lineno,
            self._source(call),
            sql or {},
            may_change=sql is None and (is_sql or function is None or _has_schema(function)),
            lacks=self._place(call, arguments.values.get(backward)) if lacks else None,
            noop=f"{ast.unparse(call.func)}.{_NOOP}",
            function=None if function is None else _as_source(function),
        )

    def _place(self, call: ast.Call, idle: ast.expr | None) -> CallPlace:
        every = [*call.args, *(keyword.value for keyword in call.keywords)]
        starts = [*map(self._start, call.args), *map(self._start, call.keywords)]
        return CallPlace(
            self._start(call),
            self._end(call.func),
            min(starts),
            max(map(self._end, every)),
            self._end(call),
            None if idle is None else (self._start(idle), self._end(idle)),
        )

    def _start(self, node: ast.expr | ast.keyword) -> int:
        return self.lines.offset(node.lineno, node.col_offset)

    def _end(self, node: ast.expr) -> int:
        return self.lines.offset(node.end_lineno or node.lineno, node.end_col_offset or 0)

    # SQL that is handed over

    def _of_list(self, node: ast.expr | None, scope: Scope) -> Statements | None:
        """Return what `RunSQL` runs; None where not all of it is known."""
        if node is None:
            return None
        members = node.elts if isinstance(node, (ast.List, ast.Tuple)) else [node]
        found: list[str] = []
        for member in members:
            known = _statements_of(follow_assignment(member, scope), scope)
            if known is None:
                return None
            found += known
        return dict.fromkeys(ENGINES, tuple(found))

    # Functions

    def _function(self, node: ast.expr | None) -> ast.FunctionDef | None:
        """Return the function of the module that an argument names."""
        found = self.around.functions.get(node.id) if isinstance(node, ast.Name) else None
        return found if isinstance(found, ast.FunctionDef) else None

    def _of_code(
        self, node: ast.expr | None, function: ast.FunctionDef | None
    ) -> Statements | None:
        """Return what a function executes, where it does nothing else."""
        if node is not None and last_name(node) == _NOOP:
            return dict.fromkeys(ENGINES, ())
        if function is None or _as_source(function) is None:
            return None
        found: dict[Engine, list[str]] = {engine: [] for engine in ENGINES}
        try:
            for call in self._calls(function.body):
                self._add(found, call)
        except _NotFollowedError:
            return None
        return {engine: tuple(several) for engine, several in found.items()}

    def _add(self, found: dict[Engine, list[str]], call: ast.Call) -> None:
        site: CallSite | None = self.around.sites.get(id(call))
        text = None if site is None or len(call.args) != 1 else _text(call.args[0], site.scope)
        if text is None or call.keywords or "%" in text or not executes(last_name(call.func)):
            raise _NotFollowedError
        engines = self.around.branches.engines_at(call)
        for engine in ENGINES if engines is None else engines:
            if engine in found:
                found[engine] += _split(text)

    def _calls(self, body: Sequence[ast.stmt]) -> Iterator[ast.Call]:
        """Yield the calls of a block in their order. Raises _NotFollowedError."""
        for number, statement in enumerate(body):
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Call):
                yield value
            elif isinstance(statement, ast.With):
                _check(all(_is_cursor(item.context_expr) for item in statement.items))
                yield from self._calls(statement.body)
            elif isinstance(statement, ast.If):
                _check(self.around.branches.tells(statement))
                yield from self._calls(statement.body)
                yield from self._calls(statement.orelse)
            elif isinstance(statement, ast.Assign):
                _check(_is_cursor(statement.value))
            elif isinstance(statement, ast.Return):
                _check(statement.value is None and number == len(body) - 1)
            else:
                _check(isinstance(statement, ast.Pass) or isinstance(value, ast.Constant))


class _NotFollowedError(Exception):
    """A function does something of which nobody knows what it comes to."""


def _check(is_followed: bool) -> None:  # noqa: FBT001  # it is a condition
    if not is_followed:
        raise _NotFollowedError


def _is_cursor(node: ast.expr) -> bool:
    """Return whether an expression is a connection or a cursor: `schema_editor.connection`."""
    if isinstance(node, ast.Call):
        return last_name(node.func) == "cursor" and not node.args and not node.keywords
    return isinstance(node, (ast.Attribute, ast.Name)) and last_name(node) in _CONNECTIONS


_CONNECTIONS: Final = frozenset({"connection", "schema_editor"})


def _as_source(function: ast.FunctionDef) -> FunctionSource | None:
    """Return what a function is called with; None for another one than Django's."""
    names = [own.arg for own in function.args.args]
    if len(names) != _PAIR or function.args.posonlyargs or function.args.kwonlyargs:
        return None
    if function.col_offset or function.decorator_list:
        return None
    last = function.end_lineno or function.lineno
    return FunctionSource(function.name, (names[0], names[1]), last)


def _has_schema(function: ast.FunctionDef) -> bool:
    """Return whether a function may change tables: it executes, or hands its editor on."""
    editor = function.args.args[1].arg if len(function.args.args) >= _PAIR else ""
    within = {
        id(inner)
        for node in nodes_in(function)
        if isinstance(node, ast.Attribute) and node.attr == _ALIAS
        for inner in ast.walk(node)
    }
    for node in nodes_in(function):
        if isinstance(node, ast.Name) and node.id == editor and id(node) not in within:
            return True
        if isinstance(node, ast.Call) and executes(last_name(node.func)):
            return True
    return not editor


def _is_unfollowed(node: ast.AST) -> bool:
    """Return whether a part of an operation says what its facts do not."""
    if isinstance(node, ast.keyword):
        return node.arg in _UNFOLLOWED
    return isinstance(node, ast.Constant) and node.value in _UNFOLLOWED


def _is_unread(statement: SqlStatement) -> bool:
    structure, within = statement.structure, statement.within
    is_lacking = isinstance(structure, ModelOperation) and not structure.model
    return is_lacking or (within is not None and within.is_unread)


def _statements_of(node: ast.expr, scope: Scope) -> tuple[str, ...] | None:
    """Return what a text comes to, or a pair of one and its values; None where that is unknown."""
    if last_name(node) == _NOOP:
        return ()
    if not isinstance(node, (ast.List, ast.Tuple)):
        text = _text(node, scope)
        return None if text is None else tuple(_split(text))
    if len(node.elts) != _PAIR:
        return None
    text = _text(node.elts[0], scope)
    values = _values(follow_assignment(node.elts[1], scope))
    if text is None or values is None:
        return None
    if isinstance(node.elts[1], ast.Constant):
        return (text,)
    filled = _filled(text, values)
    return None if filled is None else (filled,)


def _text(node: ast.expr, scope: Scope) -> str | None:
    """Return the one text that an expression can be; None where it is not all known."""
    several = [str(text) for text, _ in texts(node, scope)]
    return several[0] if len(several) == 1 and UNKNOWN not in several[0] else None


def _values(node: ast.expr) -> list[str] | None:
    """Return the values of a statement as SQL spells them; None where they are not known."""
    if isinstance(node, ast.Constant) and node.value is None:
        return []
    if not isinstance(node, (ast.List, ast.Tuple)):
        return None
    found = [_literal(member) for member in node.elts]
    known = [own for own in found if own is not None]
    return known if len(known) == len(found) else None


def _literal(node: ast.expr) -> str | None:
    value = node.value if isinstance(node, ast.Constant) else ...
    if isinstance(value, str):
        doubled = value.replace("'", "''")
        return f"'{doubled}'"
    if value is None or isinstance(value, bool):
        return {None: "NULL", True: "TRUE", False: "FALSE"}[value]
    return repr(value) if isinstance(value, (int, float)) else None


def _filled(text: str, values: Sequence[str]) -> str | None:
    """Return a statement with its values in the places of `%s`; None where these are others."""
    parts = text.split("%%")
    pieces = [part.split("%s") for part in parts]
    holes = sum(len(piece) - 1 for piece in pieces)
    if holes != len(values) or any("%" in own for piece in pieces for own in piece):
        return None
    rest = iter(values)
    filled = ["".join(own + next(rest, "") for own in piece[:-1]) + piece[-1] for piece in pieces]
    return "%".join(filled)


def _split(text: str) -> Iterator[str]:
    for statement in split(text).statements:
        yield text[statement.start : statement.end]
