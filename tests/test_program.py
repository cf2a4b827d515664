"""The linked program: what a name in one file comes from in another, and by which way."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.driver_objects import DriverSource
from dal_audit.assemble.driver_sources import DriverSources
from dal_audit.assemble.module_names import ModuleNames
from dal_audit.assemble.project import Project
from dal_audit.assemble.symbols import SymbolId, SymbolTable, module_of
from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.catalogue.object_kinds import Kinds
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.facts import FileFacts, ModuleExports
from dal_audit.policy import Policy
from tests.sampling import runs

CATALOGUE = catalogue_in_force()
KINDS = Kinds(CATALOGUE)


def project_of(files: dict[str, str], policy: Policy | None = None) -> Project:
    """Return the project of some texts, read without shortcuts."""
    facts = [
        FileFacts(path, tuple(python_facts(text, CATALOGUE, shortcuts=False)), "read")
        for path, text in files.items()
    ]
    return Project(policy or Policy(Path("/")), CATALOGUE, facts, frozenset(files))


def test_of_modules_of_one_name_the_last_in_order_counts() -> None:
    folders = [f"p{number:02}" for number in range(40)]
    modules = frozenset(f"{folder}/m.py" for folder in folders)
    names = ModuleNames(modules, frozenset(f"{folder}/setup.py" for folder in folders), None)
    assert names.packages["m"] == names.files["m"] == "p39/m.py"


def sources_of(files: dict[str, str]) -> DriverSources:
    """Return where the drivers' objects of some texts come to."""
    return project_of(files).driver_sources


def meant(files: dict[str, str], name: str, path: str = "main.py") -> str:
    """Return what a dotted name means in a file, as `name:kind:form`; empty for nothing."""
    origin = sources_of(files).resolve(name, path)
    return "" if origin is None else f"{origin.name}:{origin.kind}:{origin.form}"


def way(source: DriverSource | None) -> list[str]:
    """Return the steps to a driver's object, as `path:line message`."""
    assert source is not None
    return [f"{step.place.path}:{step.place.span.line} {step.message}" for step in source.steps]


# What a name means


@pytest.mark.parametrize(
    ("text", "name", "meaning"),
    [
        ("import sqlite3", "sqlite3", "sqlite3:module:itself"),
        ("import sqlite3", "sqlite3.Connection", "sqlite3.Connection:type:itself"),
        ("import sqlite3", "sqlite3.Error", "sqlite3.Error:exception:itself"),
        ("import sqlite3", "sqlite3.connect", "sqlite3.connect:other:itself"),
        ("import sqlite3 as db", "db.Row", "sqlite3.Row:type:itself"),
        ("import sqlite3 as db", "sqlite3", ""),
        ("from sqlite3 import Connection", "Connection", "sqlite3.Connection:type:itself"),
        ("from sqlite3 import Connection as C", "C", "sqlite3.Connection:type:itself"),
        ("import sqlite3\nX = sqlite3.Connection", "X", "sqlite3.Connection:type:itself"),
        ("import sqlite3\nX = sqlite3\nY = X.Row", "Y", "sqlite3.Row:type:itself"),
        ("import sqlite3\nX = sqlite3.Row | None", "X", "sqlite3.Row:type:type"),
        ("import sqlite3\nX = list[sqlite3.Row]\nY = X", "Y", "sqlite3.Row:type:type"),
        ("import sqlite3\nx = sqlite3.connect()", "x", "sqlite3.Connection:type:instance"),
        ("import sqlite3\nx = sqlite3.connect()\ny = x", "y", "sqlite3.Connection:type:instance"),
        ("import sqlite3\nx: sqlite3.Connection", "x", "sqlite3.Connection:type:instance"),
        ("import sqlite3\nx: sqlite3.Row", "x", ""),
        ("import sqlite3\nx = sqlite3.Row()", "x", ""),
        ("import sqlite3\nx = sqlite3.enable_callback_tracebacks()", "x", ""),
        (
            "import sqlite3\nclass X(sqlite3.Connection): ...",
            "X",
            "sqlite3.Connection:type:subclass",
        ),
        ("import sqlite3\nclass X(sqlite3.Error): ...", "X", "sqlite3.Error:exception:subclass"),
        ("import sqlite3\nclass X(sqlite3.Row): ...", "X", ""),
        ("import sqlite3\nX = X", "X", ""),
        ("import sqlite3\nX = Y\nY = X", "X", ""),
        ("import json\nX = json", "X", ""),
    ],
)
def test_what_a_name_of_another_module_means(text: str, name: str, meaning: str) -> None:
    found = meant({"types.py": text + "\n", "main.py": ""}, f"types.{name}")
    assert found == meaning


def test_a_driver_means_itself_wherever_it_is_named() -> None:
    assert meant({"main.py": ""}, "sqlite3.Error") == "sqlite3.Error:exception:itself"


def test_a_local_package_of_a_drivers_name_is_not_the_driver() -> None:
    files = {"redis/__init__.py": "class Redis: ...\n", "cache.py": "from redis import Redis\n"}
    assert meant(files, "redis.Redis", "main.py") == ""
    assert meant(files, "cache.Redis") == ""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("app/api/users.py", "app.storage.types.Connection"),
        ("app/api/users.py", "..storage.types.Connection"),
        ("app/api/__init__.py", "..storage.types.Connection"),
        ("app/main.py", ".storage.types.Connection"),
        ("app/storage/store.py", ".types.Connection"),
        ("app/storage/__init__.py", ".types.Connection"),
        ("app/a/b/c/d.py", "....storage.types.Connection"),
    ],
)
def test_relative_names_count_from_the_files_package(path: str, name: str) -> None:
    files = {"app/storage/types.py": "from sqlite3 import Connection\n", path: ""}
    assert meant(files, name, path) == "sqlite3.Connection:type:itself"


@pytest.mark.parametrize("name", ["..types.Connection", "...storage.types.Connection", "types.X"])
def test_a_name_of_another_package_means_nothing(name: str) -> None:
    files = {"app/storage/types.py": "from sqlite3 import Connection\n", "app/api/users.py": ""}
    assert meant(files, name, "app/api/users.py") == ""


def test_a_name_of_the_package_hides_the_module_of_that_name() -> None:
    files = {
        "storage/__init__.py": "from .engine import engine\n",
        "storage/engine.py": "import sqlite3\nengine = sqlite3.connect('x')\n",
    }
    assert meant(files, "storage.engine") == "sqlite3.Connection:type:instance"
    assert meant(files, "storage.engine.engine") == "sqlite3.Connection:type:instance"
    assert meant(files, "storage.engine.helper") == ""


def test_names_of_modules_are_followed() -> None:
    files = {
        "storage/__init__.py": "from . import sqlite as backend\n",
        "storage/sqlite.py": "from sqlite3 import Connection\n",
        "facade.py": "import storage.sqlite as kept\nfrom storage import sqlite\n",
    }
    for name in ("storage.backend", "facade.kept", "facade.sqlite"):
        assert meant(files, f"{name}.Connection") == "sqlite3.Connection:type:itself"
        assert meant(files, name) == ""


def test_a_circle_of_module_names_ends() -> None:
    files = {"a.py": "import b as c\n", "b.py": "import a as c\n"}
    assert meant(files, "a.c.c.c.c.x") == ""
    assert meant(files, ".".join(["a", *["c"] * 100])) == ""


# Both branches


def test_a_name_is_what_any_branch_binds() -> None:
    text = "try:\n    from psycopg import Connection\nexcept ImportError:\n    Connection = None\n"
    assert meant({"compat.py": text}, "compat.Connection") == "psycopg.Connection:type:itself"
    text = "Connection = None\nfrom psycopg import Connection\nConnection = object\n"
    assert meant({"compat.py": text}, "compat.Connection") == "psycopg.Connection:type:itself"


def test_of_two_drivers_the_first_in_the_text_is_told() -> None:
    text = (
        "try:\n    from psycopg import Error\nexcept ImportError:\n    from sqlite3 import Error\n"
    )
    assert meant({"compat.py": text}, "compat.Error") == "psycopg.Error:exception:itself"


# The way


def test_steps_lead_from_where_a_name_was_made_to_where_it_was_handed_on() -> None:
    sources = sources_of(
        {
            "a.py": "\nfrom sqlite3 import Connection\n",
            "b.py": "from a import Connection as Conn\n\nPair = Conn | None\n",
            "c.py": "from b import *\n",
            "d.py": "import c\n\nKept = c.Pair\n",
        }
    )
    assert way(sources.resolve("d.Kept", "main.py")) == [
        "a.py:2 `Connection` is imported here",
        "b.py:3 `Pair` is put together here from `sqlite3.Connection`",
        "c.py:1 `Pair` is imported here by a star",
        "d.py:3 `Kept` is named here after `sqlite3.Connection`",
    ]


def test_every_way_of_making_is_told() -> None:
    sources = sources_of(
        {
            "a.py": "import sqlite3\nx = sqlite3.connect()\ny: sqlite3.Connection\n"
            "class Z(sqlite3.Error): ...\n"
        }
    )
    assert way(sources.resolve("a.x", "main.py")) == [
        "a.py:2 `x` is made here by `sqlite3.connect`"
    ]
    assert way(sources.resolve("a.y", "main.py")) == [
        "a.py:3 `y` is annotated as `sqlite3.Connection` here"
    ]
    assert way(sources.resolve("a.Z", "main.py")) == ["a.py:4 `Z` is a subclass of `sqlite3.Error`"]


def test_the_shortest_way_is_told_and_it_does_not_depend_on_the_order_of_the_files() -> None:
    files = {
        "z.py": "from sqlite3 import Row\n",
        "m.py": "from z import Row\n",
        "b.py": "from m import Row\n",
        "a.py": "from b import *\nfrom z import *\n",
    }
    one = sources_of(files).resolve("a.Row", "main.py")
    other = sources_of(dict(reversed(files.items()))).resolve("a.Row", "main.py")
    assert one == other
    assert way(one) == [
        "z.py:1 `Row` is imported here",
        "a.py:2 `Row` is imported here by a star",
    ]


# Stars


@pytest.mark.parametrize(
    ("source", "taken"),
    [
        ("from sqlite3 import Row, Error\n", {"Row", "Error"}),
        ("from sqlite3 import Row as _Row, Error\n", {"Error"}),
        ("from sqlite3 import Row, Error\n__all__ = ['Row']\n", {"Row"}),
        ("from sqlite3 import Row as _Row, Error\n__all__ = ['_Row']\n", {"_Row"}),
        ("from sqlite3 import Row, Error\n__all__ = []\n", set()),
        ("from sqlite3 import Row\n__all__ = ['Row', 'other']\n", {"Row"}),
    ],
)
def test_a_star_takes_what_is_offered(source: str, taken: set[str]) -> None:
    sources = sources_of({"a.py": source, "b.py": "from a import *\n"})
    assert {name for module, name in sources.tainted_names() if module == "b"} == taken


def test_a_star_does_not_take_what_the_module_defines_as_its_own_class() -> None:
    files = {
        "a.py": "from sqlite3 import Row, Error\n",
        "b.py": "from a import *\n\nclass Row: ...\n",
        "c.py": "from sqlite3 import *\n\nclass Row: ...\n",
    }
    sources = sources_of(files)
    for module in ("b", "c"):
        assert sources.origin(module, "Row") is None
        assert sources.origin(module, "Error") is not None


def test_a_star_of_the_driver_takes_what_the_catalogue_knows() -> None:
    sources = sources_of({"models.py": "from peewee import *\nfrom sqlite3 import *\n"})
    names = {name for _, name in sources.tainted_names()}
    assert {"SqliteDatabase", "Model", "Connection", "connect", "IntegrityError"} <= names
    assert all(name.isidentifier() for name in names)


def star_chain(length: int) -> dict[str, str]:
    files = {f"m{n:03}.py": f"from m{n - 1:03} import *\n" for n in range(1, length)}
    return {**files, "m000.py": "from sqlite3 import Connection, Row, Error\n"}


def test_a_chain_of_three_hundred_stars() -> None:
    files = star_chain(300)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(200)
    try:
        sources = sources_of(files)
    finally:
        sys.setrecursionlimit(limit)
    origin = sources.resolve("m299.Connection", "main.py")
    assert origin is not None
    assert [step.place.path for step in origin.steps] == sorted(files)


def test_a_chain_of_three_hundred_aliases_and_classes() -> None:
    text = "import sqlite3\nclass C0(sqlite3.Error): ...\nN0 = sqlite3.Row\n"
    text += "".join(f"class C{n}(C{n - 1}): ...\nN{n} = N{n - 1}\n" for n in range(1, 300))
    sources = sources_of({"a.py": text})
    for name in ("C299", "N299"):
        assert len(way(sources.resolve(f"a.{name}", "main.py"))) == 300


def test_circles_of_stars_and_imports_end() -> None:
    files = {
        "a.py": "from b import *\nfrom sqlite3 import Row\n",
        "b.py": "from c import *\nfrom b import *\nfrom a import Lost\n",
        "c.py": "from a import *\nfrom b import Lost\nLost = Lost\n",
    }
    sources = sources_of(files)
    assert sources.tainted_names() == {("a", "Row"), ("b", "Row"), ("c", "Row")}


# What it costs


class Counting(DriverSources):
    """Sources that count what is handed on, in vain or not."""

    steps: int

    def _hand_on(self, *arguments: object) -> None:
        self.steps = getattr(self, "steps", 0) + 1
        super()._hand_on(*arguments)  # type: ignore[arg-type]

    def _by_star(self, *arguments: object) -> None:
        self.steps = getattr(self, "steps", 0) + 1
        super()._by_star(*arguments)  # type: ignore[arg-type]


def steps(files: dict[str, str]) -> int:
    """Return how many times linking hands something on."""
    project = project_of(files)
    modules = [
        module_of(file.path, fact, project.names, project.driver_names)
        for file in project.files
        for fact in file.facts
        if isinstance(fact, ModuleExports)
    ]
    return Counting(SymbolTable(modules, project.absolute), project.driver_names, KINDS).steps


def star_net(count: int) -> dict[str, str]:
    """Return modules that import each the star of all others: as many as there are pairs."""
    names = [f"m{n:02}" for n in range(count)]
    files = {f"{one}.py": "".join(f"from {n} import *\n" for n in names) for one in names}
    files["m00.py"] += "from sqlite3 import Row\n"
    return files


def test_a_chain_costs_what_it_is_long() -> None:
    assert steps(star_chain(50)) == 3 * 50
    assert steps(star_chain(100)) == 3 * 100


def test_a_net_costs_an_edge_each() -> None:
    assert steps(star_net(10)) == 10 * 10 + 1
    assert steps(star_net(20)) == 20 * 20 + 1


def test_a_ladder_of_two_ways_a_step_costs_two_a_step() -> None:
    """Walked from the end, each step would double the ways."""

    def ladder(length: int) -> dict[str, str]:
        files = {"m00a.py": "from sqlite3 import Row\n", "m00b.py": "from sqlite3 import Row\n"}
        for n in range(1, length):
            text = f"from m{n - 1:02}a import *\nfrom m{n - 1:02}b import *\n"
            files |= {f"m{n:02}a.py": text, f"m{n:02}b.py": text}
        return files

    assert steps(ladder(40)) == 4 * 39 + 2
    assert len(sources_of(ladder(40)).tainted_names()) == 2 * 40


# By what a driver's object is reached


def reached(files: dict[str, str]) -> set[SymbolId]:
    return set(sources_of(files).tainted_names())


def test_modules_on_the_way_to_a_carrier_are_carried_under_their_names() -> None:
    files = {
        "app/storage/__init__.py": "from . import sqlite as backend\n",
        "app/storage/sqlite.py": "from sqlite3 import Row\n",
        "app/facade.py": "from app import storage\nimport app.other as other\n",
        "app/second.py": "import app.facade as facade\n",
        "app/other.py": "import json\n",
    }
    assert reached(files) == {
        ("app.storage.sqlite", "Row"),
        ("app.storage", "backend"),
        ("app.facade", "storage"),
        ("app.second", "facade"),
    }


def test_circles_of_module_names_are_carried_once() -> None:
    files = {"a.py": "import b as b\nfrom sqlite3 import Row\n", "b.py": "import a as a\n"}
    assert reached(files) == {("a", "Row"), ("b", "a"), ("a", "b")}


def test_what_carries_nothing_is_not_carried() -> None:
    files = {"a.py": "import json\nclass Connection: ...\nx = 1\n", "b.py": "from a import *\n"}
    assert reached(files) == set()


# What the catalogue knows


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("sqlite3", "module"),
        ("sqlite3.dbapi2", "other"),
        ("sqlite3.Connection", "type"),
        ("sqlite3.dbapi2.Connection", "type"),
        ("sqlite3.dbapi2.Cursor", "type"),
        ("sqlite3.IntegrityError", "exception"),
        ("psycopg.errors.UniqueViolation", "exception"),
        ("sqlite3.connect", "other"),
        ("json.loads", "other"),
    ],
)
def test_kinds(name: str, kind: str) -> None:
    assert KINDS.of(name) == kind


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("sqlite3.connect", "sqlite3.Connection"),
        ("sqlite3.Connection", "sqlite3.Connection"),
        ("asyncpg.create_pool", "asyncpg.Pool"),
        ("sqlite3.register_adapter", ""),
        ("json.loads", ""),
    ],
)
def test_what_a_call_makes(name: str, made: str) -> None:
    assert KINDS.made_by(name) == made


def test_the_names_in_a_drivers_module_are_those_directly_in_it() -> None:
    names = KINDS.names_in("psycopg")
    assert {"Connection", "connect", "Error"} <= set(names)
    assert "UniqueViolation" not in names
    assert KINDS.names_in("json") == []
    assert names == sorted(set(names))


# Linked in several rounds


LINES = [
    "import sqlite3",
    "from sqlite3 import Row as a",
    "from sqlite3 import *",
    "from app.{} import *",
    "from . import {} as b",
    "from .{} import a, b as c",
    "import app.{} as a",
    "from app import {}",
    "d = a",
    "class C(c): pass",
    "class A(B): pass",
    "from app.{} import A, B, C",
    "class B(Protocol): pass",
    "from typing import Protocol",
    "def f(): return a",
    "e = c.connect()",
]
NAMES = ["storage", "first", "second", "third"]
TEXTS = st.lists(
    st.builds(str.format, st.sampled_from(LINES), st.sampled_from(NAMES)), max_size=7
).map("\n".join)


def meanings(project: Project) -> object:
    """Return all that linking says of a project."""
    hierarchy = hierarchy_of(project)
    sources, symbols = project.driver_sources, project.symbols
    keys = [(module, name) for module in symbols.modules for name in ("a", "b", "c", "d", "e", "C")]
    return (
        {key: sources.resolve_all(".".join(key), "main.py") for key in keys},
        sources.tainted_names(),
        hierarchy.classes,
        symbols.modules,
        hierarchy.interfaces,
        hierarchy.backends,
        hierarchy.tainted_names(),
        hierarchy.storage_base_files,
    )


@settings(max_examples=runs(100))
@given(
    st.fixed_dictionaries({f"app/{name}.py": TEXTS for name in NAMES} | {"app/__init__.py": TEXTS}),
    st.lists(st.sampled_from([f"app/{name}.py" for name in NAMES]), unique=True),
)
def test_what_is_linked_in_rounds_is_what_is_linked_at_once(
    files: dict[str, str], late: list[str]
) -> None:
    """What was kept of an earlier round must not show: nor the first way, nor its steps."""
    policy = Policy(Path("/"), storage=("app/storage.py",))
    whole = project_of(files, policy)
    first = [
        FileFacts(one.path, (), "ruled-out") if one.path in late else one for one in whole.files
    ]
    project = Project(policy, CATALOGUE, first, whole.modules)
    for path in late:
        meanings(project)
        project = project.with_files(
            [
                read if read.path == path else known
                for read, known in zip(whole.files, project.files, strict=True)
            ]
        )
    assert meanings(project) == meanings(whole)
    assert meanings(project.with_files(list(project.files))) == meanings(whole)


@settings(max_examples=runs(100))
@given(
    st.fixed_dictionaries({f"app/{name}.py": TEXTS for name in NAMES} | {"app/__init__.py": TEXTS})
)
def test_what_leads_no_further_has_nothing_behind_it(files: dict[str, str]) -> None:
    sources = sources_of(files)
    modules = ["app", "app.storage", "app.first", "app.second", "app.nowhere"]
    for name in (f"{module}.{last}" for module in modules for last in "abcdeABC"):
        if not sources.leads_on(name):
            assert not any(sources.resolve(f"{name}.{deeper}", "main.py") for deeper in "abc")


# Where names lead


def leads(files: dict[str, str], name: str, path: str = "main.py") -> list[str]:
    """Return the names that a dotted name in a file is followed through."""
    return list(project_of({**files, "main.py": ""}).symbols.resolve(name, path))


def test_a_name_is_followed_through_imports_aliases_and_stars() -> None:
    files = {
        "app/__init__.py": "from .facade import Store as Kept\n",
        "app/facade.py": "from app.inner import *\nfrom app.other import Store\n",
        "app/inner.py": "class Real: ...\nStore = Real\n",
        "app/other.py": "",
    }
    assert leads(files, "app.Kept.Inner") == [
        "app.Kept.Inner",
        "app.facade.Store.Inner",
        "app.other.Store.Inner",
        "app.inner.Store.Inner",
        "app.inner.Real.Inner",
    ]
    assert leads(files, ".Kept", "app/inner.py")[1:] == leads(files, "app.facade.Store")
    assert leads(files, "json.loads") == ["json.loads"]


def test_a_symbol_is_followed_with_whatever_stands_behind_it() -> None:
    files = {
        "a.py": "try:\n    from b.c import D as N\nexcept E:\n    from b.c import E as N\n",
        "b.py": "import x.y as c\n",
        "x/y.py": "",
    }
    assert leads(files, "a.N") == ["a.N", "b.c.D", "b.c.E", "x.y.D", "x.y.E"]


def test_a_name_that_grows_on_its_way_ends() -> None:
    assert leads({"a.py": "from a.x import x\n"}, "a.x") == ["a.x", "a.x.x"]
    assert leads({"a.py": "import b.y as x\n", "b.py": "import a.x.z as y\n"}, "a.x") == [
        "a.x",
        "b.y",
        "a.x.z",
    ]


def test_a_chain_of_names_is_followed_to_its_end() -> None:
    files = {f"m{n}.py": f"from m{n + 1} import X\n" for n in range(200)}
    assert leads(files | {"m200.py": "class X: ..."}, "m0.X") == [f"m{n}.X" for n in range(201)]


def test_a_circle_of_names_costs_what_it_is_long() -> None:
    files = {f"m{n}.py": f"from m{(n + 1) % 50} import *\n" for n in range(50)}
    assert len(leads(files, "m7.X.Y")) == 50


def test_a_dotted_name_of_any_length_is_followed_through_modules() -> None:
    files = {
        "a.py": "import b as c\n",
        "b.py": "import a as c\nfrom sqlite3 import Row\n",
    }
    assert meant(files, ".".join(["a", *["c"] * 99, "Row"])) == "sqlite3.Row:type:itself"


ORIGINS = st.sampled_from(["a", "b", "a.x", "b.y", "a.x.y", "b.y.x", "a.y.x.y", "c.x", "c"])
EXPORTED = st.lists(st.builds("import {} as {}".format, ORIGINS, st.sampled_from("xy")), max_size=4)
STARRED = st.lists(st.sampled_from(["from a import *", "from b import *"]), max_size=1)
CIRCLED = st.builds(lambda names, stars: "\n".join([*names, *stars]), EXPORTED, STARRED)


@given(st.fixed_dictionaries({"a.py": CIRCLED, "b.py": CIRCLED}), ORIGINS)
@settings(deadline=None)
def test_following_ends_and_never_names_anything_twice(files: dict[str, str], name: str) -> None:
    found = leads(files, name)
    assert len(found) == len(set(found))
    assert found[0] == name
