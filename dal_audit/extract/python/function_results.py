"""What the functions of a module give to whoever calls them, as far as the module says it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from dal_audit.extract.python.annotations import TypeReader
from dal_audit.extract.python.assigned_values import values
from dal_audit.extract.python.bindings import bind_all, bind_parameters, open_type_parameters
from dal_audit.extract.python.parse.import_places import MarkedLines
from dal_audit.extract.python.parse.walk import Function
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.python.value_inference import Inference
from dal_audit.extract.source import occurrences
from dal_audit.facts import CALL, OWN_MODULE, TELLS_NOTHING, AbstractValue

_CLASSES: Final = frozenset({"Callable", "type", "Type"})
"""Generic types that speak of a type and are no object of it."""

_GIVING: Final = (ast.Return, ast.Yield, ast.YieldFrom)
_TELLING: Final = ("return", "yield", "global")
"""Words without one of which a function gives nothing, and binds nothing that others read."""


class FunctionResults:
    """Reads what functions return, yield, or let enter."""

    def __init__(self, types: TypeReader, module: Scope) -> None:
        """Read names by a module's imports, and by what its outermost scope binds."""
        self.types = types
        self.module = module
        self.inference = Inference(types)

    @cached_property
    def telling(self) -> MarkedLines:
        """The lines with a word without which a function tells nothing."""
        lines = self.types.lines
        return MarkedLines(lines.line_of(start) for start in occurrences(lines.text, _TELLING))

    def of(self, node: Function) -> Iterator[str]:
        """Yield the dotted names of what a call of a function gives.

        What its annotation says counts; where that says nothing, what its own block returns.
        """
        annotated = [name.origin for name in self.types.names(node.returns)] if node.returns else []
        said = {_last(origin) for origin in annotated}
        if said & _CLASSES:
            return
        if said - TELLS_NOTHING:
            yield from (f"{origin}.{CALL}" for origin in annotated)
        elif not isinstance(node.returns, ast.Constant):
            yield from dict.fromkeys(map(dotted, self.returned(node)))

    def of_lambda(self, node: ast.Lambda) -> Iterator[str]:
        """Yield the dotted names of what a call of a lambda gives."""
        scope = self.module.open("function")
        bind_parameters(node.args, scope)
        yield from dict.fromkeys(map(dotted, self.inference.infer(node.body, scope)))

    def returned(self, node: Function) -> Iterator[AbstractValue]:
        """Yield what a function's own block returns and yields."""
        if not self.telling.touch(node):
            return
        scope = open_type_parameters(node, self.module).open("function")
        bind_parameters(node.args, scope)
        for part in bind_all(node.body, scope):
            if isinstance(part, _GIVING) and part.value is not None:
                for value in values(part.value):
                    yield from self.inference.infer(value, scope)


def dotted(known: AbstractValue) -> str:
    """Return what is known of a value as a dotted name, with calls as its parts."""
    made = (CALL,) if known.is_object else ()
    return ".".join((known.origin, *made, *known.steps))


def _last(origin: str) -> str:
    return origin.removeprefix(OWN_MODULE).rpartition(".")[2]
