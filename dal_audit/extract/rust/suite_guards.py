"""What skips tests in Rust without a word: early returns, `#[ignore]`, features."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from dal_audit.catalogue.backend_names import backends_named
from dal_audit.extract.source import Lines
from dal_audit.facts import Span
from dal_audit.facts.ci import SkipGuard

ENVIRONMENT: Final = (
    r"(?:(?:std::)?env::|dotenvy::)var(?:_os)?\(\s*(?:\"(?P<name>\w+)\"|(?P<constant>[A-Z_]\w*))\s*\)"
    r"(?:\s*\.ok\(\))?"
)
"""A variable of the environment that is read, by its name or by the constant that holds it."""

_CALL: Final = r"(?P<helper>[a-z_]\w*)\(\s*\)(?:\.await)?"
_CONSTANT: Final = re.compile(r'\b(?:const|static)\s+(\w+)\s*:\s*&[^=;]*=\s*"(\w+)"')
_HELPER: Final = re.compile(r"\bfn\s+(\w+)\(\s*\)\s*->\s*(?:Option|Result)<[^{;]*\{")
_READ: Final = re.compile(ENVIRONMENT)
_ELSE: Final = re.compile(
    rf"\blet\s+(?:Ok|Some)\([^)=]*\)\s*=\s*(?:{ENVIRONMENT}|{_CALL})\s*else\s*\{{"
)
_IF: Final = re.compile(
    rf"\bif\s+{ENVIRONMENT}\s*(?:\.unwrap_or_default\(\)\s*)?\.(?:is_err|is_none|is_empty)\(\)\s*\{{"
)
_MATCH: Final = re.compile(rf"\bmatch\s+(?:{ENVIRONMENT}|{_CALL})\s*\{{")
_ARM: Final = re.compile(r"(?:Err\([^)]*\)|None|_)\s*=>\s*(?P<brace>\{)?")
_WHOLE: Final = re.compile(
    rf"\bif\s+let\s+(?:Ok|Some)\([^)=]*\)\s*=\s*(?:{ENVIRONMENT}|{_CALL})\s*\{{"
)
_TEST: Final = re.compile(
    r"(?P<attributes>(?:#\[[^\n]*\]\s*)+)(?:pub\s+)?(?:async\s+)?fn\s+(?P<name>\w+)"
)
_IS_TEST: Final = re.compile(r"#\[(?:\w+::)*test\b")
_IGNORED: Final = re.compile(r"#\[ignore(?:\s*=\s*\"(?P<reason>[^\"\n]*)\")?\s*\]")
_GATE: Final = re.compile(
    r"#(?P<file>!)?\[cfg\(\s*(?:all\(\s*test\s*,\s*)?feature\s*=\s*\"(?P<feature>[^\"]+)\"\s*\)?\s*\)\]"
    r"\s*(?:#\[[^\n]*\]\s*)*(?P<item>(?:pub\s+)?(?:async\s+)?(?:mod|fn)\b)?"
)
_LEAVES: Final = re.compile(r"\breturn\b")
_FAILS: Final = re.compile(r"\b(?:panic|unreachable|todo|bail)!|\bErr\(|\bexit\(")
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


class SuiteGuards:
    """Finds them in a file's text without comments."""

    def __init__(self, text: str, lines: Lines) -> None:
        """Take the text."""
        self.text = text
        self.lines = lines
        # Braces in texts are none of the code's.
        self._code = _TEXT.sub(lambda found: f'"{" " * (len(found[0]) - 2)}"', text)
        self._constants = dict(_CONSTANT.findall(text))
        self._helpers = dict(self._read_by_helpers())

    def name_of(self, found: re.Match[str]) -> str:
        """Return the variable that is read; empty where it is not known."""
        groups: Mapping[str, str | None] = found.groupdict()
        helper = groups.get("helper")
        if helper is not None:
            return self._helpers.get(helper, "")
        return found["name"] or self._constants.get(found["constant"] or "", "")

    def _read_by_helpers(self) -> Iterator[tuple[str, str]]:
        """Yield the functions that give a variable, or nothing without it."""
        for found in _HELPER.finditer(self.text):
            read = _READ.search(self.text, found.end(), self._end(found.end()))
            if read is not None and (name := self.name_of(read)):
                yield found[1], name

    def _end(self, start: int) -> int:
        """Return where the block ends that begins before an index."""
        depth = 1
        for index in range(start, len(self._code)):
            depth += {"{": 1, "}": -1}.get(self._code[index], 0)
            if depth == 0:
                return index
        return len(self._code)

    def found(self) -> Iterator[SkipGuard]:
        """Yield all of them."""
        for pattern in (_ELSE, _IF):
            for found in pattern.finditer(self.text):
                if self._leaves(found.end(), self._end(found.end())):
                    yield from self._guard(found.start(), self.name_of(found))
        for found in _MATCH.finditer(self.text):
            arm = self._silent_arm(found.end())
            if arm is not None:
                yield from self._guard(arm, self.name_of(found))
        for found in _WHOLE.finditer(self.text):
            if self._is_all_of_a_test(found):
                yield from self._guard(found.start(), self.name_of(found))
        yield from self._ignored()
        yield from self._gated()

    def _leaves(self, start: int, end: int) -> bool:
        """Return whether code leaves a test without failing it."""
        body = self._code[start:end]
        return _LEAVES.search(body) is not None and _FAILS.search(body) is None

    def _silent_arm(self, start: int) -> int | None:
        """Return where the arm of a match begins that leaves where a variable is missing."""
        end = self._end(start)
        for arm in _ARM.finditer(self._code, start, end):
            if arm["brace"]:
                last = self._end(arm.end())
            else:
                marks = (self._code.find(mark, arm.end(), end) for mark in ",\n")
                last = min((mark for mark in marks if mark >= 0), default=end)
            if self._leaves(arm.end(), last):
                return arm.start()
        return None

    def _is_all_of_a_test(self, found: re.Match[str]) -> bool:
        """Return whether a condition holds all that a function does, and goes without an `else`."""
        before = self._code[: found.start()].rstrip()
        after = self._code[self._end(found.end()) + 1 :].lstrip()
        return before.endswith("{") and after.startswith("}")

    def _guard(self, start: int, name: str) -> Iterator[SkipGuard]:
        if name:
            yield SkipGuard(*self._place(start), ((name, ""),))

    def _place(self, start: int) -> tuple[Span, tuple[int, int]]:
        """Return the place of the rest of a line."""
        line = self.lines.line_of(start)
        end = start + len(self.text[start:].partition("\n")[0].rstrip())
        return self.lines.span(start, end), (line, line)

    def _ignored(self) -> Iterator[SkipGuard]:
        """Yield the tests that are only run where that is asked for, and speak of a backend."""
        for test in _TEST.finditer(self.text):
            ignored = _IGNORED.search(test["attributes"])
            if ignored is not None and _IS_TEST.search(test["attributes"]) is not None:
                backends = backends_named(f"{test['name']} {ignored['reason'] or ''}")
                if backends:
                    place = self._place(test.start("attributes") + ignored.start())
                    yield SkipGuard(*place, ignored=tuple(sorted(backends)))

    def _gated(self) -> Iterator[SkipGuard]:
        """Yield the features without which a file's tests, or some of them, are not built."""
        for found in _GATE.finditer(self.text):
            is_of_tests = found["file"] or found["item"]
            if is_of_tests and len(backends_named(found["feature"])) == 1:
                yield SkipGuard(*self._place(found.start()), feature=found["feature"])
