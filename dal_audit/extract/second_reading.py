"""Confirm: what findings rest on is read once more, statement by statement, by another parser.

What was borne out of a content is kept with it, so that nothing is read, and LibCST not loaded,
where nothing is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_bytes
from dal_audit.extract.notebook_bytes import python_bytes
from dal_audit.extract.parallel import PARSED_WORTH_A_PROCESS, spread
from dal_audit.extract.reader_modules import load_second_reader
from dal_audit.facts import SourceFile
from dal_audit.facts.claims import Claim, Denial


def denied(
    files: Mapping[str, SourceFile],
    claims: Mapping[str, Sequence[Claim]],
    cache: Cache,
    *,
    jobs: int | None,
    shortcuts: bool,
) -> dict[str, tuple[Denial, ...]]:
    """Return the claims that LibCST does not bear out, by the files that they are about.

    It has no say in a file that it cannot read. Without `shortcuts` it reads each file whole.
    """
    new = {
        path: tuple(sorted(set(made) - cache.borne_out(files[path])))
        for path, made in claims.items()
        if path in files
    }
    asked = [files[path] for path, made in new.items() if made]
    if not asked:
        return {}
    read = partial(_denials, new, by_statement=shortcuts)

    def batch(part: Sequence[SourceFile]) -> Iterator[tuple[Denial, ...]]:
        return map(read, part)

    answers = spread(
        batch,
        asked,
        jobs=jobs,
        worth=8 * PARSED_WORTH_A_PROCESS,
        answer=tuple[Denial, ...],
        apart=load_second_reader,
    )
    found = {}
    for file, answer in zip(asked, answers, strict=True):
        refused = {denial.claim for denial in answer}
        cache.keep_borne_out(file, set(new[file.path]) - refused)
        found[file.path] = answer
    return found


def _denials(
    claims: Mapping[str, Sequence[Claim]], file: SourceFile, *, by_statement: bool
) -> tuple[Denial, ...]:
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
