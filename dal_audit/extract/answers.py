"""Answers: what a file says to questions that an earlier run asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec.msgpack import Encoder
from msgspec.structs import replace

from dal_audit.extract.extractor import (
    ExtractionOptions,
    deep_look,
    first_look,
)
from dal_audit.extract.frontier import byte_test
from dal_audit.extract.inquiries import NO, YES, Answers, Question, QuestionKind, digest_of
from dal_audit.extract.limits import MAX_PARSED_BYTES
from dal_audit.facts import FileFacts, SourceFile


class Respondents:
    """Asks files what an earlier run asked, in the same way; what a question needs is made once."""

    def __init__(
        self,
        questions: Iterable[Question],
        options: ExtractionOptions,
        seen: Mapping[str, FileFacts] | None = None,
    ) -> None:
        """Take all questions of that run, and how files are looked at.

        `seen` are the facts of a first look at some files as they are now, by their paths.
        """
        self._questions = tuple(questions)
        self._seen = seen or {}
        self._options = options
        self._encoder = Encoder()
        self._ready: dict[int, Callable[[SourceFile], bytes]] = {}
        self._said: dict[tuple[int, str], bytes] = {}
        """What each question was answered, by its number, and the file's path."""

    def answers(self, file: SourceFile, known: Answers) -> bool:
        """Return whether a file answers what is known of it.

        It does not where the file's size alone could change what is asked.
        """
        if file.flaw or file.size > MAX_PARSED_BYTES:
            return False
        try:
            return all(
                digest_of(self.answer(number, file)) == digest for number, digest in known.each()
            )
        except UnicodeEncodeError:
            return False

    def answer(self, number: int, file: SourceFile) -> bytes:
        """Return what a file answers to a question, by its number, as it is kept.

        Raises UnicodeEncodeError where the answer cannot be kept.
        """
        known = self._said.get((number, file.path))
        if known is None:
            known = self._said[number, file.path] = self._asked(number)(file)
        return known

    def _asked(self, number: int) -> Callable[[SourceFile], bytes]:
        """Return what asks a question."""
        ask = self._ready.get(number)
        if ask is None:
            question = self._questions[number]
            ask = self._ready[number] = _ASKED[question.kind](self, question)
        return ask

    def first(self, _question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks for the facts of a first look."""
        return lambda file: self._facts(
            self._seen.get(file.path) or first_look([file], self._options)[0]
        )

    def whole(self, _question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks for the facts of a reading of the whole."""
        return lambda file: self._facts(deep_look([file], self._options)[0])

    def storage(self, _question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks for the facts of a file of storage."""
        options = replace(self._options, depth="storage")
        return lambda file: self._facts(deep_look([file], options)[0])

    def _facts(self, file: FileFacts) -> bytes:
        return self._encoder.encode((file.attention, file.importing, file.facts))

    def _other(self, answer: object) -> bytes:
        return self._encoder.encode((answer,))

    def accessed(self, question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks which words the bytes access."""
        from dal_audit.extract.python.prefilter.attribute_marks import AccessorWords
        from dal_audit.extract.second_look import accessed_in

        words = AccessorWords(question.words)
        return lambda file: self._other(accessed_in(file, words))

    def loads(self, _question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks which imports only a parser can tell."""
        from dal_audit.extract.import_names import further_names

        return lambda file: self._other(further_names(file))

    def accesses(self, question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks for evidence of accesses."""
        from dal_audit.extract.second_look import evidence_of

        words = frozenset(question.words)
        return lambda file: self._other(evidence_of(file, words, always=False))

    def named(self, question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks for all evidence."""
        from dal_audit.extract.second_look import NOTHING, evidence_of

        words = frozenset(question.words)
        return lambda file: self._other(evidence_of(file, words, always=True) or NOTHING)

    def revision(self, _question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks which migration a file is."""
        from dal_audit.extract.migrations.reader import declared_revisions

        return lambda file: self._other(declared_revisions([file])[0])

    def embedded(self, _question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks for the SQL in a file."""
        from dal_audit.extract.embedded.reader import sql_in

        return lambda file: self._other(sql_in(file, self._options.catalogue))

    def suite(self, _question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks on which backends tests run."""
        from dal_audit.extract.ci_sources import suite_of

        return lambda file: self._other(suite_of(file))

    def shown(self, question: Question) -> Callable[[SourceFile], bytes]:
        """Return what asks whether bytes show something."""
        is_shown = byte_test(question)
        return lambda file: YES if is_shown(file) else NO


_ASKED: Final[
    Mapping[QuestionKind, Callable[[Respondents, Question], Callable[[SourceFile], bytes]]]
] = {
    "first": Respondents.first,
    "whole": Respondents.whole,
    "storage": Respondents.storage,
    "accessed": Respondents.accessed,
    "loads": Respondents.loads,
    "accesses": Respondents.accesses,
    "named": Respondents.named,
    "revision": Respondents.revision,
    "embedded": Respondents.embedded,
    "suite": Respondents.suite,
    "carriers": Respondents.shown,
    "sql": Respondents.shown,
}
