"""Hide secrets in the source that reports quote, before any report sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from dal_audit.assemble.project import Project
from dal_audit.facts import ConnectionUrl, FileFacts, NotUnderstood, Span
from dal_audit.judge.breach import Breach

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


def without_secrets_of_ci(breach: Breach) -> Breach:
    """Return a breach with the passwords masked that it quotes of scripts and titles."""
    from dal_audit.extract.secrets import without_secrets  # only where CI is at fault

    related = tuple(
        replace(relation, message=without_secrets(relation.message)) for relation in breach.related
    )
    return replace(
        breach,
        message=without_secrets(breach.message),
        label=without_secrets(breach.label),
        remedy=without_secrets(breach.remedy),
        related=related,
    )


def redacted(data: bytes, secrets: Iterable[Span], path: str = "") -> bytes:
    """Return a file's bytes, as UTF-8, with each secret masked; its path tells how it is decoded.

    Columns stay: a character becomes as many stars as it has UTF-16 units. What cannot be decoded
    is not quoted at all.
    """
    from dal_audit.extract.source import (  # secrets are rare
        Lines,
        UndecodableError,
        decode,
        decode_script,
    )

    try:
        text = decode(data) if _is_python(path) else decode_script(data)
    except UndecodableError:
        return b""
    lines = Lines(text)
    secrets = tuple(secrets)
    if any(span.end_line > len(lines) for span in secrets):
        return b""  # The file has changed since it was read.
    pieces = list(text)
    for span in secrets:
        for index in range(
            lines.index(span.line, span.column), lines.index(span.end_line, span.end_column)
        ):
            char = pieces[index]
            if char not in "\r\n":
                pieces[index] = MASK * (len(char.encode("utf-16-le")) // 2)
    return "".join(pieces).encode("utf-8")


def _is_python(path: str) -> bool:
    """Return whether a file is decoded as Python is: all are but those of CI and Rust's."""
    from dal_audit.facts.ci_files import ci_kind_of

    is_other = path.endswith((".rs", ".yml", ".yaml"))
    return not is_other and ci_kind_of(path) in {None, "nox"}
