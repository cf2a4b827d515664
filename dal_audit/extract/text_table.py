"""One text for all that are equal: most names stand in many files, and in many places of one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from msgspec.structs import force_setattr

from dal_audit.facts import FactRecord, ReadDepth, Span

Facts = TypeVar("Facts", bound=Iterable[FactRecord])


class TextTable:
    """The texts that facts hold: where they are read back, each is an object of its own.

    A table is for as long as facts come in. It takes memory itself.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._texts: dict[str, str] = {}
        self._several: dict[tuple[str, ...], tuple[str, ...]] = {}

    def shared(
        self, facts: Facts, attention: ReadDepth, importing: tuple[str, ...] | None
    ) -> tuple[Facts, ReadDepth, tuple[str, ...] | None]:
        """Return what a file says, its path apart, with the table's texts."""
        self._share_in(facts)
        return facts, attention, importing and self._shared(importing)

    def _shared(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        known = self._several.get(texts)
        if known is None:
            share = self._texts.setdefault
            known = tuple([share(text, text) for text in texts])
            self._several[known] = known
        return known

    def _share_in(self, records: Iterable[FactRecord]) -> None:
        """Replace texts by those of the table in records, and in the records within."""
        for record in records:
            for name in record.__struct_fields__:
                value = getattr(record, name)
                if type(value) is str:
                    force_setattr(record, name, self._texts.setdefault(value, value))
                elif type(value) is tuple and value:
                    self._share_several(record, name, value)

    def _share_several(self, record: FactRecord, name: str, value: tuple[Any, ...]) -> None:
        if type(value[0]) is str:
            force_setattr(record, name, self._shared(value))
        elif isinstance(value[0], FactRecord) and type(value[0]) is not Span:
            self._share_in(value)
