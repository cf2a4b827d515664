"""The facts of a Python file: imports of catalogued modules, dynamic imports, suppressions."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.catalogue.url_schemes import schemes_in_force
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.parser_warnings import unheard
from dal_audit.extract.python.class_declarations import declaring_classes
from dal_audit.extract.python.class_names import class_name_tests
from dal_audit.extract.python.connection_urls import connection_urls
from dal_audit.extract.python.dynamic_imports import EXECUTORS, Loaded, loaded
from dal_audit.extract.python.exports import shapes_of
from dal_audit.extract.python.expression_uses import QUOTABLE
from dal_audit.extract.python.handed_sql import handed_sql
from dal_audit.extract.python.import_facts import import_fact, whole_name
from dal_audit.extract.python.import_removal import ImportRemoval
from dal_audit.extract.python.loaded_modules import LoadedModule, LoadedModules
from dal_audit.extract.python.mentions import name_mentions
from dal_audit.extract.python.name_uses import CallSite, FileNames, NameUse, read_names
from dal_audit.extract.python.parse.deep_stack import deeply
from dal_audit.extract.python.parse.import_places import (
    blocks_of,
    node_span,
)
from dal_audit.extract.python.parse.parser import UnparsableError, parse
from dal_audit.extract.python.prefilter.driver_marks import (
    SUPPRESSION_MARK,
    ByteSignals,
    Prefilter,
    searchable_text,
)
from dal_audit.extract.python.prefilter.sql_marks import opens_sql
from dal_audit.extract.python.scopes import Binding, Imported
from dal_audit.extract.python.sql_calls import SqlCalls
from dal_audit.extract.python.sql_strings import sql_texts
from dal_audit.extract.python.statement_heads import StatementHeads
from dal_audit.extract.source import Lines
from dal_audit.extract.suppressions import suppressions
from dal_audit.facts import (
    DynamicImport,
    Fact,
    Import,
    NotUnderstood,
    Span,
    StringAnnotationName,
)

_BUILTINS: Final = frozenset(dir(builtins))
_DOTTED: Final = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
MAX_EXEC_DEPTH: Final = 2
"""How deep text that is handed to `exec` inside text handed to `exec` is read."""


Depth: TypeAlias = Literal["marked", "storage", "linked", "whole"]
"""For what a module is read: for what its signals tell of; for its shape and classes too, and all
that it imports, as other modules may hand on what belongs to a driver; for these and the SQL that
it executes or builds, which breaks no rule in storage; or also for what it hands to functions of
other modules, which may hand it on."""


def python_facts(
    text: str,
    catalogue: Catalogue,
    *,
    prefilter: Prefilter | None = None,
    signals: ByteSignals | None = None,
    foreign: AbstractSet[str] = frozenset(),
    depth: Depth = "whole",
    shortcuts: bool = True,
) -> list[Fact]:
    """Return the facts of a module's text, in the order of their places.

    `signals` are those of the text, if they are known. Imports of `foreign` modules are left out,
    by their first names.
    """
    lines = Lines(text)
    prefilter = prefilter or Prefilter(catalogue)
    if signals is None:
        signals = prefilter.signals(searchable_text(text))
    if depth == "storage":
        signals = signals._replace(executes=False, constructs=False)
    look = _Look(catalogue, prefilter, foreign, depth, shortcuts)

    def read() -> list[Fact]:
        tree = parse(text, shortcuts=shortcuts)
        found = list(_Reader(tree, lines, signals, look).facts())
        if signals.urls:
            found += connection_urls(tree, lines, schemes_in_force(catalogue))
        return found

    facts = _understood(read, text)
    if SUPPRESSION_MARK.decode() in text:
        facts += suppressions(lines)
    return sorted(facts, key=lambda fact: (_span(fact), type(fact).__name__))


def syntax_flaws(text: str) -> list[Fact]:
    """Return why a module cannot be read; nothing where it can."""

    def read() -> list[Fact]:
        parse(text)
        return []

    return _understood(read, text)


def _understood(read: Callable[[], list[Fact]], text: str) -> list[Fact]:
    """Return the facts that are read in a text, or why they cannot be."""
    try:
        with unheard():
            return deeply(read)
    except UnparsableError as error:
        lines = Lines(text)
        line = min(error.line, len(lines))
        return [NotUnderstood(_point(lines, line, error.column), "unparsable", str(error))]
    except RecursionError:
        return [NotUnderstood(Span(1, 1, 1, 1), "unparsable", "nested too deeply to read")]


def _span(fact: Fact) -> Span:
    return fact.statement if isinstance(fact, Import) else fact.span


def _point(lines: Lines, line: int, column: int) -> Span:
    """Return the span of one character, pulled back into its line."""
    content = lines.line(line).rstrip("\r\n")
    start = lines.starts[line - 1] + min(column - 1, len(content))
    return lines.span(start, min(start + 1, lines.starts[line - 1] + len(content)))


class _Look(Struct, frozen=True):
    """For what a module is read, and how."""

    catalogue: Catalogue
    prefilter: Prefilter
    foreign: AbstractSet[str]
    depth: Depth
    shortcuts: bool

    @property
    def whole(self) -> bool:
        """Whether the module's shape and all its imports matter."""
        return self.depth != "marked"


class _Reader:
    def __init__(
        self, tree: ast.Module, lines: Lines, signals: ByteSignals, look: _Look, depth: int = 0
    ) -> None:
        self.tree = tree
        self.lines = lines
        self.signals = signals
        self.look = look
        self.catalogue = look.catalogue
        self.depth = depth
        self.modules = LoadedModules(lines)
        self.heads = StatementHeads(lines)
        self.helpers = frozenset(name.rpartition(".")[2] for name in self.catalogue.import_helpers)

    def facts(self) -> Iterator[Fact]:
        signals = self.signals
        if signals.names_classes and self.depth == 0:
            yield from class_name_tests(self.tree, self.lines)
        loads = signals.executes or signals.constructs or signals.loads
        if not self.look.whole and not loads:
            return
        hands = self.depth == 0 and self._holds_sql()
        names = read_names(self.tree, self._wanted(), call_sites=loads or hands)
        try:
            if self.look.whole:
                yield from self._whole(names)
            if hands:
                yield from handed_sql(names.call_sites, self.lines, self.heads.span)
            yield from self._loaded(names)
        finally:
            names.module.forget()

    def _holds_sql(self) -> bool:
        """Return whether the module holds SQL, and that matters."""
        is_asked = self.look.depth == "whole"
        return is_asked and opens_sql(searchable_text(self.lines.text))

    def _wanted(self) -> AbstractSet[str] | None:
        """Return the names whose uses are noted; None for all, as a star can bring any."""
        if not self.look.whole:
            return frozenset()
        bound = {
            Imported(statement, alias).name
            for statement in _imports(self.tree.body)
            if not self._is_foreign(statement)
            for alias in statement.names
        }
        return None if "*" in bound else bound

    def _whole(self, names: FileNames) -> Iterator[Fact]:
        """Yield what a module imports and offers."""
        uses = self._uses(names)
        removal = ImportRemoval(self.tree, self.lines, names)
        owners = declaring_classes(self.tree) if uses else {}
        for statement, type_checking in names.imports:
            if not self._is_foreign(statement):
                yield import_fact(statement, uses, removal, owners, type_checking=type_checking)
        if self.depth == 0:
            used = {use.dotted.partition(".")[0] for use in names.uses}
            yield from shapes_of(self.tree, self.lines, used, names.module)
            imported = {
                Imported(statement, alias).name
                for statement, _ in names.imports
                for alias in statement.names
            }
            yield from name_mentions(self.tree, self.lines, imported, names.module)
            yield from self._quoted(names)

    def _loaded(self, names: FileNames) -> Iterator[Fact]:
        """Yield what a module's calls load and execute."""
        signals = self.signals
        # The prefilter looks for the same words: what bears none of them loads nothing.
        for site in names.call_sites if signals.loads else ():
            yield from self._loads(site)
        if self.depth == 0 and self.modules.loads:
            yield from self._imported()
        if self.depth == 0 and (signals.executes or signals.constructs):
            calls = SqlCalls(
                self.catalogue, executed=signals.executes, constructed=signals.constructs
            )
            yield from sql_texts(names.call_sites, self.lines, calls, self.heads.span)

    def _imported(self) -> Iterator[Import]:
        """Yield what is read of modules that are loaded: any name can be one's."""
        names = read_names(self.tree)
        try:
            yield from self.modules.imports(self.tree, names.uses, names.module)
        finally:
            names.module.forget()

    def _is_foreign(self, statement: ast.Import | ast.ImportFrom) -> bool:
        """Return whether an import can bring nothing of the project's or a driver's."""
        foreign = self.look.foreign
        if isinstance(statement, ast.ImportFrom):
            return not statement.level and (statement.module or "").partition(".")[0] in foreign
        return all(alias.name.partition(".")[0] in foreign for alias in statement.names)

    def _quoted(self, names: FileNames) -> Iterator[StringAnnotationName]:
        """Yield drivers' names in string annotations whose first part nothing here binds."""
        seen: set[tuple[Span, str]] = set()
        for use in names.uses:
            if use.role not in QUOTABLE or not isinstance(use.node, ast.Constant):
                continue
            if use.bindings or "." not in use.dotted:
                continue
            if self.catalogue.driver_of(use.dotted) is not None:
                key = (node_span(self.lines, use.node), use.dotted)
                if key not in seen:
                    seen.add(key)
                    yield StringAnnotationName(*key)

    def _uses(self, names: FileNames) -> dict[int, list[NameUse]]:
        """Return the uses of each alias, by the alias's identity."""
        found: dict[int, list[NameUse]] = {}
        stars = [
            statement.names[0]
            for statement, _ in names.imports
            if statement.names[0].name == "*" and not self._is_foreign(statement)
        ]
        for use in names.uses:
            first = use.dotted.partition(".")[0]
            bindings = use.bindings
            if not bindings:
                # Which star brought it is known when the modules are linked.
                aliases = [] if first in _BUILTINS else stars
            else:
                aliases = self._meant(use, bindings)
            for alias in aliases:
                found.setdefault(id(alias), []).append(use)
        return found

    def _meant(self, use: NameUse, bindings: Sequence[Binding]) -> list[ast.alias]:
        """Return the imported names that a use can mean.

        `import a.b` and `import a.c` bind one module, and only one of them is meant; where branches
        bind different things, each of them can be.
        """
        imports = [
            binding
            for binding in bindings
            if isinstance(binding, Imported) and not self._is_foreign(binding.statement)
        ]
        if len(imports) == 1:
            return [imports[0].alias]
        best: dict[str, tuple[int, ast.alias]] = {}
        for imported in imports:
            origin = imported.origin
            shared = _shared(imported.alias.name, whole_name(origin, use.dotted))
            if origin not in best or shared > best[origin][0]:
                best[origin] = shared, imported.alias
        return [alias for _, alias in best.values()]

    def _loads(self, site: CallSite) -> Iterator[DynamicImport]:
        for load in loaded(site, self.helpers):
            names = self._executed(load) if load.how in EXECUTORS else _module_names(load.texts)
            drivers = {name for name in names if self.catalogue.driver_of(name) is not None}
            self._note(load, [name for name in names if name not in drivers], site)
            if drivers:
                yield DynamicImport(
                    span=node_span(self.lines, load.node),
                    statement=self.heads.span(site.statement, load.node),
                    how=load.how,
                    names=tuple(sorted(drivers)),
                    type_checking=site.type_checking,
                    by_helper=load.by_helper,
                )

    def _note(self, load: Loaded, names: Sequence[str], site: CallSite) -> None:
        """Note that a module of the project may be loaded, which can hand on a driver's objects."""
        own = tuple(
            name
            for name in names
            if _DOTTED.fullmatch(name) and name.partition(".")[0] not in self.look.foreign
        )
        if own and load.how not in EXECUTORS and not load.by_helper:
            span = node_span(self.lines, load.node)
            statement = self.heads.span(site.statement, load.node)
            found = LoadedModule(site.node, own, span, statement, site.type_checking)
            self.modules.loads.append(found)

    def _executed(self, load: Loaded) -> Iterator[str]:
        """Yield what text that is handed to `exec` or `eval` imports."""
        for text in load.texts if self.depth < MAX_EXEC_DEPTH else ():
            try:
                tree = parse(text.strip(), shortcuts=self.look.shortcuts)
            except UnparsableError:
                continue
            signals = self.look.prefilter.signals(searchable_text(text))
            look = replace(self.look, depth="whole")
            inner = _Reader(tree, Lines(text.strip()), signals, look, self.depth + 1)
            for fact in inner.facts():
                if isinstance(fact, Import):
                    yield from (target.name for target in fact.targets)
                elif isinstance(fact, DynamicImport):
                    yield from fact.names


def _imports(body: Sequence[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield all import statements in a block, and in the blocks of its statements."""
    waiting = [body]
    while waiting:
        for statement in waiting.pop():
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                yield statement
            else:
                waiting += blocks_of(statement)


def _shared(name: str, other: str) -> int:
    """Return how many components two dotted names begin with in common."""
    count = 0
    for a, b in zip(name.split("."), other.split("."), strict=False):
        if a != b:
            break
        count += 1
    return count


def _module_names(texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return dotted names; `pkgutil.resolve_name` separates module and attribute by a colon."""
    return tuple(
        text.partition(UNKNOWN)[0].replace(":", ".") + (UNKNOWN if UNKNOWN in text else "")
        for text in texts
        if not text.startswith(".")
    )
