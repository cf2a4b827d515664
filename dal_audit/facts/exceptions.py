"""What handlers of exceptions do: which they catch together, and what they raise in their place."""

from __future__ import annotations

from dal_audit.facts.source import Span, TaggedFact


class ErrorTranslation(TaggedFact, frozen=True):
    """A handler that raises exceptions of another name than those that it catches.

    `span` is what it catches; `caught` and `raised` read like an `Export`'s origins, `raised` are
    the classes.
    """

    span: Span
    caught: tuple[str, ...]
    raised: tuple[str, ...]


class CaughtTuple(TaggedFact, frozen=True):
    """A tuple of exceptions that a handler catches: its place with brackets, and its parts'."""

    span: Span
    parts: tuple[Span, ...]


class HandlerTies(TaggedFact, frozen=True):
    """What ties a handler to the very exceptions that it catches, which stand at `span`.

    `beside` are the classes that other handlers of its `try` catch; `is_inspected` says that it
    reads of the exception what not every exception has (`error.sqlite_errorcode`).
    """

    span: Span
    beside: tuple[str, ...]
    is_inspected: bool
