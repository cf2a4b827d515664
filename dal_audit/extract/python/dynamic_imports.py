"""What loads a module by a name made at run time, and where the name stands in the call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.constant_folding import (
    fold_constant,
    fold_elements,
    fold_source,
    qualified_names,
)
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.name_uses import CallSite
from dal_audit.extract.python.presence_tests import is_probe
from dal_audit.extract.python.scopes import Scope
from dal_audit.facts import OWN_MODULE


class Loader(Struct, frozen=True):
    """A function that imports by name: the name's argument, by position and by keyword."""

    position: int
    keyword: str
    by_helper: bool = False
    """Whether it is one only if it is an import helper of the project's own."""


_NAME: Final = Loader(0, "name")
_HELPER: Final = Loader(0, "name", by_helper=True)
LOADERS: Final[Mapping[str, Loader]] = {
    "importlib.import_module": _NAME,
    "importlib.__import__": _NAME,
    "builtins.__import__": _NAME,
    "pkgutil.resolve_name": _NAME,
    "runpy.run_module": Loader(0, "mod_name"),
    "pydoc.locate": Loader(0, "path"),
    "pydoc.safeimport": Loader(0, "path"),
    "pytest.importorskip": Loader(0, "modname"),
    "django.utils.module_loading.import_string": Loader(0, "dotted_path"),
    "werkzeug.utils.import_string": Loader(0, "import_name"),
    "lazy_loader.load": Loader(0, "fullname"),
    "zope.dottedname.resolve.resolve": _NAME,
    "builtins.exec": Loader(0, "source"),
    "builtins.eval": Loader(0, "source"),
    "importlib.util.module_from_spec": Loader(0, "spec"),
}
"""Documented in the standard library's importlib, pkgutil, runpy and pydoc, in pytest, Django,
Werkzeug, lazy_loader and zope.dottedname. `importlib.util.find_spec` loads nothing, and is none."""

FINDERS: Final = frozenset(
    {
        "importlib.util.find_spec",
        "importlib.find_loader",
        "importlib.machinery.PathFinder.find_spec",
        "pkgutil.find_loader",
        "pkgutil.get_loader",
    }
)
"""They find without loading; what is made of their result with these two loads it."""
_FROM_SPEC: Final = "importlib.util.module_from_spec"
_LOAD_MODULE: Final = "load_module"

EXECUTORS: Final = frozenset({"builtins.exec", "builtins.eval"})
_MODULES: Final = "sys.modules"
_READERS: Final = frozenset({"get", "pop", "setdefault", "__getitem__"})
_LAST_NAMES: Final = frozenset(
    {*(name.rpartition(".")[2] for name in LOADERS), *_READERS, _LOAD_MODULE}
)
_NAMED_LOADERS: Final = frozenset(
    name for name, loader in LOADERS.items() if loader.position == 0 and name != _FROM_SPEC
)
_MAPS: Final = frozenset({"builtins.map", "itertools.starmap"})
_RELATIVE: Final = frozenset({"importlib.import_module"})
"""What is told the package that a relative name counts from."""
_LEVEL: Final = 4
"""The position of `level` among the parameters of `__import__`."""


class Loaded(Struct, frozen=True):
    """Names that are loaded: the expression that gives them, and what loads them."""

    node: ast.expr
    how: str
    texts: tuple[str, ...]
    by_helper: bool = False


def loaded(site: CallSite, helpers: frozenset[str]) -> Iterator[Loaded]:
    """Yield what a call or a subscript loads; `helpers` are last names of the project's loaders."""
    node, scope = site.node, site.scope
    if isinstance(node, ast.Subscript):
        if _MODULES in qualified_names(node.value, scope):
            yield from _texts(node.slice, scope, _MODULES)
        return
    yield from _handed(node, scope)
    func = node.func
    if isinstance(func, ast.Attribute) and func.attr not in _LAST_NAMES | helpers:
        return
    for origin in sorted(qualified_names(func, scope) or _own_helper(func, scope, helpers)):
        if not (origin.startswith(_MODULES) and is_probe(node, site.statement)):
            yield from _loaded_by(origin, node, scope, helpers)
    if isinstance(func, ast.Attribute) and func.attr == _LOAD_MODULE:
        yield from _found(func.value, scope, _LOAD_MODULE)


def _own_helper(func: ast.expr, scope: Scope, helpers: frozenset[str]) -> frozenset[str]:
    """Return the name of a helper that the module itself defines and calls."""
    name = func.id if isinstance(func, ast.Name) else ""
    found = scope.find(name) if name in helpers else None
    is_own = found is not None and found[0].kind == "module"
    return frozenset([OWN_MODULE + name] if is_own else [])


def _loaded_by(
    origin: str, node: ast.Call, scope: Scope, helpers: frozenset[str]
) -> Iterator[Loaded]:
    """Yield what a call loads if it calls the function of this dotted name."""
    loader = _loader(origin, helpers)
    argument = _argument(node, loader) if loader is not None else None
    if loader is None or argument is None or _is_relative(node, origin):
        return
    if origin == _FROM_SPEC:
        yield from _found(argument, scope, origin)
    elif origin in _RELATIVE:
        yield from _in_package(argument, node, scope, origin)
    else:
        yield from _texts(argument, scope, origin, by_helper=loader.by_helper)


def _loader(origin: str, helpers: frozenset[str]) -> Loader | None:
    known = LOADERS.get(origin)
    if known is not None:
        return known
    module, _, name = origin.removeprefix(OWN_MODULE).rpartition(".")
    is_reader = module == _MODULES and name in _READERS
    if is_reader:
        return _NAME
    return _HELPER if name in helpers else None


def _found(node: ast.expr, scope: Scope, how: str) -> Iterator[Loaded]:
    """Yield what a finder was asked for, whose result is then loaded."""
    call = follow_assignment(node, scope)
    if isinstance(call, ast.Attribute) and call.attr == "loader":
        call = follow_assignment(call.value, scope)
    if isinstance(call, ast.Call) and qualified_names(call.func, scope) & FINDERS:
        argument = _argument(call, Loader(0, "name"))
        if argument is not None:
            yield from _in_package(argument, call, scope, how)


def _handed(node: ast.Call, scope: Scope) -> Iterator[Loaded]:
    """Yield what a loader loads that is itself handed on, with the name behind it.

    So `partial(import_module, "x")` and `submit(import_module, "x")` do; `map` takes many names.
    """
    for index, argument in enumerate(node.args[:-1]):
        if last_name(argument) == "" or isinstance(argument, ast.Call):
            continue
        for origin in sorted(qualified_names(argument, scope) & _NAMED_LOADERS):
            name = node.args[index + 1]
            if qualified_names(node.func, scope) & _MAPS:
                yield from _told(argument, origin, fold_elements(name, scope))
            else:
                yield from _texts(name, scope, origin)


def _in_package(node: ast.expr, call: ast.Call, scope: Scope, how: str) -> Iterator[Loaded]:
    """Yield what is loaded by a name that may be relative to a package, which the call is told."""
    package = _argument(call, Loader(1, "package"))
    packages = fold_constant(package, scope) if package is not None else ()
    names = fold_constant(node, scope)
    whole = [name for name in names if not name.startswith(".")]
    joined = [_resolved(name, base) for name in names if name[:1] == "." for base in packages]
    yield from _told(node, how, tuple(whole + joined))


def _resolved(name: str, package: str) -> str:
    """Return what a relative name means in a package (library reference, `resolve_name`)."""
    rest = name.lstrip(".")
    parts = package.split(".")
    above = len(name) - len(rest) - 1
    kept = parts[: len(parts) - above] if above < len(parts) else []
    return ".".join([*kept, rest]) if kept and UNKNOWN not in package else UNKNOWN


def _texts(node: ast.expr, scope: Scope, how: str, *, by_helper: bool = False) -> Iterator[Loaded]:
    found = fold_source(node, scope) if how in EXECUTORS else fold_constant(node, scope)
    yield from _told(node, how, found, by_helper=by_helper)


def _told(
    node: ast.expr, how: str, texts: Iterable[str], *, by_helper: bool = False
) -> Iterator[Loaded]:
    known = tuple(text for text in texts if not text.startswith(UNKNOWN))
    if known:
        yield Loaded(node, how, known, by_helper)


def _argument(node: ast.Call, loader: Loader) -> ast.expr | None:
    for keyword in node.keywords:
        if keyword.arg == loader.keyword:
            return keyword.value
    if len(node.args) <= loader.position:
        return None
    argument = node.args[loader.position]
    return None if isinstance(argument, ast.Starred) else argument


def _is_relative(node: ast.Call, origin: str) -> bool:
    """Return whether `__import__` is told a level above 0 (library reference, `__import__`)."""
    if not origin.endswith("__import__"):
        return False
    level = _argument(node, Loader(_LEVEL, "level"))
    return isinstance(level, ast.Constant) and level.value not in {0, None}
