"""Import statements as facts: what each names, where that is used, and how it is taken out."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence

from dal_audit.extract.python.expression_uses import NameUse
from dal_audit.extract.python.import_removal import ImportRemoval, ImportStatement
from dal_audit.extract.python.parse.import_places import (
    imported_span,
    module_span,
    node_span,
)
from dal_audit.extract.python.scopes import Imported, source_module
from dal_audit.facts import Import, Reference, Span, Target, packed


def import_fact(
    statement: ImportStatement,
    uses: Mapping[int, Sequence[NameUse]],
    removal: ImportRemoval,
    owners: Mapping[int, str],
    *,
    type_checking: bool,
) -> Import:
    """Return the fact of a statement; `uses` are those of each alias, by its identity.

    `owners` are the classes that expressions declare parts of (`declaring_classes`).
    """
    lines = removal.lines
    unused = {
        Imported(statement, alias).name for alias in statement.names if not uses.get(id(alias))
    }
    removals = removal.names_of(statement, unused) if unused else [None] * len(statement.names)
    targets = []
    for alias, taken in zip(statement.names, removals, strict=True):
        imported = Imported(statement, alias)
        origin = imported.origin
        references = tuple(
            Reference(
                node_span(lines, use.node),
                whole_name(origin, use.dotted),
                use.role,
                owner=owners.get(id(use.node), ""),
                spelled=use.spelled,
            )
            for use in uses.get(id(alias), ())
        )
        bound = "" if alias.name == "*" else imported.name
        name = alias.name if isinstance(statement, ast.Import) else origin
        span = imported_span(lines, alias)
        uses_of_it = packed(sorted(references, key=_by_span))
        targets.append(Target(span, name, bound, uses_of_it, taken))
    return Import(
        statement=node_span(lines, statement),
        targets=tuple(targets),
        module=source_module(statement) if isinstance(statement, ast.ImportFrom) else None,
        module_span=module_span(lines, statement)
        if isinstance(statement, ast.ImportFrom)
        else None,
        type_checking=type_checking,
        removal=removal.whole_of(statement) if None not in removals else (),
    )


def _by_span(reference: Reference) -> Span:
    return reference.span


def whole_name(origin: str, dotted: str) -> str:
    """Return the dotted name that a use means, given the origin of its first component.

    What a star brought keeps its own first component: `app.types.*` and `Row` are `app.types.Row`.
    """
    if origin.endswith("*"):
        return origin[:-1] + dotted
    return origin + dotted[len(dotted.partition(".")[0]) :]
