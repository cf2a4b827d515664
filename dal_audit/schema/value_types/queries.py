"""What queries give, from where, and what PostgreSQL objects to in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from dal_audit.facts.sql_names import SqlName
from dal_audit.facts.sql_trees import (
    Call,
    CallSource,
    ColumnName,
    CommonTable,
    Compound,
    Constant,
    Join,
    Operand,
    QuerySource,
    QueryTree,
    Result,
    Select,
    Source,
    Star,
    TableSource,
    Values,
)
from dal_audit.schema.value_types.conversions import ASSIGNMENT, UNKNOWN, becomes
from dal_audit.schema.value_types.divergences import of_order
from dal_audit.schema.value_types.grouping import check_groups
from dal_audit.schema.value_types.objections import Objections
from dal_audit.schema.value_types.operands import Results, Typer
from dal_audit.schema.value_types.relations import (
    NOTHING_KNOWN,
    Relation,
    as_text,
    part_of,
)
from dal_audit.schema.value_types.scopes import Scope

_NUMBER: Final = "Write a number."


class QueryTyper:
    """Tells what queries give on a database, and objects to what PostgreSQL refuses in them."""

    def __init__(self, objections: Objections) -> None:
        """Begin with what gathers objections."""
        self.objections = objections

    def typer(self, scope: Scope) -> Typer:
        """Return who tells the types of expressions in a scope."""
        return Typer(self.objections, scope, self.results)

    def results(self, query: QueryTree, outer: Scope | None = None) -> Results | None:
        """Return the columns of a query with their types; None where they are not known."""
        found = self.raw_results(query, outer)
        return None if found is None else list(_settled(found))

    def raw_results(self, query: QueryTree, outer: Scope | None = None) -> Results | None:
        """Return the same; literals in quotes are `unknown` yet, as for an `INSERT`."""
        scope = Scope(outer=outer, common=self.common(query.common, outer))
        found = self._body(query, scope)
        for limit in query.limits:
            own = self.typer(scope).type_of(limit)
            if own is not None and not becomes(self.objections.types, own, "int8", ASSIGNMENT):
                title = self.objections.title(own)
                reason = f"`LIMIT` wants a number, and this is of type `{title}`"
                self.objections.to_clause(limit.span, reason, _NUMBER)
        return found

    def common(self, tables: Iterable[CommonTable], outer: Scope | None) -> dict[str, Relation]:
        """Return the queries after `WITH` as relations, each of which sees those before it."""
        found: dict[str, Relation] = {}
        for table in tables:
            name = part_of(table.name)
            scope = Scope(outer=outer, common={**found, name: NOTHING_KNOWN})
            results = self.results(table.query, scope) if table.query is not None else None
            found[name] = _relation(results, table.columns)
        return found

    # Bodies

    def _body(self, query: QueryTree, scope: Scope) -> Results | None:
        body = query.body
        match body:
            case Select():
                return self._select(body, scope, query)
            case Values(rows=rows):
                return self._values(rows, scope, body)
            case Compound():
                return self._compound(body, scope)

    def _values(
        self, rows: Sequence[Sequence[Operand]], scope: Scope, body: Values
    ) -> Results | None:
        typer = self.typer(scope)
        several = [[typer.type_of(item) for item in row] for row in rows]
        if len({len(row) for row in several}) != 1:
            return None
        columns = list(zip(*several, strict=True))
        if len(rows) == 1:
            return [(f"column{at}", own[0]) for at, own in enumerate(columns, 1)]
        return [
            (f"column{at}", typer.common_of(own, "the rows of `VALUES`", body.span))
            for at, own in enumerate(columns, 1)
        ]

    def _compound(self, body: Compound, scope: Scope) -> Results | None:
        left = self._side(body.left, scope)
        right = self._side(body.right, scope)
        if left is None or right is None or len(left) != len(right):
            return None
        typer = self.typer(scope)
        what = f"the two sides of `{body.operator}`"
        return [
            (name, typer.common_of((own, other), what, body.span))
            for (name, own), (_, other) in zip(left, right, strict=True)
        ]

    def _side(self, query: QueryTree, scope: Scope) -> Results | None:
        return self._body(query, Scope(outer=scope.outer, common=scope.common))

    def _select(self, select: Select, around: Scope, query: QueryTree) -> Results | None:
        scope = Scope(outer=around.outer, common=around.common)
        self.add_sources(scope, select.sources)
        typer = self.typer(scope)
        scope.guards = [guard for guard in (select.where, select.having) if guard is not None]
        typer.truth(select.where, "WHERE")
        results = self.given(select.results, scope)
        for item in select.grouped or ():
            typer.type_of(item)
        typer.truth(select.having, "HAVING")
        for item in query.order:
            if not _is_result(item, select.results):
                typer.type_of(item)
        check_groups(typer, select, query.order)
        of_order(typer, query)
        return results

    def given(self, results: Sequence[Result], scope: Scope) -> Results | None:
        """Return the columns that results are; None where `*` stands for what is not known."""
        typer = self.typer(scope)
        found: list[tuple[str, str | None]] = []
        is_known = True
        for result in results:
            if isinstance(result.operand, Star):
                expanded = expand(result.operand, scope)
                is_known = is_known and expanded is not None
                found += expanded or ()
            else:
                own = typer.type_of(result.operand)
                found.append((_title(result), own))
        return found if is_known else None

    # Sources

    def add_sources(self, scope: Scope, sources: Iterable[Source]) -> None:
        """Let sources be seen in a scope, and judge the conditions by which they are joined."""
        conditions: list[Operand] = []
        for source in sources:
            self._add(scope, source, conditions)
        for condition in conditions:
            self.typer(scope).truth(condition, "ON")

    def _add(self, scope: Scope, source: Source, conditions: list[Operand]) -> None:
        match source:
            case TableSource(name=name, alias=alias, columns=columns):
                relation = self.relation(name, scope)
                scope.sources[part_of(alias or name)] = relation.named(_folded(columns))
            case QuerySource(query=query, alias=alias, columns=columns):
                # It may be lateral: what it sees of the others is not judged.
                own = Scope(scope.sources, outer=scope.outer, common=scope.common)
                results = self.results(query, own)
                given = part_of(alias) if alias is not None else f"({len(scope.sources)})"
                scope.sources[given] = _relation(results, columns)
            case CallSource(alias=alias, call=Call(name=name)):
                scope.sources[part_of(alias or name)] = NOTHING_KNOWN
            case Join():
                self._add(scope, source.left, conditions)
                self._add(scope, source.right, conditions)
                scope.merged |= source.merged
                if source.condition is not None:
                    conditions.append(source.condition)

    def relation(self, name: SqlName, scope: Scope) -> Relation:
        """Return the relation that a name means: a query after `WITH`, or one that stands."""
        common = scope.common_table(part_of(name)) if len(name.parts) == 1 else None
        if common is not None:
            return common
        return self.objections.relation(self.objections.state.fold(name))


def expand(star: Star, scope: Scope) -> Results | None:
    """Return the columns for which `*` stands; None where they are not known."""
    if scope.merged:
        return None
    relations = list(scope.sources.values())
    if star.qualifier is not None:
        found = scope.sources.get(part_of(star.qualifier))
        relations = [found] if found is not None else [NOTHING_KNOWN]
    if not all(relation.complete and relation.ordered for relation in relations):
        return None
    return [pair for relation in relations for pair in relation.columns.items()]


def _is_result(item: Operand, results: Sequence[Result]) -> bool:
    """Return whether what is ordered by is a result, by its number or its name."""
    if isinstance(item, Constant):
        return True
    if not isinstance(item, ColumnName) or len(item.name.parts) > 1:
        return False
    return any(part_of(item.name) == _title(result) for result in results)


def _title(result: Result) -> str:
    """Return what a result is called; empty where PostgreSQL makes a name up."""
    if result.alias is not None:
        return part_of(result.alias)
    if isinstance(result.operand, ColumnName):
        return part_of(result.operand.name)
    return part_of(result.operand.name) if isinstance(result.operand, Call) else ""


def _folded(names: Iterable[SqlName]) -> list[str]:
    return [part_of(name) for name in names]


def _settled(results: Results) -> Results:
    return [(name, "text" if own == UNKNOWN else own) for name, own in results]


def _relation(results: Results | None, columns: Sequence[SqlName]) -> Relation:
    """Return what a query gives as a relation; two columns of one name hide one another."""
    if results is None:
        return NOTHING_KNOWN
    named = [
        (part_of(columns[at]) if at < len(columns) else name, own)
        for at, (name, own) in enumerate(results)
    ]
    found = dict(named)
    return Relation(as_text(named), complete=True) if len(found) == len(named) else NOTHING_KNOWN
