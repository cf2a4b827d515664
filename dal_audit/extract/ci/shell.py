"""Shell scripts as the commands that they run: words, operators and places.

No shell is imitated. What matters is which programs are called with which words, whether their
failure counts, and where their output goes; expressions of a CI system and variables are kept in
the words as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.facts import Span
from dal_audit.facts.ci import CiCommand, Operator, Part

_TOKEN: Final = re.compile(
    r"(?P<expression>\$\{\{.*?\}\})"
    r"|(?P<comment>(?:(?<=^)|(?<=[\s;(&|]))\#[^\n]*)"
    r"|(?P<continued>\\\r?\n|`\r?\n)"
    r"|(?P<escaped>\\.)"
    r"|(?P<single>'[^']*'?)"
    r"|(?P<double>\"(?:[^\"\\$]|\\.|\$\{\{.*?\}\}|\$)*\"?)"
    r"|(?P<here><<-?\s*(?P<quote>['\"]?)(?P<mark>\w+)(?P=quote))"
    r"|(?P<redirect>(?:\d|&)?>>?(?:&\d|\|)?|<<<|<)"
    r"|(?P<operator>&&|\|\||;;|\|&|[;|&()\n])"
    r"|(?P<substitution>\$\()"
    r"|(?P<variable>\$\{[^}\n]*\}|\$\w+|\$[?!#@*$-])"
    r"|(?P<space>[ \t\r]+)"
    r"|(?P<plain>[^\s\\'\"$;|&()<>]+|.)",
    re.DOTALL,
)
_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
_UNQUOTED: Final = re.compile(r"\\([\"\\$`\n])")

_OPENERS: Final[dict[str, Part]] = {
    "if": "condition",
    "elif": "condition",
    "until": "loop",
    "while": "loop",
    "for": "loop",
}
_NEUTRAL: Final = frozenset({"then", "else", "do", "time", "function"})
_CLOSERS: Final = frozenset({"fi", "done", "esac", "}"})
_OPERATORS: Final[dict[str, Operator]] = {
    "&&": "&&",
    "||": "||",
    "|": "|",
    "|&": "|",
    ";": ";",
    "&": "&",
}

MAX_WORDS: Final = 200_000
"""How many words of a script are kept."""

Placed = Callable[[int, int], Span]
"""Tells where a stretch of a script stands in its file."""


class _Open(Struct):
    """A command that is being read."""

    start: int = -1
    end: int = 0
    words: list[str] = field(default_factory=list)
    assigned: list[tuple[str, str]] = field(default_factory=list)
    output: str = ""
    is_negated: bool = False


class _Reader:
    """Reads a script from its beginning to its end."""

    def __init__(self, text: str, place: Placed) -> None:
        self.text = text
        self.place = place
        self.found: list[CiCommand] = []
        self.parts: list[Part] = []
        self.depth = 0
        self.open = _Open()
        self.word: str | None = None
        self.word_start = 0
        self.is_bare = True
        self.redirect = ""
        self.waiting: list[str] = []
        self.count = 0

    def read(self) -> tuple[CiCommand, ...]:
        position = 0
        while position < len(self.text) and self.count < MAX_WORDS:
            token = _TOKEN.match(self.text, position)
            if token is None:
                break
            position = self._take(token.lastgroup or "", token, position)
        self._end_command("")
        return tuple(self.found)

    def _take(self, kind: str, token: re.Match[str], position: int) -> int:
        end = token.end()
        if kind in {"plain", "variable", "expression", "single", "double", "escaped"}:
            self._add(kind, token[0], position)
            return end
        if kind == "substitution":
            end = _closing(self.text, end)
            self._add("variable", self.text[position:end], position)
            return end
        self._end_word()
        if kind == "redirect":
            self.redirect = token[0]
        elif kind == "operator":
            return self._operator(token[0], end)
        elif token["mark"]:
            self.waiting.append(token["mark"])
        return end

    def _add(self, kind: str, text: str, position: int) -> None:
        if self.word is None:
            self.word, self.word_start, self.is_bare = "", position, True
        self.is_bare = self.is_bare and kind == "plain"
        if kind == "single":
            text = text.strip("'")
        elif kind == "double":
            text = _UNQUOTED.sub(r"\1", text[1:].removesuffix('"'))
        elif kind == "escaped":
            text = text[1:]
        self.word += text
        self.open.end = max(self.open.end, position + len(text))

    def _end_word(self) -> None:
        word, self.word = self.word, None
        if word is None:
            return
        self.count += 1
        if self.redirect:
            self._redirected(word)
            return
        command = self.open
        if not command.words and self.is_bare and self._reserved(word):
            return
        if command.start < 0:
            command.start = self.word_start
        assigned = _ASSIGNMENT.fullmatch(word) if not command.words else None
        if assigned:
            command.assigned.append((assigned[1], assigned[2]))
        else:
            command.words.append(word)

    def _redirected(self, word: str) -> None:
        if self.redirect.lstrip("1&").startswith(">"):
            self.open.output = word
        self.redirect = ""

    def _reserved(self, word: str) -> bool:
        """Take a word of the shell's grammar that stands where a command begins."""
        match word:
            case "elif" if self.parts:
                self.parts[-1] = "condition"
            case "then" | "else" if self.parts:
                self.parts[-1] = "branch"
            case "case":
                self.parts.append("branch")
                return False
            case "{":
                self.parts.append(self.parts[-1] if self.parts else "")
                self.depth += 1
            case "!":
                self.open.is_negated = True
            case _:
                return self._opens_or_closes(word)
        return True

    def _opens_or_closes(self, word: str) -> bool:
        """Take a word that begins or ends a part of the script, or means nothing by itself."""
        if word in _OPENERS:
            self.parts.append(_OPENERS[word])
        elif word in _CLOSERS:
            del self.parts[-1:]
            self.depth -= word == "}" and self.depth > 0
        return word in _OPENERS or word in _CLOSERS or word in _NEUTRAL

    def _operator(self, text: str, end: int) -> int:
        self._end_word()
        self.redirect = ""
        if text == "(":
            self._end_command(";")
            self.depth += 1
        elif text == ")":
            self._end_command("")
            self.depth = max(self.depth - 1, 0)
        else:
            self._end_command(_OPERATORS.get(text, ";"))
        if text == "\n" and self.waiting:
            return self._skip_documents(end)
        return end

    def _skip_documents(self, position: int) -> int:
        """Return where the text goes on behind the documents that stand in it."""
        for mark in self.waiting:
            closing = re.compile(rf"^[ \t]*{re.escape(mark)}[ \t]*\r?$", re.MULTILINE)
            found = closing.search(self.text, position)
            given = self.text[position : found.start() if found else len(self.text)]
            if self.found:
                self.found[-1] = replace(self.found[-1], given=given)
            position = found.end() if found else len(self.text)
        self.waiting.clear()
        return position

    def _end_command(self, then: Operator) -> None:
        self._end_word()
        command, self.open = self.open, _Open()
        if not command.words and not command.assigned:
            if self.found and then in {"&&", "||", "|", "&"}:
                # An operator behind a group is about its last command.
                self.found[-1] = replace(self.found[-1], then=then)
            return
        part: Part = "loop" if "loop" in self.parts else ""
        if not part and self.parts:
            part = self.parts[-1]
        self.found.append(
            CiCommand(
                self.place(command.start, max(command.end, command.start + 1)),
                tuple(command.words),
                tuple(command.assigned),
                then,
                command.output,
                part,
                self.depth,
                command.is_negated,
            )
        )


def _closing(text: str, position: int) -> int:
    """Return where a command substitution ends that was opened before a position."""
    depth = 1
    for found in re.compile(r"'[^']*'|\\.|[()]", re.DOTALL).finditer(text, position):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if not depth:
            return found.end()
    return len(text)


def commands_of(text: str, place: Placed) -> tuple[CiCommand, ...]:
    """Return the simple commands of a script, in the order in which they stand."""
    return _Reader(text, place).read()


def commands_at(text: str, span: Span) -> tuple[CiCommand, ...]:
    """Return the commands of a script all of which stands at one place."""
    return commands_of(text, lambda _start, _end: span)
