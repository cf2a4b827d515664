"""Hide secrets in the source that reports quote, before any report sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dal_audit.extract.masks import HIDDEN
from dal_audit.extract.quotations import starred
from dal_audit.facts import ConnectionUrl, FileFacts, NotUnderstood, Span
from dal_audit.fix.model import Fix
from dal_audit.judge.breach import Breach

if TYPE_CHECKING:
    from dal_audit.assemble.project import Project
    from dal_audit.extract.source import Lines

MASK = "*"


def secrets_of(project: Project) -> dict[str, tuple[Span, ...]]:
    """Return where secrets stand, by file: all of them, whichever rules run."""
    found: dict[str, tuple[Span, ...]] = {}
    for file in project.files:
        for fact in file.facts:
            if isinstance(fact, ConnectionUrl) and fact.secrets:
                found[file.path] = found.get(file.path, ()) + fact.secrets
    for path, spans in _of_ci((*project.ci.files, *project.ci.suites)):
        found[path] = found.get(path, ()) + spans
    return found


def _of_ci(files: Iterable[FileFacts]) -> Iterator[tuple[str, tuple[Span, ...]]]:
    from dal_audit.facts.ci import CiSecrets, SuiteFile

    for file in files:
        for fact in file.facts:
            if isinstance(fact, (CiSecrets, SuiteFile)) and fact.secrets:
                yield file.path, fact.secrets
            elif isinstance(fact, NotUnderstood) and fact.gap == "undecodable":
                yield file.path, (fact.span,)  # Nothing is quoted of a text that is not known.


def without_secrets_in(breach: Breach, *, is_program: bool) -> Breach:
    """Return a breach with the passwords masked that it quotes of statements, scripts and titles.

    A fix that would write what is masked is none.
    """
    if _holds_mask(breach.fix):
        breach = replace(breach, fix=None)
    texts = (breach.message, breach.label, breach.remedy, *(way.message for way in breach.related))
    shown = [starred(text, is_program=is_program) for text in texts]
    if shown == list(texts):
        return breach
    message, label, remedy, *ways = shown
    related = tuple(
        replace(way, message=said) for way, said in zip(breach.related, ways, strict=True)
    )
    return replace(breach, message=message, label=label, remedy=remedy, related=related)


def _holds_mask(fix: Fix | None) -> bool:
    return fix is not None and any(HIDDEN in edit.text for edit in fix.edits)


def redacted(data: bytes, secrets: Iterable[Span], path: str = "") -> bytes:
    """Return a file's bytes with each secret masked; where there is one, as UTF-8.

    Beside the given secrets, as facts know them, those are masked that the text itself shows; its
    path tells how it is decoded. Columns stay: a character becomes as many stars as it has UTF-16
    units. What cannot be decoded is not quoted where it is known to hold a secret.
    """
    from dal_audit.extract.secrets import secret_spans
    from dal_audit.extract.source import Lines, UndecodableError, decode, decode_script

    known = tuple(secrets)
    is_python = _is_python(path)
    try:
        text = decode(data) if is_python else decode_script(data)
    except UndecodableError:
        if known:
            return b""
        text = data.decode("utf-8", "replace")
    found = {*known, *secret_spans(text, is_program=is_python or path.endswith((".rs", ".sql")))}
    if not found:
        return data
    lines = Lines(text)
    if any(span.end_line > len(lines) for span in found):
        return b""  # The file has changed since it was read.
    return _starred(lines, found).encode("utf-8")


def _starred(lines: Lines, secrets: Iterable[Span]) -> str:
    pieces = list(lines.text)
    for span in secrets:
        start = lines.index(span.line, span.column)
        for index in range(start, lines.index(span.end_line, span.end_column)):
            char = pieces[index]
            if char not in "\r\n":
                pieces[index] = MASK * (1 + (char[0] > "\uffff"))
    return "".join(pieces)


def _is_python(path: str) -> bool:
    """Return whether a file is decoded as Python is: all but SQL, settings, CI and Rust."""
    from dal_audit.facts.ci_files import ci_kind_of

    is_other = path.endswith((".rs", ".sql", ".toml", ".yml", ".yaml"))
    return not is_other and ci_kind_of(path) in {None, "nox"}
