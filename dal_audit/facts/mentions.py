"""Which names a module's definitions mention."""

from __future__ import annotations

from typing import Final, TypeAlias

from dal_audit.facts.record_bytes import Unpacking
from dal_audit.facts.source import Span, TaggedFact

Definition: TypeAlias = tuple[str, tuple[str, ...]]
"""The name of a definition, and the names that it mentions."""

_DEFINITIONS: Final[Unpacking[Definition]] = Unpacking(Definition)


class NameMentions(TaggedFact, frozen=True):
    """Which of a module's names the text of its definitions mentions, where classes inherit.

    `definitions` are its functions, classes and other names of its outermost block; what they
    mention are such names, and what is imported anywhere in the module. Comments and texts count:
    what is not mentioned is not used.
    """

    span: Span
    packed_definitions: bytes | tuple[Definition, ...]
    """Its definitions as they are held (`packed`)."""

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """The definitions by their names, each with what it mentions."""
        return _DEFINITIONS(self.packed_definitions)
