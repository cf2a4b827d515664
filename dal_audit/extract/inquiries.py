"""Inquiries: what an audit asked of the contents of files, and what each of them answered.

What an audit finds follows from which files there are, how they are configured, and these answers.
Where a file has other bytes and gives the same answers, nothing that was found is another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final, Literal, TypeAlias

from msgspec import Raw, Struct

from dal_audit.catalogue.digest import sha256
from dal_audit.facts import FactRecord

QuestionKind: TypeAlias = Literal[
    "first",
    "whole",
    "storage",
    "accessed",
    "loads",
    "accesses",
    "named",
    "revision",
    "embedded",
    "suite",
    "carriers",
    "sql",
]
"""What can be asked of a file alone: its facts by a first look, or read whole, as storage or else;
which words its bytes access, what it imports as only a parser can tell, evidence of accesses, the
migration that it is, SQL in it, what its tests say, whether its bytes take one of some names or
hold SQL."""

KINDS: Final[frozenset[str]] = frozenset(QuestionKind.__args__)  # type: ignore[attr-defined]

OF_WORDS: Final[frozenset[QuestionKind]] = frozenset({"accessed", "accesses", "named"})
"""What is asked for the words of accesses."""

DIGEST_BYTES: Final = 16
YES: Final = b"\1"
NO: Final = b"\0"


class Question(FactRecord, frozen=True):
    """Something that is asked of a file: for which `words`, or which `names` of modules."""

    kind: QuestionKind
    words: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()


class Answers(FactRecord, frozen=True):
    """The questions that a file was asked, by their numbers, and a digest of each answer.

    The digests stand one behind the other. `size` is the file's, in bytes.
    """

    asked: tuple[int, ...]
    digests: bytes
    size: int

    def each(self) -> Iterator[tuple[int, bytes]]:
        """Yield the number of each question with the digest of its answer."""
        for place, number in enumerate(self.asked):
            yield number, self.digests[DIGEST_BYTES * place : DIGEST_BYTES * (place + 1)]


class Inquiry(Struct):
    """All that one run asked.

    Files in `barred` were asked for something that cannot be asked again of them alone.
    """

    barred: set[str]
    _answers: dict[Question, dict[str, bytes | Raw]]
    sizes: Mapping[str, int] = {}
    """The files that can be asked again, but for the barred ones, each with its size in bytes."""
    foreign: tuple[str, ...] = ()
    """The modules of the standard library that stay strangers (`ExtractionOptions`)."""
    size: int = 0
    """How many bytes of Python the project has."""
    asks_beyond: bool = False
    """Whether more was asked of git and the folders than which files there are."""
    asks_folders: bool = False
    """Whether that was asked of other folders than those of migrations."""
    asks_index: bool = False
    """Whether more was asked of git's index than which files it has."""

    tops: frozenset[str] = frozenset()
    """What the names of the project's modules begin with."""
    imports_decide: bool = False
    """Whether more hangs on import statements than where they lead in the project."""

    @classmethod
    def opened(cls) -> Inquiry:
        """Return an inquiry that has asked nothing yet."""
        return cls(set(), {})

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions, in the order in which they were asked first."""
        return tuple(self._answers)

    def note(self, question: Question, answers: Sequence[tuple[str, bytes | Raw]]) -> None:
        """Take down what files answered to a question, by their paths; the last answer counts."""
        if answers:
            self._answers.setdefault(question, {}).update(answers)

    def forget(self, path: str) -> None:
        """Forget what a file answered, as it has another text."""
        for answers in self._answers.values():
            answers.pop(path, None)

    def keep_names(self, names: AbstractSet[tuple[str, str]]) -> None:
        """Forget the questions about names of which none is asked about any more."""
        for question in [asked for asked in self._answers if asked.kind == "carriers"]:
            if names.isdisjoint(question.names):
                del self._answers[question]

    def keep_words(self, words: tuple[str, ...]) -> None:
        """Forget all questions about accesses but those for these words."""
        for question in [asked for asked in self._answers if asked.kind in OF_WORDS]:
            if question.words != words:
                del self._answers[question]

    def bar(self, paths: Iterable[str]) -> None:
        """Say of files that they were asked for something else."""
        self.barred.update(paths)

    def answers(self) -> Iterator[tuple[str, Answers]]:
        """Yield what the files answered that can be asked again, all in all."""
        asked: dict[str, list[int]] = {path: [] for path in self.sizes if path not in self.barred}
        said: dict[str, list[bytes]] = {path: [] for path in asked}
        digests = _Digests()
        for number, answers in enumerate(self._answers.values()):
            for path, answer in answers.items():
                if path in asked:
                    asked[path].append(number)
                    said[path].append(digests[bytes(answer)])
        shared: dict[tuple[int, ...], tuple[int, ...]] = {}
        for path, numbers in asked.items():
            key = tuple(numbers)
            if key:
                same = shared.setdefault(key, key)
                yield path, Answers(same, b"".join(said[path]), self.sizes[path])

    def answers_of(self, path: str) -> Answers | None:
        """Return what one file answered; None where it cannot be asked again."""
        if path in self.barred or path not in self.sizes:
            return None
        said = [
            (number, digest_of(bytes(answers[path])))
            for number, answers in enumerate(self._answers.values())
            if path in answers
        ]
        numbers = tuple(number for number, _ in said)
        return Answers(numbers, b"".join(digest for _, digest in said), self.sizes[path])


class _Digests(dict[bytes, bytes]):
    """The digests of answers; most files answer alike to most questions."""

    def __missing__(self, answer: bytes) -> bytes:
        """Work out the digest of an answer that was not met yet."""
        found = self[answer] = digest_of(answer)
        return found


def digest_of(answer: bytes) -> bytes:
    """Return a hash of an answer."""
    return sha256(answer)[:DIGEST_BYTES]
