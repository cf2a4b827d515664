"""What takes back a change of an enumeration's labels.

PostgreSQL removes no label from a type (sql-altertype.html): the type is made anew as it was, and
the columns that are of it are made to be of the new one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from dal_audit.extract.sql.tokens import Kind, tokenize
from dal_audit.facts.sql import AlterObject
from dal_audit.fix.downs.record import Inverse, undoing, untold
from dal_audit.fix.downs.written_schema import WrittenColumn, WrittenObject, WrittenSchema, spelled

_ARRAY: Final = re.compile(r"\s*\[\s*\]\Z")


def enum_altered(schema: WrittenSchema, alter: AlterObject) -> Inverse | None:
    """Run a change of labels, and return what takes it back; None where it is another change."""
    tokens = alter.rest.tokens if alter.rest is not None else ()
    words = [token.upper() for token in tokens]
    if alter.name is None or words[1:2] != ["VALUE"]:
        return None
    labels = [token for token in tokens if token.startswith("'")]
    key = ("type", schema.fold(alter.name))
    name, thing = spelled(alter.name), schema.objects.get(key)
    if words[0] == "RENAME":
        if thing is not None:
            thing.text = thing.text.replace(labels[0], labels[1])
        _rename_in_defaults(schema, key[1], *labels)
        return undoing(f"ALTER TYPE {name} RENAME VALUE {labels[1]} TO {labels[0]}")
    if thing is None:
        return untold(f"the label {labels[0]}", "no migration before made its type")
    return _added(schema, (name, thing), labels, words)


def _added(
    schema: WrittenSchema,
    named: tuple[str, WrittenObject],
    labels: Sequence[str],
    words: Sequence[str],
) -> Inverse:
    """Add a label, and return what makes the type as it was before the migration."""
    name, thing = named
    before = thing.text
    present = [token.text for token in tokenize(before) if token.kind is Kind.STRING]
    if labels[0] in present:
        return Inverse()
    at = len(present)
    if len(labels) > 1 and labels[1] in present:
        at = present.index(labels[1]) + ("AFTER" in words)
    present.insert(at, labels[0])
    thing.text = f"CREATE TYPE {name} AS ENUM ({', '.join(present)})"
    if thing in schema.changed:
        return Inverse()  # It goes with the type as it is now.
    schema.changed.append(thing)
    old = f'{name[:-1]}_old"' if name.endswith('"') else f"{name}_old"
    return Inverse(
        [
            f"ALTER TYPE {name} RENAME TO {old.rpartition('.')[2]}",
            before,
            *_columns_changed(schema, name),
            f"DROP TYPE {old}",
        ],
        risks=[f"rows may hold {labels[0]} by then"],
    )


def _columns_changed(schema: WrittenSchema, name: str) -> Iterator[str]:
    """Yield what makes the columns of a type to be of the new one of its name."""
    for table in schema.tables.values():
        for column in table.columns.values():
            if not _is_of(schema, column, schema.fold_token(name)):
                continue
            default = column.clause("default")
            begin = f"ALTER TABLE {table.name} ALTER COLUMN {column.name}"
            array = "[]" if _ARRAY.search(column.type) else ""
            if default is not None:
                yield f"{begin} DROP DEFAULT"
            yield f"{begin} TYPE {name}{array} USING {column.name}::text{array}::{name}{array}"
            if default is not None:
                yield f"{begin} SET {default.text}"


def _is_of(schema: WrittenSchema, column: WrittenColumn, name: str) -> bool:
    return bool(name) and schema.fold_token(_ARRAY.sub("", column.type)) == name


def _rename_in_defaults(schema: WrittenSchema, name: str, old: str, new: str) -> None:
    """Let the defaults of a type's columns name a label as it is called now."""
    for table in schema.tables.values():
        for column in table.columns.values():
            default = column.clause("default")
            if default is not None and _is_of(schema, column, name):
                default.text = default.text.replace(old, new)
                table.change()
