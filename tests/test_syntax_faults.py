"""What is wrong with a text that is no Python, and where: the same on every Python.

The suite runs on each Python that is supported, so that every row is what all of them say.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from dal_audit.extract.python.parse.parser import UnparsableError, parse
from dal_audit.extract.python.parse.source_tokens import SourceTokens
from dal_audit.extract.python.parse.syntax_faults import fault_of

CHECKOUT: Final = Path(__file__).parents[1]
COMMA: Final = "invalid syntax. Perhaps you forgot a comma?"
EQUAL: Final = "cannot assign here. Maybe you meant '==' instead of '='?"
NUMBER: Final = "invalid number literal"
TABS: Final = "inconsistent use of tabs and spaces in indentation"
UNINDENT: Final = "unindent does not match any outer indentation level"
OCTAL: Final = (
    "leading zeros in decimal integer literals are not permitted; "
    "use an 0o prefix for octal integers"
)
NAMED: Final = (
    "(unicode error) 'unicodeescape' codec can't decode bytes in position 0-6: "
    "unknown Unicode character name"
)


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        # Brackets
        ("x = (\n", 1, 5, "'(' was never closed"),
        ("a = (1,\n  2\nb = 3\n", 1, 5, "'(' was never closed"),
        ("x = [\n  {1: 2,\n", 2, 3, "'{' was never closed"),
        ("x = ]\n", 1, 5, "unmatched ']'"),
        ("x = (1]\n", 1, 7, "closing parenthesis ']' does not match opening parenthesis '('"),
        (
            "x = (\n1]\n",
            *(2, 2, "closing parenthesis ']' does not match opening parenthesis '(' on line 1"),
        ),
        # Blocks
        ("class A\n  pass\n", 1, 8, "expected ':'"),
        ("while True\n  pass\n", 1, 11, "expected ':'"),
        ("if x:\ny = 1\n", 2, 1, "expected an indented block"),
        ("def f():\n  a\n    b\n", 3, 5, "unexpected indent"),
        ("\n\n   a b", 3, 4, "unexpected indent"),
        ("if x:\n    a\n  b\n", 3, 3, UNINDENT),
        ("if a:\n\tb\n        c\n", 3, 9, TABS),
        ("try:\n  x\ny = 1\n", 3, 1, "expected 'except' or 'finally'"),
        # Tokens
        ("x = 'a\ny = 1\n", 1, 5, "unterminated string literal"),
        ("'''abc\n\n", 1, 1, "unterminated triple-quoted string literal"),
        ("x = 10L\n", 1, 5, NUMBER),
        ("x = 1__0\n", 1, 5, NUMBER),
        ("x = 0777\n", 1, 5, OCTAL),
        ("x = $\n", 1, 5, "invalid syntax"),
        ("x = \u201ca\u201d\n", 1, 5, "invalid character '\u201c'"),
        ("x\u00a0= 1\n", 1, 2, "invalid non-printable character U+00A0"),
        ("a\0b = 1\n", 1, 2, "source code cannot contain null bytes"),
        ("x = '\\N{foo}'\n", 1, 5, NAMED),
        ("x = b'\u00e9'\n", 1, 5, "bytes can only contain ASCII literal characters"),
        # Grammar
        ("foo(a b)\n", 1, 7, COMMA),
        ("foo('a' 1)\n", 1, 9, COMMA),
        ("a b\n", 1, 3, "invalid syntax"),
        ("a\r\nb b\r\n", 2, 3, "invalid syntax"),
        ("a\rb b\r", 2, 3, "invalid syntax"),
        ("\u00e9 \u00e9\n", 1, 3, "invalid syntax"),
        ("1 = 2\n", 1, 3, EQUAL),
        ("if x = 1:\n  pass\n", 1, 6, EQUAL),
        ("return = 1\n", 1, 8, "invalid syntax"),
        ("for x y:\n  pass\n", 1, 7, "expected 'in'"),
        ("lambda x, x y: 1\n", 1, 13, "expected ',' or '='"),
        ("import a.b as c.d\n", 1, 16, "expected ',', ';' or the end of the line"),
        ("print 'a'\n", 1, 1, "Missing parentheses in call to 'print' (Python 2?)"),
        # The first fault is told, of tokens or of grammar; what is cut off by the second is none.
        ("print 'a'\nx = 10L\n", 1, 1, "Missing parentheses in call to 'print' (Python 2?)"),
        ("x = (\n  10L)\n", 2, 3, NUMBER),
        ("try:\n  10L\n", 2, 3, NUMBER),
        # f-strings, of which Pythons before 3.12 know no tokens
        ("x = f'{a b}'\n", 1, 10, COMMA),
        ("x = f'''{a\n  b c}'''\n", 2, 3, COMMA),
        ("x = rf'\\{a b}'\n", 1, 12, COMMA),
        ("x = f'\\N{DASH}{a b}'\n", 1, 18, COMMA),
        ("x = f\"{x['a']} {1 2}\"\n", 1, 19, COMMA),
        ("x = f'{x!r:>{w w}}'\n", 1, 16, COMMA),
        ("x = f'''{a} ' \" {b c} '''\n", 1, 20, COMMA),
        ("x = f'{a'\n", 1, 9, "f-string: expecting '}'"),
        ("x = f'{a:{b}'\n", 1, 13, "f-string: expecting '}'"),
        ("x = f'}'\n", 1, 7, "f-string: single '}' is not allowed"),
        ("x = f'{a)}'\n", 1, 9, "f-string: unmatched ')'"),
        ("x = f'a\n'\n", 1, 5, "unterminated f-string literal"),
        ("x = f'''a\n\n", 1, 5, "unterminated triple-quoted f-string literal"),
        # Syntax that some of the Pythons do not know is no fault.
        ("type X = int\ny y\n", 2, 3, "invalid syntax"),
        ("try:\n    pass\nexcept* A:\n    x x\n", 4, 7, "invalid syntax"),
        ("x = f'{\"a\" + f'{b}'}'\ny y\n", 2, 3, "invalid syntax"),
    ],
)
def test_every_python_says_the_same(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(UnparsableError) as raised:
        parse(text)
    assert (raised.value.line, raised.value.column, str(raised.value)) == (line, column, words)


def test_sound_source_has_no_fault() -> None:
    for path in sorted((CHECKOUT / "dal_audit/report").glob("*.py")):
        assert SourceTokens(path.read_text(encoding="utf-8")).fault is None, path


ODD_BUT_SOUND: Final = """\
if x:
\f\ty = 1_0.5e-3j + .5 + 1. + 0xf_f + 0 + 00  # a
\tif y: z = f"{a!r:>{w}}{{}}" f'{x:%H:%M}' rf"\\d{{2}}{a["b"]}" f"{a=}" f"{(lambda: 1)()}"

  # no block begins here
else: pass; a = b if 1else c
b"\\'" b'''a''' "\\
"; \\
x: int = a if a != b else (
b)
f'''{
a
:{b}}'''; ä = a[1:2, ::3]; a := b
"""


def test_odd_tokens_are_tokens() -> None:
    read = SourceTokens(ODD_BUT_SOUND)
    assert (read.fault, read.unclosed) == (None, None)


def _slips() -> Iterator[str]:
    """Yield sound source in which one character is left out, doubled or put in."""
    chance = random.Random(16)  # no secret
    text = (CHECKOUT / "dal_audit/checks/unreadable_file.py").read_text(encoding="utf-8")
    for _ in range(120):
        place = chance.randrange(len(text))
        middle = chance.choice(
            ["", text[place] * 2, chance.choice("()[]{}:,'\"\\ =.!") + text[place]]
        )
        yield text[:place] + middle + text[place + 1 :]


def _refusal(text: str) -> str | None:
    try:
        parse(text)
    except UnparsableError as error:
        return str(error)
    return None


def test_a_fault_is_known_wherever_no_parser_reads_on() -> None:
    faults = 0
    for text in _slips():
        words = _refusal(text)
        known = None if words is None else fault_of(text)
        assert (known and known.message) == words
        faults += words is not None
    assert faults >= 40
