"""What SQL declares, in records that are frozen, picklable, and each carry their place.

They say what is written, not what an engine makes of it: no dialect is applied, no name is folded
and no type is mapped. All spans are as `dal_audit.facts.Span` describes.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from dal_audit.facts import Edit, FactRecord, Span, TaggedFact
from dal_audit.facts.models import ModelOperation
from dal_audit.facts.sql_constructs import (
    PlaceholderForm,
    Rewriting,
    SqlCall,
    SqlConstruct,
    SqlPlaceholder,
)
from dal_audit.facts.sql_names import ANY_NAME, MODEL_TABLE, SqlName, SqlType
from dal_audit.facts.sql_trees import ChangeTree, Operand, QueryTree

__all__ = [
    "ANY_NAME",
    "MODEL_TABLE",
    "ActionKind",
    "AlterAction",
    "AlterObject",
    "AlterTable",
    "Change",
    "Clause",
    "Column",
    "Constraint",
    "ConstraintKind",
    "CreateIndex",
    "CreateObject",
    "CreateTable",
    "Drop",
    "Expression",
    "Key",
    "OtherStatement",
    "PlaceholderForm",
    "Query",
    "Rewriting",
    "SqlCall",
    "SqlConstruct",
    "SqlName",
    "SqlPlaceholder",
    "SqlStatement",
    "SqlType",
    "Structure",
    "Transaction",
]


class Expression(FactRecord, frozen=True):
    """A stretch of SQL: its tokens, as they are spelled.

    `tree` is what it says; None where it is no expression and no query, or was not read as one.
    """

    span: Span
    tokens: tuple[str, ...]
    tree: Operand | QueryTree | None = None

    @property
    def text(self) -> str:
        """The tokens with one space between them: for comparing, and not for running."""
        return " ".join(self.tokens)


ConstraintKind: TypeAlias = Literal[
    "not-null",
    "null",
    "primary-key",
    "unique",
    "default",
    "check",
    "references",
    "generated",
    "identity",
    "collate",
    "exclude",
    "on-update",
    "comment",
    "index",
    "other",
]
"""What a constraint asks for.

`references` is a foreign key, of a column or of a table; `on-update`, `comment` and `index` are
clauses of MySQL's that stand where constraints do; `other` is a clause that constrains nothing.
"""


class Key(FactRecord, frozen=True):
    """A column, or an expression, in a key or an index; `words` are what follows it (`DESC`)."""

    span: Span
    column: str
    expression: Expression
    words: tuple[str, ...] = ()


class Constraint(FactRecord, frozen=True):
    """A constraint of a column or of a table.

    `name` is what stands after `CONSTRAINT`. `expression` is that of a default, a check, a
    generated column; `table` and `referenced` are what a foreign key refers to; `actions` are the
    events and actions that it names (`("delete", "set null")`); `words` are the other words of it
    in capitals, with what they take (`AUTOINCREMENT`, `STORED`, `ON CONFLICT IGNORE`).
    """

    span: Span
    kind: ConstraintKind
    name: SqlName | None = None
    keys: tuple[Key, ...] = ()
    expression: Expression | None = None
    table: SqlName | None = None
    referenced: tuple[str, ...] = ()
    actions: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()


class Column(FactRecord, frozen=True):
    """A column of a table; SQLite's may lack a type."""

    span: Span
    name: SqlName
    type: SqlType | None
    constraints: tuple[Constraint, ...] = ()


class Clause(FactRecord, frozen=True):
    """A clause of a statement: its first words in capitals, and all its tokens."""

    span: Span
    words: tuple[str, ...]
    tokens: tuple[str, ...]


class CreateTable(TaggedFact, frozen=True):
    """`CREATE TABLE`; `query` is what stands after `AS`, `module` what a virtual table is of."""

    name: SqlName
    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    options: tuple[Clause, ...] = ()
    if_not_exists: bool = False
    temporary: bool = False
    query: Expression | None = None
    module: str = ""


class CreateIndex(TaggedFact, frozen=True):
    """`CREATE INDEX`; `name` is None where PostgreSQL makes one up, `options` follow the keys."""

    name: SqlName | None
    table: SqlName
    keys: tuple[Key, ...]
    unique: bool = False
    if_not_exists: bool = False
    concurrently: Span | None = None
    method: str = ""
    where: Expression | None = None
    options: tuple[Clause, ...] = ()


ActionKind: TypeAlias = Literal[
    "add-column",
    "add-constraint",
    "drop-column",
    "drop-constraint",
    "alter-type",
    "set-default",
    "drop-default",
    "set-not-null",
    "drop-not-null",
    "rename-table",
    "rename-column",
    "rename-constraint",
    "set-schema",
    "other",
]


class AlterAction(FactRecord, frozen=True):
    """One action of an `ALTER TABLE`.

    `name` is the column or constraint that it is about, `new_name` what that is renamed to;
    `words` are the first words of an action in capitals.
    """

    span: Span
    kind: ActionKind
    words: tuple[str, ...]
    name: SqlName | None = None
    new_name: SqlName | None = None
    column: Column | None = None
    constraint: Constraint | None = None
    type: SqlType | None = None
    expression: Expression | None = None
    if_exists: bool = False
    if_not_exists: bool = False
    cascade: bool = False


class AlterTable(TaggedFact, frozen=True):
    """`ALTER TABLE` with its actions, in order."""

    table: SqlName
    actions: tuple[AlterAction, ...]
    if_exists: bool = False
    rebuilds: bool = False
    """Whether it is done by a copy: a new table is made, filled, and takes the old one's name."""
    knows_names: bool = False
    """Whether it is known what an operation calls constraints to which the code gives no name."""
    convention: tuple[tuple[str, str], ...] = ()
    """What a copy calls constraints that have no name yet: templates by kinds of constraints."""


class CreateObject(TaggedFact, frozen=True):
    """`CREATE` of anything but a table or an index.

    `what` says of what, in lower case (`view`, `materialized view`, `trigger`, `function`, `enum`).
    `table` is a trigger's or a policy's, `type` what a domain is of, `values` are an enumeration's
    labels, `rest` is all that follows the name.
    """

    what: str
    name: SqlName | None
    or_replace: bool = False
    if_not_exists: bool = False
    temporary: bool = False
    table: SqlName | None = None
    type: SqlType | None = None
    values: tuple[str, ...] = ()
    rest: Expression | None = None


class AlterObject(TaggedFact, frozen=True):
    """`ALTER` of anything but a table; `new_name` is set where it renames."""

    what: str
    name: SqlName | None
    new_name: SqlName | None = None
    rest: Expression | None = None
    if_exists: bool = False


class Drop(TaggedFact, frozen=True):
    """`DROP`: of what (in lower case), and which; `table` is a trigger's.

    `arguments` count what stands in the parentheses after each name: None where there are none.
    """

    what: str
    names: tuple[SqlName, ...]
    if_exists: bool = False
    cascade: bool = False
    table: SqlName | None = None
    arguments: tuple[int | None, ...] = ()


class Change(TaggedFact, frozen=True):
    """`INSERT`, `REPLACE`, `UPDATE`, `DELETE`, `TRUNCATE` or `MERGE`, and the table in question.

    `columns` are those that an `INSERT` lists. `conflict` is its `ON CONFLICT` or
    `ON DUPLICATE KEY`, or the `OR IGNORE` after the verb. `source` is where the rows come from, or
    what is done to which: of `VALUES` the first row, of all else what follows the table and its
    columns; the whole statement where it begins with `WITH`. `further` are the next rows of
    `VALUES`, each value the literal that it is, empty where it is anything else. `tree`
    is None where it was not read.
    """

    verb: str
    table: SqlName | None
    columns: tuple[SqlName, ...] = ()
    conflict: Clause | None = None
    source: Expression | None = None
    further: tuple[tuple[str, ...], ...] = ()
    tree: ChangeTree | None = None


class Query(TaggedFact, frozen=True):
    """A statement that reads: `SELECT`, `VALUES`, `TABLE`, or `WITH` before one of them.

    A `constant` one reads no table and calls nothing: `SELECT 1`. `tree` is None where it was not
    read.
    """

    verb: str
    constant: bool = False
    tree: QueryTree | None = None


class Transaction(TaggedFact, frozen=True):
    """`BEGIN`, `COMMIT`, `ROLLBACK`, `SAVEPOINT` and the like: their words in capitals."""

    words: tuple[str, ...]


class OtherStatement(TaggedFact, frozen=True):
    """Any other statement: its first words in capitals; `body` is the text of a `DO` block."""

    words: tuple[str, ...]
    body: str = ""


Structure: TypeAlias = (
    CreateTable
    | CreateIndex
    | AlterTable
    | CreateObject
    | AlterObject
    | Drop
    | Change
    | Query
    | Transaction
    | OtherStatement
    | ModelOperation
)


class Embedding(FactRecord, frozen=True):
    """The code that a statement stands in, or that does what the statement says.

    `lines` are the first and the last line on which a comment is about it. `engines` run it, as
    far as branches and the names of classes tell; None for all, and `other` for those that have no
    name here. `how` is the call as a message names it, `receivers` the dotted names that its
    receiver comes from. What `is_guarded` may fail without harm, or looks first at what stands;
    what `is_optional` is run under a condition of any kind.
    """

    lines: tuple[int, int]
    engines: tuple[str, ...] | None = None
    how: str = ""
    receivers: tuple[str, ...] = ()
    is_guarded: bool = False
    is_optional: bool = False
    is_operation: bool = False
    """Whether it is what an operation of a migration tool comes to."""
    is_unread: bool = False
    """Whether it stands for an operation of which only the names in it are known."""
    guard: Edit | None = None
    """The edit of an operation that lets it be run again, where an argument does so."""
    condition: Edit | None = None
    """The place of an operation, and the condition under which it has still to be run."""


class SqlFileName(TaggedFact, frozen=True):
    """A text in code that names a file of SQL, such as one that is read and run."""

    span: Span
    name: str


class SqlStatement(TaggedFact, frozen=True):
    """A statement of an SQL text.

    `part` is `up` or `down` where the file's markers say so, else empty. `head` is its verb in
    capitals, with what it makes, alters or drops (`CREATE TABLE`). `structure` is None where it was
    not understood: then `flaw` says why, and `flaw_span` where; they also do where only what lies
    in its clauses was not. `is_template` says that only what fills in a template knows what it is.
    `comments` are those in it, and those between the statement before and it. `within` is there
    where it stands in code, or is what an operation comes to; its places are in that code then.
    """

    span: Span
    head: str
    structure: Structure | None
    part: Literal["", "up", "down"] = ""
    flaw: str = ""
    flaw_span: Span | None = None
    comments: tuple[str, ...] = ()
    constructs: tuple[SqlConstruct, ...] = ()
    placeholders: tuple[SqlPlaceholder, ...] = ()
    calls: tuple[SqlCall, ...] = ()
    is_template: bool = False
    within: Embedding | None = None
