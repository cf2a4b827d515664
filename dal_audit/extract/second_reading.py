"""Confirm: what findings rest on is read once more, statement by statement, by another parser.

What was borne out of a content is kept with it, so that nothing is read, and LibCST not loaded,
where nothing is new.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TypeAlias

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_bytes
from dal_audit.extract.notebook_bytes import python_bytes
from dal_audit.extract.parallel import PARSED_WORTH_A_PROCESS, Ahead, may_work_ahead, spread
from dal_audit.extract.reader_modules import load_second_reader
from dal_audit.facts import SourceFile
from dal_audit.facts.claims import Claim, Denial

_Asked: TypeAlias = tuple[SourceFile, tuple[Claim, ...]]
_Denied: TypeAlias = tuple[Denial, ...]


def denied(
    files: Mapping[str, SourceFile],
    claims: Mapping[str, Sequence[Claim]],
    cache: Cache,
    reader: SecondReader,
) -> dict[str, tuple[Denial, ...]]:
    """Return the claims that LibCST does not bear out, by the files that they are about.

    It has no say in a file that it cannot read.
    """
    new = {
        path: tuple(sorted(set(made) - cache.borne_out(files[path])))
        for path, made in claims.items()
        if path in files
    }
    asked = [(files[path], made) for path, made in new.items() if made]
    if not asked:
        return {}
    found = {}
    for (file, made), answer in zip(asked, reader.denials(asked), strict=True):
        refused = {denial.claim for denial in answer}
        cache.keep_borne_out(file, set(made) - refused)
        found[file.path] = answer
    return found


class SecondReader:
    """LibCST, which may load in a process of its own before it is known what it is to read.

    It must be closed.
    """

    def __init__(self, jobs: int | None, *, shortcuts: bool) -> None:
        """Begin nothing yet. Without `shortcuts` it is to read each file whole."""
        self._jobs = jobs
        self._shortcuts = shortcuts
        self._ahead: Ahead[_Denied] | None = None

    def begin(self) -> None:
        """Let LibCST load, where another process can do that at the same time."""
        if _loads_apart(self._jobs):
            self._ahead = Ahead(load_second_reader, self._spread, list[_Asked])

    def close(self) -> None:
        """Let go of what was begun."""
        if self._ahead is not None:
            self._ahead.abandon()

    def denials(self, asked: Sequence[_Asked]) -> list[_Denied]:
        """Return the claims about each file that are not borne out.

        Once it has begun it can be asked once.
        """
        if self._ahead is not None:
            with suppress(UnicodeEncodeError):  # A path may be no text.
                return self._ahead.ask(asked, _Denied)
        return self._spread(asked)

    def _spread(self, asked: Sequence[_Asked]) -> list[_Denied]:
        """Ask as many processes as pay."""
        claims = {file.path: made for file, made in asked}
        read = partial(_denials, claims, by_statement=self._shortcuts)
        return spread(
            lambda part: map(read, part),
            [file for file, _ in asked],
            jobs=self._jobs,
            worth=8 * PARSED_WORTH_A_PROCESS,
            answer=_Denied,
            apart=load_second_reader,
        )


def _loads_apart(jobs: int | None) -> bool:
    """Return whether another process can load LibCST, and this one has not."""
    return "libcst" not in sys.modules and may_work_ahead(jobs)


def _denials(
    claims: Mapping[str, Sequence[Claim]], file: SourceFile, *, by_statement: bool
) -> _Denied:
    """Return the claims about a file that LibCST does not bear out."""
    from dal_audit.extract.python.statement_reader import denials
    from dal_audit.extract.source import decode

    try:
        data, notebook = python_bytes(file.path, read_bytes(file.absolute, file.size))
        text = decode(data)
        if notebook is None:
            return tuple(denials(text, claims[file.path], by_statement=by_statement))
        inside = {notebook.inside(claim): claim for claim in claims[file.path]}
        found = denials(text, list(inside), by_statement=by_statement)
        return tuple(
            Denial(inside[denial.claim], notebook.moved(denial.statement)) for denial in found
        )
    except (OSError, ValueError, RecursionError):  # It has changed meanwhile, or is too deep.
        return ()
