"""Places of folded texts: each character stands where the source spells it."""

from __future__ import annotations

import ast
import warnings

import pytest

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.constant_folding import fold_spelled
from dal_audit.extract.python.literal_places import LiteralPlaces
from dal_audit.extract.python.name_uses import read_names
from dal_audit.extract.source import Lines


def spellings(source: str) -> list[tuple[str, str]]:
    """Return each character of the text that `mark` is handed, with how the source spells it."""
    source = source.replace("~", "\\")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of escapes that mean nothing.
        tree = ast.parse(source)
    sites = read_names(tree, None, call_sites=True).call_sites
    (argument, scope) = next(
        (site.node.args[0], site.scope)
        for site in sites
        if isinstance(site.node, ast.Call) and ast.unparse(site.node.func) == "mark"
    )
    (text,) = fold_spelled(argument, scope)
    extents = LiteralPlaces(Lines(source)).extents(text)
    return [
        (character, "" if extent is None else source[slice(*extent)])
        for character, extent in zip(text, extents, strict=True)
    ]


@pytest.mark.parametrize(
    "source",
    [
        "mark('abc')",
        "mark(u'abc')",
        "mark(r'a~nc')",
        "mark('ab' 'c')",
        "mark('a' # x 'y'\n  'bc')",
        "mark(('a'\n  \"b\"\n 'c'))",
        "mark('''a\nb''')",
        "mark('''a~\nb''')",
        "mark('a' + 'b' + 'c')",
        "x = 'b'\nmark(f'a{x}c{{d}}')",
        "x = 'b'\nmark(f'a{x!s:s}c' 'd' f'{x}')",
        "x = 'b'\nmark(f'a{ {1: x}[1] }c')",
        "x = 'b'\nmark('a%sc%%' % x)",
        "mark('a{}c{{d'.format('x'))",
        "mark('a{x:s}{y}b'.format(x='c', y='d'))",
        "mark(' a b '.strip())",
        "mark('a b c'.replace('b', 'dd'))",
        "mark('aBc'.upper())",
        "import textwrap\nmark(textwrap.dedent('''\n    a\n      b\n\n    c\n'''))",
        "from inspect import cleandoc\nmark(cleandoc('''\n    a\n      b\n'''))",
        "mark(', '.join(['a', 'b']))",
        "mark('\u00e9\U0001f600a')",
        "class T:\n    mark('a' if 0 else 'a')",
    ],
)
def test_each_character_stands_where_it_is_spelled(source: str) -> None:
    for character, spelled in spellings(source):
        doubled = {"{": "{{", "}": "}}", "%": "%"}
        assert spelled.casefold() in {character.casefold(), doubled.get(character)}


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
def test_escapes_are_one_character_each() -> None:
    assert spellings("mark('a~n~x41~101~u00e9~N{DIGIT ONE}~q')") == [
        ("a", "a"),
        ("\n", "\\n"),
        ("A", "\\x41"),
        ("A", "\\101"),
        ("\u00e9", "\\u00e9"),
        ("1", "\\N{DIGIT ONE}"),
        ("\\", "\\"),
        ("q", "q"),
    ]


def test_line_ends_are_one_character() -> None:
    assert spellings("mark('''a\r\nb''')")[1] == ("\n", "\r\n")


def test_a_hole_stands_nowhere() -> None:
    assert spellings("mark(f'a{x}b')") == [("a", "a"), (UNKNOWN, ""), ("b", "b")]


def test_what_is_not_understood_has_the_place_of_the_literal() -> None:
    assert spellings("x = 1\nmark(f'a{x=}')")[:2] == [("a", "f'a{x=}'"), ("x", "f'a{x=}'")]
