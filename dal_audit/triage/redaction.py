"""Hide secrets in the source that reports quote, before any report sees it."""

from __future__ import annotations

from collections.abc import Iterable

from dal_audit.facts import ConnectionUrl, FileFacts, Span

MASK = "*"


def secrets_of(files: Iterable[FileFacts]) -> dict[str, tuple[Span, ...]]:
    """Return where secrets stand, by file: all of them, whichever rules run."""
    found: dict[str, tuple[Span, ...]] = {}
    for file in files:
        for fact in file.facts:
            if isinstance(fact, ConnectionUrl) and fact.secrets:
                found[file.path] = found.get(file.path, ()) + fact.secrets
    return found


def redacted(data: bytes, secrets: Iterable[Span]) -> bytes:
    """Return a file's bytes, as UTF-8, with each secret masked.

    Columns stay: a character becomes as many stars as it has UTF-16 units. What cannot be decoded
    is not quoted at all.
    """
    from dal_audit.extract.source import Lines, UndecodableError, decode  # secrets are rare

    try:
        text = decode(data)
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
