"""Folding: what a text can be, and what is left alone because it would be guessing."""

from __future__ import annotations

import ast

import pytest

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.python.constant_folding import fold_constant
from dal_audit.extract.python.constant_sets import MAX_CANDIDATES, MAX_LENGTH
from dal_audit.extract.python.name_uses import read_names


def folded(text: str) -> list[tuple[str, ...]]:
    """Return what the argument of each call of `mark` folds to, in the order of the text."""
    sites = read_names(ast.parse(text), None, call_sites=True).call_sites
    return [
        fold_constant(one.node.args[0], one.scope)
        for one in sites
        if isinstance(one.node, ast.Call)
        and isinstance(one.node.func, ast.Name)
        and one.node.func.id == "mark"
    ]


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'a'", "a"),
        ("'a' 'b'", "ab"),
        ("'a' + 'b' + 'c'", "abc"),
        ("f'a'", "a"),
        ("f'a{\"b\"}c'", "abc"),
        ("f'{\"a\"!s}'", "a"),
        ("f'{{a}}'", "{a}"),
        ("'a%sb' % 'x'", "axb"),
        ("'%s.%s' % ('a', 'b')", "a.b"),
        ("'{}{}'.format('a', 'b')", "ab"),
        ("'{1}{0}'.format('a', 'b')", "ba"),
        ("'{x}{y}'.format(x='a', y='b')", "ab"),
        ("'{}-{x}'.format('a', x='b')", "a-b"),
        ("'{{}}'.format()", "{}"),
        ("'{{{}}}'.format('a')", "{a}"),
        ("'a}}b{{c'.format()", "a}b{c"),
        ("'.'.join(['a', 'b'])", "a.b"),
        ("'.'.join(('a',))", "a"),
        ("''.join([])", ""),
        ("(x := 'a')", "a"),
        ("{'k': 'a', 'l': 'b'}['k']", "a"),
        ("('a')", "a"),
        ("1", "1"),
        ("f'a{1}'", "a1"),
        ("f'a{1:02d}'", "a01"),
        ("f'{\"a\":>3}'", "  a"),
        ("'a%d' % 1", "a1"),
        ("'%03i' % 1", "001"),
        ("'{:>3}'.format('a')", "  a"),
        ("'{:d}'.format(1)", "1"),
        ("str(1)", "1"),
        ("'a'.upper()", "A"),
        ("' a '.strip()", "a"),
        ("('a', 'b')[1]", "b"),
        ("'%(x)s' % {'x': 'a'}", "a"),
        ("'%s%%' % 'a'", "a%"),
        ("__import__('textwrap').dedent('  a\\n  b')", "a\nb"),
    ],
)
def test_what_is_folded(expression: str, text: str) -> None:
    assert folded(f"mark({expression})\n") == [(text,)]


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        ("'a' if x else 'b'", ("a", "b")),
        ("'a' or 'b'", ("a", "b")),
        ('f\'{"a" if x else "b"}.c\'', ("a.c", "b.c")),
        ("{'k': 'a', 'l': 'b'}[x]", ("a", "b")),
        ("f'a{x}'.upper()", (f"A{UNKNOWN}",)),
        ("'a%r' % x", (f"a{UNKNOWN}",)),
        ("'a%(b)s%%c' % x", (f"a{UNKNOWN}%c",)),
        ("'{{a}} {!r}{}'.format('b', 'c')", (f"{{a}} {UNKNOWN}c",)),
        ("'a {} {x.y:>5}'.format(*b)", (f"a {UNKNOWN} {UNKNOWN}",)),
        ("'a' if x else y", ("a", UNKNOWN)),
        ("x or 'a'", ("a", UNKNOWN)),
        ("f'a.{x}'", (f"a.{UNKNOWN}",)),
        ("'a.' + x", (f"a.{UNKNOWN}",)),
        ("'a.%s' % x", (f"a.{UNKNOWN}",)),
        ("'a.{}'.format(x)", (f"a.{UNKNOWN}",)),
        ("'.'.join(['a', x])", (f"a.{UNKNOWN}",)),
        ("f'{x}.a'", (f"{UNKNOWN}.a",)),
        ("('ab' if x else 'c').upper()", ("AB", "C")),
        ("b'a'.decode()", ("a",)),
        ("str(b'a', encoding='ascii')", ("a",)),
        ("'\\u00fc'.encode().decode('utf-8')", ("\u00fc",)),
        ("bytes('a', 'utf-8').decode()", ("a",)),
        ("'cba'[::-1]", ("abc",)),
        ("'abc'[1:]", ("bc",)),
        ("' a'.strip().replace('a', 'b')", ("b",)),
    ],
)
def test_what_can_be_several_texts_or_has_a_hole(expression: str, texts: tuple[str, ...]) -> None:
    assert folded(f"mark({expression})\n") == [texts]


@pytest.mark.parametrize(
    "expression",
    [
        "x",
        "b'a'",
        "True",
        "None",
        "f()",
        "x.y",
        "x[0]",
        "-'a'",
        "'a' * 2",
        "'a' - 'b'",
        "f'{\"a\"!r}'",
        "f'{\"a\":>9999}'",
        "f'{\"a\":d}'",
        "'%d' % 'a'",
        "'%s' % ('a', 'b')",
        "'{!r}'.format('a')",
        "'{0.x}'.format('a')",
        "'{0[0]}'.format('a')",
        "'{:>9999}'.format('a')",
        "str('a', 'b')",
        "'a'.upper(1)",
        "'{}'.format()",
        "'{}'.format(*x)",
        "'{1}'.format(*x, 'a')",
        "'{x}'.format(**y)",
        "'{'.format('a')",
        "'.'.join(x)",
        "'.'.join('ab', 'c')",
        "'.'.join(x for x in 'ab')",
        "'a'.upper(x)",
        "'a'.upper('b')",
        "x.upper()",
        "b'a'.upper()",
        "b'\\xff'.decode()",
        "b'a'.decode('none')",
        "'a'[0]",
        "'a'[x:]",
        "'a'[::0]",
        "f'a{x}'[::-1]",
        "{'k': 'a'}['l']",
        "{**x}['k']",
        "lambda: 'a'",
        "['a']",
        "('a', 'b')",
        "*'a',",
        "await_",
    ],
)
def test_what_is_not_guessed(expression: str) -> None:
    assert folded(f"mark({expression})\n") == [(UNKNOWN,)]


@pytest.mark.parametrize(
    "text",
    [
        "x = 'a'\nmark(x)\n",
        "x: str = 'a'\nmark(x)\n",
        "x = y = 'a'\nmark(y)\n",
        "y = 'a'\nx = y\nmark(x)\n",
        "def f():\n  x = 'a'\n  mark(x)\n",
        "x = 'a'\ndef f():\n  mark(x)\n",
        "def f():\n  x = 'a'\n  def g(): mark(x)\n",
        "class C:\n  x = 'a'\n  mark(x)\n",
        "mark(x)\nx = 'a'\n",
        "x = 'a'\nmark(f'{x}')\n",
        "t = {'k': 'a'}\nmark(t['k'])\n",
        "t = {'k': 'a'}\nk = 'k'\nmark(t[k])\n",
        "p = ['a']\nmark(''.join(p))\n",
        "for x in ('a',): mark(x)\n",
        "t = ['a']\nfor x in t: mark(x)\n",
        "[mark(x) for x in ['a']]\n",
        "if (x := 'a'): mark(x)\n",
        "def f():\n  global x\n  x = 'a'\nmark(x)\n",
        "x = 'a'\nlambda: mark(x)\n",
    ],
)
def test_names_that_are_assigned_once(text: str) -> None:
    assert folded(text) == [("a",)]


@pytest.mark.parametrize(
    "text",
    [
        "x = 'a'\nx = 'b'\nmark(x)\n",
        "x = 'a'\nx = 'a'\nmark(x)\n",
        "x = 'a'\nx += 'b'\nmark(x)\n",
        "if y: x = 'a'\nelse: x = 'b'\nmark(x)\n",
        "def f(x): mark(x)\n",
        "def f(x='a'): mark(x)\n",
        "def f(*x): mark(x)\n",
        "def f(**x): mark(x)\n",
        "lambda x='a': mark(x)\n",
        "x = 'a'\ndef f(x): mark(x)\n",
        "x = 'a'\nfor x in y: ...\nmark(x)\n",
        "x = 'a'\nwith y as x: ...\nmark(x)\n",
        "x = 'a'\ndef f():\n  global x\n  x = 'b'\nmark(x)\n",
        "x = 'a'\nimport x\nmark(x)\n",
        "from y import x\nmark(x)\n",
        "for x in y: mark(x)\n",
        "for x in range(9): mark(x)\n",
        "x, *y = 'a', 'b'\nmark(y)\n",
        "x: str\nmark(x)\n",
        "class C:\n  x = 'a'\n  def f(self): mark(x)\n",
        "x = x\nmark(x)\n",
        "x = y\ny = x\nmark(x)\n",
        "x = 'a' + x\nx = 'b'\nmark(x)\n",
        "try: ...\nexcept E as x: mark(x)\n",
        "match y:\n  case x: mark(x)\n",
    ],
)
def test_names_that_are_not_guessed(text: str) -> None:
    assert folded(text) == [(UNKNOWN,)]


def test_a_name_that_stands_for_itself_is_a_hole() -> None:
    (texts,) = folded("x = 'a' + x\nmark(x)\n")
    assert all(UNKNOWN in text for text in texts)


def test_too_many_texts_are_none() -> None:
    many = ", ".join(f"'{index}'" for index in range(MAX_CANDIDATES + 1))
    assert folded(f"for x in [{many}]: mark(x)\n") == [(UNKNOWN,)]
    two = "('a' if x else 'b')"
    (texts,) = folded(f"mark({' + '.join([two] * 9)})\n")
    assert len(texts) <= MAX_CANDIDATES
    assert all(UNKNOWN in text for text in texts)
    assert len(folded(f"mark({' + '.join([two] * 4)})\n")[0]) == 2**4


def test_too_long_a_text_is_none() -> None:
    assert folded(f"mark('{'a' * (MAX_LENGTH + 1)}')\n") == [(UNKNOWN,)]
    assert folded(f"mark('{'a' * MAX_LENGTH}' + 'b')\n") == [(UNKNOWN,)]


@pytest.mark.parametrize(
    "expression",
    [
        " + ".join(["'a'"] * 100),
        "'{" + "9" * 5000 + "}'.format('a')",
        "'{" + "٣" * 9 + "}'.format('a')",
        "'{²}'.format('a')",
        "'{0}' * 3 % 'a'",
        "'%s' % ()",
        "'%s' % (*x,)",
        "'{}'.format(x=1)",
        "''.join([*x])",
        "{None: 'a'}[None]",
        "{**{}}[0]",
        "f'{f\"{1}\"}'",
        "'a' % 'b' % 'c'",
        "'.'.join([]).join([])",
        "(yield)",
    ],
)
def test_whatever_is_folded_nothing_fails(expression: str) -> None:
    wrapped = f"def f():\n  mark({expression})\n"
    (texts,) = folded(wrapped)
    assert texts


def test_folding_takes_time_in_proportion() -> None:
    """A chain in which each name stands twice in the next would double with every link."""
    lines = ["x0 = 'a'"]
    lines += [f"x{index + 1} = x{index} + x{index}" for index in range(40)]
    (texts,) = folded("\n".join([*lines, "mark(x40)", ""]))
    assert texts
    lines = ["x0 = 'a' if y else 'b'"]
    lines += [f"x{index + 1} = x{index} or x{index}" for index in range(40)]
    (texts,) = folded("\n".join([*lines, "mark(x40)", ""]))
    assert texts


def test_a_list_that_is_empty_at_first_is_filled_later() -> None:
    assert folded("x = []\nx.append(y)\nmark('a' + ' '.join(x))\n") == [(f"a{UNKNOWN}",)]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("k = 'a'\nmark('A' if k == 'a' else 'B')", ("A",)),
        ("k = 'a'\nmark('A' if 'a' != k else 'B')", ("B",)),
        ("k = 'a' + 'b'\ndef f():\n    mark('A' if k == 'a' else 'B')", ("B",)),
        ("def f(k='a'):\n    mark('A' if k == 'a' else 'B')", ("A", "B")),
        ("k = 'a'\nk += x\nmark('A' if k == 'a' else 'B')", ("A", "B")),
        ("k = '1'\nmark('A' if k == 1 else 'B')", ("A", "B")),
        ("k = 'a'\nmark('A' if k == 'a' == x else 'B')", ("A", "B")),
        ("k = 'a'\nmark('A' if k in 'a' else 'B')", ("A", "B")),
        (
            "class C:\n    k = 'a'\n    def f(self):\n        mark('A' if self.k == 'a' else 'B')",
            ("A", "B"),
        ),
    ],
)
def test_a_comparison_of_two_texts_chooses(text: str, chosen: tuple[str, ...]) -> None:
    """What an heir or a method may set otherwise chooses nothing."""
    assert folded(text) == [chosen]
