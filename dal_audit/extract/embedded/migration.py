"""The SQL statements of a migration in Python, up and down, each in the order in which it runs.

Alembic's and SQLAlchemy-migrate's functions, Django's operations and yoyo's steps. What they do is
told as SQL does it: as statements with a part, whose places are those of the text or the call.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from msgspec.structs import replace

from dal_audit.extract.embedded.choices import instead, is_chosen
from dal_audit.extract.embedded.execution import Execution, Frame, Functions, Run, functions_of
from dal_audit.extract.embedded.operations import unread
from dal_audit.extract.embedded.placeholders import hands_no_values, placeholder, reads_placeholder
from dal_audit.extract.embedded.statements import Embedder
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.migrations.python_literals import members_in
from dal_audit.extract.operations.django import DjangoLowering, Stage
from dal_audit.extract.operations.lowering import AlembicLowering
from dal_audit.extract.operations.project_spelling import spell_types
from dal_audit.extract.python.dialect_branches import DialectBranches
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.name_uses import CallSite, read_names
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.prefilter.sql_marks import executes
from dal_audit.extract.python.scopes import Assigned, Scope
from dal_audit.extract.python.sql_calls import declared_types, roots, texts
from dal_audit.extract.python.sql_sources import SqlSource
from dal_audit.extract.source import Lines
from dal_audit.extract.surroundings import ALONE, Surroundings
from dal_audit.facts.migrations import Tool
from dal_audit.facts.sql import ANY_NAME, Embedding, OtherStatement, SqlStatement

Side: TypeAlias = Literal["up", "down"]

_FUNCTIONS: Final[dict[Side, str]] = {"up": "upgrade", "down": "downgrade"}
_WRAPS: Final = frozenset({"text", "DDL", "SQL"})
"""Calls whose first argument is the SQL."""
_REVERSES: Final = {"RunSQL": ("sql", "reverse_sql"), "RunPython": ("code", "reverse_code")}
_NOOP: Final = "noop"
_OPERATIONS: Final = "operations"
_BOTH: Final = Stage()


_T = TypeVar("_T")


class Operation(NamedTuple):
    """An operation of Django's in the order of a run, with the statements that stand for it.

    `site` is None for what is no call; an operation in another one is told by itself.
    """

    node: ast.expr
    site: CallSite | None
    stage: Stage
    statements: tuple[SqlStatement, ...]


class ModuleContext(NamedTuple):
    """What a module has around its operations."""

    functions: Functions
    branches: DialectBranches
    sites: Mapping[int, CallSite]
    """The calls, by the identities of their nodes."""
    module: Scope


def operations_of_migration(
    tree: ast.Module, lines: Lines, read: Callable[[Operation, ModuleContext], _T]
) -> list[_T]:
    """Return what is read of each operation that a migration of Django's runs on its way up."""
    names = read_names(tree, frozenset(), call_sites=True)
    try:
        reader = _Reader(tree, lines, names.call_sites, names.module, ALONE)
        return [read(operation, reader.context) for operation in reader.operations("up")]
    finally:
        names.module.forget()


def statements_of_migration(
    tree: ast.Module, lines: Lines, framework: Tool, surroundings: Surroundings = ALONE
) -> tuple[SqlStatement, ...]:
    """Return the statements of a migration's ups, then those of its downs."""
    if surroundings.types:
        spell_types(tree, surroundings.types)
    names = read_names(tree, frozenset(), call_sites=True)
    try:
        reader = _Reader(tree, lines, names.call_sites, names.module, surroundings)
        return (*reader.side("up", framework), *reader.side("down", framework))
    finally:
        names.module.forget()


class _Reader:
    """Reads one migration."""

    def __init__(
        self,
        tree: ast.Module,
        lines: Lines,
        sites: Sequence[CallSite],
        module: Scope,
        surroundings: Surroundings,
    ) -> None:
        self.tree = tree
        self.embedder = Embedder(tree, lines)
        self.execution = Execution(functions_of(tree), self.embedder.branches, tree)
        self.module = module
        self.django = DjangoLowering(tree, self.embedder.literals)
        self.lowering = AlembicLowering(tree, self.embedder.literals, surroundings)
        self._sites = {id(site.node): site for site in sites}

    @property
    def context(self) -> ModuleContext:
        """What is around the operations."""
        return ModuleContext(
            self.execution.functions, self.embedder.branches, self._sites, self.module
        )

    def side(self, side: Side, framework: Tool) -> Iterator[SqlStatement]:
        """Yield the statements of one direction."""
        self.lowering.begin()
        if framework == "django":
            found = self._django(side)
        elif framework == "yoyo":
            found = self._yoyo(side)
        else:
            found = self._scripted(_FUNCTIONS[side])
        for statement in found:
            yield replace(statement, part=side)

    # Functions, as Alembic and SQLAlchemy-migrate have them

    def _scripted(self, name: str) -> Iterator[SqlStatement]:
        """Yield what a function runs; the template for several databases has more of its name."""
        several = [own for own in self.execution.functions if own.startswith(f"{name}_")]
        main = self.execution.functions.get(name)
        looks_up = (
            main is not None
            and bool(several)
            and any(isinstance(node, ast.Name) and node.id == "globals" for node in nodes_in(main))
        )
        for own in several if looks_up else [name]:
            yield from self._runs(self.execution.of_function(own))

    def _runs(self, runs: Iterator[Run]) -> Iterator[SqlStatement]:
        for run in runs:
            yield from self._run(run)

    def _run(self, run: Run) -> Iterator[SqlStatement]:
        """Yield the statements of a call."""
        site = self._sites.get(id(run.call))
        if site is None:
            return
        if run.frame is not None:
            site = replace(site, scope=self._scope(run.frame, site.scope))
        found = self._executed(run.call, site)
        is_guarded = run.is_guarded
        if found is None:
            found = self._operation(run.call, site)
            is_guarded = run.looks
        found = self._narrowed(found, run.frame)
        for statement in found:
            yield _conditional(statement, run, is_guarded=is_guarded)

    def _narrowed(self, found: list[SqlStatement], frame: Frame | None) -> list[SqlStatement]:
        """Return statements for the engines that run the calls of the functions around them."""
        calls = []
        while frame is not None:
            calls += [frame.call] if frame.call is not None else []
            frame = frame.outer
        engines = self.embedder.branches.engines_at(*calls) if calls else None
        if engines is None:
            return found
        return [
            narrowed for statement in found if (narrowed := narrow(statement, engines)) is not None
        ]

    def _scope(self, frame: Frame, scope: Scope) -> Scope:
        """Return a scope in which names stand for what they do in a frame."""
        values_scope = scope if frame.outer is None else self._scope(frame.outer, scope)
        inside = values_scope.open("function")
        if frame.call is not None:
            site = self._sites.get(id(frame.call))
            caller = scope if site is None else site.scope
            values_scope = caller if frame.outer is None else self._scope(frame.outer, caller)
        for name, value in frame.values:
            inside.bind(name, Assigned(value, values_scope))
        return inside

    def _executed(self, call: ast.Call, site: CallSite) -> list[SqlStatement] | None:
        """Return the statements that a call executes; None for a call that executes none."""
        name = last_name(call.func)
        if not executes(name) or not call.args or not isinstance(call.func, ast.Attribute):
            return None
        receiver = call.func.value
        origins = roots(receiver, site.scope) or declared_types(receiver, site.scope)
        how = f"{last_name(receiver)}.{name}" if last_name(receiver) else name
        argument = _unwrapped(call.args[0])
        found = list(self._texts(argument, call, site, how, tuple(sorted(origins))))
        if (
            found
            and hands_no_values(call)
            and any(reads_placeholder(text) for text, _written in texts(argument, site.scope))
        ):
            found[0] = replace(
                found[0], constructs=(*found[0].constructs, placeholder(found[0].span))
            )
        return found or None

    def _texts(
        self,
        argument: ast.expr,
        user: ast.expr,
        site: CallSite,
        how: str,
        origins: tuple[str, ...] = (),
    ) -> Iterator[SqlStatement]:
        """Yield the statements in all texts that an expression can be.

        Of those that a condition chooses from, the first on an engine stands for all: what the
        others would meet is not known.
        """
        are_choices = is_chosen(argument, site.scope)
        known: set[tuple[str, ...] | None] = set()
        for text, written in texts(argument, site.scope):
            is_sql = any(map(str.isalpha, text))  # `fetchmany(500)` is handed none.
            if is_sql and not text.lstrip().startswith(UNKNOWN):
                source = SqlSource(text, written, site.statement, user, how, origins)
                found = list(self.embedder.statements(source))
                engines = {statement.within.engines for statement in found if statement.within}
                is_other = are_choices and not known.isdisjoint(engines)
                yield from map(instead, found) if is_other else found
                known |= engines

    def _operation(self, call: ast.Call, site: CallSite) -> list[SqlStatement]:
        """Return what stands for an operation."""
        within = Embedding(
            (site.statement.lineno, site.statement.end_lineno or site.statement.lineno),
            self.embedder.branches.engines_at(call),
            last_name(call.func),
            is_unread=True,
        )
        known = self.lowering.statements(
            call, site.scope, replace(within, is_unread=False, is_operation=True)
        )
        if known is not None:
            return known
        return list(unread(call, site.scope, self.embedder.span(call.func), within))

    # Operations, as Django has them

    def _django(self, side: Side) -> Iterator[SqlStatement]:
        for operation in self.operations(side):
            yield from operation.statements

    def operations(self, side: Side) -> Iterator[Operation]:
        """Yield the operations of a migration of Django's in the order of a direction."""
        for statement in self.tree.body:
            if isinstance(statement, ast.ClassDef) and statement.name == "Migration":
                for own in statement.body if side == "up" else reversed(statement.body):
                    if _assigned(own) == _OPERATIONS:
                        yield from self._operations(
                            getattr(own, "value", None), side, scope=self.module
                        )

    def _operations(
        self, node: ast.expr | None, side: Side, stage: Stage = _BOTH, *, scope: Scope
    ) -> Iterator[Operation]:
        """Yield what a list of operations does, backwards for the downs."""
        node = follow_assignment(node, scope) if node is not None else None
        members = members_in(node)
        for member in members if side == "up" else reversed(members):
            site = self._sites.get(id(member))
            if isinstance(member, ast.Call) and site is not None:
                yield from self._django_operation(member, site, side, stage)
            else:
                yield Operation(member, None, stage, (self._unknown_operations(member),))

    def _unknown_operations(self, node: ast.expr) -> SqlStatement:
        """Return what stands for operations of which nothing is known."""
        lines = (node.lineno, node.end_lineno or node.lineno)
        within = Embedding(lines, how=_OPERATIONS, is_unread=True)
        body = f"EXECUTE {ANY_NAME}"
        span = self.embedder.span(node)
        return SqlStatement(span, "DO", OtherStatement(("DO",), body), within=within)

    def _django_operation(
        self, call: ast.Call, site: CallSite, side: Side, stage: Stage
    ) -> Iterator[Operation]:
        name = last_name(call.func)
        if name == "SeparateDatabaseAndState":
            of_database = Stage("database", call.lineno) if stage == _BOTH else stage
            node = _argument(call, "database_operations", 0)
            yield from self._operations(node, side, of_database, scope=site.scope)
            yield from self._state_operations(call, 1, side, site.scope)
        elif name in _REVERSES:
            if stage.runs != "state":
                index = 0 if side == "up" else 1
                argument = _argument(call, _REVERSES[name][index], index)
                yield Operation(call, site, stage, tuple(self._handed(argument, call, site)))
            if name == "RunSQL":
                yield from self._state_operations(call, 2, side, site.scope)
        else:
            known = tuple(self._known_to_django(call, site, side, stage))
            yield Operation(call, site, stage, known)

    def _state_operations(
        self, call: ast.Call, index: int, side: Side, scope: Scope
    ) -> Iterator[Operation]:
        """Yield what operations tell the next ones of the models, without a statement."""
        if side == "up":
            node = _argument(call, "state_operations", index)
            yield from self._operations(node, side, Stage("state"), scope=scope)

    def _known_to_django(
        self, call: ast.Call, site: CallSite, side: Side, stage: Stage
    ) -> list[SqlStatement]:
        within = Embedding((call.lineno, call.end_lineno or call.lineno))
        known = self.django.statements(call, site.scope, within, stage, is_up=side == "up")
        if known is not None or stage.runs == "state":
            return known or []
        return self._operation(call, site)

    # What is handed to an operation or a step: SQL, or a function

    def _handed(
        self, argument: ast.expr | None, call: ast.Call, site: CallSite
    ) -> Iterator[SqlStatement]:
        if argument is None or last_name(argument) == _NOOP:
            return
        if isinstance(argument, ast.Name) and argument.id in self.execution.functions:
            yield from self._runs(self.execution.of_function(argument.id))
            return
        value = follow_assignment(argument, site.scope)
        members = value.elts if isinstance(value, (ast.List, ast.Tuple)) else [argument]
        for member in members:
            is_pair = isinstance(member, (ast.List, ast.Tuple)) and member.elts
            text = member.elts[0] if is_pair else member  # type: ignore[attr-defined]
            yield from self._texts(text, call, site, last_name(call.func))

    # Steps, as yoyo has them

    def _yoyo(self, side: Side) -> Iterator[SqlStatement]:
        steps = [
            site
            for site in self._sites.values()
            if isinstance(site.node, ast.Call) and last_name(site.node.func) == "step"
        ]
        steps.sort(key=lambda site: (site.node.lineno, site.node.col_offset))
        name, index = ("apply", 0) if side == "up" else ("rollback", 1)
        for site in steps if side == "up" else reversed(steps):
            if isinstance(site.node, ast.Call):
                yield from self._handed(_argument(site.node, name, index), site.node, site)


def narrow(statement: SqlStatement, engines: Sequence[str]) -> SqlStatement | None:
    """Return a statement for some engines alone; None where none of them runs it."""
    within = statement.within
    if within is None:
        return statement
    kept = (
        tuple(engines)
        if within.engines is None
        else tuple(own for own in within.engines if own in engines)
    )
    return replace(statement, within=replace(within, engines=kept)) if kept else None


def _conditional(statement: SqlStatement, run: Run, *, is_guarded: bool) -> SqlStatement:
    """Return a statement with what is known of the conditions that it is run under."""
    within = statement.within
    if within is None or not run.is_guarded:
        return statement
    return replace(statement, within=replace(within, is_optional=True, is_guarded=is_guarded))


def _unwrapped(node: ast.expr) -> ast.expr:
    """Return the text in what is made of it: `text(…)`, `text(…).bindparams(…)`."""
    while isinstance(node, ast.Call):
        if last_name(node.func) in _WRAPS and node.args:
            node = node.args[0]
        elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Call):
            node = node.func.value
        else:
            break
    return node


def _argument(call: ast.Call, name: str, index: int) -> ast.expr | None:
    """Return an argument by its name or its position; None where it is missing or None."""
    node = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    if node is None and len(call.args) > index:
        node = call.args[index]
    return None if isinstance(node, ast.Constant) and node.value is None else node


def _assigned(statement: ast.stmt) -> str:
    """Return the one name that a statement assigns, or adds to; empty for any other."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
        targets = [statement.target]
    return last_name(targets[0]) if len(targets) == 1 else ""
