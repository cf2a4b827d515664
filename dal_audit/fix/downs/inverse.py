"""What takes back a statement that makes, drops or renames something, or changes rows.

Each function runs a statement on the schema as it is written, and returns what undoes it. What
belongs to a table that the same migration made goes with that table, and needs nothing of its own.
What a step is about, a table or rows, is told with it: whether rows come back is known at the end.
Sources: PostgreSQL's reference of SQL commands, SQLite's lang_*.html.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from dal_audit.facts.sql import (
    AlterObject,
    AlterTable,
    Change,
    CreateIndex,
    CreateObject,
    CreateTable,
    Drop,
    OtherStatement,
    Query,
    SqlName,
    SqlStatement,
    Transaction,
)
from dal_audit.fix.downs.copies import copy_of
from dal_audit.fix.downs.inverse_alter import altered
from dal_audit.fix.downs.inverse_enum import enum_altered
from dal_audit.fix.downs.pieces import clause_of, column_of
from dal_audit.fix.downs.record import Inverse, Inverses, undoing, untold
from dal_audit.fix.downs.written_schema import (
    Key,
    Written,
    WrittenObject,
    WrittenSchema,
    WrittenTable,
    mentions,
    shown_name,
    spelled,
)

_COMMENT: Final = re.compile(r"COMMENT\s+ON\s+(.+?)\s+IS\s+(.+)\Z", re.IGNORECASE | re.DOTALL)
_CREATE: Final = re.compile(r"CREATE\s+(?:OR\s+REPLACE\s+)?", re.IGNORECASE)
_ON: Final = re.compile(r"\s+ON\s+", re.IGNORECASE)
_ON_TABLES: Final = frozenset({"trigger", "constraint trigger", "policy", "rule"})
_ROUTINES: Final = frozenset({"function", "procedure", "aggregate"})
_STAYING: Final = frozenset({"extension", "role", "user", "database", "tablespace", "language"})
"""What belongs to a whole database or server, and others may need."""

_KINDS: Final = {"enum": "type", "constraint trigger": "trigger", "procedure": "function"}
_SHOWN: Final = 60


def inverses_of(schema: WrittenSchema, statement: SqlStatement, text: str) -> list[Inverse]:
    """Run a statement, and return what takes back each of its steps, in the order of these.

    `text` is all of the statement, in which its spans count.
    """
    schema.database.apply(statement)
    structure, written = statement.structure, Written(text)
    if isinstance(structure, AlterTable):
        return list(altered(schema, structure, written))
    if isinstance(structure, Drop):
        return list(_drop(schema, structure, written))
    read = _READERS.get(type(structure))
    return [read(schema, structure, written) if read else untold(f"`{_first_line(text)}`")]


def _first_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"


# Tables


def _create_table(schema: WrittenSchema, create: CreateTable, written: Written) -> Inverse:
    name = schema.fold(create.name)
    if create.temporary or (create.if_not_exists and name in schema.tables):
        return Inverse()
    table = WrittenTable(spelled(create.name), text=written.text, is_made=True)
    table.is_complete = bool(create.columns) and create.query is None and not create.module
    for column in create.columns:
        table.columns[schema.fold(column.name)] = column_of(schema, column, written)
    table.clauses = [clause_of(schema, own, written) for own in create.constraints]
    table.options = "".join(f" {written.piece(option.span)}" for option in create.options)
    schema.tables[name] = table
    schema.name_constraints(name)
    return Inverse([f"DROP TABLE IF EXISTS {table.name}"], table=table)


def _create_index(schema: WrittenSchema, create: CreateIndex, written: Written) -> Inverse:
    table = schema.tables.get(schema.fold(create.table))
    given = sorted(schema.database.state.placed)  # PostgreSQL makes up a name where there is none.
    if create.name is None and not given:
        return untold(f"an index of `{create.table.name}` that has no name")
    name = spelled(create.name) if create.name is not None else shown_name(given[0])
    key = ("index", schema.fold(create.name) if create.name is not None else given[0])
    if create.if_not_exists and key in schema.objects:
        return Inverse()
    how = "CONCURRENTLY " if create.concurrently else ""
    text = (
        written.text if create.name is not None else _ON.sub(f" {name} ON ", written.text, count=1)
    )
    schema.objects[key] = WrittenObject(text, f"DROP INDEX {how}IF EXISTS {name}", table)
    return _made(key, schema.objects[key])


def _made(key: Key, thing: WrittenObject) -> Inverse:
    """Return what takes an object back, and whether it goes with its table anyway."""
    is_with_table = thing.table is not None and thing.table.is_made
    return Inverse([thing.drop], table=thing.table, goes_with=key if is_with_table else None)


# Other objects


def _create_object(schema: WrittenSchema, create: CreateObject, written: Written) -> Inverse:
    if create.temporary:
        return Inverse()
    if create.what in _STAYING:
        return Inverse(remarks=[f"The {create.what} stays: others may need it."])
    if create.name is None:
        return untold(f"`{_first_line(written.text)}`")
    key = _key(schema, create.what, create.name, create.table)
    before = schema.objects.get(key)
    if before is not None and create.if_not_exists:
        return Inverse()
    table = schema.tables.get(schema.fold(create.table)) if create.table is not None else None
    made = WrittenObject(written.text, _drop_text(schema, create), table)
    schema.objects[key] = made
    schema.changed.append(made)
    if before is None:
        undone = _made(key, made)
        if create.what in _ON_TABLES and _calls_new_function(schema, made):
            undone.goes_with = None  # The function goes before the table does.
        return undone
    if create.what in _ROUTINES:
        return undoing(_CREATE.sub("CREATE OR REPLACE ", before.text, count=1))
    return undoing(made.drop, before.text)


def _calls_new_function(schema: WrittenSchema, trigger: WrittenObject) -> bool:
    """Return whether a trigger calls a function that the same migration has made."""
    return any(
        key[0] == "function" and mentions(trigger.text, key[1], schema.fold_token)
        for key, thing in schema.objects.items()
        if thing in schema.changed
    )


def _key(schema: WrittenSchema, what: str, name: SqlName, table: SqlName | None) -> Key:
    kind, own = _KINDS.get(what, what), schema.fold(name)
    is_of_table = kind in _ON_TABLES and table is not None and not schema.is_sqlite
    return kind, f"{schema.fold(table)}.{own}" if is_of_table and table is not None else own


def _drop_text(schema: WrittenSchema, create: CreateObject) -> str:
    """Return how an object is dropped."""
    kind = _KINDS.get(create.what, create.what).upper()
    name = spelled(create.name) if create.name is not None else ""
    if create.what in _ON_TABLES and create.table is not None and not schema.is_sqlite:
        return f"DROP {kind} IF EXISTS {name} ON {spelled(create.table)}"
    arguments = ""
    if create.what in _ROUTINES and create.rest is not None:
        kind = create.what.upper()
        arguments = _arguments(create.rest.tokens)
    return f"DROP {kind} IF EXISTS {name}{arguments}"


def _arguments(tokens: tuple[str, ...]) -> str:
    """Return the arguments of a function without their defaults, in parentheses."""
    kept: list[str] = []
    depth, is_default = 0, False
    for word in tokens:
        depth += (word == "(") - (word == ")")
        if depth == 1 and word == ",":
            is_default = False
        is_default |= word.upper() in {"DEFAULT", "="}
        if not is_default or depth == 0:
            kept.append(word)
        if depth == 0:
            break
    return _close("".join(f" {token}" for token in kept))


def _close(text: str) -> str:
    """Return tokens with spaces between them as one writes them."""
    return re.sub(r" ?([(),\[\].]) ?", r"\1", text).replace(",", ", ").strip()


def _drop(schema: WrittenSchema, drop: Drop, written: Written) -> Inverses:
    for name in drop.names:
        if drop.what == "table":
            yield _drop_table(schema, name, is_cascading=drop.cascade)
        else:
            if drop.cascade and drop.what in _ROUTINES:
                yield _calling(schema, schema.fold(name))  # It comes back after the function.
            yield _drop_object(schema, drop, name, written)
    if drop.cascade:
        yield _gone_with_it(schema)


def _drop_table(schema: WrittenSchema, name: SqlName, *, is_cascading: bool) -> Inverse:
    own = schema.fold(name)
    table = schema.tables.get(own)
    if table is None:
        return Inverse(remarks=[f"No migration before made `{name.name}`: it is not brought back."])
    referring = _foreign_keys(schema, own) if is_cascading else []
    schema.drop(own)
    if not table.is_complete:
        return untold(f"the table `{name.name}`, whose columns a query or another table gave it")
    return Inverse([table.creation, *table.hangers, *referring], table=table, makes=table)


def _foreign_keys(schema: WrittenSchema, name: str) -> list[str]:
    """Take the foreign keys away that refer to a table, and return what brings them back."""
    found = []
    for table, clause in schema.referring(name):
        column = next((own for own, kept in table.every_clause() if kept is clause), None)
        holder = column.clauses if column is not None else table.clauses
        holder.remove(clause)
        table.change()
        key = f"FOREIGN KEY ({column.name}) " if column is not None else ""
        found.append(f"ALTER TABLE {table.name} ADD {key}{clause.text}")
    return found


def _gone_with_it(schema: WrittenSchema) -> Inverse:
    """Return what brings back the views that went with a relation."""
    state = schema.database.state
    gone = [key for key in schema.objects if key[0].endswith("view") and state.is_gone(key[1])]
    return undoing(*(schema.objects.pop(key).text for key in gone))


def _calling(schema: WrittenSchema, function: str) -> Inverse:
    """Take the triggers away that call a function, and return what brings them back."""
    fold = schema.fold_token
    found = [
        key
        for key, thing in schema.objects.items()
        if key[0] == "trigger" and mentions(thing.text, function, fold)
    ]
    return undoing(*(schema.objects.pop(key).text for key in found))


def _drop_object(schema: WrittenSchema, drop: Drop, name: SqlName, written: Written) -> Inverse:
    key = _key(schema, drop.what, name, drop.table)
    thing = schema.objects.pop(key, None)
    if thing is not None:
        schema.brought_back.add(key)
        return undoing(thing.text)
    if drop.if_exists:
        return Inverse()
    return untold(f"`{_first_line(written.text)}`, which no migration before made")


def _alter_object(schema: WrittenSchema, alter: AlterObject, written: Written) -> Inverse:
    if alter.name is None or alter.new_name is None:
        return _other_change(schema, alter, written)
    kind, old = _KINDS.get(alter.what, alter.what), schema.fold(alter.name)
    thing = schema.objects.pop((kind, old), None)
    new = spelled(alter.new_name)
    if thing is not None:
        thing.rename(old, new, schema.fold_token)
        schema.objects[kind, schema.fold(alter.new_name)] = thing
    if kind == "type":
        schema.rename_type(old, new)
    return undoing(f"ALTER {alter.what.upper()} {new} RENAME TO {alter.name.name}")


def _other_change(schema: WrittenSchema, alter: AlterObject, written: Written) -> Inverse:
    found = enum_altered(schema, alter) if alter.what == "type" else None
    return found if found is not None else untold(f"`{_first_line(written.text)}`")


# Rows, and all else


def _change(schema: WrittenSchema, change: Change, written: Written) -> Inverse:
    """Return how rows are copied back; of others a remark that they stay as they are."""
    table = schema.tables.get(schema.fold(change.table)) if change.table is not None else None
    copied = copy_of(schema, change) if change.verb == "INSERT" else None
    if copied is not None:
        schema.copies.append(copied)
        return Inverse(copy=copied)
    if table is not None and table.is_made:
        return Inverse()
    return Inverse(remarks=[f"Rows are not taken back: `{_first_line(written.text)}`."])


def _query(_schema: WrittenSchema, query: Query, written: Written) -> Inverse:
    return Inverse() if query.constant else untold(f"`{_first_line(written.text)}`")


def _other(schema: WrittenSchema, _other: OtherStatement, written: Written) -> Inverse:
    """Return the comment that stood before, for that is all of these that can be followed."""
    comment = _COMMENT.match(written.text)
    if comment is None:
        return untold(f"`{_first_line(written.text)}`")
    before = schema.comments.get(comment[1], "NULL")
    schema.comments[comment[1]] = comment[2]
    table = _commented(schema, comment[1])
    if table is not None and table.is_made:
        return Inverse()
    return undoing(f"COMMENT ON {comment[1]} IS {before}")


def _commented(schema: WrittenSchema, what: str) -> WrittenTable | None:
    """Return the table that a comment is about: it, or a column of it."""
    kind, _, name = what.partition(" ")
    own = name.strip().rpartition(".")[0] if kind.upper() == "COLUMN" else name.strip()
    return schema.tables.get(schema.fold_token(own.rpartition(".")[2]))


def _transaction(_schema: WrittenSchema, _own: Transaction, _written: Written) -> Inverse:
    return Inverse()


_READERS: Final[dict[type, Callable[[WrittenSchema, Any, Written], Inverse]]] = {
    CreateTable: _create_table,
    CreateIndex: _create_index,
    CreateObject: _create_object,
    AlterObject: _alter_object,
    Change: _change,
    Query: _query,
    OtherStatement: _other,
    Transaction: _transaction,
}
