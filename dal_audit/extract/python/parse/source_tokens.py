"""The tokens of Python source, as its newest grammar has them, and the first place that has none.

`tokenize` says what the running Python knows (an f-string was one token until 3.12), and LibCST
does not say where a token is faulty. Texts that no parser takes are read, to say where and why.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["name", "number", "string", "formatted", "operator", "line end", "indent"]

_CLOSERS: Final = {")": "(", "]": "[", "}": "{"}
_TAB: Final = 8
_PREFIX: Final = r"(?:[bB][rR]?|[rR][bBfFtT]?|[uU]|[fFtT][rR]?)?"
_QUOTE: Final = re.compile(rf"(?P<prefix>{_PREFIX})(?P<quote>\"\"\"|'''|\"|')")
_BLANK: Final = re.compile(r"(?:[ \t\f]|\\(?:\r\n|\r|\n))+|#[^\r\n]*")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_INDENT: Final = re.compile(r"[ \t\f]*")
_NAME: Final = re.compile(r"[^\W\d]\w*")
_DIGITS: Final = r"[0-9](?:_?[0-9])*"
_NUMBER: Final = re.compile(
    r"0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+"
    rf"|(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][-+]?{_DIGITS})?[jJ]?"
)
_OCTAL: Final = re.compile(r"0[0-9_]*[1-9][0-9_]*")
_BEHIND_NUMBER: Final = re.compile(r"(?!(?:and|else|for|if|in|is|not|or)\b)\w")
_OPERATOR: Final = re.compile(
    r"\*\*=|//=|>>=|<<=|\.\.\.|->|:=|<>|\*\*|//|>>|<<|[-+*/%@&|^=<>!]=|[-+*/%@&|^~<>=.,:;()\[\]{}]"
)
_PLAIN: Final = {
    quote: re.compile(rf"(?:[^\\{quote[0]}{ends}]|\\(?:\r\n|[\s\S]){others})*{quote}")
    for quote, ends, others in (
        ("'", r"\r\n", ""),
        ('"', r"\r\n", ""),
        ("'''", "", "|'(?!'')"),
        ('"""', "", '|"(?!"")'),
    )
}
"""What a literal is behind its first quote."""
_BETWEEN: Final = r"[^\\{}'\"\r\n]|\{\{|\}\}"
_FORMATTED: Final = {
    False: re.compile(rf"(?:{_BETWEEN}|\\N\{{[^{{}}'\"\r\n]*\}}|\\(?:\r\n|[^{{}}])|\\)+"),
    True: re.compile(rf"(?:{_BETWEEN}|\\[^{{}}]|\\)+"),
}
"""What stands in an f-string between its fields."""


class Token(Struct, frozen=True):
    """A token, by the offsets of its first character and of the one behind it."""

    kind: Kind
    start: int
    end: int


class Fault(Struct, frozen=True):
    """Why a text is no Python, and the offset at which it ceases to be any."""

    message: str
    offset: int


class _Opened(Struct, frozen=True):
    """What waits for its end: a bracket, an f-string (its quote), the format of a field (`:`)."""

    sign: str
    offset: int
    is_raw: bool = False


class SourceTokens:
    """The tokens of a text, up to its end or to the first `fault`."""

    def __init__(self, text: str) -> None:
        """Read the text once."""
        self.text = text
        self.tokens: list[Token] = []
        self.fault: Fault | None = None
        self._position = 0
        self._opened: list[_Opened] = []
        self._indents = [("", 0)]
        self._read()

    def _read(self) -> None:
        while self._position < len(self.text):
            self._step()
            if self.fault is not None:
                return
        self._end()

    @property
    def unclosed(self) -> int | None:
        """The offset of the innermost bracket that nothing closes."""
        return self._opened[-1].offset if self._opened else None

    @property
    def _top(self) -> str:
        return self._opened[-1].sign if self._opened else ""

    @property
    def _is_in_field(self) -> bool:
        """Whether what comes is code of an f-string's field, outside brackets of its own."""
        return self._top == "{" and len(self._opened) > 1 and self._opened[-2].sign[0] in "'\":"

    def _step(self) -> None:
        if self._top and self._top[0] in "'\":":
            self._formatted()
        elif not self._opened and self._begins_line():
            self._line()
        else:
            self._code()

    def _begins_line(self) -> bool:
        return not self.tokens or (
            self.tokens[-1].kind == "line end" and self.tokens[-1].end == self._position
        )

    def _add(self, kind: Kind, end: int) -> None:
        self.tokens.append(Token(kind, self._position, end))
        self._position = end

    def _fail(self, message: str, offset: int | None = None) -> None:
        self.fault = Fault(message, self._position if offset is None else offset)

    def _end(self) -> None:
        quote = next((it for it in reversed(self._opened) if it.sign[0] in "'\""), None)
        if quote is not None:
            self._unterminated(quote.sign, quote.offset, formatted=True)

    def _line(self) -> None:
        """Read the blanks at the beginning of a line; what is empty says nothing of the block."""
        found = _INDENT.match(self.text, self._position)
        end = found.end() if found else self._position
        rest = self.text[end : end + 1]
        if rest in {"", "\r", "\n", "#"}:
            self._skip_empty(end)
            return
        indent = self.text[self._position : end].rpartition("\f")[2]
        self._set_indent(indent, end)

    def _skip_empty(self, end: int) -> None:
        comment = _BLANK.match(self.text, end)
        end = comment.end() if comment else end
        ending = _LINE_END.match(self.text, end)
        end = ending.end() if ending else end
        if self.tokens:
            last = self.tokens[-1]
            self.tokens[-1] = Token(last.kind, last.start, end)
        self._position = end

    def _set_indent(self, indent: str, end: int) -> None:
        width = len(indent.expandtabs(_TAB))
        if width > self._indents[-1][1]:
            if not indent.startswith(self._indents[-1][0]):
                self._fail("inconsistent use of tabs and spaces in indentation", end)
                return
            self._indents.append((indent, width))
            self._add("indent", end)
            return
        while width < self._indents[-1][1]:
            self._indents.pop()
        if width != self._indents[-1][1]:
            self._fail("unindent does not match any outer indentation level", end)
        elif indent != self._indents[-1][0]:
            self._fail("inconsistent use of tabs and spaces in indentation", end)
        else:
            self._position = end
            self._code()

    def _code(self) -> None:
        """Read a token of code, or what stands between two."""
        blank = _BLANK.match(self.text, self._position)
        ending = None if blank else _LINE_END.match(self.text, self._position)
        quote = None if blank or ending else _QUOTE.match(self.text, self._position)
        if blank is not None:
            self._position = blank.end()
        elif ending is not None:
            self._end_line(ending.end())
        elif quote is not None:
            self._literal(quote["prefix"], quote["quote"], quote.end())
        else:
            self._word()

    def _end_line(self, end: int) -> None:
        if self._opened:
            self._position = end
        else:
            self._add("line end", end)

    def _literal(self, prefix: str, quote: str, begin: int) -> None:
        if {"f", "t"} & set(prefix.lower()):
            self._opened.append(_Opened(quote, self._position, "r" in prefix.lower()))
            self._add("formatted", begin)
            return
        whole = _PLAIN[quote].match(self.text, begin)
        if whole is not None:
            self._add("string", whole.end())
        elif quote in {it.sign for it in self._opened}:
            self._fail("f-string: expecting '}'")
        else:
            self._unterminated(quote, self._position, formatted=False)

    def _unterminated(self, quote: str, offset: int, *, formatted: bool) -> None:
        what = f"{'triple-quoted ' if len(quote) > 1 else ''}{'f-' if formatted else ''}string"
        self._fail(f"unterminated {what} literal", offset)

    def _word(self) -> None:
        name = _NAME.match(self.text, self._position)
        number = _NUMBER.match(self.text, self._position)
        if name is not None and name[0].isidentifier():
            self._add("name", name.end())
        elif number is not None:
            self._number(number[0], number.end())
        else:
            self._operator()

    def _number(self, digits: str, end: int) -> None:
        if _OCTAL.fullmatch(digits):
            self._fail(
                "leading zeros in decimal integer literals are not permitted; "
                "use an 0o prefix for octal integers"
            )
        elif _BEHIND_NUMBER.match(self.text, end):
            self._fail("invalid number literal")
        else:
            self._add("number", end)

    def _operator(self) -> None:
        sign = self.text[self._position]
        found = _OPERATOR.match(self.text, self._position)
        if self._is_in_field and sign in ":!" and not self.text.startswith("!=", self._position):
            if sign == ":":
                self._opened.append(_Opened(":", self._position))
            self._add("operator", self._position + 1)
        elif found is None:
            self._fail(_unknown(self.text, self._position))
        elif sign in _CLOSERS:
            self._close(sign)
        else:
            if sign in _CLOSERS.values():
                self._opened.append(_Opened(sign, self._position))
            self._add("operator", found.end())

    def _close(self, sign: str) -> None:
        if self._top == _CLOSERS[sign]:
            self._opened.pop()
            self._add("operator", self._position + 1)
        elif not self._top or (self._is_in_field and sign != "}"):
            self._fail(f"{'f-string: ' if self._top else ''}unmatched '{sign}'")
        else:
            self._fail(
                f"closing parenthesis '{sign}' does not match opening parenthesis "
                f"'{self._top}'{self._begun_above()}"
            )

    def _begun_above(self) -> str:
        """Return on which line the innermost bracket was opened, if it is another one."""
        offset = self._opened[-1].offset
        if not _LINE_END.search(self.text, offset, self._position):
            return ""
        return f" on line {1 + sum(1 for _ in _LINE_END.finditer(self.text, 0, offset))}"

    def _formatted(self) -> None:
        """Read on in the text of an f-string, or in the format of one of its fields."""
        literal = next(it for it in reversed(self._opened) if it.sign[0] in "'\"")
        begin = self._position
        part = _FORMATTED[literal.is_raw].match(self.text, begin)
        if part is not None and self._top != ":":
            self._add("formatted", part.end())
        elif self.text.startswith(literal.sign, begin):
            self._close_literal(literal)
        elif self.text.startswith("{", begin):
            self._opened.append(_Opened("{", begin))
            self._add("operator", begin + 1)
        elif self.text.startswith("}", begin):
            self._close_field()
        elif len(literal.sign) == 1 and self.text[begin] in "\r\n":
            self._end()
        else:
            self._position += 1

    def _close_literal(self, literal: _Opened) -> None:
        if self._top == ":":
            self._fail("f-string: expecting '}'")
            return
        self._opened.pop()
        self._add("formatted", self._position + len(literal.sign))

    def _close_field(self) -> None:
        if self._top != ":":
            self._fail("f-string: single '}' is not allowed")
            return
        del self._opened[-2:]
        self._add("operator", self._position + 1)


def _unknown(text: str, offset: int) -> str:
    """Return what is said of a character that begins no token."""
    character = text[offset]
    word = re.compile(r"\w+").match(text, offset)
    if word is not None:
        character = next((it for it in word[0] if not f"a{it}".isidentifier()), character)
    if character == "\0":
        return "source code cannot contain null bytes"
    if not character.isprintable():
        return f"invalid non-printable character U+{ord(character):04X}"
    return "invalid syntax" if character.isascii() else f"invalid character '{character}'"
