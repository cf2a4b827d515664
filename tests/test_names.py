"""Names and scopes: what a name that is read can mean, and the part that it plays."""

from __future__ import annotations

import ast
import sys

import pytest

from dal_audit.extract.python.constant_folding import qualified_names
from dal_audit.extract.python.name_uses import read_names
from dal_audit.extract.python.scopes import Imported


def imported_uses(text: str) -> list[str]:
    """Return the uses of imported names, as `line:dotted=what it means:role`."""
    names = read_names(ast.parse(text), None)
    found = []
    for use in names.uses:
        rest = use.dotted.partition(".")[2]
        meant = sorted(binding.origin for binding in use.bindings if isinstance(binding, Imported))
        if meant:
            shown = "|".join(f"{one}.{rest}" if rest else one for one in meant)
            found.append(f"{use.node.lineno}:{shown}:{use.role}")
    return sorted(found)


def called(text: str) -> list[str]:
    """Return what each call in a text calls, in the order of the text."""
    sites = read_names(ast.parse(text), None, call_sites=True).call_sites
    return [
        "|".join(sorted(qualified_names(one.node.func, one.scope)))
        for one in sites
        if isinstance(one.node, ast.Call)
    ]


def type_checking(text: str) -> list[bool]:
    """Return for each import whether it is for the type checker only."""
    return [flag for _, flag in read_names(ast.parse(text), None).imports]


@pytest.mark.parametrize(
    ("statement", "use", "meaning"),
    [
        ("import a", "a.b", "a.b"),
        ("import a.b", "a.b.c", "a.b.c"),
        ("import a.b", "a", "a"),
        ("import a.b as c", "c.d", "a.b.d"),
        ("from a import b", "b.c", "a.b.c"),
        ("from a.b import c as d", "d", "a.b.c"),
        ("from . import b", "b.c", ".b.c"),
        ("from .a import b", "b.c", ".a.b.c"),
        ("from ..a import b", "b", "..a.b"),
        ("from .. import a as b", "b", "..a"),
    ],
)
def test_what_an_import_binds(statement: str, use: str, meaning: str) -> None:
    assert imported_uses(f"{statement}\n{use}\n") == [f"2:{meaning}:value"]


def test_a_star_binds_nothing_that_is_known() -> None:
    assert imported_uses("from a import *\nb\na\n") == []


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("a.x()", "call"),
        ("a.x", "value"),
        ("y = a.x", "value"),
        ("f(a.x)", "value"),
        ("y: a.x", "annotation"),
        ("y: a.x = 1", "annotation"),
        ("y: 'a.x'", "annotation"),
        ("y: list[a.x]", "annotation"),
        ("y: 'list[a.x]'", "annotation"),
        ("y: list['a.x']", "annotation"),
        ("y: a.x | None", "annotation"),
        ("y: Callable[[a.x], None]", "annotation"),
        ("y: Annotated[a.x, 1]", "annotation"),
        ("y: Annotated[int, a.x]", "value"),
        ("Y: TypeAlias = a.x", "annotation"),
        ("def f(y: a.x): ...", "annotation"),
        ("def f(*y: a.x): ...", "annotation"),
        ("def f(*, y: a.x): ...", "annotation"),
        ("def f(**y: a.x): ...", "annotation"),
        ("def f(y, /, z: a.x): ...", "annotation"),
        ("def f() -> a.x: ...", "annotation"),
        ("def f() -> 'a.x': ...", "annotation"),
        ("async def f() -> a.x: ...", "annotation"),
        ("def f(y=a.x): ...", "value"),
        ("def f(*, y=a.x): ...", "value"),
        ("@a.x\ndef f(): ...", "value"),
        ("@a.x()\ndef f(): ...", "call"),
        ("class C(a.x): ...", "base"),
        ("class C(a.x[int]): ...", "base"),
        ("class C(metaclass=a.x): ...", "value"),
        ("class C(a.x()): ...", "call"),
        ("try: ...\nexcept a.x: ...", "except"),
        ("try: ...\nexcept (E, a.x): ...", "except"),
        ("try: ...\nexcept a.x as e: ...", "except"),
        ("raise a.x", "value"),
        ("del a.x", "value"),
        ("a.x += 1", "value"),
        ("with a.x: ...", "value"),
        ("for y in a.x: ...", "value"),
        ("f'{a.x}'", "value"),
        ("match y:\n  case a.x: ...", "value"),
        ("match y:\n  case a.x(): ...", "pattern"),
        ("isinstance(y, a.x)", "isinstance"),
        ("issubclass(y, a.x)", "issubclass"),
        ("cast(a.x, y)", "cast"),
        ("type(y) is a.x", "type"),
        ("lambda: a.x", "value"),
        ("lambda y=a.x: y", "value"),
        ("[a.x for y in z]", "value"),
        ("y[a.x]", "value"),
        ("a.x[y]", "value"),
    ],
)
def test_the_part_that_a_name_plays(line: str, role: str) -> None:
    (use,) = imported_uses(f"import a\n{line}\n")
    assert use.split(":")[1:] == ["a.x", role]


@pytest.mark.parametrize(
    "line",
    [
        "y: Literal['a.x']",
        "y: typing.Literal['a.x']",
        "y: Annotated[int, 'a.x']",
        "y = 'a.x'",
        "f('a.x')",
        "y.a.x",
        "f(a=1)",
        "a = 1",
        "def f(a): return a.x",
        "lambda a: a.x",
        "def f():\n  a = 1\n  return a.x",
        "def f():\n  for a in z: a.x",
        "def f():\n  with z as a: a.x",
        "def f():\n  try: ...\n  except E as a: a.x",
        "def f():\n  (a := 1); a.x",
        "def f():\n  class a: ...\n  a.x",
        "def f():\n  def a(): ...\n  a.x",
        "def f():\n  match z:\n    case {'k': a}: a.x",
        "def f():\n  match z:\n    case [*a]: a.x",
        "def f():\n  match z:\n    case {**a}: a.x",
        "def f():\n  match z:\n    case 1 as a: a.x",
        "def f():\n  a, *b = z\n  a.x",
        "def f():\n  a: int\n  a.x",
        "def f():\n  a += 1",
        "[a.x for a in z]",
        "{a.x for a in z}",
        "{a.x: a.y for a in z}",
        "list(a.x for a in z)",
        "[a.x for y in z for a in y]",
    ],
)
def test_what_is_no_use(line: str) -> None:
    assert imported_uses(f"import a\n{line}\n") == []


def test_a_name_has_the_union_of_what_is_bound_to_it() -> None:
    text = "try:\n  import a\nexcept ImportError:\n  a = None\na.x\n"
    assert imported_uses(text) == ["5:a.x:value"]
    text = "if x:\n  import a as m\nelse:\n  import b as m\nm.x\n"
    assert imported_uses(text) == ["5:a.x|b.x:value"]


def test_a_use_may_stand_before_its_import() -> None:
    assert imported_uses("def f(): return a.x\nimport a\n") == ["1:a.x:value"]


def test_class_scope_is_not_seen_from_methods() -> None:
    text = "from a import delete\nclass C:\n  def delete(self): ...\n  def f(self): delete()\n"
    assert imported_uses(text) == ["4:a.delete:call"]
    assert imported_uses("class C:\n  import a\n  def f(self): a.x\n") == []
    assert imported_uses("class C:\n  import a\n  y = a.x\n") == ["3:a.x:value"]


@pytest.mark.parametrize(
    ("body", "uses"),
    [
        ("a = a()", ["3:a.m:call"]),
        ("a: a = a", ["3:a.m:annotation", "3:a.m:value"]),
        ("a: a\n  b: a", ["3:a.m:annotation", "4:a.m:annotation"]),
        (
            "def a(self, b: a = a) -> a: ...",
            ["3:a.m:annotation", "3:a.m:annotation", "3:a.m:value"],
        ),
        ("@a\n  def a(self): ...", ["3:a.m:value"]),
        ("class a(a): ...", ["3:a.m:base"]),
        ("a = 1\n  b = a", []),
        ("a: int = 1\n  b: a", []),
    ],
)
def test_a_class_reads_what_is_around_it_until_it_binds_the_name(
    body: str, uses: list[str]
) -> None:
    assert imported_uses(f"from a import m as a\nclass C:\n  {body}\n") == uses


def test_class_scope_is_not_seen_from_classes_in_it() -> None:
    assert imported_uses("class C:\n  import a\n  class D:\n    y = a.x\n") == []
    text = "import a\nclass C:\n  a = 1\n  class D:\n    y = a.x\n"
    assert imported_uses(text) == ["5:a.x:value"]


def test_class_scope_is_not_seen_from_comprehensions_but_for_the_first_iterable() -> None:
    text = "class C:\n  import a\n  y = [a.x for _ in a.y for z in a.z]\n"
    assert imported_uses(text) == ["3:a.y:value"]
    assert imported_uses("class C:\n  import a\n  y = lambda z=a.x: a.y\n") == ["3:a.x:value"]


def test_signatures_are_read_in_the_scope_around_them() -> None:
    text = "class C:\n  import a\n  def f(self, a: a.x = a.y) -> a.z: return a.w\n"
    assert imported_uses(text) == ["3:a.x:annotation", "3:a.y:value", "3:a.z:annotation"]


def test_function_scopes_nest() -> None:
    text = "def f():\n  import a\n  def g():\n    def h(): a.x\n    a = 1\n  a.y\na.z\n"
    assert imported_uses(text) == ["6:a.y:value"]


def test_global_and_nonlocal_redirect() -> None:
    assert imported_uses("def f():\n  global a\n  import a\na.x\n") == ["4:a.x:value"]
    text = "import a\ndef f():\n  a = 1\n  def g():\n    global a\n    a.x\n"
    assert imported_uses(text) == ["6:a.x:value"]
    text = "def f():\n  a = 1\n  def g():\n    nonlocal a\n    import a\n  a.x\n"
    assert imported_uses(text) == ["6:a.x:value"]
    text = "import a\ndef f():\n  a = 1\n  def g():\n    nonlocal a\n    a.x\n"
    assert imported_uses(text) == []


def test_a_walrus_in_a_comprehension_binds_around_it() -> None:
    text = "import a\ndef f():\n  [a := y for y in z]\n  a.x\n"
    assert imported_uses(text) == []


@pytest.mark.skipif(sys.version_info < (3, 12), reason="PEP 695 came with Python 3.12")
def test_type_parameters_have_a_scope() -> None:
    assert imported_uses("import a\ndef f[a](x: a.x) -> a.y: a.z\n") == []
    assert imported_uses("import a\ndef f[T: a.x](): ...\n") == ["2:a.x:annotation"]
    assert imported_uses("import a\nclass C[a](a.x): y = a.z\n") == []
    assert imported_uses("import a\ntype X[T] = a.x\n") == ["2:a.x:annotation"]
    assert imported_uses("import a\ntype X[a] = a.x\n") == []
    assert imported_uses("class C:\n  import a\n  def f[T: a.x](self): a.y\n") == [
        "3:a.x:annotation"
    ]


def test_only_wanted_names_are_noted() -> None:
    text = "import a, b\n\ndef f(x: 'a.X', y: b.Y) -> None:\n    a.g(b)\n"
    found = [use.dotted for use in read_names(ast.parse(text), {"b"}).uses]
    assert found == ["a.X", "b.Y", "b"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("f()", ["builtins.f"]),
        ("import a\na.f()", ["a.f"]),
        ("from a import f as g\ng()", ["a.f"]),
        ("import a\ng = a.f\ng()", ["a.f"]),
        ("import a\ng = h = a.f\nh()", ["a.f"]),
        ("import a\nb = a\nc = b.f\nc()", ["a.f"]),
        ("import a\n(g := a.f)\ng()", ["a.f"]),
        ("import a\ngetattr(a, 'f')()", ["a.f", "builtins.getattr"]),
        ("import a\ngetattr(a, 'f' if x else 'g')()", ["a.f|a.g", "builtins.getattr"]),
        ("import a\ndef getattr(): ...\ngetattr(a, 'f')()", ["", ""]),
        ("def f(): ...\nf()", [""]),
        ("f = 1\nf = 2\nf()", [""]),
        ("import a\ng = a.f\ng = 1\ng()", [""]),
        ("f[0]()", [""]),
        ("f()()", ["", "builtins.f"]),
        ("import a\na.f().g()", ["", "a.f"]),
        ("try:\n  from a import f\nexcept E:\n  from b import f\nf()", ["a.f|b.f"]),
        ("try:\n  from a import f\nexcept E:\n  f = None\nf()", ["a.f"]),
        ("f = f\nf()", [""]),
        ("f = g\ng = f\nf()", [""]),
    ],
)
def test_what_is_called(text: str, what: list[str]) -> None:
    assert called(text) == what


@pytest.mark.parametrize(
    ("test", "expected"),
    [
        ("TYPE_CHECKING", [True, False]),
        ("(TYPE_CHECKING)", [True, False]),
        ("typing.TYPE_CHECKING", [True, False]),
        ("t.x.TYPE_CHECKING", [True, False]),
        ("not TYPE_CHECKING", [False, True]),
        ("not typing.TYPE_CHECKING", [False, True]),
        ("not not TYPE_CHECKING", [True, False]),
        ("TYPE_CHECKING and x", [True, False]),
        ("x and TYPE_CHECKING", [True, False]),
        ("TYPE_CHECKING or x", [False, False]),
        ("not (TYPE_CHECKING and x)", [False, True]),
        ("not (x or TYPE_CHECKING)", [False, False]),
        ("x", [False, False]),
        ("TYPE_CHECKING()", [False, False]),
        ("TYPE_CHECKING.x", [False, False]),
        ("x.type_checking", [False, False]),
        ("'TYPE_CHECKING'", [False, False]),
    ],
)
def test_what_is_for_the_type_checker_only(test: str, expected: list[bool]) -> None:
    assert type_checking(f"if {test}:\n  import a\nelse:\n  import b\n") == expected


def test_type_checking_under_another_name() -> None:
    head = "from typing import TYPE_CHECKING as T\n"
    assert type_checking(f"{head}if T:\n  import a\n") == [False, True]
    assert type_checking(f"{head}if not T:\n  import a\n") == [False, False]
    assert type_checking("T = 1\nif T:\n  import a\n") == [False]


def test_type_checking_ends_with_its_block() -> None:
    text = (
        "if TYPE_CHECKING:\n  import a\n  def f():\n    import b\n  if x:\n    import c\n"
        "  else:\n    import d\nelif x:\n  import e\nimport f\n"
    )
    assert type_checking(text) == [True, True, True, True, False, False]
