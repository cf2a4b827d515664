"""Types of columns that a project's modules define, in SQLAlchemy's own words.

A `TypeDecorator` comes to its `impl`, or to what `load_dialect_impl` returns for a dialect; a type
that is derived from one of SQLAlchemy's is made as that is. Source: SQLAlchemy's
`sql/type_api.py`. What depends on anything else is not known.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from dal_audit.extract.migrations.module_values import (
    Foreign,
    Meaning,
    ModuleValues,
    OfModule,
    Spelled,
)
from dal_audit.extract.python.dialect_branches import DialectBranches
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.walk import nodes_in

_SQLALCHEMY: Final = "sqlalchemy."
_ENGINES: Final = ("sqlite", "postgresql")
_DECORATORS: Final = frozenset({"TypeDecorator"})
_WITHOUT_DDL: Final = frozenset({"ExternalType", "TypeEngine", "UserDefinedType"})
"""Classes of SQLAlchemy's of which nothing says what a column is declared as."""
_MAY_BE_TYPE: Final = re.compile(r"\bTypeDecorator\b|\bwith_variant\b|\bsqlalchemy\b")
_LOADS: Final = "load_dialect_impl"
_DEPTH: Final = 8


class ProjectTypes:
    """Looks up types in a project's modules."""

    def __init__(self, values: ModuleValues) -> None:
        """Take what follows names."""
        self._values = values
        self._known: dict[tuple[str, str], str] = {}

    def of(self, path: str, origins: Sequence[str]) -> Mapping[str, str]:
        """Return the types among what a module imports, each as an expression.

        `origins` are dotted names as its imports have them; of a module they stand for all types
        in it. In the expressions `sqlalchemy` is the library's own name.
        """
        found: dict[str, str] = {}
        for origin in origins:
            module, _, name = origin.rpartition(".")
            itself = self._values.home(origin, path)
            home = itself or (self._values.home(module, path) if module else "")
            if not home or not _MAY_BE_TYPE.search(self._values.text(home)):
                continue
            for own in self._values.names(home).bound if itself else [name]:
                spelled = self._type(home, own)
                if spelled:
                    found[f"{origin}.{own}" if itself else origin] = spelled
        return found

    def _type(self, path: str, name: str) -> str:
        """Return a name of a module as a type; empty for what is none, or is not known."""
        if (path, name) not in self._known:
            self._known[path, name] = ""  # A name that leads back to itself is no type.
            self._known[path, name] = self._spelled(self._values.of_name(path, name))
        return self._known[path, name]

    def _spelled(self, meaning: Meaning, depth: int = 0) -> str:
        if depth > _DEPTH or meaning is None or isinstance(meaning, OfModule):
            return ""
        if isinstance(meaning, Foreign):
            return _of_library(meaning)
        path, node = meaning.path, meaning.node
        if isinstance(node, ast.ClassDef):
            return self._of_class(path, node, "", depth + 1)
        return self._of_call(path, node, depth + 1) if isinstance(node, ast.Call) else ""

    def _expression(self, path: str, node: ast.expr, depth: int) -> str:
        """Return an expression that is a type, or an argument of one."""
        if isinstance(node, ast.Constant):
            return ast.unparse(node)
        return self._spelled(self._values.of(path, node), depth)

    def _of_call(self, path: str, call: ast.Call, depth: int) -> str:
        arguments = self._arguments(path, call, depth)
        if arguments is None:
            return ""
        if isinstance(call.func, ast.Attribute) and call.func.attr == "with_variant":
            owner = self._expression(path, call.func.value, depth)
            return f"{owner}.with_variant({arguments})" if owner else ""
        called = self._values.of(path, call.func)
        if isinstance(called, Spelled) and isinstance(called.node, ast.ClassDef):
            return self._of_class(called.path, called.node, arguments, depth)
        name = _of_library(called) if isinstance(called, Foreign) else ""
        return f"{name}({arguments})" if name else ""

    def _arguments(self, path: str, call: ast.Call, depth: int) -> str | None:
        """Return the arguments of a call as they are written; None where one is not known."""
        given = [("", own) for own in call.args]
        given += [(f"{own.arg}=" if own.arg else "**", own.value) for own in call.keywords]
        texts = [(name, self._expression(path, value, depth)) for name, value in given]
        is_known = all(text and name != "**" for name, text in texts)
        return ", ".join(name + text for name, text in texts) if is_known else None

    def _of_class(self, path: str, definition: ast.ClassDef, arguments: str, depth: int) -> str:
        if depth > _DEPTH:
            return ""
        own = dict(_bound(definition))
        if _LOADS in own:
            return self._of_dialects(path, own, depth)
        implemented = own.get("impl")
        if isinstance(implemented, ast.expr):
            return self._implementation(path, implemented, own, arguments, depth)
        return self._of_bases(path, definition, arguments, depth)

    def _implementation(
        self, path: str, node: ast.expr, own: Mapping[str, ast.AST], arguments: str, depth: int
    ) -> str:
        """Return an `impl`, which is made with the arguments of the type where it is a class."""
        spelled = self._expression(path, node, depth)
        if spelled.endswith(")") or not spelled:
            return spelled
        return f"{spelled}({'' if '__init__' in own else arguments})"

    def _of_bases(self, path: str, definition: ast.ClassDef, arguments: str, depth: int) -> str:
        """Return what a class inherits: an `impl`, or the type of SQLAlchemy's that it is."""
        if "get_col_spec" in dict(_bound(definition)) or "@compiles" in self._values.text(path):
            return ""
        for base in definition.bases:
            bare = base.value if isinstance(base, ast.Subscript) else base
            meaning = self._values.of(path, bare)
            if isinstance(meaning, Spelled) and isinstance(meaning.node, ast.ClassDef):
                found = self._of_class(meaning.path, meaning.node, arguments, depth + 1)
            else:
                name = _of_library(meaning) if isinstance(meaning, Foreign) else ""
                is_open = name.rpartition(".")[2] in _DECORATORS | _WITHOUT_DDL
                is_made = "__init__" in dict(_bound(definition))
                found = f"{name}({'' if is_made else arguments})" if name and not is_open else ""
            if found:
                return found
        return ""

    def _of_dialects(self, path: str, own: Mapping[str, ast.AST], depth: int) -> str:
        """Return what `load_dialect_impl` gives each engine; all must be known."""
        function = own[_LOADS]
        if not isinstance(function, ast.FunctionDef):
            return ""
        branches = DialectBranches(ast.Module([function], []))
        returns = [node for node in nodes_in(function) if isinstance(node, ast.Return)]
        found: list[str] = []
        for engine in _ENGINES:
            mine = [node.value for node in returns if _runs(branches, node, engine)]
            spelled = self._of_dialect(path, mine[0], own, depth) if len(mine) == 1 else ""
            if not spelled:
                return ""
            found.append(spelled if spelled.endswith(")") else f"{spelled}()")
        return f'{found[0]}.with_variant({found[1]}, "postgresql")'

    def _of_dialect(
        self, path: str, node: ast.expr | None, own: Mapping[str, ast.AST], depth: int
    ) -> str:
        """Return what is returned for a dialect."""
        if isinstance(node, ast.Call) and last_name(node.func) == "type_descriptor" and node.args:
            node = node.args[0]
        implemented = own.get("impl")
        is_own = node is not None and (
            ast.unparse(node) in {"self.impl", "self.impl_instance"}
            or ast.unparse(node).startswith(f"super().{_LOADS}(")
        )
        node = implemented if is_own and isinstance(implemented, ast.expr) else node
        return self._expression(path, node, depth + 1) if node is not None else ""


def _runs(branches: DialectBranches, node: ast.Return, engine: str) -> bool:
    engines = branches.engines_at(node)
    return engines is None or engine in engines


def _of_library(meaning: Foreign) -> str:
    """Return a name of SQLAlchemy's; empty for any other."""
    return meaning.name if meaning.name.startswith(_SQLALCHEMY) else ""


def _bound(definition: ast.ClassDef) -> Iterator[tuple[str, ast.AST]]:
    """Yield the names that a class's body binds, each with what to."""
    for own in definition.body:
        if isinstance(own, ast.FunctionDef):
            yield own.name, own
        elif isinstance(own, ast.Assign):
            yield from ((last_name(target), own.value) for target in own.targets)
        elif isinstance(own, ast.AnnAssign) and own.value is not None:
            yield last_name(own.target), own.value
