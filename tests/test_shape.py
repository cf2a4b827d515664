"""The shape of a module: the names that it offers, and what each stands for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.extract.python.exports import shapes_of
from dal_audit.extract.python.name_uses import read_names
from dal_audit.extract.python.parse.parser import parse
from dal_audit.extract.source import Lines
from dal_audit.facts import OWN_MODULE, Export, ModuleExports
from dal_audit.policy.request import Request


def shape(
    text: str, *, used: frozenset[str] = frozenset(), shortcuts: bool = True
) -> ModuleExports:
    """Return the shape of a text."""
    tree = parse(text, shortcuts=shortcuts)
    first, *_ = shapes_of(tree, Lines(text), used, read_names(tree).module)
    assert isinstance(first, ModuleExports)
    return first


def shown(export: Export) -> str:
    return f"{export.name} {export.made} {' '.join(export.origins)}".rstrip()


def exports(text: str) -> list[str]:
    """Return what a text offers, as `name made origins`, read by either parser."""
    found = [shown(one) for one in shape(text + "\n").exports]
    assert found == [shown(one) for one in shape(text + "\n", shortcuts=False).exports]
    return found


@pytest.mark.parametrize(
    ("statement", "export"),
    [
        ("import a", "a import a"),
        ("import a.b", "a import a"),
        ("import a.b as c", "c import a.b"),
        ("from a import b", "b import a.b"),
        ("from a.b import c as d", "d import a.b.c"),
        ("from . import a", "a import .a"),
        ("from .a import b", "b import .a.b"),
        ("from ...a import b as c", "c import ...a.b"),
    ],
)
def test_imports(statement: str, export: str) -> None:
    assert exports(statement) == [export]


def test_several_imports_in_a_statement() -> None:
    assert exports("from a import (b, c as d,)\nimport e, f.g") == [
        "b import a.b",
        "d import a.c",
        "e import e",
        "f import f",
    ]


@pytest.mark.parametrize(
    ("line", "export"),
    [
        ("x = a", "x alias m.a"),
        ("x = a.b.c", "x alias m.a.b.c"),
        ("x = a if y else b", "x alias m.a m.b"),
        ("x = a or b", "x alias m.a m.b"),
        ("x: TypeAlias = a", "x alias m.a"),
        ("x: typing.TypeAlias = a", "x alias m.a"),
        ('x: TypeAlias = "a"', "x type m.a"),
        ("type x = a", "x alias m.a"),
        ("x = a | b", "x type m.a m.b"),
        ("x = a | None", "x type m.a"),
        ("x = a[b]", "x type m.a m.b"),
        ("x = [a, b]", "x collection m.a m.b"),
        ("x = (a, b)", "x collection m.a m.b"),
        ("x = {'a': {1: a}}", "x collection m.a"),
        ("x = frozenset({a})", "x collection m.a"),
        ("x = dict(y=a())", "x collection m.a.()"),
        ("x = NewType('x', a)", "x type self:x m.a"),
        ("x = a()", "x call m.a"),
        ("x = a.b(c)", "x call m.a.b"),
        ("x = await a()", "x call m.a"),
        ("x = await a", "x alias m.a"),
        ("x: a", "x annotation m.a"),
        ("x: a | None", "x annotation m.a"),
        ("x: 'a'", "x annotation m.a"),
        ("x: Final", "x annotation self:Final"),
        ("x = y", f"x alias {OWN_MODULE}y"),
        ("x = y.z", f"x alias {OWN_MODULE}y.z"),
        ("x = 'a'", "x type m.a"),
        ("x = lambda: a", "x function m.a"),
        ("x = lambda y: a(y)", "x function m.a.()"),
    ],
)
def test_assignments(line: str, export: str) -> None:
    assert exports(f"from m import a, b\n{line}")[2:] == [export]


@pytest.mark.parametrize(
    "line",
    [
        "x = 1",
        "x = 'some text'",
        "x = ''",
        "x = f'{a}'",
        "x = [i for i in a]",
        "x = -a",
        "x += a",
        "x.y = a",
        "x[0] = a",
        "def x(): return 1",
        "del a",
    ],
)
def test_what_stands_for_nothing_that_is_followed(line: str) -> None:
    assert exports(f"from m import a\n{line}")[1:] == []


def test_an_annotation_with_a_value_is_both() -> None:
    assert exports("from m import a, b\nx: a = b()")[2:] == ["x annotation m.a", "x call m.b"]


def test_several_targets() -> None:
    assert exports("from m import a\nx = y = a")[1:] == ["x alias m.a", "y alias m.a"]


@pytest.mark.parametrize(
    ("line", "origins"),
    [
        ("Optional[a]", "m.a"),
        ("list[Optional[a]]", "m.a"),
        ("Union[a, b]", "m.a m.b"),
        ("dict[str, a]", "m.a"),
        ("Callable[[a], b]", "m.a m.b"),
        ("Callable[..., a]", "m.a"),
        ("Annotated[a, b]", "m.a"),
        ("Literal['a']", ""),
        ("Literal[a]", ""),
        ("list['a']", "m.a"),
        ("a[b, int]", "m.a m.b"),
    ],
)
def test_a_generic_stands_for_its_arguments(line: str, origins: str) -> None:
    (export,) = shape(f"from m import a, b\nx = {line}\n").exports[2:]
    assert " ".join(one for one in export.origins if one.startswith("m.")) == origins


@pytest.mark.parametrize(
    ("line", "origins"),
    [
        ("class X: ...", ""),
        ("class X(a): ...", " m.a"),
        ("class X(a.b, b): ...", " m.a.b m.b"),
        ("class X(a[b]): ...", " m.a"),
        ("class X(a, metaclass=b): ...", " m.a"),
        ("class X(a()): ...", ""),
        ("@b\nclass X(a): ...", " m.a"),
    ],
)
def test_classes(line: str, origins: str) -> None:
    assert exports(f"from m import a, b\n{line}")[2:] == [f"X class{origins}"]


@pytest.mark.parametrize(
    "block",
    [
        "if y:\n    {0}",
        "if y:\n    pass\nelse:\n    {0}",
        "if y:\n    pass\nelif z:\n    {0}",
        "try:\n    {0}\nexcept E:\n    pass",
        "try:\n    pass\nexcept E:\n    {0}",
        "try:\n    pass\nexcept E:\n    pass\nelse:\n    {0}",
        "try:\n    pass\nfinally:\n    {0}",
        "try:\n    pass\nexcept* E:\n    {0}",
        "for i in y:\n    {0}",
        "for i in y:\n    pass\nelse:\n    {0}",
        "while y:\n    {0}",
        "with y:\n    {0}",
        "if y: {0}",
        "match y:\n    case 1:\n        {0}",
    ],
)
def test_below_every_statement_of_the_module(block: str) -> None:
    assert exports(block.format("from m import a")) == ["a import m.a"]
    assert exports("from m import a\n" + block.format("x = a"))[1:] == ["x alias m.a"]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    from m import a",
        "class C:\n    from m import a",
        "async def f():\n    import a\n    x = a",
        "class C:\n    x = a()\n    y: a",
        "class C:\n    def f(self): return a",
    ],
)
def test_functions_and_classes_keep_their_names(text: str) -> None:
    assert [one for one in exports(text) if not one.startswith("C class")] == []


@pytest.mark.parametrize(
    ("text", "export"),
    [
        ("class C:\n    x = a.b", "C.x alias m.a.b"),
        ("class C:\n    x = (a, 1)", "C.x collection m.a"),
        ("class C:\n    x = a | None", "C.x type m.a"),
        ("class C:\n    class D:\n        x = a", "C.D.x alias m.a"),
    ],
)
def test_what_names_in_classes_stand_for(text: str, export: str) -> None:
    found = exports(f"from m import a\n{text}")
    assert [line for line in found if line.startswith("C.") and "class" not in line] == [export]


def test_every_binding_counts() -> None:
    text = "try:\n    from m import a\nexcept E:\n    a = None\nfrom n import a\nx = a"
    assert exports(text) == ["a import m.a", "a import n.a", "x alias m.a n.a"]


def test_a_context_manager_binds() -> None:
    assert exports("from m import a\nwith a() as x, a.b() as y: ...")[1:] == [
        "x call m.a",
        "y call m.a.b",
    ]


@pytest.mark.parametrize(
    "function",
    [
        "def f():\n    global x\n    x = a()",
        "async def f():\n    global x\n    x = await a()",
        "class C:\n    def f(self):\n        global x\n        x = a()",
        "def f():\n    global w, x\n    if w:\n        x = y = a()",
        "def f():\n    def g():\n        global x\n        x = a()",
        "def f(): global x; x = a()",
        "def f():\n    y = 1; global x\n    x = a()",
        "def f():\r    global x\r    x = a()",
    ],
)
def test_what_functions_bind_in_the_module(function: str) -> None:
    found = [one for one in exports(f"from m import a\n{function}")[1:] if one[0] == "x"]
    assert set(found) == {"x call m.a"}


@pytest.mark.parametrize(
    ("function", "export"),
    [
        ("def f():\n    global x\n    from m import x", "x import m.x"),
        ("def f():\n    global x\n    with a() as x: ...", "x call m.a"),
        ("def f():\n    global x\n    (x := a())", "x call m.a"),
    ],
)
def test_what_else_functions_bind_in_the_module(function: str, export: str) -> None:
    assert export in exports(f"from m import a\n{function}")


def test_a_local_of_a_function_is_none_of_the_modules() -> None:
    assert exports("from m import a\ndef f():\n    global y\n    x = a()")[1:] == []


@pytest.mark.parametrize("line", ["x, y = a, b", "(x := a)", "[x, *y] = [a, b]"])
def test_names_that_are_bound_in_another_way(line: str) -> None:
    assert exports(f"from m import a, b\n{line}")[2] == "x alias m.a"


def test_stars() -> None:
    text = "from a import *\nfrom .b import *\nfrom . import *\nfrom .. import *\n"
    text += "try:\n    from c.d import *\nexcept E: ...\n"
    assert shape(text).stars == ("a", ".b", ".", "..", "c.d")
    assert shape(text).exports == ()


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("", None),
        ("__all__ = ['a', 'b']", ("a", "b")),
        ("__all__ = ('a',)", ("a",)),
        ("__all__ = []", ()),
        ("__all__: list[str] = ['a']", ("a",)),
        ("__all__ = ['a']\n__all__ = ['b']", ("a", "b")),
        ("if x:\n    __all__ = ['a']\nelse:\n    __all__ = ['b']", ("a", "b")),
        ("__all__ = ['a', b, 1]", ("a",)),
        ("__all__ = [*a.__all__, 'b']", ("b",)),
        ("__all__ = names()", ()),
        ("def f():\n    __all__ = ['a']", None),
    ],
)
def test_all(text: str, offered: tuple[str, ...] | None) -> None:
    assert shape(text + "\n").offered == offered
    assert shape(text + "\n", shortcuts=False).offered == offered


@pytest.mark.parametrize(
    "text",
    [
        "__all__ = ['a']\n__all__ += ['b']",
        "__all__ = ['a'] + ['b']",
        "__all__ = ['a']\n__all__.append('b')",
        "__all__ = ['a']\n__all__.extend(['b'])",
    ],
)
def test_an_all_that_is_put_together(text: str) -> None:
    assert shape(text + "\n").offered == ("a", "b")
    assert not shape(text + "\n").offers_more


@pytest.mark.parametrize("text", ["__all__ = [*b.__all__, 'a']", "__all__ = ['a'] + names()"])
def test_an_all_that_is_not_all_written_out(text: str) -> None:
    assert shape(text + "\n").offered == ("a",)
    assert shape(text + "\n").offers_more


def test_use_and_renaming() -> None:
    text = "import a\nimport b as b\nfrom m import c as c, d as e\n"
    found = shape(text, used=frozenset({"a", "e"})).exports
    assert [(one.name, one.used, one.renamed) for one in found] == [
        ("a", True, False),
        ("b", False, True),
        ("c", False, True),
        ("e", True, False),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("import a.b as c", (1, 8, 11)),
        ("from m import (\n    a,\n    b as c,\n)", (2, 5, 6)),
        ("x = y", (1, 1, 2)),
        ("if z:\n    x = y", (2, 5, 6)),
        ("class Store(Base): ...", (1, 7, 12)),
        ("@deco\nclass  Store: ...", (2, 8, 13)),
        ("größe = y", (1, 1, 6)),
        ("'😀'; x = y", (1, 7, 8)),
        ("with a() as x: ...", (1, 13, 14)),
        ("class s: ...", (1, 7, 8)),
    ],
)
def test_places(text: str, place: tuple[int, int, int]) -> None:
    for shortcuts in (True, False):
        span = shape(text + "\n", shortcuts=shortcuts).exports[0].span
        assert (span.line, span.column, span.end_column) == place


@pytest.mark.parametrize(
    ("text", "is_dynamic"),
    [
        ("def __getattr__(name): ...", True),
        ("if x:\n    def __getattr__(name): ...", True),
        ("class C:\n    def __getattr__(self, name): ...", False),
        ("def f():\n    def __getattr__(name): ...", False),
        ("def f():\n    global x\n    x = 1\n    def __getattr__(name): ...", False),
    ],
)
def test_a_module_that_makes_names_on_demand(text: str, is_dynamic: bool) -> None:
    assert shape(text + "\n").is_dynamic is is_dynamic


def test_the_report_says_what_it_does_not_follow(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    lazy = "import sqlite3\n\n\ndef __getattr__(name): ...\n"
    (tmp_path / "storage" / "lazy.py").write_text(lazy, encoding="utf-8")
    report = audit(Request(folder=tmp_path))
    assert "nothing of what `__getattr__` hands out: storage/lazy.py" in report.assumptions


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("def f() -> a: ...", "m.a.()"),
        ("async def f() -> a | None: ...", "m.a.()"),
        ("def f() -> Iterator[a]: ...", f"{OWN_MODULE}Iterator.() m.a.()"),
        ("def f(): return a", "m.a"),
        ("def f(): return a(1)", "m.a.()"),
        ("def f():\n    x = a()\n    return x.y()", "m.a.().y.()"),
        ("def f():\n    with a() as x:\n        yield x.y", "m.a.().y"),
        ("def f(x: a): return x.y", "m.a.().y"),
        ("def f() -> Any: return a()", "m.a.()"),
        ("def f():\n    def g(): return a()", ""),
        ("def f(): return 1", ""),
        ("def f() -> type[a]: ...", ""),
        ("def f() -> Callable[[], a]: ...", ""),
        ("def f(a): return a()", ""),
    ],
)
def test_what_functions_give(text: str, origins: str) -> None:
    found = exports(f"from m import a\n{text}")[1:]
    assert found == ([f"f function {origins}"] if origins else [])


@pytest.mark.parametrize(
    ("line", "export"),
    [
        ("x = a().b()", "x call m.a.().b"),
        ("x = a()()", "x call m.a.()"),
        ("x = a[int]().b()", "x call m.a.().b"),
        ("x = (await a()).b()", "x call m.a.().b"),
        ("x = a.b['c'].d", "x alias m.a.b.[].d"),
        ("x = a() if y else None", "x call m.a"),
    ],
)
def test_calls_on_the_way_to_a_value(line: str, export: str) -> None:
    assert exports(f"from m import a\n{line}")[1:] == [export]
