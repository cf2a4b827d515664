"""Django's operations: by which forms the catalogue knows them, and what they say of models.

To which statements they come hangs on the migrations before: `dal_audit.schema.orm` tells. None of
them can be guarded. Sources: Django's "Migration operations" and `contrib/postgres`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from dal_audit.catalogue.operations import DJANGO, about, forms_by_mark
from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import Arguments
from dal_audit.extract.operations.django_models import PARAMETERS, model_operation
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_places import LiteralPlaces
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.scopes import Scope
from dal_audit.facts import Span
from dal_audit.facts.sql import Embedding, Query, SqlConstruct, SqlStatement

ACTING: Final = frozenset(
    {"AddConstraint", "AddField", "AddIndex", "AlterField", "AlterIndexTogether",
     "AlterModelTable", "AlterOrderWithRespectTo", "AlterUniqueTogether", "CreateModel",
     "DeleteModel", "RemoveConstraint", "RemoveField", "RemoveIndex", "RenameField", "RenameIndex",
     "RenameModel"}
)  # fmt: skip
"""Operations that change tables, and fail where they did so already."""
_PASSING: Final = frozenset(
    {"AlterConstraint", "AlterModelManagers", "AlterModelOptions", "AlterModelTableComment"}
)
"""Operations that can be run as often as one likes."""
_OF_POSTGRES: Final = frozenset(
    {"AddConstraintNotValid", "AddIndexConcurrently", "RemoveIndexConcurrently",
     "ValidateConstraint", "BloomExtension", "BtreeGinExtension", "BtreeGistExtension",
     "CITextExtension", "CreateCollation", "CreateExtension", "CryptoExtension", "HStoreExtension",
     "RemoveCollation", "TrigramExtension", "UnaccentExtension"}
)  # fmt: skip
_KNOWN: Final = ACTING | _PASSING | _OF_POSTGRES
_FIRST: Final = 1 << 20


class Stage(NamedTuple):
    """Where an operation is run, and of which group it is (`SeparateDatabaseAndState`)."""

    runs: Literal["both", "database", "state"] = "both"
    group: int = 0


class DjangoLowering:
    """Reads the operations of one module."""

    def __init__(self, tree: ast.Module, literals: LiteralPlaces) -> None:
        """Take the module and its literals."""
        self._literals = literals
        self._tree = tree

    def statements(
        self, call: ast.Call, scope: Scope, within: Embedding, stage: Stage, *, is_up: bool
    ) -> list[SqlStatement] | None:
        """Return what stands for an operation; None where it is none of Django's own."""
        name = last_name(call.func)
        if name not in _KNOWN:
            return None
        head = SqlStatement(self._span(call), "", Query("SELECT", constant=True), within=within)
        operation = model_operation(call, scope) if name in PARAMETERS else None
        if operation is not None:
            told = replace(operation, runs=stage.runs, group=stage.group)
            within = replace(within, is_unread=not told.model)
            head = replace(head, structure=told, within=within)
        if stage.runs == "state":
            return [head] if operation is not None else []
        said: dict[str, ast.expr | None] = {}
        for mark, part in self._marks(call, name, scope):
            said.setdefault(mark, part)
        constructs = tuple(self._constructs(said, self._span(call), is_up=is_up))
        if not is_up:
            return [replace(head, constructs=constructs)]
        acts = name in ACTING and "unmanaged" not in said
        model = operation.model if operation is not None else ""
        how = f"{'unmanaged' if 'unmanaged' in said else name} {model}"
        is_told = acts or "unmanaged" in said
        own = replace(within, how=how if is_told else "")
        return [replace(head, constructs=constructs, within=own)]

    def _marks(
        self, call: ast.Call, name: str, scope: Scope
    ) -> Iterator[tuple[str, ast.expr | None]]:
        """Yield the words that are true of an operation, each with the part that it is about."""
        yield name, None
        if name.endswith("Concurrently") and not any(map(_is_not_atomic, nodes_in(self._tree))):
            yield "atomic", None
        for node in ast.walk(call):
            if isinstance(node, ast.Call) and node is not call:
                yield from _of_part(node, scope)
            elif isinstance(node, ast.Dict):
                yield from _of_options(node)

    def _constructs(
        self, said: dict[str, ast.expr | None], span: Span, *, is_up: bool
    ) -> Iterator[SqlConstruct]:
        by_mark = forms_by_mark(DJANGO)
        found: dict[str, Span] = {}
        for mark in said:
            for form in by_mark.get(mark, ()):
                if form.is_taken_back != is_up and form.fits(said.keys()):
                    part = about(form, said)
                    found.setdefault(form.id, span if part is None else self._span(part))
        for number, (form_id, place) in enumerate(found.items()):
            yield SqlConstruct(place, form_id, _FIRST + 2 * number, _FIRST + 2 * number + 1)

    def _span(self, node: ast.expr) -> Span:
        return self._literals.lines.span(*self._literals.bounds(node))


def _is_not_atomic(node: ast.AST) -> bool:
    """Return whether a migration says that it is run in no transaction."""
    return (
        isinstance(node, ast.Assign)
        and last_name(node.targets[0]) == "atomic"
        and isinstance(node.value, ast.Constant)
        and node.value.value is False
    )


def _of_part(node: ast.Call, scope: Scope) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield what a field, a constraint or an index says."""
    name = last_name(node.func)
    arguments = Arguments(node, (), scope)
    if name.endswith("Field"):
        yield f"field:{name}", node
        if arguments.has("default"):
            yield "field.default", node
        if arguments.is_false("db_persist"):
            yield "field.virtual", node
        if name == "ArrayField" and _is_sized(node):
            yield "array:sized", node
        collation = arguments.text("db_collation")
        if collation and UNKNOWN not in collation:
            yield f"collation:{collation}", node
    elif name.endswith("Constraint"):
        yield f"constraint:{name}", node
        if arguments.node("deferrable") is not None:
            yield "constraint.deferrable", node
        if arguments.is_false("nulls_distinct"):
            yield "constraint.nulls_distinct", node


def _is_sized(array: ast.Call) -> bool:
    """Return whether the members of an array are written with a length in parentheses."""
    return any(
        isinstance(node, ast.keyword) and node.arg in {"max_length", "max_digits"}
        for node in ast.walk(array)
    )


def _of_options(node: ast.Dict) -> Iterator[tuple[str, ast.expr | None]]:
    """Yield what a model's options say."""
    for key, value in zip(node.keys, node.values, strict=True):
        if not isinstance(key, ast.Constant) or not isinstance(value, ast.Constant):
            continue
        if (key.value, value.value) in _TABLELESS:
            yield "unmanaged", None
        elif key.value == "db_table" and '"."' in str(value.value):
            yield "db_table.schema", value


_TABLELESS: Final = {("managed", False), ("proxy", True)}
"""Options of models that Django makes no table for."""
