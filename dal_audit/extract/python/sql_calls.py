"""SQL in calls: text that reaches an execute-like call or a known SQL constructor."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.annotations import type_of_text
from dal_audit.extract.python.constant_folding import fold_spelled, qualified_names
from dal_audit.extract.python.constant_sets import MAX_DEPTH
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import attribute_of_class, elements_of
from dal_audit.extract.python.name_uses import CallSite
from dal_audit.extract.python.prefilter.sql_marks import CONSTRUCTORS, SQL_ONLY_CALLS, executes
from dal_audit.extract.python.scopes import Appended, Assigned, Binding, Declared, Imported, Scope
from dal_audit.extract.python.spelled_text import spelled
from dal_audit.extract.python.text_formats import with_holes
from dal_audit.extract.sql_detection import FRAGMENT, is_fragment, read_sql

DATABASE_WORDS: Final = frozenset(
    [
        "con",
        "conn",
        "connection",
        "cur",
        "curs",
        "cursor",
        "database",
        "db",
        "dbapi",
        "engine",
        "pg",
        "pool",
        "postgres",
        "session",
        "sqlite",
        "tx",
        "txn",
        "transaction",
    ]
)
"""A receiver with one of these words in its name is taken for a database."""

OTHER_WORDS: Final = frozenset({"executor", "graphql", "shell", "spark", "ssh", "subprocess"})
"""A receiver with one of these words in its name executes something else, unless it is certain."""

_SQL_KEYWORDS: Final = frozenset({"sql", "query", "statement", "stmt", "operation"})
_LEADING: Final = 3
"""How many positional arguments are looked at: some wrappers take a cursor or a title first."""

_TEXT_METHODS: Final = frozenset({"format", "strip", "lstrip", "rstrip", "replace", "format_map"})
_TEXT_FUNCTIONS: Final = frozenset({"textwrap.dedent", "inspect.cleandoc", "builtins.str"})
_FIELD: Final = re.compile(r"\{[^{}]*\}")
_FURTHER: Final = 20
_MOST: Final = 64
"""How many texts of an argument are looked at; a name that is assigned by itself has ever more."""
_GAP: Final = f" {UNKNOWN} "
_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


class Handed(Struct, frozen=True):
    """SQL in a call: the argument, where its text is written, the text, and what it does."""

    node: ast.expr
    written: ast.expr
    text: str
    does: str
    how: str
    receivers: tuple[str, ...]
    builds: bool
    origins: tuple[str, ...] = ()
    """The dotted names that the receiver, or the maker of SQL, comes from, where they are known."""


class SqlCalls(Struct, frozen=True):
    """Reads calls of a file, whose text mentions execute-like calls, constructors, or both."""

    catalogue: Catalogue
    executed: bool
    constructed: bool
    trusting: bool = False
    """Whether each execute-like call is a database's, unless its receiver says otherwise."""

    def handed(self, site: CallSite) -> Iterator[Handed]:
        """Yield the SQL that a call is handed: at most one, however many arguments hold some."""
        yield from islice(self.every(site), 1)

    def every(self, site: CallSite) -> Iterator[Handed]:
        """Yield all SQL that a call is handed, with all texts that each argument can be."""
        node, scope = site.node, site.scope
        if not isinstance(node, ast.Call) or not (node.args or node.keywords):
            return
        name, func = _name(node.func), node.func
        if isinstance(func, ast.Attribute) and func.attr not in CONSTRUCTORS and not executes(name):
            return  # Most calls are such: no name is looked up for them.
        origin = self._constructor(node, scope) if self.constructed else ""
        owned = self._owned_constructor(node, scope) if self.constructed and not origin else ""
        if origin:
            yield from _built(node, scope, origin)
        elif owned:
            yield from _built(node, scope, owned, certain=False)
        elif self.executed and executes(name):
            yield from self._executed(node, name, scope)

    def unknown(self, site: CallSite) -> tuple[ast.expr, frozenset[str]] | None:
        """Return the argument of a database's call that is SQL of which nothing is known.

        With it go the dotted names that it comes from. None where a text is known, or where an
        object of a toolkit is run that is no text.
        """
        node, scope = site.node, site.scope
        if not isinstance(node, ast.Call) or not (node.args or node.keywords):
            return None
        argument = next(_arguments(node), None)
        if argument is None or not (self._constructor(node, scope) or self._is_run(node, scope)):
            return None
        is_known = any(text.strip(f"{UNKNOWN} ") for text, _ in texts(argument, scope))
        origins = roots(argument, scope)
        if is_known or any(map(self.catalogue.driver_of, origins)):
            return None
        return argument, origins

    def _is_run(self, node: ast.Call, scope: Scope) -> bool:
        """Return whether a call is one of a database that executes what it is handed."""
        name = _name(node.func)
        if not executes(name):
            return False
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        origins = roots(receiver, scope) if receiver else qualified_names(node.func, scope)
        words = _words(receiver)
        return self._is_database(origins, name, words) and not words & OTHER_WORDS

    def _constructor(self, node: ast.Call, scope: Scope) -> str:
        """Return the dotted name of the constructor that is called; empty for another call."""
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr not in CONSTRUCTORS:
            return ""
        if isinstance(func, ast.Name) and not scope.lookup(func.id):
            return ""
        for origin in sorted(qualified_names(node.func, scope)):
            if origin.rpartition(".")[2] in CONSTRUCTORS and self.catalogue.driver_of(origin):
                return origin
        return ""

    def _owned_constructor(self, node: ast.Call, scope: Scope) -> str:
        """Return the dotted name of a maker of SQL that is read of an imported object.

        Whether the object is a driver's is known when the project is linked.
        """
        if not isinstance(node.func, ast.Attribute) or node.func.attr not in CONSTRUCTORS:
            return ""
        origins = qualified_names(node.func, scope)
        return next((name for name in sorted(origins) if not name.startswith("builtins.")), "")

    def _executed(self, node: ast.Call, name: str, scope: Scope) -> Iterator[Handed]:
        receiver = node.func.value if isinstance(node.func, ast.Attribute) else None
        words = _words(receiver)
        if receiver is None:
            receivers = qualified_names(node.func, scope)
        else:
            receivers = roots(receiver, scope)
        certain = self._is_database(receivers, name, words)
        if not certain and words & OTHER_WORDS:
            return
        certain = certain or self.trusting
        how = f"{_last(receiver)}.{name}" if _last(receiver) else name
        told = () if certain else tuple(sorted(receivers))
        for argument, text, written in _argument_texts(node, scope):
            does = read_sql(str(text), certain=certain)
            if does:
                origins = tuple(sorted(receivers or declared_types(receiver, scope)))
                yield Handed(
                    argument, written, text, does, how, told, builds=False, origins=origins
                )

    def _is_database(self, receivers: frozenset[str], name: str, words: frozenset[str]) -> bool:
        """Return whether a call is a database's: by what receives it, or by its own name."""
        known = any(self.catalogue.driver_of(origin) for origin in receivers)
        return known or name in SQL_ONLY_CALLS or bool(words & DATABASE_WORDS)


def _built(node: ast.Call, scope: Scope, origin: str, *, certain: bool = True) -> Iterator[Handed]:
    for argument, text, written in _argument_texts(node, scope):
        does = read_sql(str(text), certain=certain)
        does = does or (FRAGMENT if certain and is_fragment(str(text)) else "")
        if does:
            # What a driver offers is called by its name there, another maker as it is written.
            how = origin if certain else ast.unparse(node.func)
            made_by = (origin,)
            yield Handed(argument, written, text, does, how, made_by, builds=True, origins=made_by)


def _argument_texts(node: ast.Call, scope: Scope) -> Iterator[tuple[ast.expr, str, ast.expr]]:
    """Yield each argument that may be SQL, each text that it can be, and where that is written."""
    for argument in _arguments(node):
        for text, written in texts(argument, scope):
            yield argument, text, written


def _name(node: ast.expr) -> str:
    """Return the name of a called function; `_execute` is called like `execute`."""
    return last_name(node).lstrip("_")


def _arguments(node: ast.Call) -> Iterator[ast.expr]:
    for argument in node.args[:_LEADING]:
        if isinstance(argument, ast.Starred):
            return
        yield from _elements(argument)
    for keyword in node.keywords:
        if keyword.arg in _SQL_KEYWORDS:
            yield from _elements(keyword.value)


def _elements(node: ast.expr) -> Iterator[ast.expr]:
    """Yield an argument, or the statements in a literal list of them (Django's `RunSQL`)."""
    if not isinstance(node, ast.List):
        yield node
        return
    for element in node.elts:
        yield element.elts[0] if isinstance(element, ast.Tuple) and element.elts else element


def texts(node: ast.expr, scope: Scope) -> Iterator[tuple[str, ast.expr]]:
    """Yield the texts that an argument can be, with the expression that each is written in.

    They are each other than all before; of very many, only some are told.
    """
    told: set[tuple[str, int]] = set()
    for text, written in islice(_Texts().of(node, scope, 0), _MOST):
        key = (str(text), id(written))
        if key not in told:
            told.add(key)
            yield text, written


class _Texts:
    """The search for what one argument can be; each name is looked into once."""

    def __init__(self) -> None:
        self._known: dict[int, list[tuple[str, ast.expr]]] = {}
        """What names can be, as far as that is found, by their bindings."""

    def of(self, node: ast.expr, scope: Scope, depth: int) -> Iterator[tuple[str, ast.expr]]:
        """Yield all texts that an argument can be, some of them several times.

        Folding wants to know a text whole; of SQL the beginning is enough. So what is formatted,
        trimmed, continued or assigned several times counts as far as it is known.
        """
        if depth > MAX_DEPTH:
            return
        if isinstance(node, ast.Name):
            yield from self._named(node, scope, depth)
        elif isinstance(node, ast.Attribute):
            yield from self._of_class(node, scope, depth)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield spelled(node.value, node), node
        elif known := [text for text in fold_spelled(node, scope) if not text.startswith(UNKNOWN)]:
            yield from ((text, node) for text in known)
        else:
            yield from self._beginnings(node, scope, depth)

    def _beginnings(
        self, node: ast.expr, scope: Scope, depth: int
    ) -> Iterator[tuple[str, ast.expr]]:
        """Yield what is known of a text that cannot be folded."""
        if isinstance(node, ast.BinOp):
            suffix = UNKNOWN if isinstance(node.op, ast.Add) else ""
            for text, written in self.of(node.left, scope, depth + 1):
                yield text + suffix, written
        elif isinstance(node, ast.IfExp):
            yield from self.of(node.body, scope, depth + 1)
            yield from self.of(node.orelse, scope, depth + 1)
        elif isinstance(node, ast.Call):
            yield from self._of_call(node, scope, depth)

    def _named(self, node: ast.Name, scope: Scope, depth: int) -> Iterator[tuple[str, ast.expr]]:
        """Yield what a name can be; where it is assigned by itself, what it could be before."""
        bindings = scope.lookup(node.id)
        known = self._known.get(id(bindings))
        if known is not None:
            yield from tuple(known)
            return
        known = self._known[id(bindings)] = []
        further = [binding for binding in bindings if isinstance(binding, Appended)]
        for value, scope_of in _assigned_values(bindings):
            for text, written in self.of(value, scope_of, depth + 1):
                known.append((_with_further(text, further) if further else text, written))
                yield known[-1]

    def _of_class(
        self, node: ast.Attribute, scope: Scope, depth: int
    ) -> Iterator[tuple[str, ast.expr]]:
        """Yield the texts of what a class calls so: `self.QUERY`, `Queries.ALL`, also `.value`."""
        if node.attr == "value" and isinstance(node.value, ast.Attribute):
            node = node.value
        for value, scope_of in _assigned_values(attribute_of_class(node, scope)):
            yield from self.of(value, scope_of, depth + 1)

    def _of_call(self, node: ast.Call, scope: Scope, depth: int) -> Iterator[tuple[str, ast.expr]]:
        if isinstance(node.func, ast.Attribute) and node.func.attr in _TEXT_METHODS:
            for text, written in self.of(node.func.value, scope, depth + 1):
                yield with_holes(text, _FIELD) if "format" in node.func.attr else text, written
        elif node.args and qualified_names(node.func, scope) & _TEXT_FUNCTIONS:
            yield from self.of(node.args[0], scope, depth + 1)


def _with_further(text: str, further: Sequence[Appended]) -> str:
    """Return a text with what may be added to it; in which order, and whether, is not known."""
    for binding in further[:_FURTHER]:
        text += _GAP + fold_spelled(binding.value, binding.scope)[0]
    return text + _GAP


def _assigned_values(bindings: Sequence[Binding]) -> Iterator[tuple[ast.expr, Scope]]:
    """Yield what a name is assigned, each with the scope that it is read in."""
    for binding in bindings:
        if isinstance(binding, Assigned):
            yield from ((value, binding.scope) for value in _values(binding))
        elif isinstance(binding, Declared) and binding.default is not None:
            yield binding.default, binding.scope


def _values(binding: Assigned) -> Iterator[ast.expr]:
    """Yield what a name is assigned; of a loop's target, each element of a literal."""
    if binding.each:
        yield from elements_of(binding)
    else:
        yield binding.value


def roots(node: ast.expr, scope: Scope) -> frozenset[str]:
    """Return the dotted names that an object comes from: imported ones, with what is taken of them.

    `sqlite3.connect(path).cursor()` comes from `sqlite3.connect`; what a parameter, an attribute of
    `self` or a name without an import holds is not known.
    """
    return _Roots().of(node, scope, 0)


class _Roots:
    """The search for where one object comes from; each name is looked into once."""

    def __init__(self) -> None:
        self._known: dict[int, frozenset[str]] = {}
        """Where what names hold comes from, by their bindings; nothing while that is looked for."""

    def of(self, node: ast.expr, scope: Scope, depth: int) -> frozenset[str]:
        """Return the dotted names that an expression comes from."""
        if depth > MAX_DEPTH:
            return frozenset()
        if isinstance(node, ast.Attribute):
            owners = self.of(node.value, scope, depth + 1)
            return frozenset(f"{owner}.{node.attr}" for owner in owners)
        if isinstance(node, ast.Call):
            return self.of(node.func, scope, depth + 1)
        if isinstance(node, (ast.Await, ast.Subscript)):
            return self.of(node.value, scope, depth + 1)
        return self._named(node, scope, depth) if isinstance(node, ast.Name) else frozenset()

    def _named(self, node: ast.Name, scope: Scope, depth: int) -> frozenset[str]:
        bindings = scope.lookup(node.id)
        if id(bindings) not in self._known:
            self._known[id(bindings)] = frozenset()
            self._known[id(bindings)] = self._bound(bindings, depth)
        return self._known[id(bindings)]

    def _bound(self, bindings: Sequence[Binding], depth: int) -> frozenset[str]:
        found: set[str] = set()
        for binding in bindings:
            if isinstance(binding, Imported):
                found.add(binding.origin)
            elif isinstance(binding, Assigned) and not binding.each:
                found |= self.of(binding.value, binding.scope, depth + 1)
            else:
                return frozenset()
        return frozenset(found)


def declared_types(node: ast.expr | None, scope: Scope) -> frozenset[str]:
    """Return the dotted names of the types that a parameter, or a name, is declared to have."""
    while isinstance(node, (ast.Call, ast.Attribute, ast.Await)):
        node = node.func if isinstance(node, ast.Call) else node.value
    found: set[str] = set()
    for binding in scope.lookup(node.id) if isinstance(node, ast.Name) else ():
        if isinstance(binding, Declared) and binding.annotation is not None:
            found |= qualified_names(_type_in(binding.annotation), binding.scope)
    return frozenset(found)


def _type_in(annotation: ast.expr) -> ast.expr:
    """Return a type that may be written as a text: `'sqlite3.Cursor'`."""
    text = annotation.value if isinstance(annotation, ast.Constant) else None
    inner = type_of_text(text) if isinstance(text, str) else None
    return inner if inner is not None else annotation


def _last(node: ast.expr | None) -> str:
    """Return the last name of a receiver; that of the function where it is a call's result."""
    while isinstance(node, (ast.Call, ast.Await, ast.Subscript)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return last_name(node) if node is not None else ""


def _words(node: ast.expr | None) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(_last(node)))
