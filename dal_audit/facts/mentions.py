"""Which names a module's definitions mention."""

from __future__ import annotations

from dal_audit.facts.source import Span, TaggedFact


class NameMentions(TaggedFact, frozen=True):
    """Which of a module's names the text of its definitions mentions, where classes inherit.

    `definitions` are its functions, classes and other names of its outermost block; what they
    mention are such names, and what is imported anywhere in the module. Comments and texts count:
    what is not mentioned is not used.
    """

    span: Span
    definitions: tuple[tuple[str, tuple[str, ...]], ...]
