"""Migrations that are Python files: Alembic's, Django's, SQLAlchemy-migrate's and yoyo's.

They are recognised by what they say, and nothing is run. Sources: Alembic's `script.py.mako`
templates and operation reference, Django's manual ("Migration operations", "Writing migrations"),
the manuals of SQLAlchemy-migrate and yoyo.
"""

from __future__ import annotations

import ast
import itertools
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dal_audit.extract.migrations.project_modules import imported_origins
from dal_audit.extract.migrations.python_literals import (
    Names,
    members_in,
    names_of,
    strings_in,
)
from dal_audit.extract.parser_warnings import unheard
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.source import Lines
from dal_audit.facts import START, Span
from dal_audit.facts.migrations import CustomOperation, Half, HalfState, Revision, Tool

_MARKS: Final = (b"down_revision", b"__depends__")
_WORDS: Final = (b"Migration", b"upgrade", b"step")
_DECLARES: Final = re.compile(rb"class[ \t]+Migration\b|def[ \t]+upgrade\b|\bsteps?\b")
"""What holds one of the words, and declares a migration."""
_FOREIGN: Final = sys.stdlib_module_names | {"alembic", "geoalchemy2", "sqlalchemy", "sqlmodel"}
"""What is imported that is no project's own."""
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)


def may_be_revision(data: bytes) -> bool:
    """Return whether a Python file's bytes can be those of a migration: most are ruled out."""
    if any(mark in data for mark in _MARKS):
        return True
    return any(word in data for word in _WORDS) and _DECLARES.search(data) is not None


def revision_of(text: str) -> Revision | None:
    """Return the migration that a Python file's text declares; None for any other file.

    Text that Python does not parse declares none: that it is unreadable is said elsewhere.
    """
    try:
        with unheard():
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return revision_in(tree, Lines(text))


def revision_in(tree: ast.Module, lines: Lines) -> Revision | None:
    """Return the migration that a module declares; None for any other."""
    return _Reader(tree, lines).revision()


class _Reader:
    """Reads one module."""

    def __init__(self, tree: ast.Module, lines: Lines) -> None:
        self.body = tree.body
        self.lines = lines
        self.names: Names = names_of(tree.body)
        self.functions: dict[str, ast.FunctionDef | ast.AsyncFunctionDef] = {
            statement.name: statement
            for statement in tree.body
            if isinstance(statement, _FUNCTIONS)
        }

    def revision(self) -> Revision | None:
        """Return the module's migration."""
        if "revision" in self.names and "down_revision" in self.names:
            return self._alembic()
        for statement in self.body:
            if isinstance(statement, ast.ClassDef) and statement.name == "Migration":
                return self._django(statement)
        if self._imports("yoyo"):
            return self._yoyo()
        if "upgrade" in self.functions and self.functions["upgrade"].args.args:
            return self._scripted("sqlalchemy-migrate")
        return None

    def _imports(self, module: str) -> bool:
        names: set[str | None] = set()
        for statement in self.body:
            if isinstance(statement, ast.ImportFrom):
                names.add(statement.module)
            elif isinstance(statement, ast.Import):
                names.update(alias.name for alias in statement.names)
        return module in names

    # Functions, as Alembic and SQLAlchemy-migrate have them

    def _alembic(self) -> Revision | None:
        own = strings_in(self.names["revision"], self.names)
        if len(own) != 1:
            return None
        found = self._scripted("alembic")
        blocks = "autocommit_block" in self.lines.text and any(
            isinstance(node, ast.Attribute) and node.attr == "autocommit_block"
            for statement in self.body
            for node in nodes_in(statement)
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
            imports=tuple(sorted(self._own_imports())),
        )

    def _own_imports(self) -> Iterator[str]:
        """Yield what is imported that may be the project's own."""
        for origin in imported_origins(self.body).values():
            if origin.partition(".")[0] not in _FOREIGN:
                yield origin

    def _strings(self, name: str) -> tuple[str, ...]:
        node = self.names.get(name)
        return () if node is None else strings_in(node, self.names)

    def _scripted(self, framework: Tool) -> Revision:
        up, down = self._functions("upgrade"), self._functions("downgrade")
        return Revision(up.span or START, framework, up=up, down=down)

    def _functions(self, name: str) -> Half:
        """Return what a function does, with those for single databases (`upgrade_orders`)."""
        if name not in self.functions:
            return Half("absent")
        main = self.functions[name]
        several = [own for key, own in self.functions.items() if key.startswith(f"{name}_")]
        called = self._calls(main, several)
        states = {_state(function.body) for function in called}
        state: HalfState = states.pop() if len(states) == 1 else "code"
        return Half(state, self._name_span(main))

    def _calls(
        self,
        main: ast.FunctionDef | ast.AsyncFunctionDef,
        several: Sequence[ast.FunctionDef | ast.AsyncFunctionDef],
    ) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        """Return the functions that do the work.

        The template for several databases looks them up by name in `globals()`.
        """
        looks_up = bool(several) and any(
            isinstance(node, ast.Name) and node.id == "globals" for node in nodes_in(main)
        )
        return [*several] if looks_up else [main]

    # Operations, as Django has them

    def _django(self, migration: ast.ClassDef) -> Revision | None:
        names = names_of(migration.body)
        operations = names.get("operations")
        if operations is None and "dependencies" not in names and not _is_django(migration):
            return None
        up, down = self._operations(operations)
        return Revision(
            self._name_span(migration),
            "django",
            parents=tuple(self._parents(names.get("dependencies"))),
            before=_pairs(names.get("run_before")),
            replaces=_pairs(names.get("replaces")),
            transactional=not _is_false(names.get("atomic")),
            up=up,
            down=down,
            customs=tuple(self._customs(operations)),
        )

    def _parents(self, dependencies: ast.expr | None) -> Iterator[str]:
        """Yield the dependencies of a migration, also those that a function of the module names."""
        yield from _pairs(dependencies)
        functions = {own.name: own for own in self.body if isinstance(own, ast.FunctionDef)}
        for member in members_in(dependencies):
            called = member.value if isinstance(member, ast.Starred) else None
            function = functions.get(_called(called)) if isinstance(called, ast.Call) else None
            for node in nodes_in(function) if function is not None else ():
                if isinstance(node, ast.List):
                    yield from _pairs(node)

    def _customs(self, operations: ast.expr | None) -> Iterator[CustomOperation]:
        """Yield the operations whose classes are imported from elsewhere than Django."""
        origins = imported_origins(self.body)
        for call in members_in(operations):
            if not isinstance(call, ast.Call):
                continue
            first, dot, rest = ast.unparse(call.func).partition(".")
            origin = f"{origins[first]}{dot}{rest}" if first in origins else ""
            if origin and not origin.startswith("django."):
                hands = any("reverse" in (own.arg or "reverse") for own in call.keywords)
                yield CustomOperation(self._span(call), origin, hands)

    def _operations(self, operations: ast.expr | None) -> tuple[Half, Half]:
        """Return the two directions of a list of operations, or of what builds one."""
        every = members_in(operations)
        state: HalfState = "code" if every else "empty"
        where = None if operations is None else self._span(operations)
        up = Half(state, where)
        irreversible = next(filter(_is_irreversible, every), None)
        if irreversible is not None:
            return up, Half("raises", self._span(irreversible))
        return up, Half(state, where)

    # Steps, as yoyo has them

    def _yoyo(self) -> Revision | None:
        nodes = itertools.chain.from_iterable(map(nodes_in, self.body))
        steps = [node for node in nodes if isinstance(node, ast.Call) and _called(node) == "step"]
        if not steps and "__depends__" not in self.names:
            return None
        up = Half("code" if steps else "empty", self._at(steps))
        return Revision(
            up.span or START,
            "yoyo",
            parents=self._strings("__depends__"),
            transactional=not _is_false(self.names.get("__transactional__")),
            up=up,
            down=self._rollbacks(steps),
        )

    def _rollbacks(self, steps: Sequence[ast.Call]) -> Half:
        """Return what takes steps back, the last one's first."""
        bare = [step for step in steps if _argument(step, "rollback", 1) is None]
        state: HalfState = "raises" if bare else "code"
        if len(bare) == len(steps):
            state = "empty"
        return Half(state, self._at(bare or steps))

    # Places

    def _at(self, nodes: Sequence[ast.expr]) -> Span | None:
        return self._span(nodes[0]) if nodes else None

    def _span(self, node: ast.expr) -> Span:
        end_line = node.end_lineno or node.lineno
        start = self.lines.offset(node.lineno, node.col_offset)
        return self.lines.span(start, self.lines.offset(end_line, node.end_col_offset or 0))

    def _name_span(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Span:
        """Return the place of a definition's name."""
        start = self.lines.offset(node.lineno, node.col_offset)
        found = re.compile(rf"(?:async\s+def|def|class)\s+({re.escape(node.name)})").match(
            self.lines.text, start
        )
        return self.lines.span(*found.span(1)) if found else self.lines.span(start, start)


def _state(body: Sequence[ast.stmt]) -> HalfState:
    """Say what a function's body does."""
    doing = next((statement for statement in body if not _does_nothing(statement)), None)
    if doing is None:
        return "empty"
    return "raises" if isinstance(doing, ast.Raise) else "code"


def _does_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Return):
        return _is_nothing(statement.value)
    return isinstance(statement, (ast.Pass, ast.Import, ast.ImportFrom, ast.Global))


def _is_nothing(node: ast.expr | None) -> bool:
    return node is None or isinstance(node, ast.Constant)


def _is_django(migration: ast.ClassDef) -> bool:
    """Return whether a class is derived from Django's `migrations.Migration`."""
    return any(
        isinstance(base, ast.Attribute) and base.attr == "Migration" for base in migration.bases
    )


def _called(call: ast.Call) -> str:
    """Return the last name of what is called."""
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _argument(call: ast.Call, name: str, index: int) -> ast.expr | None:
    """Return an argument by its name or its position; None where it is missing or None."""
    node = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
    if node is None and len(call.args) > index:
        node = call.args[index]
    return None if isinstance(node, ast.Constant) and node.value is None else node


_REVERSES: Final[Mapping[str, str]] = {"RunSQL": "reverse_sql", "RunPython": "reverse_code"}


def _is_irreversible(operation: ast.expr) -> bool:
    """Return whether Django refuses to reverse an operation.

    It refuses a `RunSQL` or `RunPython` that is given nothing to run backwards.
    """
    calls = (node for node in nodes_in(operation) if isinstance(node, ast.Call))
    return any(_called(call) in _REVERSES and not _has_reverse(call) for call in calls)


def _has_reverse(call: ast.Call) -> bool:
    """Return whether a call is given something to run backwards, or may be (`*args`)."""
    return (
        any(keyword.arg is None for keyword in call.keywords)
        or any(isinstance(argument, ast.Starred) for argument in call.args)
        or _argument(call, _REVERSES[_called(call)], 1) is not None
    )


def _is_false(node: ast.expr | None) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _pairs(node: ast.expr | None) -> tuple[str, ...]:
    """Return Django's references to migrations: `("app", "0001_initial")` is `app.0001_initial`."""
    found = []
    for pair in members_in(node):
        words = strings_in(pair, {})
        if isinstance(pair, (ast.Tuple, ast.List)) and len(words) == len(pair.elts) == 2:  # noqa: PLR2004
            found.append(".".join(words))
    return tuple(found)
