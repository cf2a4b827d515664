"""What is recognised in the text of a statement: constructs, calls and placeholders."""

from __future__ import annotations

from typing import Literal, TypeAlias

from dal_audit.facts import Edit, FactRecord, Span


class Rewriting(FactRecord, frozen=True):
    """How a construct is spelled portably: the edits, and which of the row's respellings it is.

    `names_result` says that the construct may name a column of a result, so that another spelling
    may give that column another name.
    """

    edits: tuple[Edit, ...]
    respelling: int
    names_result: bool = False


class SqlConstruct(FactRecord, frozen=True):
    """A place in a statement where a row of the portability catalogue was recognised.

    `feature` is the row's id; `first` and `last` count the statement's tokens from 0, the last
    exclusive, so that one construct can be told to lie in another. `rewriting` is there where the
    row says how such a text is spelled portably.
    """

    span: Span
    feature: str
    first: int
    last: int
    rewriting: Rewriting | None = None
    called: str = ""
    """The function that it calls, in lower case; told of statements in code alone."""


class SqlCall(FactRecord, frozen=True):
    """A call of a function that engines do not have, by their own lists: its name as written.

    `lacked_by` are those engines; `first` and `last` count tokens as a `SqlConstruct`'s do.
    """

    span: Span
    name: str
    lacked_by: tuple[str, ...]
    first: int
    last: int


PlaceholderForm: TypeAlias = Literal[
    "dollar", "dollar-name", "question", "numbered-question", "colon", "at", "percent"
]
"""How a parameter is written: `$1`, `$name`, `?`, `?1`, `:name`, `@name`, `%s` or `%(name)s`."""


class SqlPlaceholder(FactRecord, frozen=True):
    """A parameter of a statement, as written."""

    span: Span
    form: PlaceholderForm
    text: str
