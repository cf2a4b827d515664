"""Migrations that are Python files: Alembic's, Django's, SQLAlchemy-migrate's and yoyo's.

They are recognised by what they say, and nothing is run. Sources: Alembic's `script.py.mako`
templates and operation reference, Django's manual ("Migration operations", "Writing migrations"),
the manuals of SQLAlchemy-migrate and yoyo.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from dal_audit.extract.migrations.python_literals import Names, names_of, sql_in, strings_in
from dal_audit.extract.source import Lines
from dal_audit.facts import Span
from dal_audit.facts.migrations import EmbeddedSql, Framework, Half, HalfState, Revision

_MAY_BE: Final = re.compile(
    rb"down_revision|class[ \t]+Migration\b|def[ \t]+upgrade\b|\bstep\b|\bsteps\b|__depends__"
)
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def may_be_revision(data: bytes) -> bool:
    """Return whether a Python file's bytes can be those of a migration: most are ruled out."""
    return _MAY_BE.search(data) is not None


def revision_of(text: str) -> Revision | None:
    """Return the migration that a Python file's text declares; None for any other file.

    Text that Python does not parse declares none: that it is unreadable is said elsewhere.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return _Reader(tree, Lines(text)).revision()


class _Reader:
    """Reads one module."""

    def __init__(self, tree: ast.Module, lines: Lines) -> None:
        self.body = tree.body
        self.lines = lines
        self.names: Names = names_of(tree.body)
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {
            one.name: one for one in tree.body if isinstance(one, _FUNCTIONS)
        }

    def revision(self) -> Revision | None:
        """Return the module's migration."""
        if "revision" in self.names and "down_revision" in self.names:
            return self._alembic()
        for one in self.body:
            if isinstance(one, ast.ClassDef) and one.name == "Migration":
                return self._django(one)
        if self._imports("yoyo"):
            return self._yoyo()
        if "upgrade" in self.functions and self.functions["upgrade"].args.args:
            return self._scripted("sqlalchemy-migrate")
        return None

    def _imports(self, module: str) -> bool:
        return any(
            (isinstance(one, ast.ImportFrom) and one.module == module)
            or (isinstance(one, ast.Import) and any(name.name == module for name in one.names))
            for one in self.body
        )

    # Functions, as Alembic and SQLAlchemy-migrate have them

    def _alembic(self) -> Revision | None:
        own = strings_in(self.names["revision"], self.names)
        if len(own) != 1:
            return None
        found = self._scripted("alembic")
        blocks = any(
            isinstance(node, ast.Attribute) and node.attr == "autocommit_block"
            for one in self.body
            for node in ast.walk(one)
        )
        return Revision(
            self._span(self.names["revision"]),
            "alembic",
            own[0],
            self._strings("down_revision"),
            self._strings("depends_on"),
            labels=self._strings("branch_labels"),
            transactional=not blocks,
            up=found.up,
            down=found.down,
        )

    def _strings(self, name: str) -> tuple[str, ...]:
        node = self.names.get(name)
        return () if node is None else strings_in(node, self.names)

    def _scripted(self, framework: Framework) -> Revision:
        up, down = self._functions("upgrade"), self._functions("downgrade")
        return Revision(up.span or self._start(), framework, up=up, down=down)

    def _functions(self, name: str) -> Half:
        """Return what a function does, with those for single databases (`upgrade_orders`)."""
        if name not in self.functions:
            return Half("absent")
        main = self.functions[name]
        several = [one for key, one in self.functions.items() if key.startswith(name + "_")]
        called = self._calls(main, several)
        states = {_state(one.body) for one in called}
        state: HalfState = "empty"
        if "code" in states or len(states) > 1:
            state = "code"
        elif "raises" in states:
            state = "raises"
        sql = [one for function in called for one in self._sql(function)]
        return Half(state, self._name_span(main), tuple(sql))

    def _calls(
        self,
        main: ast.FunctionDef | ast.AsyncFunctionDef,
        several: Sequence[ast.FunctionDef | ast.AsyncFunctionDef],
    ) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return the functions that do the work.

        The template for several databases looks them up by name in `globals()`.
        """
        looks_up = any(isinstance(one, ast.Name) and one.id == "globals" for one in ast.walk(main))
        return [*several] if looks_up and several else [main]

    def _sql(self, node: ast.AST) -> Iterable[EmbeddedSql]:
        return sql_in(node, self.names, self._span)

    # Operations, as Django has them

    def _django(self, migration: ast.ClassDef) -> Revision | None:
        names = names_of(migration.body)
        operations = names.get("operations")
        if operations is None and "dependencies" not in names and not _is_django(migration):
            return None
        every = list(operations.elts) if isinstance(operations, (ast.List, ast.Tuple)) else []
        atomic = names.get("atomic")
        plain = operations is None or isinstance(operations, (ast.List, ast.Tuple))
        irreversible = next((one for one in every if _is_irreversible(one)), None)
        up_state: HalfState = "code" if every or not plain else "empty"
        where = self._span(operations) if operations is not None else None
        return Revision(
            self._class_span(migration),
            "django",
            parents=_pairs(names.get("dependencies")),
            before=_pairs(names.get("run_before")),
            replaces=_pairs(names.get("replaces")),
            transactional=not (isinstance(atomic, ast.Constant) and atomic.value is False),
            up=Half(up_state, where, tuple(self._run_sql(every, "sql", 0))),
            down=Half(
                "raises" if irreversible is not None else up_state,
                where if irreversible is None else self._span(irreversible),
                tuple(self._run_sql(every[::-1], "reverse_sql", 1)),
            ),
        )

    def _run_sql(self, operations: Sequence[ast.expr], name: str, index: int) -> list[EmbeddedSql]:
        """Return the SQL of each `RunSQL`, also where it lies in another operation's list."""
        found: list[EmbeddedSql] = []
        for operation in operations:
            for call in ast.walk(operation):
                if isinstance(call, ast.Call) and _called(call) == "RunSQL":
                    node = _argument(call, name, index)
                    if node is not None and not _is_noop(node):
                        found.extend(sql_in(node, self.names, self._span, every=True))
        return found

    # Steps, as yoyo has them

    def _yoyo(self) -> Revision | None:
        steps = [
            call
            for one in self.body
            for call in ast.walk(one)
            if isinstance(call, ast.Call) and _called(call) == "step"
        ]
        depends = self._strings("__depends__")
        if not steps and "__depends__" not in self.names:
            return None
        applied = [node for one in steps if (node := _argument(one, "apply", 0)) is not None]
        undone = [node for one in steps if (node := _argument(one, "rollback", 1)) is not None]
        bare = next((one for one in steps if _argument(one, "rollback", 1) is None), None)
        off = self.names.get("__transactional__")
        down_state: HalfState = "code" if undone else "empty"
        return Revision(
            self._span(steps[0]) if steps else self._start(),
            "yoyo",
            parents=depends,
            transactional=not (isinstance(off, ast.Constant) and off.value is False),
            up=Half("code" if steps else "empty", self._at(steps[:1]), self._literals(applied)),
            down=Half(
                "raises" if bare is not None and undone else down_state,
                self._at([bare] if bare is not None else steps[:1]),
                self._literals(undone[::-1]),
            ),
        )

    def _literals(self, nodes: Iterable[ast.expr]) -> tuple[EmbeddedSql, ...]:
        return tuple(
            sql for node in nodes for sql in sql_in(node, self.names, self._span, every=True)
        )

    # Places

    def _at(self, nodes: Sequence[ast.expr]) -> Span | None:
        return self._span(nodes[0]) if nodes else None

    def _span(self, node: ast.expr) -> Span:
        end_line = node.end_lineno or node.lineno
        start = self.lines.offset(node.lineno, node.col_offset)
        return self.lines.span(start, self.lines.offset(end_line, node.end_col_offset or 0))

    def _start(self) -> Span:
        return Span(1, 1, 1, 1)

    def _name_span(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Span:
        """Return the place of a definition's name."""
        start = self.lines.offset(node.lineno, node.col_offset)
        found = re.compile(rf"(?:async\s+def|def|class)\s+({re.escape(node.name)})").match(
            self.lines.text, start
        )
        return self.lines.span(*found.span(1)) if found else self.lines.span(start, start)

    _class_span = _name_span


def _state(body: Sequence[ast.stmt]) -> HalfState:
    """Say what a function's body does."""
    doing = [
        one
        for one in body
        if not isinstance(one, (ast.Pass, ast.Import, ast.ImportFrom, ast.Global))
        and not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        and not (isinstance(one, ast.Return) and _is_nothing(one.value))
    ]
    if not doing:
        return "empty"
    return "raises" if isinstance(doing[0], ast.Raise) else "code"


def _is_nothing(node: ast.expr | None) -> bool:
    return node is None or isinstance(node, ast.Constant)


def _is_django(migration: ast.ClassDef) -> bool:
    """Return whether a class is derived from Django's `migrations.Migration`."""
    return any(
        isinstance(one, ast.Attribute) and one.attr == "Migration" for one in migration.bases
    )


def _called(call: ast.Call) -> str:
    """Return the last name of what is called."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _argument(call: ast.Call, name: str, index: int) -> ast.expr | None:
    """Return an argument by its name or its position; None where it is missing or None."""
    node = next((one.value for one in call.keywords if one.arg == name), None)
    if node is None and len(call.args) > index:
        node = call.args[index]
    return None if isinstance(node, ast.Constant) and node.value is None else node


_REVERSES: Final[Mapping[str, str]] = {"RunSQL": "reverse_sql", "RunPython": "reverse_code"}


def _is_irreversible(operation: ast.expr) -> bool:
    """Return whether Django refuses to reverse an operation.

    It refuses a `RunSQL` or `RunPython` that is given nothing to run backwards.
    """
    return any(
        isinstance(call, ast.Call)
        and _called(call) in _REVERSES
        and not any(one.arg is None for one in call.keywords)
        and not any(isinstance(one, ast.Starred) for one in call.args)
        and _argument(call, _REVERSES[_called(call)], 1) is None
        for call in ast.walk(operation)
    )


def _is_noop(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "noop"


def _pairs(node: ast.expr | None) -> tuple[str, ...]:
    """Return Django's references to migrations: `("app", "0001_initial")` is `app.0001_initial`."""
    if not isinstance(node, (ast.List, ast.Tuple)):
        return ()
    found = []
    for one in node.elts:
        words = strings_in(one, {})
        if isinstance(one, (ast.Tuple, ast.List)) and len(words) == len(one.elts) == 2:  # noqa: PLR2004
            found.append(".".join(words))
    return tuple(found)
