"""Where the following of names leads next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import ExtractionOptions, read_bytes, read_whole
from dal_audit.extract.inquiries import NO, YES, Inquiry, Question
from dal_audit.extract.notebook_bytes import python_bytes
from dal_audit.extract.parallel import WORTH_A_PROCESS, spread
from dal_audit.facts import FileFacts, SourceFile

_LINKED: Final = frozenset({"linked", "whole"})
"""How closely files were read of which all is known that they import and offer."""


class Frontier(Struct, frozen=True):
    """Where a round of following leads.

    It leads to the files in `due`, to those in `doubtful` whose bytes show how to take one of the
    `carried` names from its module, and to those in `callers` whose bytes hold SQL.
    """

    carried: frozenset[tuple[str, str]]
    due: frozenset[str]
    doubtful: frozenset[str]
    callers: frozenset[str] = frozenset()


def extract_deep(
    files: Sequence[SourceFile],
    known: Sequence[FileFacts],
    options: Callable[[], ExtractionOptions],
    frontier: Frontier,
    *,
    jobs: int | None = None,
    cache: Cache | None = None,
) -> list[FileFacts]:
    """Return the facts of each file, read whole where it takes, or may take, what is carried.

    A file that nothing leads to, or that has been read whole, keeps what is `known` of it; so does
    one of which only what it hands to others is not known, unless it calls whom SQL is handed to.
    """
    depths = {facts.path: facts.attention for facts in known}
    waiting = [file for file in files if depths[file.path] not in _LINKED]
    calling = [
        file for file in files if file.path in frontier.callers and depths[file.path] == "linked"
    ]
    inquiry = cache.inquiry if cache else Inquiry.opened()
    chosen = _led_to(waiting, calling, frontier, jobs, inquiry)
    by_path = {facts.path: facts for facts in read_whole(chosen, options, jobs, cache)}
    return [by_path.get(file.path, file) for file in known]


def _led_to(
    waiting: Sequence[SourceFile],
    calling: Sequence[SourceFile],
    frontier: Frontier,
    jobs: int | None,
    inquiry: Inquiry,
) -> list[SourceFile]:
    """Return the files that can be read and that a round leads to.

    What `waiting` ones import is not known yet, of `calling` ones what they hand to others.
    """
    open_paths = frontier.doubtful - frontier.due
    doubtful = [file for file in waiting if file.path in open_paths]
    names = tuple(sorted(frontier.carried)) if doubtful else ()
    due = frontier.due.union(_showing(doubtful, Question("carriers", names=names), jobs, inquiry))
    callers = [file for file in waiting if file.path in frontier.callers - due]
    handing = frozenset(_showing([*callers, *calling], Question("sql"), jobs, inquiry))
    due |= handing
    led = [file for file in waiting if file.path in due]
    led += [file for file in calling if file.path in handing]
    return [file for file in led if not file.flaw]


def byte_test(question: Question) -> Callable[[SourceFile], bool]:
    """Return what tells whether a file's bytes show what a question is about.

    That is how to take one of its names from their module, or a word that SQL begins with.
    """
    if question.kind == "carriers":
        from dal_audit.extract.python.prefilter.import_marks import Carriers

        reach = Carriers(question.names).reach
        return lambda file: _shows(file, reach)
    from dal_audit.extract.python.prefilter.sql_marks import opens_sql

    return lambda file: _shows(file, lambda _path, data: opens_sql(data))


def _showing(
    files: Sequence[SourceFile], question: Question, jobs: int | None, inquiry: Inquiry
) -> list[str]:
    """Return the paths of the files whose bytes show what a question is about."""
    if not files:
        return []
    is_shown = byte_test(question)
    answers = spread(
        lambda part: [is_shown(file) for file in part],
        files,
        jobs=jobs,
        worth=WORTH_A_PROCESS,
    )
    shown = list(zip((file.path for file in files), answers, strict=True))
    inquiry.note(question, [(path, YES if is_so else NO) for path, is_so in shown])
    return [path for path, is_so in shown if is_so]


def _shows(file: SourceFile, shows: Callable[[str, bytes], bool]) -> bool:
    """Return whether a file's searchable bytes show something."""
    if file.flaw:
        return False
    from dal_audit.extract.python.prefilter.driver_marks import searchable

    try:
        data, _ = python_bytes(file.path, read_bytes(file.absolute, file.size))
        return shows(file.path, searchable(data))
    except (OSError, ValueError):  # An UndecodableError is one.
        return False  # The first look has reported it.
