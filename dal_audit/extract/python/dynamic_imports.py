"""What loads a module by a name made at run time, and where the name stands in the call."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from dal_audit.extract.python.constant_folding import (
    UNKNOWN,
    fold_constant,
    follow_assignment,
    qualified_names,
)
from dal_audit.extract.python.name_uses import CallSite
from dal_audit.extract.python.scopes import Scope


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
    "builtins.exec": Loader(0, "source"),
    "builtins.eval": Loader(0, "source"),
    "importlib.util.module_from_spec": Loader(0, "spec"),
}
"""Documented in the standard library's importlib, pkgutil, runpy and pydoc, in pytest, Django and
Werkzeug. `importlib.util.find_spec` loads nothing and is not among them."""

FINDERS: Final = frozenset(
    {
        "importlib.util.find_spec",
        "importlib.find_loader",
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
    func = node.func
    if isinstance(func, ast.Attribute) and func.attr not in _LAST_NAMES | helpers:
        return
    for origin in sorted(qualified_names(func, scope)):
        yield from _loaded_by(origin, node, scope, helpers)
    if isinstance(func, ast.Attribute) and func.attr == _LOAD_MODULE:
        yield from _found(func.value, scope, _LOAD_MODULE)


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
    else:
        yield from _texts(argument, scope, origin, by_helper=loader.by_helper)


def _loader(origin: str, helpers: frozenset[str]) -> Loader | None:
    known = LOADERS.get(origin)
    if known is not None:
        return known
    module, _, name = origin.rpartition(".")
    is_reader = module == _MODULES and name in _READERS
    if is_reader:
        return _NAME
    return _HELPER if name in helpers else None


def _found(node: ast.expr, scope: Scope, how: str) -> Iterator[Loaded]:
    """Yield what a finder was asked for, whose result is then loaded."""
    call = follow_assignment(node, scope)
    if isinstance(call, ast.Call) and qualified_names(call.func, scope) & FINDERS:
        argument = _argument(call, Loader(0, "name"))
        if argument is not None:
            yield from _texts(argument, scope, how)


def _texts(node: ast.expr, scope: Scope, how: str, *, by_helper: bool = False) -> Iterator[Loaded]:
    texts = tuple(text for text in fold_constant(node, scope) if not text.startswith(UNKNOWN))
    if texts:
        yield Loaded(node, how, texts, by_helper)


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
