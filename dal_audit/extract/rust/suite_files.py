"""Files of tests in Rust, as far as a look at their text tells: what skips them without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dal_audit.catalogue.backend_names import backends_named, backends_of_url
from dal_audit.extract.secrets import secret_spans, text_for_facts
from dal_audit.extract.source import Lines
from dal_audit.facts import Span
from dal_audit.facts.ci import NamedBackend, PrintedVariable, SkipGuard, SuiteFile

_READ: Final = r"(?:std::)?env::var(?:_os)?\(\s*\"(?P<name>\w+)\"\s*\)"
_BLANK: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LET_ELSE: Final = re.compile(
    rf"let\s+(?:Ok|Some)\(\s*(?P<bound>\w+)\s*\)\s*=\s*{_READ}(?:\s*\.ok\(\))?\s*else\s*\{{(?P<body>[^}}]*)\}}"
)
_IF: Final = re.compile(rf"if\s+{_READ}\s*\.(?:is_err|is_none)\(\)\s*\{{(?P<body>[^}}]*)\}}")
_MATCH: Final = re.compile(rf"match\s+{_READ}\s*\{{")
_ARM: Final = re.compile(r"(?:Err\([^)]*\)|None|_)\s*=>\s*(?:\{[^}]*?\breturn\b[^}]*\}|return\b)")
_READS: Final = re.compile(_READ)
_LITERAL: Final = re.compile(r'"((?:[^"\\]|\\.){1,300})"')
_BOUND: Final = re.compile(rf"let\s+(?:Ok\()?(?P<bound>\w+)\)?\s*=\s*{_READ}")
_PRINT: Final = re.compile(
    r"\b(?:e?println|e?print|dbg|(?:log|tracing)?(?:::)?(?:info|debug|warn|error))!\s*\(([^;]*)\)\s*;"
)
_TEST: Final = re.compile(r"#\[(?:\w+::)?test[^\]]*\]\s*(?:async\s+)?fn\s+(\w+)")


def rust_suite_facts(data: bytes) -> tuple[SuiteFile, ...]:
    """Return what a Rust file of tests says; comments are none of it."""
    written = data.decode("utf-8", "replace")
    text = _BLANK.sub(_spaces, text_for_facts(written, is_program=True))
    lines = Lines(text)
    return (
        SuiteFile(
            Span(1, 1, 1, 1),
            ("storage",) if "storage" in text else (),
            tuple(sorted({found["name"] for found in _READS.finditer(text)})),
            tuple(sorted(_guards(text, lines), key=lambda guard: guard.span)),
            tuple(sorted(_named(text, lines), key=lambda named: named.span)),
            tuple(_printed(text, lines)),
            ("testcontainers",) if "testcontainers" in text else (),
            tuple(sorted(_TEST.findall(text))),
            secret_spans(written, is_program=True),
        ),
    )


def _spaces(found: re.Match[str]) -> str:
    """Return as much white space as a comment takes; a text as it is."""
    return found[0] if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0])


def _guards(text: str, lines: Lines) -> Iterator[SkipGuard]:
    for pattern in (_LET_ELSE, _IF):
        for found in pattern.finditer(text):
            if "return" in found["body"] and "panic!" not in found["body"]:
                yield _guard(lines, found.start(), found["name"])
    for found in _MATCH.finditer(text):
        arm = _ARM.search(text, found.end(), found.end() + 600)
        if arm is not None and "}" not in _outside_braces(text[found.end() : arm.start()]):
            yield _guard(lines, arm.start(), found["name"])


def _outside_braces(text: str) -> str:
    """Return a text without what stands in pairs of braces."""
    return re.sub(r"\{[^{}]*\}", "", text)


def _guard(lines: Lines, start: int, name: str) -> SkipGuard:
    line = lines.line_of(start)
    end = start + len(lines.text[start:].partition("\n")[0].rstrip())
    return SkipGuard(lines.span(start, end), (line, line), ((name, ""),))


def _named(text: str, lines: Lines) -> Iterator[NamedBackend]:
    for found in _LITERAL.finditer(text):
        backends = backends_of_url(found[1])
        if backends:
            line = lines.line_of(found.start())
            span = lines.span(found.start(), found.end())
            yield NamedBackend(span, (line, line), "url", tuple(sorted(backends)))
    for found in _READS.finditer(text):
        backends = backends_named(found["name"])
        if backends:
            line = lines.line_of(found.start())
            span = lines.span(found.start(), found.end())
            yield NamedBackend(span, (line, line), "variable", tuple(sorted(backends)))


def _printed(text: str, lines: Lines) -> Iterator[PrintedVariable]:
    bound = {found["bound"]: found["name"] for found in _BOUND.finditer(text)}
    for found in _PRINT.finditer(text):
        for name, variable in bound.items():
            if re.search(rf"\{{{name}(?::[^}}]*)?\}}|,\s*&?{name}\b|^\s*&?{name}\b", found[1]):
                line = lines.line_of(found.start())
                yield PrintedVariable(
                    lines.span(found.start(), found.end()), (line, line), variable
                )
