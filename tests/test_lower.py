"""LibCST trees lowered to the shape of `ast`: the same names at the same places.

Compared on files of the standard library and on a file of all forms of syntax, as far as the
running Python knows them.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
import tokenize
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from dal_audit.extract.python.name_uses import read_names
from dal_audit.extract.python.parse.libcst_to_ast import lower_module
from tests.sampling import runs

if TYPE_CHECKING:
    from collections.abc import Iterator

SAMPLE: Final = runs(60)
SMALLEST, LARGEST = 1_000, 14_000
EXACT_IN_FSTRINGS: Final = sys.version_info >= (3, 12)
"""Before Python 3.12, `ast` misplaces what lies in an f-string."""


def sample() -> list[Path]:
    """Choose files of the standard library, the same ones on every run of one Python."""
    library = Path(sysconfig.get_path("stdlib"))
    found = [
        path
        for folder in (
            "",
            "asyncio",
            "collections",
            "email",
            "http",
            "importlib",
            "json",
            "unittest",
        )
        for path in sorted((library / folder).glob("*.py"))
        if SMALLEST <= path.stat().st_size <= LARGEST
    ]
    step = max(1, len(found) // SAMPLE)
    return found[::step][:SAMPLE]


def parsed(text: str) -> ast.Module:
    """Parse with `ast`, quietly."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def in_fstrings(tree: ast.AST) -> set[int]:
    """Return the identities of the nodes inside f-strings."""
    return {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for inner in ast.walk(node)
    }


def names(tree: ast.AST) -> Counter[tuple[object, ...]]:
    """Return the names of a tree, each with what is done to it and where."""
    misplaced = set() if EXACT_IN_FSTRINGS else in_fstrings(tree)
    return Counter(
        (
            node.id,
            type(node.ctx).__name__,
            *((0,) * 4 if id(node) in misplaced else place(node)),
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
    )


def place(node: ast.AST) -> tuple[object, ...]:
    """Return where a node stands."""
    return (
        getattr(node, "lineno", None),
        getattr(node, "col_offset", None),
        getattr(node, "end_lineno", None),
        getattr(node, "end_col_offset", None),
    )


def others(tree: ast.AST) -> Counter[tuple[object, ...]]:
    """Return what else the analysis reads: imports, definitions, parameters, attributes, texts."""
    inside = in_fstrings(tree)
    return Counter(described for node in ast.walk(tree) for described in described_as(node, inside))


def described_as(node: ast.AST, inside: set[int]) -> Iterator[tuple[object, ...]]:
    """Yield what the analysis reads of one node."""
    where = (0, 0) if id(node) in inside and not EXACT_IN_FSTRINGS else place(node)[:2]
    if isinstance(node, ast.alias):
        yield "alias", node.name, node.asname, *place(node)
    elif isinstance(node, ast.ImportFrom):
        yield "from", node.module, node.level, *place(node)
    elif isinstance(node, ast.Import):
        yield "import", *place(node)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield type(node).__name__, node.name, len(node.decorator_list), *place(node)
    elif isinstance(node, ast.arg):
        yield "parameter", node.arg  # where it stands is nowhere read
    elif isinstance(node, ast.keyword):
        yield "keyword", node.arg
    elif isinstance(node, ast.Attribute):
        yield "attribute", node.attr, type(node.ctx).__name__, *where
    elif isinstance(node, ast.Subscript):
        yield "subscript", type(node.ctx).__name__, *where
    elif isinstance(node, ast.Call):
        yield "call", len(node.args), len(node.keywords), *where
    elif isinstance(node, ast.ExceptHandler):
        yield "handler", node.name, *place(node)
    elif isinstance(node, (ast.Global, ast.Nonlocal)):
        yield type(node).__name__, *node.names
    elif isinstance(node, (ast.MatchAs, ast.MatchStar)) and node.name:
        yield "capture", node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield "capture", node.rest
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
        yield "text", node.value, *where


def uses(tree: ast.Module) -> list[tuple[object, ...]]:
    """Return what the walk over names makes of a tree."""
    misplaced = set() if EXACT_IN_FSTRINGS else in_fstrings(tree)
    found = read_names(tree, None, call_sites=True)
    made: list[tuple[object, ...]] = [
        ("use", use.dotted, use.role, use.scope.kind, *place(use.node)[:2]) for use in found.uses
    ]
    made += [
        (
            "load",
            type(site.node).__name__,
            site.scope.kind,
            site.type_checking,
            *((0, 0) if id(site.node) in misplaced else place(site.node)[:2]),
            site.statement.lineno,
        )
        for site in found.call_sites
    ]
    made += [("import", checking, *place(one)) for one, checking in found.imports]
    return sorted(made, key=repr)


def assert_alike(text: str) -> None:
    """Compare both trees of a text."""
    by_ast, by_libcst = parsed(text), lower_module(text)
    assert names(by_libcst) == names(by_ast)
    assert others(by_libcst) == others(by_ast)
    assert uses(by_libcst) == uses(by_ast)


@pytest.mark.parametrize("path", sample(), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_of_the_standard_library_is_lowered_to_its_ast(path: Path) -> None:
    with tokenize.open(path) as file:
        assert_alike(file.read())


def test_the_sample_is_a_sample() -> None:
    assert len(sample()) >= SAMPLE // 2


FORMS: Final = {
    "imports": "import a, b.c as d, e . f\nfrom . import g\nfrom ...h.i import (j as k, l,)\n"
    "from m import *\nfrom .\\\n n import o\nimport \\\n p\n",
    "assignments": "a = b = c\na, (b, *c), [d, e] = f\na.b = c[d] = e\na: b = c\nd: e\n"
    "a.b: c = d\na += b\na.b -= c\na[b] **= c\n",
    "deletions": "del a, b.c, d[e], (f, g), [h]\n",
    "jumps": "def f():\n  return\n  return a, *b\nraise\nraise a\nraise a from b\n"
    "assert a\nassert a, b\nwhile a:\n  break\n  continue\n",
    "blocks": "if a: b\nelif c: d\nelif e:\n  f\nelse: g\nfor a, *b in c: d\nelse: e\n"
    "for (a) in b, *c: d\nwhile a: b\nelse:\n  c\nif a: b; c; d\n",
    "try": "try: a\nexcept: b\ntry:\n  a\nexcept b as c:\n  d\nexcept (e, f.g): h\nelse: i\n"
    "finally: j\ntry: a\nfinally: b\n",
    "with": "with a: b\nwith a as b, c as (d, *e), f as g.h, i as j[k]: l\n"
    "with (a as b, c as d,): e\nwith (a): b\nwith (a, b): c\nwith (a, b) as c: d\n",
    "async": "async def f():\n  async for a, b in c: d\n  else: e\n  async with a as b, c: d\n"
    "  await e\n  return [a async for a in b if await c]\n  yield a\n  x = yield\n",
    "functions": "@a.b\n@c(d)\n@(e)\ndef f(a, b: c = d, /, e=f, *g: h, i, j: k = l, **m: n) -> o: p\n"
    "def f(*, a): b\ndef f(a, /): b\ndef f(*a): b\ndef f(a=b, *, c=d): e\n"
    "def f():\n  global a, b\n  def g():\n    nonlocal c, d\n  yield from e\n  x = yield a, b\n",
    "lambdas": "lambda: a\nlambda a, b=c, /, d=e, *f, g, h=i, **j: k\nlambda *, a: b\n"
    "lambda a: lambda b: c\nlambda *a: b\n",
    "classes": "class A: b\nclass A(): b\nclass A(B, *c, metaclass=d, **e):\n  f: g = h\n  i: j\n"
    "@a\nclass B(c.d[e]):\n  class F(g): h\n",
    "operators": "a + b - c * d / e // f % g @ h ** i\na << b >> c & d | e ^ f\n-a + +b + ~c\n"
    "not a and b or c\na < b <= c == d != e >= f > g\na in b not in c is d is not e\n"
    "a if b else c if d else e\n(a := b)\nf(a := b)\nx[a := b]\n",
    "displays": "(), (a,), (a, b), [], [a, *b], {a, *b}, {}, {a: b, **c}, a, *b\n",
    "comprehensions": "[a for b in c if d if e for f, *g in h]\n{a for b in c}\n"
    "{a: b for c in d}\n(a for b in c)\nf(a for b in c)\n[a for b.c in d]\n[[a for b in c] for d in e]\n",
    "calls": "a(b, *c, d=e, **f)\na()()\na(b)(c).d(e)[f](g)\na(b for c in d)\na(*b, c, *d, **e, **f)\n"
    "a(b=c, *d)\n",
    "subscripts": "a[b]\na[b, c]\na[b:c:d, ...]\na[:]\na[::b]\na[b,]\na[b:c, d]\na[()]\na[b][c].d\n"
    "a[(b, c)]\n",
    "literals": "1, 1.5, 2j, 0x1f, 1_000\n'a' \"b\" '''c\nd''' r'\\e', b'f', u'g'\nNone, True, False, ...\n"
    "'a\\x41\\n' 'b'\nb'a' b'b'\n",
    "f-strings": "f'a{b}c{d!r}e{f:g}h{{i}}'\nf'{a.b(c)[d]}' 'e' f'{f}'\nf'{a:{b}.{c}}'\nf'{a=}'\n"
    "f'{a, b}'\nf'{ {c: d} }'\nrf'\\{a}'\nF'{a!s:>{b}}'\nf'''{\na\n}'''\nf'{(lambda x: y)}'\n"
    "f'{a if b else c}'\nf''\nf'{a:%Y-%m}'\nf'\\N{EM DASH}{a}'\n",
    "patterns": "match a:\n  case 1 | -2 | 3 + 4j | 'b' 'c' | None | True: d\n  case e: f\n"
    "match a.b, c:\n  case d.e.f: g\n  case [h, *i, (j, *_)] if k: l\n  case m, *n: o\n"
    "  case {'p': q, r.s: t, **u}: v\n  case {}: w\n  case x(y, z.a, b=c, d=(e | f)) as g: h\n"
    "  case (i) | (j): k\n  case [] | (): l\n  case str() as m, (n as o): p\n  case _: q\n",
    "soft keywords": "match = case = type = _ = a\nmatch(a)\ncase[b]\ntype.c\nmatch, case\n"
    "match[a]\nprint(match := 1)\ntype = type\ntype(x)\n",
    "text beyond ascii": "größe = 'größe', straße.größe\n'ä', a, 'ö', b; c = 'ü'\n"
    "x = '''\nä\n''', y\n'𝄞', z\ndef größe(ä, *ö: ü): ß\nfrom ä import ö as ü, z\n",
    "identifiers in NFKC": "ｘ = ｙ.ｚ(ａ=ｂ)\nimport ｃ.ｄ as ｅ\nfrom ｆ import ｇ as ｈ\n"
    "def ｉ(ｊ, *ｋ, **ｌ): ｍ\nclass ｎ(ｏ): ｐ\ntry: ｑ\nexcept ｒ as ｓ: ｔ\n"
    "def u():\n  global ｖ\n  def w():\n    nonlocal ｗ\nmatch a:\n  case ｂ: c\n  case [*ｄ]: e\n"
    "  case {'a': f, **ｇ}: h\n  case i(ｊ=k): l\nｎone\n",
    "line ends": "a = 1\r\nb = '''\r\nc'''\r\nif d:\r\n  e\r\n",
    "old line ends": "a = 1\rb = '''\rc'''\rif d:\r  e\r",
    "tabs": "if a:\n\tb\n\tif c:\n\t\td\n",
    "continued lines": "a = b + \\\n  c\nx = (a\n  . b\n  (c)\n)\nif a and \\\n  b: c\n",
    "no line end": "a\nb",
    "only a comment": "# a\n",
    "nothing": "",
    "brackets": "((a)).b\n((a)(b))\n(a.b)\n(((a)))[((b))]\nx = (a)\n((a), (b))\nfor (a) in (b): c\n"
    "f(((a)))\n(a)(b)\n-(a)\n(a) + (b)\n(a) if (b) else (c)\n(yield_)\n(a := (b))\n(lambda: (a))\n"
    "with (a) as (b): c\n[(a) for (b) in (c) if (d)]\nf(a=(b))\nf(*(a), **(b))\nx[(a):(b)]\n"
    "f'{(a)}'\nassert (a), (b)\nraise (a) from (b)\ndel (a)\n@(a)\ndef f(b=(c)) -> (d): e\n"
    "class C((a), b=(c)): d\ntry: a\nexcept (b): c\n(not a)\n(a < b)\n(a and b)\n{(a): (b)}\n",
    "form feeds": "\fa\nb\n\f\nif c:\n\f  d\n  \fe\n\fdef f():\n  g\nh = i,\fj\n\fimport k\n",
}
NEWER: Final = {
    (3, 11): {
        "PEP 646": "a[*b]\na[b, *c]\ndef f(*args: *c): d\n",
        "PEP 654": "try: a\nexcept* b: c\nexcept* (d, e.f) as g: h\nelse: i\nfinally: j\n",
    },
    (3, 12): {
        "PEP 695": "type A = b\ntype A[T, U: V, *W, **X] = Y[T]\ndef f[T: (a, b)](c: T) -> d: e\n"
        "class C[T, *U](d[T]): e\nclass C[T]: d\n",
        "PEP 701": "f'{a['b']}'\nf'{f'{f'{a}'}'}'\nf'{\n  a  # b\n}'\nf'{'\\n'.join(a)}'\n"
        "f'{a!s  }{b!r\t:>3}'\n",
    },
    (3, 13): {"PEP 696": "class C[T = a, *U = *b, **V = [c]]: d\ntype A[T = b] = c\n"},
    (3, 14): {"PEP 758": "try: a\nexcept b, c: d\n", "PEP 750": "t'{a}b{c!r:>{d}}'\n"},
    (3, 15): {
        "PEP 798": "[*a for a in b]\n{**a for b in c}\n(*a for a in b)\n",
        "PEP 810": "lazy import a.b as c\nlazy from ..d import e as f\nlazy = a, c, f\n",
    },
}
KNOWN: Final = {
    name: text
    for version, forms in {(3, 10): FORMS, **NEWER}.items()
    if version <= sys.version_info
    for name, text in forms.items()
}


@pytest.mark.parametrize("name", KNOWN)
def test_a_form_of_syntax_is_lowered_to_its_ast(name: str) -> None:
    assert_alike(KNOWN[name])


@pytest.mark.parametrize("name", [name for forms in NEWER.values() for name in forms])
def test_newer_syntax_is_lowered_on_every_python(name: str) -> None:
    (text,) = (forms[name] for forms in NEWER.values() if name in forms)
    found = {use.dotted for use in read_names(lower_module(text), None).uses}
    assert found


@pytest.mark.parametrize("value", ["0", "1", "-1", "10", "1_000", "0x10", "0b1", "0o7"])
def test_whole_numbers_keep_whether_they_are_zero(value: str) -> None:
    """The level of `__import__` decides whether an import is relative."""
    (statement,) = lower_module(f"{value}\n").body
    (expected,) = parsed(f"{value}\n").body
    assert isinstance(statement, ast.Expr)
    assert isinstance(expected, ast.Expr)
    assert isinstance(statement.value, type(expected.value))
    if isinstance(expected.value, ast.Constant):
        assert isinstance(statement.value, ast.Constant)
        assert statement.value.value == expected.value.value


@pytest.mark.parametrize(
    "text", ["\\\nimport a\n", "x = 1\n\\\nimport a\n", "if a:\n  b\n  \\\n  c\n"]
)
def test_text_whose_places_libcst_loses_is_refused(text: str) -> None:
    assert parsed(text).body
    with pytest.raises(ValueError, match="give the text back"):
        lower_module(text)
