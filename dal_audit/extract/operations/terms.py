"""Expressions of a migration as data: by the dotted names that they mean, not by a module's own."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import name_in, origin_of
from dal_audit.extract.python.literal_values import follow_assignment
from dal_audit.extract.python.scopes import Scope
from dal_audit.facts.sql import MODEL_TABLE

Kind: TypeAlias = Literal["call", "name", "constant", "list", "unknown"]

OP: Final = "alembic.op"
"""The module of Alembic's operations, which stands for a batch of them, too."""
_NAMED: Final = "f"
"""The operation that keeps a naming convention from a name, also on a batch (`batch_op.f`)."""
_DEPTH: Final = 12
"""How deep calls in calls are followed; a column has five levels at most."""


class Term(Struct, frozen=True):
    """An expression: a call, a dotted name, a constant, a list of expressions, or an unknown one.

    What is unknown cannot be written anywhere else without running the module.

    `value` is the dotted name that is called or meant, of a method (`owner` is what has it) its own
    name, and of a constant its value as `repr` writes it; `text` is a constant's that is a string.
    """

    kind: Kind
    value: str = ""
    text: str | None = None
    owner: Term | None = None
    arguments: tuple[Term, ...] = ()
    keywords: tuple[tuple[str, Term], ...] = ()

    @property
    def last_name(self) -> str:
        """The last part of the name that is called or meant."""
        return self.value.rpartition(".")[2]

    def keyword(self, name: str) -> Term | None:
        """Return an argument that is given by name; None where it is not, or is None."""
        found = next((value for own, value in self.keywords if own == name), None)
        return None if found == NONE else found

    def with_keyword(self, name: str, value: Term | None) -> Term:
        """Return the call with another argument of a name; None takes it away."""
        kept = tuple(pair for pair in self.keywords if pair[0] != name)
        return replace(self, keywords=kept if value is None else (*kept, (name, value)))

    def is_true(self, name: str) -> bool:
        """Return whether an argument is the literal `True`."""
        return self.keyword(name) == TRUE

    def each(self) -> Iterator[Term]:
        """Yield the expression and all that are in it."""
        yield self
        inner = (*self.arguments, *(value for _, value in self.keywords))
        for own in inner if self.owner is None else (self.owner, *inner):
            yield from own.each()

    @property
    def is_known(self) -> bool:
        """Whether nothing in it is unknown."""
        return all(own.kind != "unknown" for own in self.each())


NONE: Final = Term("constant", "None")
TRUE: Final = Term("constant", "True")
FALSE: Final = Term("constant", "False")
UNKNOWN_TERM: Final = Term("unknown")


def string(text: str) -> Term:
    """Return a string as an expression."""
    return Term("constant", repr(text), text)


def call(dotted: str, /, *arguments: Term, **keywords: Term) -> Term:
    """Return a call of what a dotted name means."""
    return Term("call", dotted, arguments=arguments, keywords=tuple(keywords.items()))


def method(owner: Term, name: str, /, *arguments: Term, **keywords: Term) -> Term:
    """Return the call of a method of what another call gives."""
    return Term("call", name, None, owner, arguments, tuple(keywords.items()))


def term_of(node: ast.expr, scope: Scope, depth: int = 0) -> Term:
    """Return an expression as data, with what is unknown in it."""
    node = follow_assignment(node, scope)
    if depth > _DEPTH:
        return UNKNOWN_TERM
    if isinstance(node, ast.Call):
        return _call(node, scope, depth + 1)
    if isinstance(node, (ast.List, ast.Tuple)):
        return Term("list", arguments=_all(node.elts, scope, depth + 1))
    constant = _constant(node, scope)
    if constant is not None:
        return constant
    origin = _origin(node, scope)
    return Term("name", origin) if origin else UNKNOWN_TERM


def _constant(node: ast.expr, scope: Scope) -> Term | None:
    """Return a constant, or a text that is put together of some."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant):
        return Term("constant", ast.unparse(node))
    if isinstance(node, ast.Constant) and not isinstance(node.value, str):
        return Term("constant", repr(node.value))
    text = (
        name_in(node, scope)
        if isinstance(node, (ast.Constant, ast.JoinedStr, ast.BinOp))
        else UNKNOWN
    )
    return None if UNKNOWN in text or MODEL_TABLE in text else string(str(text))


def _origin(node: ast.expr, scope: Scope) -> str:
    """Return the dotted name that is meant; empty where it is one of the module's own."""
    origin = origin_of(node, scope)
    return "" if origin.startswith((".", "builtins.")) else origin


def _call(node: ast.Call, scope: Scope, depth: int) -> Term:
    arguments = _all(node.args, scope, depth)
    values = _all([keyword.value for keyword in node.keywords], scope, depth)
    names = [keyword.arg or "" for keyword in node.keywords]
    keywords = tuple(zip(names, values, strict=True))
    if not all(names):
        arguments = (*arguments, UNKNOWN_TERM)
    origin = _origin(node.func, scope)
    if origin:
        return Term("call", origin, None, None, arguments, keywords)
    if not isinstance(node.func, ast.Attribute):
        return UNKNOWN_TERM
    if node.func.attr == _NAMED and len(arguments) == 1 and arguments[0].text is not None:
        return call(f"{OP}.{_NAMED}", *arguments)
    owner = term_of(node.func.value, scope, depth)
    return Term("call", node.func.attr, None, owner, arguments, keywords)


def _all(nodes: Sequence[ast.expr], scope: Scope, depth: int) -> tuple[Term, ...]:
    return tuple(term_of(node, scope, depth) for node in nodes)
