"""Files that answer otherwise than at the last audit, and of which an audit would find the same.

That are those that say the same on other lines, and those that import more or less of what is none
of the project's. What is found in them lies on other lines, and that is all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import compress
from typing import Any, Final

from msgspec import MsgspecError, Raw, Struct
from msgspec.structs import replace

from dal_audit.assemble.import_leads import ImportLeads
from dal_audit.commands.kept_audit import KeptAsked
from dal_audit.extract.answers import Respondents
from dal_audit.extract.cache_kinds import FactsKind, Kind, decoder_of
from dal_audit.extract.inquiries import Answers, QuestionKind, digest_of
from dal_audit.extract.limits import MAX_PARSED_BYTES
from dal_audit.extract.line_moves import LineMoves
from dal_audit.facts import (
    AbstractValue,
    Export,
    Fact,
    Import,
    ModuleExports,
    SourceFile,
    ValueFacts,
)

_FACTS: Final[dict[QuestionKind, FactsKind]] = {
    "first": "first",
    "whole": "whole",
    "storage": "storage",
}
"""The questions that are answered by facts, beside how a file was read and what it imports."""

_VALUES: Final[dict[QuestionKind, Kind]] = {
    "accesses": "accesses",
    "named": "named",
    "embedded": "embedded",
}
"""Those that are answered by other facts."""

_OF_BYTES: Final = frozenset({"carriers", "sql", "accessed", "loads"})
"""The questions whose answers tell no place."""

_NOTHING: Final = frozenset({b"\x91\xc0", b"\x91\x90"})
"""The answers that hold nothing: no object, and no objects."""


class Moved(Struct, frozen=True):
    """What a file answers by now that says the same on other lines, by digests and in full."""

    moves: LineMoves
    answers: Answers
    said: dict[int, Raw]


class Comparison:
    """Compares what files answer with what they answered at the last audit, fact by fact."""

    def __init__(
        self,
        asked: KeptAsked,
        respondents: Respondents,
        kept: Callable[[str, Kind], bytes | Raw],
        strangers: AbstractSet[str],
    ) -> None:
        """Take what was asked; `kept` finds what was kept of a file, by its path and a kind.

        Names of `strangers`, modules of the standard library, tell nothing.
        """
        self._asked = asked
        self._respondents = respondents
        self._kept = kept
        self._strangers = strangers

    def moved(self, file: SourceFile) -> Moved | None:
        """Return what a file says by now; None where an audit could find something else."""
        if file.flaw or file.size > MAX_PARSED_BYTES:
            return None
        known = self._asked.answers[file.path]
        moves = LineMoves()
        said = {}
        try:
            for number, digest in known.each():
                said[number] = self._respondents.answer(number, file)
                if not self._is_alike(file.path, number, digest, said[number], moves):
                    return None
        except (MsgspecError, UnicodeError):
            return None
        digests = b"".join(map(digest_of, said.values()))
        answers = Answers(known.asked, digests, file.size)
        return Moved(moves, answers, {number: Raw(own) for number, own in said.items()})

    def _is_alike(
        self, path: str, number: int, digest: bytes, after: bytes, moves: LineMoves
    ) -> bool:
        """Return whether an answer is the same but for lines; note where those went."""
        kind = self._asked.questions[number].kind
        is_same = digest_of(after) == digest
        if kind not in _FACTS and kind not in _VALUES:
            return is_same and (kind in _OF_BYTES or after in _NOTHING)
        before = after if is_same else self._before(path, number, kind)
        if not is_same and digest_of(bytes(before)) != digest:
            return False
        if kind in _VALUES:
            decode = decoder_of(_VALUES[kind]).decode
            told, tells = (
                tuple(map(self._without_strangers, decode(own))) for own in (before, after)
            )
            return moves.covers(told, tells) and moves.are_in_order
        return self._are_facts_alike(_FACTS[kind], before, after, moves)

    def _before(self, path: str, number: int, kind: QuestionKind) -> bytes | Raw:
        """Return what a file answered before."""
        own = self._asked.edited.get(path, {}).get(number)
        return self._kept(path, (_FACTS | _VALUES)[kind]) if own is None else own

    def _are_facts_alike(
        self, kind: FactsKind, before: bytes | Raw, after: bytes, moves: LineMoves
    ) -> bool:
        decode = decoder_of(kind).decode
        (depth, imported, facts), (new_depth, imports, new_facts) = decode(before), decode(after)
        return (
            depth == new_depth
            and self._lead_alike(imported, imports)
            and moves.covers(self._own(facts), self._own(new_facts))
            and moves.are_in_order
        )

    def _own(self, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        """Return facts without the names of standard modules that a module has by its imports.

        They stand for nothing that is looked for. Where one could be in the way of a fix, all are
        left.
        """
        return facts if any(map(_catches, facts)) else tuple(map(self._without_strangers, facts))

    def _without_strangers(self, fact: Any) -> Any:
        """Return what a fact says of a module's other names, unless one is listed or bound anew.

        Where a star brings names, or they are made on demand, each name of its own may hide one.
        """
        if isinstance(fact, ModuleExports | ValueFacts) and fact.stars:
            return fact
        if isinstance(fact, ModuleExports) and not fact.is_dynamic:
            names = [export.name for export in fact.exports]
            left = self._left(names, map(self._is_stranger, fact.exports), fact.offered or ())
            return replace(fact, exports=tuple(compress(fact.exports, left)))
        if isinstance(fact, ValueFacts):
            names = [name for name, _ in fact.values]
            left = self._left(names, (self._are_strange(values) for _, values in fact.values), ())
            return replace(fact, values=tuple(compress(fact.values, left)))
        return fact

    @staticmethod
    def _left(
        names: Sequence[str], are_strange: Iterable[bool], listed: Iterable[str]
    ) -> list[bool]:
        """Return of each name whether it is told; all are, where a strange one counts for more."""
        found = list(are_strange)
        strange = set(compress(names, found))
        counts_more = {name for name, count in Counter(names).items() if count > 1}.union(listed)
        return [not is_so or not strange.isdisjoint(counts_more) for is_so in found]

    def _is_stranger(self, export: Export) -> bool:
        return export.made == "import" and all(map(self._is_standard, export.origins))

    def _are_strange(self, values: Iterable[AbstractValue]) -> bool:
        return all(
            not value.is_object and not value.steps and self._is_standard(value.origin)
            for value in values
        )

    def _is_standard(self, name: str) -> bool:
        return name.partition(".")[0] in self._strangers

    def _lead_alike(self, before: tuple[str, ...] | None, after: tuple[str, ...] | None) -> bool:
        """Return whether import statements lead to the same in the project."""
        if before is None or after is None or self._asked.imports_decide:
            return before == after
        removed, added = set(before) - set(after), set(after) - set(before)
        leads = ImportLeads(frozenset(self._asked.tops)) if removed or added else None
        return leads is None or not leads.among(removed | added)


def _catches(fact: Fact) -> bool:
    """Return whether an import is caught: what its exception is mended to needs a name."""
    return isinstance(fact, Import) and any(
        use.role == "except" for target in fact.targets for use in target.uses
    )
