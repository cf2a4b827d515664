"""What stands in a database as it was written: the texts that make its objects once more.

What stands, and what it is called, the simulated database says (`dal_audit.schema`); here is how it
is spelled, which a comparison of schemas does not need and a way back does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from msgspec import Struct, field

from dal_audit.catalogue.engine_names import POSTGRESQL
from dal_audit.extract.source import Lines
from dal_audit.extract.sql.tokens import Kind, tokenize
from dal_audit.facts import Span
from dal_audit.facts.sql import ConstraintKind, SqlName
from dal_audit.schema import Database

Key: TypeAlias = tuple[str, str]
"""The kind of an object, and the folded name by which a backend finds it."""

Fold: TypeAlias = Callable[[str], str]
"""Returns the name that a token spells, as a backend finds it; empty where it spells none."""

_PLAIN_NAME: Final = re.compile(r"[a-z_][a-z0-9_$]*\Z")


class Written:
    """The text of a statement, and the pieces of it that spans name."""

    def __init__(self, text: str) -> None:
        """Take a statement without its delimiter; spans count from its first character."""
        self.text = text.strip()
        self._lines = Lines(text)

    def piece(self, span: Span) -> str:
        """Return what stands at a place."""
        start = self._lines.index(span.line, span.column)
        return self._lines.text[start : self._lines.index(span.end_line, span.end_column)]


def spelled(name: SqlName) -> str:
    """Return a name as SQL takes it: with quotes where it was written with them."""
    quoted = name.quoted or (False,) * len(name.parts)
    return ".".join(
        quoted_name(part) if is_quoted else part
        for part, is_quoted in zip(name.parts, quoted, strict=True)
    )


def quoted_name(name: str) -> str:
    """Return a name in quotes, which both engines take for one."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def told(name: str) -> str:
    """Return a name as a sentence tells it, without the quotes of SQL."""
    return f"`{name.replace(chr(34), '')}`"


def shown_name(name: str) -> str:
    """Return a folded name as SQL takes it: in quotes where it needs some."""
    return ".".join(
        part if _PLAIN_NAME.match(part) else quoted_name(part) for part in name.split(".")
    )


def names_in(text: str, fold: Fold) -> Iterator[tuple[int, int, str]]:
    """Yield the names in a text: where each begins and ends, and how it is folded."""
    for token in tokenize(text):
        if token.kind in {Kind.WORD, Kind.QUOTED}:
            yield token.start, token.end, fold(token.text)


def mentions(text: str, name: str, fold: Fold) -> bool:
    """Return whether a text speaks of a name."""
    return any(word == name for _, _, word in names_in(text, fold))


def with_name(text: str, old: str, new: str, fold: Fold) -> str:
    """Return a text with another name in all places of an old one, as a renaming leaves it."""
    pieces, position = [], 0
    for start, end, word in names_in(text, fold):
        if word == old:
            pieces += [text[position:start], new]
            position = end
    return "".join(pieces) + text[position:]


CONSTRAINTS: Final[frozenset[ConstraintKind]] = frozenset(
    {"primary-key", "unique", "references", "check", "exclude"}
)
"""The clauses to which an engine gives a name."""


class Clause(Struct):
    """A constraint, a default, or another clause of a table or a column, as it is written.

    `name` is the folded one of a constraint, be it given by the engine; `refers` is the folded
    name of the table that a foreign key is about.
    """

    kind: ConstraintKind
    text: str
    name: str = ""
    refers: str = ""


class WrittenColumn(Struct):
    """A column: its name and type as spelled, and its clauses in order."""

    name: str
    type: str
    clauses: list[Clause] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What makes the column, in a table or by `ADD COLUMN`."""
        words = [self.name, self.type, *(clause.text for clause in self.clauses)]
        return " ".join(filter(None, words))

    def clause(self, kind: ConstraintKind) -> Clause | None:
        """Return the clause of a kind; None where there is none."""
        return next((clause for clause in self.clauses if clause.kind == kind), None)

    def put(self, kind: ConstraintKind, text: str) -> None:
        """Let the clause of a kind be another one; an empty text takes it away."""
        self.clauses = [clause for clause in self.clauses if clause.kind != kind]
        if text:
            self.clauses.append(Clause(kind, text))

    @property
    def needs_value(self) -> bool:
        """Whether no row can do without a value for it."""
        kinds = {clause.kind for clause in self.clauses}
        is_filled = kinds & {"default", "generated", "identity"} or "serial" in self.type.lower()
        return "not-null" in kinds and not is_filled


class WrittenTable(Struct, eq=False):
    """A table: its columns by their folded names, its own clauses, and what follows the bracket.

    `text` is the statement that made it, empty once that does not say any more what it is.
    `is_made` and `is_dropped` say what the migration which is followed has done, and `is_remade`
    that it has let another table take its place, or that this is the other one.
    """

    name: str
    columns: dict[str, WrittenColumn] = field(default_factory=dict)
    clauses: list[Clause] = field(default_factory=list)
    options: str = ""
    text: str = ""
    is_complete: bool = True
    is_made: bool = False
    is_dropped: bool = False
    is_remade: bool = False
    hangers: list[str] = field(default_factory=list)
    """What makes all that hung on it when it was dropped."""

    @property
    def creation(self) -> str:
        """The statement that makes the table as it stands."""
        if self.text:
            return self.text
        rows = [column.text for column in self.columns.values()]
        rows += [clause.text for clause in self.clauses]
        body = ",\n".join(f"    {row}" for row in rows)
        return f"CREATE TABLE {self.name} (\n{body}\n){self.options}"

    def every_clause(self) -> Iterator[tuple[WrittenColumn | None, Clause]]:
        """Yield all clauses, each with the column whose it is, in the order of the text."""
        for column in self.columns.values():
            yield from ((column, clause) for clause in column.clauses)
        yield from ((None, clause) for clause in self.clauses)

    def pin_names(self) -> None:
        """Spell the names that the engine gave to constraints: it gives others another time."""
        self.change()
        for _, clause in self.every_clause():
            if clause.name and not clause.text.upper().startswith("CONSTRAINT "):
                clause.text = f"CONSTRAINT {shown_name(clause.name)} {clause.text}"

    def constraint(self, name: str) -> tuple[WrittenColumn | None, Clause] | None:
        """Return the constraint of a name, with the column whose it is."""
        return next((found for found in self.every_clause() if found[1].name == name), None)

    def change(self) -> None:
        """Note that the statement which made the table does not say any more what it is."""
        self.text = ""

    def rename_column(self, old: str, new: str, to: str, fold: Fold) -> None:
        """Give a column another name; `to` is how that is spelled."""
        self.change()
        self.columns = {
            (new if name == old else name): column for name, column in self.columns.items()
        }
        self.columns[new].name = to
        for _, clause in self.every_clause():
            clause.text = with_name(clause.text, old, to, fold)


class WrittenObject(Struct, eq=False):
    """Anything but a table: the statement that makes it, how it is dropped, and its table."""

    text: str
    drop: str
    table: WrittenTable | None = None

    def rename(self, old: str, to: str, fold: Fold) -> None:
        """Let another name stand in all places of an old one."""
        self.text = with_name(self.text, old, to, fold)
        self.drop = with_name(self.drop, old, to, fold)


class Copy(Struct):
    """An `INSERT` that copied rows from one table into another.

    `columns` are the names, as spelled, of those that were copied as they were: in the source, and
    in the target. `back` is the statement that copies them back; `why_not` says in a clause why it
    cannot.
    """

    source: WrittenTable
    target: WrittenTable
    columns: list[tuple[str, str]]
    why_not: str = ""
    back: str = ""

    def __post_init__(self) -> None:
        """Spell the way back by the names that the tables have now."""
        self.back = self.back or self.between(self.source.name, self.target.name)

    def between(self, source: str, target: str) -> str:
        """Return what copies the rows back, into and from tables of these names."""
        olds = ", ".join(old for old, _ in self.columns)
        news = ", ".join(new for _, new in self.columns)
        return f"INSERT INTO {source} ({olds}) SELECT {news} FROM {target}"  # noqa: S608  # it is written, and not run


class WrittenSchema:
    """All that stands on one backend, by its folded name."""

    def __init__(self, backend: str, *, is_shared: bool = False) -> None:
        """Begin with nothing; what stands, and how it is called, a simulated database tells.

        `is_shared` says that what takes something back is to be run on other backends, too.
        """
        self.has_guards = not is_shared and backend == POSTGRESQL
        """Whether `IF EXISTS` may stand where SQLite does not know it."""
        self.database = Database(backend)
        self.tables: dict[str, WrittenTable] = {}
        self.objects: dict[Key, WrittenObject] = {}
        self.comments: dict[str, str] = {}
        """What `COMMENT ON` said of each thing."""
        self.gone: dict[str, WrittenTable] = {}
        """The tables that the migration which is followed has dropped."""
        self.brought_back: set[Key] = set()
        """What hung on these: it comes back with them."""
        self.changed: list[WrittenObject] = []
        """The objects, as far as they are types, that it has made or given labels."""
        self.copies: list[Copy] = []
        """The rows that it has copied."""

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite's."""
        return self.database.state.is_sqlite

    def fold(self, name: SqlName) -> str:
        """Return the name by which the backend finds an object."""
        return self.database.state.fold(name)

    def fold_token(self, token: str) -> str:
        """Return the name that a token spells, as the backend folds it; empty where it is none."""
        return self.database.state.fold_token(token)

    def name_constraints(self, name: str) -> None:
        """Give the constraints of a table that have no name those that the engine gives them."""
        table, relation = self.tables[name], self.database.state.relations.get(name)
        clauses = [clause for _, clause in table.every_clause() if clause.kind in CONSTRAINTS]
        known = {clause.name for clause in clauses}
        given = relation.names("constraint") if relation is not None else []
        free = [constraint for constraint in given if constraint not in known]
        unnamed = [clause for clause in clauses if not clause.name]
        for clause, own in zip(unnamed, free, strict=False):
            clause.name = own

    def begin(self) -> None:
        """Begin a migration: what stands now was not made by it."""
        self.database.state.journal.clear()
        self.gone.clear()
        self.brought_back.clear()
        self.copies.clear()
        self.changed.clear()
        for table in self.tables.values():
            table.is_made = table.is_remade = False

    def on(self, table: WrittenTable) -> dict[Key, WrittenObject]:
        """Return what hangs on a table, in the order in which it was made."""
        return {key: thing for key, thing in self.objects.items() if thing.table is table}

    def drop(self, name: str) -> None:
        """Let a table go, with all that hangs on it."""
        table = self.tables.pop(name)
        table.is_dropped = True
        self.gone[name] = table
        for key, thing in self.on(table).items():
            table.hangers.append(thing.text)
            self.brought_back.add(key)
            del self.objects[key]

    def rename(self, old: str, new: str, to: str) -> None:
        """Give a table another name, also where others refer to it; `to` is how it is spelled."""
        table = self.tables.pop(old)
        table.name = to
        self.pin_names(table)
        self.tables[new] = table
        for thing in self.on(table).values():
            thing.rename(old, to, self.fold_token)
        for other, clause in self.referring(old):
            clause.text = with_name(clause.text, old, to, self.fold_token)
            clause.refers = new
            other.change()

    def rename_type(self, old: str, to: str) -> None:
        """Give a type another name where columns are of it, and where their clauses name it."""
        for table in self.tables.values():
            for column in table.columns.values():
                if mentions(column.text, old, self.fold_token):
                    table.change()
                column.type = with_name(column.type, old, to, self.fold_token)
                for clause in column.clauses:
                    clause.text = with_name(clause.text, old, to, self.fold_token)

    def pin_names(self, table: WrittenTable) -> None:
        """Spell the names of a table's constraints, where constraints have names of their own."""
        table.change()
        if not self.is_sqlite:
            table.pin_names()

    def referring(self, name: str) -> list[tuple[WrittenTable, Clause]]:
        """Return the foreign keys that refer to a table, with the tables whose they are."""
        return [
            (table, clause)
            for table in self.tables.values()
            for _, clause in table.every_clause()
            if clause.refers == name
        ]
