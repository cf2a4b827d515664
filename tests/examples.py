"""The examples in Markdown: read, written down as little projects, audited, compared.

A rule's document (`rules/*.md`) holds examples in its sections Bad and Good, an edge file
(`tests/edge/*.md`) everywhere:

- A heading opens a project: `## Bad`, `## Good` and any `### title` below them in a document, any
  `## title` in an edge file.
- A fence below a line that holds nothing but a path in backticks is a file of the project. A fence
  without such a line is an error.
- Marks at a line's end say which rules fire on that line: `# DAL101`, `-- DAL302`,
  `# DAL101, DAL903`, an id for each finding. `# MISSING: DAL103` marks a known gap, which must not be
  found; with both, `# DAL101 MISSING: DAL103`. A mark is taken off before the file is written.
- A line of a path in backticks and marks (`` `app` DAL902 ``), with no fence below, expects
  findings at the first line of what cannot hold a mark: a folder, or an empty file.
- Words in a fence's info string tell how the file is written: `encoding=latin-1`, `newline=crlf`
  (or `cr`), `bom`, `bare` (no line end at the end), and `escapes` (`\f`, `\t`, `\r`, `\0`, `\\` and
  `\xff`, which is one byte, are written as two or four characters).
- A rule's document shows in *How to fix* what its fixes do: `### By --fix` (or `### By
  --unsafe-fixes`, each in backticks) opens a project before, and a fence below `` `path` afterwards ``
  is a file of it afterwards. What has no such fence stays as it is.
- `released` in the info string makes the file one of the last release: it is committed, and removed
  before the other files are written. A project with such a file is a git repository.
"""

from __future__ import annotations

import datetime
import functools
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from dal_audit.audit import audit
from dal_audit.catalogue.rulebook import rules
from dal_audit.policy.request import Request
from dal_audit.report.render import Report

CHECKOUT: Final = Path(__file__).parent.parent
DOCUMENTS: Final = CHECKOUT / "rules"
EDGES: Final = CHECKOUT / "tests" / "edge"
CONFIGURATION_FILES: Final = ("dal-audit.toml", "pyproject.toml")
TODAY: Final = datetime.date(2026, 1, 1)
JUDGED: Final = frozenset({"Bad", "Good"})
MENDING: Final = frozenset({"How to fix"})
AFTERWARDS: Final = "afterwards"

_HEADING: Final = re.compile(r"(#{1,6})[ \t]+(.+?)[ \t]*")
_FENCE: Final = re.compile(r"(`{3,}|~{3,})[ \t]*(.*?)[ \t]*")
_PATH_LINE: Final = re.compile(r"`([^`]+)`(?:[ \t]+(.+))?")
_IDS: Final = r"DAL\d+(?:(?:,[ \t]*|[ \t]+)DAL\d+)*"
_MARKS: Final = re.compile(
    rf"[ \t]*(?:\#|--|//)[ \t]*(?:({_IDS})(?:[ \t]+MISSING:[ \t]*({_IDS}))?|MISSING:[ \t]*({_IDS}))[ \t]*$"
)
_BARE_MARKS: Final = re.compile(rf"({_IDS})(?:[ \t]+MISSING:[ \t]*({_IDS}))?")
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_ESCAPE: Final = re.compile(r"\\(?:([ftr0\\])|x([0-9a-f]{2}))")
_SIMPLE_ESCAPES: Final = {"f": "\f", "t": "\t", "r": "\r", "0": "\0", "\\": "\\"}
_NEWLINES: Final = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
_SELECTS: Final = re.compile(rb"^(?:select|ignore|extend-select)\s*=", re.MULTILINE)


class ExampleError(ValueError):
    """An example breaks the grammar."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A rule that fires (or, for a known gap, does not) on a line of a file."""

    path: str
    line: int
    rule: str


@dataclass(slots=True)
class Example:
    """A little project and what is to be found in it."""

    document: str
    section: str
    title: str
    line: int
    files: dict[str, bytes] = field(default_factory=dict)
    released: dict[str, bytes] = field(default_factory=dict)
    marks: Counter[Mark] = field(default_factory=Counter)
    gaps: set[Mark] = field(default_factory=set)
    fences: int = 0
    afterwards: dict[str, bytes] = field(default_factory=dict)
    marks_afterwards: Counter[Mark] = field(default_factory=Counter)

    def __str__(self) -> str:
        """Name the example for people."""
        return f"{self.document}:{self.line} {self.title}"

    def write(self, root: Path) -> None:
        """Write the project's files into a folder, over those of the release before."""
        if self.released:
            _write(root, self.released)
            _commit(root)
            for path in self.released:
                (root / path).unlink()
        _write(root, self.files)

    def request(self, root: Path, *, shortcuts: bool = True) -> Request:
        """Return the request for an audit with all rules, whatever they are by default.

        A project that selects rules itself is taken at its word.
        """
        settings = (self.files.get(name, b"") for name in CONFIGURATION_FILES)
        selects = any(_SELECTS.search(text) for text in settings)
        return Request(
            folder=root, select=None if selects else ("DAL",), shortcuts=shortcuts, today=TODAY
        )

    def differences(self, report: Report) -> list[str]:
        """Return what an audit's report lacks and what it should not hold, a line each.

        What only a replay proves is none of its business.
        """
        audited = {rule.id for rule in rules() if rule.proof == "audit"}
        marks = Counter({one: count for one, count in self.marks.items() if one.rule in audited})
        return self.compared(report, marks)

    def compared(self, report: Report, marks: Counter[Mark]) -> list[str]:
        """Return how a report differs from some marks, a line each."""
        messages: dict[Mark, list[str]] = {}
        for one in report.open:
            mark = Mark(one.place.path, one.place.span.line, one.rule.id)
            messages.setdefault(mark, []).append(one.breach.message)
        found = Counter({mark: len(said) for mark, said in messages.items()})
        lines = [f"not found: {_shown(mark)}" for mark in sorted((marks - found).elements())]
        for mark in sorted((found - marks).elements()):
            known = "a known gap is closed" if mark in self.gaps else "found"
            lines.append(f"{known}: {_shown(mark)} {' / '.join(messages[mark])}")
        return lines


def _write(root: Path, files: dict[str, bytes]) -> None:
    for path, data in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def _commit(root: Path) -> None:
    """Make a repository of a folder, with all its files in one commit on its main branch."""
    who = {
        f"GIT_{role}_{what}": "a@b"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    none = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for words in ("init -q -b main", "add -A", "commit -q -m release"):
        subprocess.run(
            ["git", *words.split()], cwd=root, env={**os.environ, **who, **none}, check=True
        )


def _shown(mark: Mark) -> str:
    return f"{mark.path}:{mark.line} {mark.rule}"


def audit_example(example: Example, root: Path, *, shortcuts: bool = True) -> Report:
    """Write an example into an empty folder and audit it."""
    example.write(root)
    return audit(example.request(root, shortcuts=shortcuts))


@functools.cache
def all_examples() -> tuple[Example, ...]:
    """Return the examples of all documents and all edge files; they are read once."""
    return tuple(_all_examples())


def _all_examples() -> Iterator[Example]:
    for path in sorted(DOCUMENTS.glob("*.md")):
        if path.name != "README.md":
            yield from read_examples(path.name, path.read_text(encoding="utf-8"))
    for path in sorted(EDGES.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        yield from read_examples(f"edge/{path.name}", text, everywhere=True)


@functools.cache
def mended_examples() -> tuple[Example, ...]:
    """Return what the documents show of their rules' fixes."""
    documents = sorted(path for path in DOCUMENTS.glob("*.md") if path.name != "README.md")
    return tuple(
        example
        for path in documents
        for example in _Reader(path.name, opening=MENDING).read(
            path.read_text(encoding="utf-8").splitlines()
        )
    )


def read_examples(name: str, text: str, *, everywhere: bool = False) -> Iterator[Example]:
    """Yield the examples of a document, or (`everywhere`) of an edge file.

    Raises ExampleError for a fence without path, one that never ends, a path that occurs twice in
    a project, and a mark that is no mark.
    """
    opening = None if everywhere else JUDGED
    return iter(_Reader(name, opening=opening).read(text.splitlines()))


class _Reader:
    """Reads the examples below some headings of the second level; below all where none are named."""

    def __init__(self, name: str, *, opening: frozenset[str] | None) -> None:
        self.name = name
        self.opening = opening
        self.examples: list[Example] = []
        self.section = ""
        self.current: Example | None = None

    def read(self, lines: list[str]) -> list[Example]:
        index = 0
        while index < len(lines):
            number, line = index + 1, lines[index]
            before = lines[index - 1] if index else ""
            index += 1
            fence = _FENCE.fullmatch(line)
            if fence is not None:
                end = _closing(lines, index, fence[1])
                if end is None:
                    raise self.error(number, "the fence never ends")
                if self.current is not None:
                    self.file(number, before, fence[2].split(), lines[index:end])
                index = end + 1
                continue
            heading = _HEADING.fullmatch(line)
            if heading is not None:
                self.heading(number, len(heading[1]), heading[2])
            elif self.current is not None:
                self.expectation(number, line, lines[index : index + 1])
        return [one for one in self.examples if one.fences]

    def heading(self, number: int, level: int, title: str) -> None:
        if level <= 2:  # `## Bad`, or the document's title
            self.section = title
            opens = level == 2 and (self.opening is None or title in self.opening - MENDING)
        elif self.opening == MENDING:
            opens = self.section in MENDING
        else:
            opens = self.current is not None
        self.current = None
        if opens:
            self.current = Example(self.name, self.section, title, number)
            self.examples.append(self.current)

    def file(self, number: int, before: str, info: list[str], lines: list[str]) -> None:
        """Read a fence as a file of the current project."""
        assert self.current is not None
        path = _PATH_LINE.fullmatch(before.strip())
        is_after = path is not None and path[2] == AFTERWARDS and self.opening == MENDING
        if path is None or (path[2] and not is_after):
            raise self.error(number, "a fence without a path in backticks on the line before")
        into = self.current.files
        if is_after:
            into = self.current.afterwards
        elif "released" in info:
            into = self.current.released
        if path[1] in into:
            raise self.error(number, f"the project has two files `{path[1]}`")
        self.current.fences += 1
        data, marks, gaps = written(path[1], lines, [word for word in info if word != "released"])
        into[path[1]] = data
        (self.current.marks_afterwards if is_after else self.current.marks).update(marks)
        self.current.gaps |= gaps

    def expectation(self, number: int, line: str, following: list[str]) -> None:
        """Read a line that expects a finding where no mark can stand."""
        assert self.current is not None
        found = _PATH_LINE.fullmatch(line.strip())
        if found is None or not (found[2] or "").startswith("DAL"):
            return
        marks = _BARE_MARKS.fullmatch(found[2])
        if marks is None or (following and _FENCE.fullmatch(following[0])):
            raise self.error(number, f"`{line}` expects nothing that can be read")
        self.current.marks.update(Mark(found[1], 1, rule) for rule in _ids(marks[1]))
        self.current.gaps |= {Mark(found[1], 1, rule) for rule in _ids(marks[2])}

    def error(self, number: int, message: str) -> ExampleError:
        return ExampleError(f"{self.name}:{number}: {message}")


def _closing(lines: list[str], start: int, opening: str) -> int | None:
    for index in range(start, len(lines)):
        text = lines[index].strip()
        if len(text) >= len(opening) and not text.strip(opening[0]):
            return index
    return None


def _ids(text: str | None) -> list[str]:
    return re.findall(r"DAL\d+", text or "")


def written(
    path: str, lines: Iterable[str], info: list[str]
) -> tuple[bytes, list[Mark], set[Mark]]:
    """Return a file's bytes as the info string asks for, the marks, and the known gaps."""
    options = dict(word.partition("=")[::2] for word in info[1:])
    encoding = options.pop("encoding", "utf-8")
    newline = _NEWLINES[options.pop("newline", "lf")].encode(encoding)
    bom, bare = "bom" in options, "bare" in options
    escapes = "escapes" in options
    if set(options) - {"bom", "bare", "escapes"}:
        raise ExampleError(f"{path}: unknown words in the info string: {info}")
    data = b""
    marks: list[Mark] = []
    gaps: set[Mark] = set()
    for line in lines:
        found = _MARKS.search(line)
        text = line[: found.start()] if found else line
        if data and not data.endswith(newline):
            data += newline
        data += _encoded(text, encoding) if escapes else text.encode(encoding)
        if found:
            number = 1 + len(_LINE_END.findall(data))
            marks += [Mark(path, number, rule) for rule in _ids(found[1])]
            gaps |= {Mark(path, number, rule) for rule in _ids(found[2]) + _ids(found[3])}
        data += newline
    if bare:
        data = data.removesuffix(newline)
    return (b"\xef\xbb\xbf" if bom else b"") + data, marks, gaps


def _encoded(text: str, encoding: str) -> bytes:
    """Encode a line with its escapes; `\\xff` is that byte in every encoding."""
    data = b""
    position = 0
    for escape in _ESCAPE.finditer(text):
        data += text[position : escape.start()].encode(encoding)
        data += (
            bytes([int(escape[2], 16)])
            if escape[2]
            else _SIMPLE_ESCAPES[escape[1]].encode(encoding)
        )
        position = escape.end()
    return data + text[position:].encode(encoding)
