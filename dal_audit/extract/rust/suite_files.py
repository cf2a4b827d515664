"""Files of tests in Rust, as far as a look at their text tells: what skips them without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.catalogue.backend_names import backends_named, backends_of_url
from dal_audit.extract.rust.suite_guards import ENVIRONMENT, SuiteGuards
from dal_audit.extract.secrets import secret_spans, text_for_facts
from dal_audit.extract.source import Lines
from dal_audit.facts import Span
from dal_audit.facts.ci import NamedBackend, PrintedVariable, SuiteFile

_BLANK: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|//[^\n]*|/\*.*?\*/", re.DOTALL)
_READS: Final = re.compile(ENVIRONMENT)
_PATH: Final = re.compile(r"\b([a-z_]\w*)\s*::|::\s*([a-z_]\w*)\b")
_LITERAL: Final = re.compile(r'"((?:[^"\\]|\\.){1,300})"')
_BOUND: Final = re.compile(rf"let\s+(?:Ok\()?(?P<bound>\w+)\)?\s*=\s*{ENVIRONMENT}")
_PRINT: Final = re.compile(
    r"\b(?:e?println|e?print|dbg|(?:log|tracing)?(?:::)?(?:info|debug|warn|error))!\s*\(([^;]*)\)\s*;"
)
_TEST: Final = re.compile(
    r"#\[(?:\w+::)*test\b[^\]]*\]\s*(?:#\[[^\n]*\]\s*)*(?:pub\s+)?(?:async\s+)?fn\s+(\w+)"
)


def rust_suite_facts(data: bytes) -> tuple[SuiteFile, ...]:
    """Return what a Rust file of tests says; comments are none of it."""
    written = data.decode("utf-8", "replace")
    text = _BLANK.sub(_spaces, text_for_facts(written, is_program=True))
    lines = Lines(text)
    guards = SuiteGuards(text, lines)
    return (
        SuiteFile(
            Span(1, 1, 1, 1),
            tuple(sorted({first or last for first, last in _PATH.findall(text)})),
            tuple(sorted(filter(None, map(guards.name_of, _READS.finditer(text))))),
            tuple(sorted(guards.found(), key=lambda guard: guard.span)),
            tuple(sorted(_named(text, lines, guards), key=lambda named: named.span)),
            tuple(_printed(text, lines, guards)),
            ("testcontainers",) if "testcontainers" in text else (),
            tuple(sorted(_TEST.findall(text))),
            secret_spans(written, is_program=True),
        ),
    )


def _spaces(found: re.Match[str]) -> str:
    """Return as much white space as a comment takes; a text as it is."""
    return found[0] if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0])


def _named(text: str, lines: Lines, guards: SuiteGuards) -> Iterator[NamedBackend]:
    for found in _LITERAL.finditer(text):
        backends = backends_of_url(found[1])
        if backends:
            line = lines.line_of(found.start())
            span = lines.span(found.start(), found.end())
            yield NamedBackend(span, (line, line), "url", tuple(sorted(backends)))
    for found in _READS.finditer(text):
        backends = backends_named(guards.name_of(found))
        if backends:
            line = lines.line_of(found.start())
            span = lines.span(found.start(), found.end())
            yield NamedBackend(span, (line, line), "variable", tuple(sorted(backends)))


def _printed(text: str, lines: Lines, guards: SuiteGuards) -> Iterator[PrintedVariable]:
    bound = {found["bound"]: guards.name_of(found) for found in _BOUND.finditer(text)}
    for found in _PRINT.finditer(text):
        for name, variable in bound.items():
            if re.search(rf"\{{{name}(?::[^}}]*)?\}}|,\s*&?{name}\b|^\s*&?{name}\b", found[1]):
                line = lines.line_of(found.start())
                yield PrintedVariable(
                    lines.span(found.start(), found.end()), (line, line), variable
                )
