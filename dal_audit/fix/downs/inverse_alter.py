"""What takes back the actions of an `ALTER TABLE`.

Sources: PostgreSQL's sql-altertable.html, SQLite's lang_altertable.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from dal_audit.facts.sql import AlterAction, AlterTable
from dal_audit.fix.downs.pieces import clause_of, column_of
from dal_audit.fix.downs.record import Inverse, Inverses, lost_rows, undoing, untold
from dal_audit.fix.downs.written_schema import (
    Clause,
    Copy,
    Written,
    WrittenColumn,
    WrittenSchema,
    WrittenTable,
    mentions,
    shown_name,
    spelled,
    told,
    with_name,
)
from dal_audit.schema import actions_of

_SWITCHES: Final = {
    "ENABLE": "DISABLE",
    "DISABLE": "ENABLE",
    "NO FORCE": "FORCE",
    "FORCE": "NO FORCE",
}
_SWITCH: Final = re.compile(r"(ENABLE|DISABLE|NO FORCE|FORCE) ROW LEVEL SECURITY\Z", re.IGNORECASE)
_CONSTANT: Final = re.compile(
    r"DEFAULT\s+(?:[-+]?[0-9.]+|'[^']*'|NULL|TRUE|FALSE)\s*\Z", re.IGNORECASE
)
"""What SQLite takes as the default of a column that is added to a table with rows."""


_REFERENCES: Final = re.compile(r"\bREFERENCES\b", re.IGNORECASE)

_COUNTED: Final = {"smallserial": "smallint", "serial": "integer", "bigserial": "bigint"}
"""What a column is of that counts by itself: the other names make it so, and are no types."""


class Alteration:
    """One action on a table that is known, on the way to what takes it back."""

    def __init__(
        self, schema: WrittenSchema, table: WrittenTable, alter: AlterTable, written: Written
    ) -> None:
        """Take the table and the statement."""
        self.schema = schema
        self.table = table
        self.key = schema.fold(alter.table)
        self.name = spelled(alter.table)
        self.written = written

    def undo(self, change: str) -> Inverse:
        """Return another change of the table; none where the table goes as a whole."""
        return Inverse() if self.table.is_made else self.always(change)

    def always(self, change: str) -> Inverse:
        """Return another change of the table, whatever becomes of it later."""
        return undoing(f"ALTER TABLE {self.name} {change}")

    def column(self, action: AlterAction) -> WrittenColumn | None:
        """Return the column that an action is about; None where it was not seen being made."""
        name = self.schema.fold(action.name) if action.name is not None else ""
        return self.table.columns.get(name)


def altered(schema: WrittenSchema, alter: AlterTable, written: Written) -> Inverses:
    """Run an `ALTER TABLE`, and yield what takes back each of its actions."""
    for action in actions_of(alter):
        table = schema.tables.get(schema.fold(alter.table))
        if table is None:
            yield _of_unknown(schema, alter, action)
        else:
            yield _act(Alteration(schema, table, alter, written), action)


def _of_unknown(schema: WrittenSchema, alter: AlterTable, action: AlterAction) -> Inverse:
    """Return what takes back a change of a table, or a view, that no migration before made."""
    name = spelled(alter.table)
    if action.kind == "add-column" and action.column is not None:
        return undoing(f"ALTER TABLE {name} {_drop_column_text(schema, action)}")
    if action.kind == "rename-table" and action.new_name is not None:
        new = spelled(action.new_name)
        return undoing(f"ALTER TABLE {new} RENAME TO {_last(name)}")
    return untold(f"a change of `{alter.table.name}`, which no migration before made")


def _last(name: str) -> str:
    return name if name.endswith('"') else name.rpartition(".")[2]


def _act(on: Alteration, action: AlterAction) -> Inverse:
    act = _ACTIONS.get(action.kind, _other)
    on.table.change()
    return act(on, action)


def _drop_column_text(schema: WrittenSchema, action: AlterAction) -> str:
    name = spelled(action.column.name) if action.column is not None else ""
    return f"DROP COLUMN IF EXISTS {name}" if schema.has_guards else f"DROP COLUMN {name}"


def _add_column(on: Alteration, action: AlterAction) -> Inverse:
    if action.column is None:
        return _other(on, action)
    name = on.schema.fold(action.column.name)
    if action.if_not_exists and name in on.table.columns:
        return Inverse()
    on.table.columns[name] = column_of(on.schema, action.column, on.written)
    on.schema.name_constraints(on.key)
    return on.undo(_drop_column_text(on.schema, action))


def _drop_column(on: Alteration, action: AlterAction) -> Inverse:
    name = on.schema.fold(action.name) if action.name is not None else ""
    column = on.table.columns.pop(name, None)
    if column is None:
        if action.if_exists and on.table.is_complete:
            return Inverse()
        return untold(f"the column `{name}`, which no migration before made")
    back = on.always(f"ADD COLUMN {column.text}")
    back.remarks = [f"The values of {told(column.name)} are gone: they do not come back."]
    if column.needs_value:
        back.risks = [f"{told(column.name)} takes no NULL, so it cannot be added where rows stand"]
    elif on.schema.is_sqlite and not _is_added_by_sqlite(column):
        back.risks = [f"SQLite adds {told(column.name)} with its default only where no rows stand"]
    back.statements += _gone_with_column(on, name)
    return back


def _is_added_by_sqlite(column: WrittenColumn) -> bool:
    default = column.clause("default")
    return default is None or _CONSTANT.search(default.text) is not None


def _gone_with_column(on: Alteration, column: str) -> list[str]:
    """Take the indexes and constraints away that go with a column; return what makes them."""
    fold = on.schema.fold_token
    found = []
    for clause in list(on.table.clauses):
        own = _REFERENCES.split(clause.text)[0]
        if mentions(own, column, fold) and clause.name:
            on.table.clauses.remove(clause)
            found.append(f"ALTER TABLE {on.name} ADD {clause.text}")
    for key, thing in on.schema.on(on.table).items():
        if key[0] == "index" and mentions(thing.text.partition("(")[2], column, fold):
            found.append(on.schema.objects.pop(key).text)
    return found


def _alter_type(on: Alteration, action: AlterAction) -> Inverse:
    column = on.column(action)
    if column is None or action.type is None:
        return untold(f"a change of a column of {told(on.name)}, which no migration before made")
    before, column.type = column.type, on.written.piece(action.type.span)
    name, old = column.name, _COUNTED.get(before.lower(), before)
    between = "::text" if _is_enumeration(on, before) or _is_enumeration(on, column.type) else ""
    return on.undo(f"ALTER COLUMN {name} TYPE {old} USING {name}{between}::{old}")


def _is_enumeration(on: Alteration, declared: str) -> bool:
    """Return whether a type is one of labels, which PostgreSQL casts to no other such type."""
    thing = on.schema.objects.get(("type", on.schema.fold_token(declared)))
    return thing is not None and " ENUM" in thing.text.upper()


def _default(on: Alteration, action: AlterAction) -> Inverse:
    column = on.column(action)
    if column is None:
        return untold(f"a default in {told(on.name)}, which no migration before made")
    before = column.clause("default")
    counted = _COUNTED.get(column.type.lower())
    if before is None and counted is not None:
        before = Clause("default", f"DEFAULT nextval('{_counter(on, action)}')")
        column.type = counted
    value = on.written.piece(action.expression.span) if action.expression is not None else ""
    column.put("default", f"DEFAULT {value}" if action.kind == "set-default" else "")
    what = f"SET {before.text}" if before is not None else "DROP DEFAULT"
    return on.undo(f"ALTER COLUMN {column.name} {what}")


def _counter(on: Alteration, action: AlterAction) -> str:
    """Return the sequence that a column counts by which is declared as one that counts."""
    column = on.schema.fold(action.name) if action.name is not None else ""
    return shown_name(f"{on.key}_{column}_seq").replace("'", "''")


def _null(on: Alteration, action: AlterAction) -> Inverse:
    column = on.column(action)
    if column is None:
        return untold(f"a change of a column of {told(on.name)}, which no migration before made")
    had = column.clause("not-null") is not None or column.clause("primary-key") is not None
    wants = action.kind == "set-not-null"
    column.put("not-null", "NOT NULL" if wants else "")
    if had == wants:
        return Inverse()
    back = on.undo(f"ALTER COLUMN {column.name} {'SET' if had else 'DROP'} NOT NULL")
    if had and back.statements:
        back.risks = [f"{told(column.name)} may hold NULL by then"]
    return back


def _rename_column(on: Alteration, action: AlterAction) -> Inverse:
    if action.name is None or action.new_name is None:
        return _other(on, action)
    old, new = on.schema.fold(action.name), on.schema.fold(action.new_name)
    before, now = spelled(action.name), spelled(action.new_name)
    on.schema.pin_names(on.table)
    if old in on.table.columns:
        on.table.rename_column(old, new, now, on.schema.fold_token)
    for thing in on.schema.on(on.table).values():
        thing.rename(old, now, on.schema.fold_token)
    for table, clause in on.schema.referring(on.key):
        clause.text = with_name(clause.text, old, now, on.schema.fold_token)
        table.change()
    return on.always(f"RENAME COLUMN {now} TO {before}")


def _rename_table(on: Alteration, action: AlterAction) -> Inverse:
    if action.new_name is None:
        return _other(on, action)
    schema = on.name.rpartition(".")[0] if not on.name.endswith('"') else ""
    to = spelled(action.new_name)
    full = f"{schema}.{to}" if schema else to
    new = f"{on.key.rpartition('.')[0]}.{on.schema.fold(action.new_name)}".lstrip(".")
    copy = _copy_before(on, new)
    if copy is not None:
        back = _remade(on.schema, copy, on.name, to)
        on.schema.rename(on.key, new, full)
        return back
    on.schema.rename(on.key, new, full)
    return undoing(f"ALTER TABLE {full} RENAME TO {_last(on.name)}")


def _copy_before(on: Alteration, new: str) -> Copy | None:
    """Return the copy of rows by which a table was filled that now takes the place of another."""
    before = on.schema.gone.get(new)
    copies = on.schema.copies
    fitting = [own for own in copies if own.source is before and own.target is on.table]
    return fitting[0] if len(fitting) == 1 and on.table.is_made else None


def _remade(schema: WrittenSchema, copy: Copy, name: str, place: str) -> Inverse:
    """Return what makes a table anew once more, as it was before it was made anew.

    The new one takes the old one's name last: SQLite lets what refers to a table follow it when it
    is given another name (lang_altertable.html, "Making Other Kinds Of Table Schema Changes").
    """
    old = copy.source
    old.is_remade = copy.target.is_remade = True
    bare = schema.fold_token(_last(place))
    lost = lost_rows(copy)
    return Inverse(
        [
            with_name(old.creation, bare, name, schema.fold_token),
            *(() if copy.why_not else (copy.between(name, place),)),
            f"DROP TABLE {place}",
            f"ALTER TABLE {name} RENAME TO {_last(place)}",
            *old.hangers,
        ],
        lost.remarks,
        lost.risks,
    )


def _add_constraint(on: Alteration, action: AlterAction) -> Inverse:
    if action.constraint is None:
        return _other(on, action)
    clause = clause_of(on.schema, action.constraint, on.written)
    on.table.clauses.append(clause)
    on.schema.name_constraints(on.key)
    if not clause.name:
        return untold(f"a constraint of {told(on.name)} that has no name")
    change = f"DROP CONSTRAINT IF EXISTS {shown_name(clause.name)}"
    return on.always(change) if clause.kind == "references" else on.undo(change)


def _drop_constraint(on: Alteration, action: AlterAction) -> Inverse:
    name = on.schema.fold(action.name) if action.name is not None else ""
    found = on.table.constraint(name)
    if found is None:
        if action.if_exists and on.table.is_complete:
            return Inverse()
        return untold(f"the constraint `{name}`, which no migration before made")
    column, clause = found
    (column.clauses if column is not None else on.table.clauses).remove(clause)
    text = clause.text if column is None else _as_table_clause(column, clause.text, clause.kind)
    named = (
        text if text.upper().startswith("CONSTRAINT ") else f"CONSTRAINT {shown_name(name)} {text}"
    )
    return on.undo(f"ADD {named}")


def _as_table_clause(column: WrittenColumn, text: str, kind: str) -> str:
    """Return a column's own constraint as one of the table."""
    if kind == "check":
        return text
    if kind == "references":
        at = text.upper().index("REFERENCES")
        return f"{text[:at]}FOREIGN KEY ({column.name}) {text[at:]}"
    return f"{text} ({column.name})"


def _rename_constraint(on: Alteration, action: AlterAction) -> Inverse:
    if action.name is None or action.new_name is None:
        return _other(on, action)
    found = on.table.constraint(on.schema.fold(action.name))
    before, now = spelled(action.name), spelled(action.new_name)
    if found is not None:
        clause = found[1]
        clause.name = on.schema.fold(action.new_name)
        clause.text = re.sub(
            r"\ACONSTRAINT\s+\S+", lambda _: f"CONSTRAINT {now}", clause.text, flags=re.IGNORECASE
        )
    return on.always(f"RENAME CONSTRAINT {now} TO {before}")


def _other(on: Alteration, action: AlterAction) -> Inverse:
    text = " ".join(on.written.piece(action.span).split())
    switch = _SWITCH.match(text)
    if switch is not None:
        return on.undo(f"{_SWITCHES[switch[1].upper()]} ROW LEVEL SECURITY")
    return untold(f"`{text}` of {told(on.name)}")


_ACTIONS: Final[dict[str, Callable[[Alteration, AlterAction], Inverse]]] = {
    "add-column": _add_column,
    "drop-column": _drop_column,
    "alter-type": _alter_type,
    "set-default": _default,
    "drop-default": _default,
    "set-not-null": _null,
    "drop-not-null": _null,
    "rename-column": _rename_column,
    "rename-table": _rename_table,
    "rename-constraint": _rename_constraint,
    "add-constraint": _add_constraint,
    "drop-constraint": _drop_constraint,
}
