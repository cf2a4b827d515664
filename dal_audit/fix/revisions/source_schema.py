"""What stands after each revision, as its operations were written."""

from __future__ import annotations

from dal_audit.extract.operations.revision_source import Action, text_of
from dal_audit.extract.operations.terms import Term
from dal_audit.fix.revisions.source_table import (
    CONSTRAINTS,
    SourceIndex,
    SourceTable,
    enumerations_in,
)
from dal_audit.fix.revisions.table_changes import CHANGES, add_column_to


class SourceSchema:
    """All tables by their names, and the enumerations by theirs."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.tables: dict[str, SourceTable] = {}
        self.enumerations: dict[str, Term] = {}
        self.made: set[str] = set()
        """The enumerations that the revision which is followed has made."""

    def begin(self) -> None:
        """Begin a revision: what stands now was not made by it."""
        self.made.clear()
        for table in self.tables.values():
            table.is_made = False

    def copy(self) -> SourceSchema:
        """Return a schema that can change by itself."""
        found = SourceSchema()
        found.tables = {name: table.copy() for name, table in self.tables.items()}
        found.enumerations = {**self.enumerations}
        found.made = {*self.made}
        return found

    def table_of(self, action: Action) -> SourceTable | None:
        """Return the table of an action; None where it is not known."""
        return self.tables.get(key_of(action))

    def apply(self, action: Action) -> None:
        """Run an action."""
        run = CHANGES.get(action.name)
        table = self.table_of(action)
        if action.name == "create_table":
            self._create(action)
        elif action.name == "drop_table":
            self.tables.pop(key_of(action), None)
        elif action.name in {"create", "drop"}:
            self._enumeration(action)
        elif action.name == "drop_index":
            self._drop_index(action)
        elif action.name == "rename_table":
            self._rename(action)
        elif table is not None and run is not None:
            run(table, action)
            table.is_complete &= action.is_whole
        elif action.name in {"", "execute"}:
            self._opaque(action)

    def _opaque(self, action: Action) -> None:
        """Doubt the tables of which code speaks that is not followed."""
        for name, table in self.tables.items():
            is_named = any(
                name.rpartition(".")[2] in text for text in action.sql.get("postgresql", ())
            )
            if action.name == "" or (is_named and _is_of_schema(action)):
                table.is_complete &= action.name != ""

    def _create(self, action: Action) -> None:
        key = key_of(action)
        name = action.arguments.get("table_name")
        if name is None:
            return
        options = tuple(
            pair
            for pair in action.arguments.items()
            if pair[0] not in {"table_name", "if_not_exists"}
        )
        table = SourceTable(name, options=options, is_complete=action.is_whole, is_made=True)
        for part in action.rest:
            if part.last_name == "Column" and part.arguments:
                add_column_to(table, part)
            elif part.last_name in CONSTRAINTS:
                table.constraints.append(part)
            elif part.last_name == "Index" and part.arguments:
                own = SourceIndex(
                    part.arguments[0], Term("list", arguments=part.arguments[1:]), part.keywords
                )
                table.indexes[text_of(part.arguments[0])] = own
            else:
                table.is_complete = False  # It is not known, or a part of another kind.
            self._note_made(part)
        self.tables[key] = table

    def _note_made(self, part: Term) -> None:
        for enumeration in enumerations_in(part):
            name = text_of(enumeration.keyword("name"))
            is_made = not any(
                key == "create_type" and value.value == "False"
                for key, value in enumeration.keywords
            )
            if name not in self.enumerations and is_made:
                self.enumerations[name] = enumeration
                self.made.add(name)

    def _enumeration(self, action: Action) -> None:
        name = text_of(action.owner.keyword("name")) if action.owner is not None else ""
        if not name or action.owner is None:
            return
        if action.name == "drop":
            self.enumerations.pop(name, None)
        elif name not in self.enumerations:
            self.enumerations[name] = action.owner
            self.made.add(name)

    def _drop_index(self, action: Action) -> None:
        for table in self.tables.values():
            table.indexes.pop(action.text("index_name"), None)

    def _rename(self, action: Action) -> None:
        table = self.tables.pop(action.text("old_table_name"), None)
        new = action.term("new_table_name")
        if table is not None and new is not None:
            table.name = new
            self.tables[text_of(new)] = table

    def holder(self, index: str) -> tuple[SourceTable, SourceIndex] | None:
        """Return the index of a name, and its table; None where it is not known."""
        for table in self.tables.values():
            if index in table.indexes:
                return table, table.indexes[index]
        return None


def key_of(action: Action) -> str:
    """Return the name by which a table is found, with its schema where that is said."""
    term = action.term("table_name")
    name = action.text("table_name") or (term.value if term is not None else "")
    schema = action.text("schema")
    return f"{schema}.{name}" if schema else name


def _is_of_schema(action: Action) -> bool:
    """Return whether SQL changes more than rows."""
    words = [
        text.split(None, 1)[0].upper() for text in action.sql.get("postgresql", ()) if text.split()
    ]
    return not {*words} <= {"INSERT", "UPDATE", "DELETE", "SELECT", "COMMENT"}
