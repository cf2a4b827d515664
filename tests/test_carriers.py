"""Which files a carrier reaches: what their bytes say is held against the whole audit.

Files that a carrier does not reach are not read, so each one that is missed is a finding that is
missed. Statements are made up in every form that Python takes, and audited with and without the
shortcuts.
"""

from __future__ import annotations

import ast
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.catalogue.drivers import shipped_catalogue
from dal_audit.extract import extractor as extract
from dal_audit.extract.foreign_modules import foreign_modules
from dal_audit.extract.python.prefilter.import_marks import MAX_STATEMENT, Carriers
from dal_audit.policy.request import Request
from tests.examples import TODAY
from tests.sampling import runs

if TYPE_CHECKING:
    from collections.abc import Sequence

TYPES = Carriers([("app.storage.types", "Connection")])


def reached(text: str, path: str = "app/service.py", carriers: Carriers = TYPES) -> bool:
    """Return whether a text, which Python takes, is reached."""
    ast.parse(text)
    return carriers.reach(path, text.encode())


@pytest.mark.parametrize(
    "text",
    [
        "from app.storage.types import Connection",
        "from app.storage.types import Connection as C, Other",
        "from app.storage.types import Other, Connection",
        "from app.storage.types import (\n    Other,\n    Connection,\n)",
        "from app.storage.types import(Connection)",
        "from app.storage.types import *",
        "from app.storage.types import*",
        "from app.storage.types import \\\n    *",
        "from app.storage import types",
        "from app.storage import types as t, other",
        "from app.storage import other, types",
        "from app.storage import other,types",
        "from app.storage import (types)",
        "from app.storage import(types,)",
        "from app.storage import (\n    other,\n    types,\n)",
        "from app.storage import (  # why (not)\n    other,  # import this\n\n    types,\n)",
        "from app.storage import (\n    import_, from_,\n    types,\n)",
        "from app.storage import (import_,\n    from_, types)",
        "from app.storage import (other,\ntypes)",
        "from app.storage import \\\n    types",
        "from app.storage \\\n    import other, \\\n    types",
        "from \\\n    app.storage.types \\\n    import Connection",
        "from app . storage . types import Connection",
        "from app\\\n.storage\\\n.types import Connection",
        "from\tapp.storage\timport\ttypes",
        "from\fapp.storage import\ftypes",
        "import app.storage.types",
        "import app.storage.types as t",
        "import json, app.storage.types",
        "import json,app.storage.types",
        "import json as j, \\\n    app.storage.types as t",
        "import app . storage . types",
        "import \\\n    app.storage.types",
        "import json; import app.storage.types",
        "from json import loads; from .storage import types",
        "from json import loads; from . storage . types import Connection",
        "x = 'from here'; from app.storage import types",
        "if x: from app.storage import types",
        "def f(): import app.storage.types",
        "class C:\n    from app.storage import types",
        "from .storage.types import Connection",
        "from .storage import types",
        "from.storage import types",
        "from . storage.types import Connection",
        "from . storage import types",
        "from .\\\nstorage import types",
        "import app.storage\napp.storage.types.Connection",
        "import app\napp.storage.types.Connection",
        "import app\napp.storage.types . \\\n    Connection",
        "from app import storage\nstorage.types.Connection",
        "from . import storage as s\ns.types.Connection",
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_form_reaches(text: str, newline: str) -> None:
    assert reached(text)
    assert TYPES.reach("app/service.py", text.replace("\n", newline).encode())
    assert TYPES.reach("app/service.py", f"import os\n\n{text}\n\nx = 1\n".encode())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "types",
        "Connection",
        "x = types.Connection",
        "import types",
        "import types\nfrom types import ModuleType",
        "from types import SimpleNamespace",
        "from app.graph.types import Other\nConnection",
        "from app.graph.types import Connection",
        "from app.graph import types",
        "from app.graph import (\n    other,\n    types,\n)",
        "from .graph import types",
        "from .graph.types import Connection",
        "from other.storage.types import Connection",
        "from app.storage.types import Other",
        "from app.storage.types_ import Connection",
        "from app.storage.mytypes import Connection",
        "from app.storage import mytypes, types2",
        "import app.storage.mytypes",
        "import app.types",
        "from app import types",
        "from .types import Connection",
        "from . import types",
        "from .. import types",
        "from ..types import Connection",
        "# from app.storage.typesetting import Connection",
        "from app.storage import other\nx = (\n    types,\n)",
        "from app.storage import (\n    other,\n)\nx = (\n    types,\n)",
        "from app.storage import other\ntypes = 1",
        "x.types.other",
        "x.types().Connection",
    ],
)
def test_what_is_no_import_of_the_carrier_does_not_reach(text: str) -> None:
    if text in {"import types", "import types\nfrom types import ModuleType"}:
        # A source root may lie so deep that `types` alone is the module.
        assert reached(text)
    else:
        assert not reached(text)


@pytest.mark.parametrize(
    ("path", "text", "is_reached"),
    [
        ("app/api/users.py", "from ..storage import types", True),
        ("app/api/users.py", "from .. storage . types import Connection", True),
        ("app/api/__init__.py", "from ..storage import types", True),
        ("app/a/b/c.py", "from ...storage.types import Connection", True),
        ("app/a/b/c.py", "from ... storage import types", True),
        ("app/a/b/c.py", "from ....app.storage import types", True),
        ("app/storage/store.py", "from .types import Connection", True),
        ("app/storage/store.py", "from . import types", True),
        ("app/storage/__init__.py", "from . import types", True),
        ("app/storage/a/b.py", "from .. import types", True),
        ("src/app/api/users.py", "from ..storage import types", True),
        ("src/app/api/users.py", "from app.storage import types", True),
        ("app/api/users.py", "from .storage import types", False),
        ("app/api/users.py", "from ...storage import types", False),
        ("app/graph/store.py", "from .types import Connection", False),
        ("app/graph/store.py", "from . import types", False),
        ("app/graph/__init__.py", "from . import types", False),
        ("app/a/b/c.py", "from ..storage.types import Connection", False),
    ],
)
def test_relative_imports_count_from_the_file(path: str, text: str, *, is_reached: bool) -> None:
    assert reached(text, path) is is_reached


@pytest.mark.parametrize(
    ("path", "text", "is_reached"),
    [
        ("app/storage/store.py", "from . import Connection", True),
        ("app/storage/store.py", "from . import (\n    Connection\n)", True),
        ("app/storage/store.py", "from .import Connection", True),
        ("app/storage/store.py", "from.import Connection", True),
        ("app/storage/store.py", "from  . import Connection", True),
        ("app/storage/store.py", "from\t.\timport Connection", True),
        ("app/storage/store.py", "from \\\n . \\\n import Connection", True),
        ("app/storage/store.py", "from . import *", True),
        ("app/storage/a/b.py", "from .. import Connection", True),
        ("app/storage/a/b.py", "from . . import Connection", True),
        ("app/storage/a/b.py", "from . import Connection", False),
        ("app/storage/store.py", "from . import Other", False),
        ("app/other/store.py", "from . import Connection", False),
        ("app/service.py", "from .storage import Connection", True),
        ("app/service.py", "from . import storage", True),
        ("app/service.py", "from app import storage", True),
        ("app/service.py", "import app.storage", True),
        ("app/service.py", "import app.storage.other", True),
    ],
)
def test_a_package_that_carries(path: str, text: str, *, is_reached: bool) -> None:
    assert reached(text, path, Carriers([("app.storage", "Connection")])) is is_reached


def test_a_carrier_at_the_top() -> None:
    carriers = Carriers([("storage", "Connection")])
    assert reached("import storage", "service.py", carriers)
    assert reached("from storage import Connection", "bin/tool.py", carriers)
    assert reached("from .storage import Connection", "service.py", carriers)
    assert not reached("from storage import Other", "service.py", carriers)


def test_letters_beyond_ascii() -> None:
    carriers = Carriers([("app.größe", "Verbindung")])
    assert reached("from app.größe import Verbindung", carriers=carriers)
    assert reached("from app import größe", carriers=carriers)
    assert reached("from .größe import (\n    größer, Verbindung)", carriers=carriers)
    assert not reached("from app.größer import Verbindung", carriers=carriers)
    assert not reached("from straße.größe import Verbindung", carriers=carriers)


def test_without_carriers_nothing_is_reached() -> None:
    assert not Carriers([]).reach("a.py", b"from . import x\n")


def test_words_are_all_that_an_import_of_a_carrier_can_mention() -> None:
    assert TYPES.words == {"app", "storage", "types", "Connection"}


def test_a_list_may_be_long_and_a_line_may_not() -> None:
    names = "\n".join(f"    name_{n},  # the {n}th (of all)" for n in range(10_000))
    assert TYPES.reach("a.py", f"from app.storage import (\n{names}\n    types,\n)".encode())
    padding = " " * MAX_STATEMENT
    assert not reached(f"from app.storage import{padding}types")


@pytest.mark.parametrize(
    "text",
    [
        "from" + " " * 100_000 + "types",
        "from" + "\\\n" * 50_000 + "types",
        "from " * 50_000 + "types",
        "import " * 30_000 + "types",
        "x = '" + " types" * 30_000 + "'",
        "\ntypes," * 30_000,
        "(\n" + " types,\n" * 30_000,
        "from ." + "." * 100_000,
        "from ." + " ." * 50_000,
        "a" * 200_000 + " types",
        "from " + "a." * 50_000 + "types",
    ],
    ids=range(11),
)
def test_odd_text_takes_no_endless_time(text: str) -> None:
    TYPES.reach("app/service.py", text.encode())


# Little trees, with and without the shortcuts

NAMES = ("app", "storage", "types", "from_", "import_", "api", "Connection")
GAPS = (" ", "  ", "\t", " \\\n ", "\\\n", " \\\r\n  ", "\f ")
COMMENTS = ("", "", "# why (not)", "# from here import", "#)", "# a; b")


class Writer:
    """Writes import statements at random, and what uses them."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def one_of(self, choices: Sequence[str]) -> str:
        return self.random.choice(list(choices))

    def package(self, deepest: int) -> list[str]:
        return [self.one_of(NAMES) for _ in range(self.random.randint(0, deepest))]

    def gap(self) -> str:
        return " " if self.random.random() < 0.6 else self.one_of(GAPS)

    def dot(self) -> str:
        if self.random.random() < 0.8:
            return "."
        return self.one_of(("", *GAPS)) + "." + self.one_of(("", *GAPS))

    def dotted(self, parts: Sequence[str]) -> str:
        return self.dot().join(parts)

    def module(self, parts: Sequence[str], package: Sequence[str]) -> str:
        """Return what stands after `from`: the module's name, absolute or relative."""
        shared = 0
        for one, other in zip(parts, package, strict=False):
            if one != other:
                break
            shared += 1
        up = self.random.randint(0, shared)
        if self.random.random() < 0.5 and (up or not parts):
            dots = self.one_of(("", " ")).join("." * (len(package) - up + 1))
            return dots + self.one_of(("", " ")) + self.dotted(parts[up:])
        return self.dotted(parts) or "."

    def names(self, name: str) -> tuple[str, str]:
        """Return the list of names of a `from` import, and the name that is bound."""
        bound = name if self.random.random() < 0.6 else "bound"
        item = name if bound == name else f"{name}{self.gap()}as{self.gap()}{bound}"
        items = [item]
        if self.random.random() < 0.4:
            items.insert(self.random.randint(0, 1), self.one_of(("other", "import_x", "from_y")))
        if self.random.random() < 0.5:
            between = f",{self.one_of(('', *GAPS))}"
            return between.join(items), bound
        breaks = [f"{self.one_of(('', ' '))}{self.one_of(COMMENTS)}\n  " for _ in range(4)]
        inner = f",{breaks[0]}".join(items)
        return f"({breaks[1]}{inner}{self.one_of(('', ','))}{breaks[2]})", bound

    def statement(self, module: Sequence[str], name: str, package: Sequence[str]) -> str:
        """Return a statement that imports a module or a name of it, and a use."""
        parts = [*module]
        form = self.random.randint(0, 6)
        gap = self.gap
        if form == 0 or not parts:
            listed, bound = self.names(name)
            return (
                f"from{gap()}{self.module(parts, package)}{gap()}import{gap()}{listed}\n{bound}\n"
            )
        if form == 1:
            listed, bound = self.names(parts[-1])
            origin = self.module(parts[:-1], package)
            return f"from{gap()}{origin}{gap()}import{gap()}{listed}\n{bound}.{name}\n"
        if form == 2:
            return f"import{gap()}{self.dotted(parts)}\n{'.'.join(parts)}.{name}\n"
        if form == 3:
            return f"import{gap()}json,{gap()}{self.dotted(parts)}{gap()}as{gap()}m\nm.{name}\n"
        if form == 4:
            origin = self.module(parts, package)
            return f"from{gap()}{origin}{gap()}import{self.one_of(('', *GAPS))}*\n{name}\n"
        if form == 5:
            kept = self.random.randint(1, len(parts))
            return f"import{gap()}{self.dotted(parts[:kept])}\n{'.'.join(parts)}.{name}\n"
        kept = self.random.randint(0, len(parts) - 1)
        listed, bound = self.names(parts[kept])
        origin = self.module(parts[:kept], package)
        use = ".".join([bound, *parts[kept + 1 :], name])
        return f"from{gap()}{origin}{gap()}import{gap()}{listed}\n{use}\n"

    def text(self, module: Sequence[str], name: str, package: Sequence[str]) -> str:
        """Return a file around a statement."""
        statement = self.statement(module, name, package)
        around = self.random.randint(0, 4)
        if around == 0:
            return f"import json; {statement}"
        if around == 1:
            return f"if x: {statement}"
        if around == 2:
            return f"def f():\n {statement.replace(chr(10), chr(10) + ' ')}\n"
        if around == 3:
            return f"from json import loads\n\nx = (\n    loads,\n)\n{statement}"
        return statement

    def project(self) -> dict[str, str]:
        """Return a tree with a carrier, perhaps a file that hands on, and one that takes."""
        carrier, facade, taker = self.package(3), self.package(2), self.package(3)
        module = carrier
        files = {"/".join([*carrier, "__init__.py"]): "from sqlite3 import Connection\n"}
        if self.random.random() < 0.7:
            module = [*carrier, self.one_of(NAMES)]
            files = {"/".join(module) + ".py": "from sqlite3 import Connection\n"}
        files["dal-audit.toml"] = f'storage = ["{next(iter(files))}"]\n'
        name = "Connection"
        if self.random.random() < 0.4:
            path = "/".join([*facade, "facade.py"])
            files.setdefault(path, self.statement(module, name, facade))
            if self.random.random() < 0.5:
                module = [*facade, "facade"]
        files["/".join([*taker, "taker.py"])] = self.text(module, name, taker)
        if self.random.random() < 0.3:
            files.setdefault("/".join([*carrier[:-1], "__init__.py"]), "")
        return files


def is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def found(root: Path, *, shortcuts: bool) -> list[tuple[object, ...]]:
    """Audit a tree as a large project, in which files are ruled out."""
    with mock.patch.object(extract, "THOROUGH_BYTES", -1):
        report = audit(Request(folder=root, shortcuts=shortcuts, today=TODAY, jobs=1))
    return [(one.rule.id, one.breach) for one in report.findings]


def compare(files: dict[str, str]) -> list[tuple[object, ...]]:
    """Audit files both ways, and return what is found."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path, text in files.items():
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text.encode())
        without = found(root, shortcuts=False)
        assert found(root, shortcuts=True) == without, files
    return without


@settings(max_examples=runs(400))
@given(st.integers(min_value=0, max_value=2**32))
def test_a_tree_is_judged_alike_both_ways(seed: int) -> None:
    files = Writer(seed).project()
    folders = {str(parent) for path in files for parent in Path(path).parents}
    # A module hides a folder of its name, so nothing in that folder can be imported.
    assume(not any(path.removesuffix(".py") in folders for path in files))
    compare(files)


@pytest.mark.parametrize(
    ("path", "star"),
    [("app/taker.py", "from . import *"), ("app/api/taker.py", "from .. import *")],
)
def test_the_star_of_the_own_package(path: str, star: str) -> None:
    storage = "from sqlite3 import Connection\n"
    configuration = 'storage = ["app/__init__.py"]\n'
    files = {
        "app/__init__.py": storage,
        "dal-audit.toml": configuration,
        path: f"{star}\nConnection\n",
    }
    assert any(rule == "DAL103" for rule, _ in compare(files))


def test_the_trees_are_python_and_hold_findings() -> None:
    """The comparison would prove nothing on texts that Python refuses or on clean trees."""
    trees = [Writer(seed).project() for seed in range(runs(200))]
    texts = [text for tree in trees for path, text in tree.items() if path.endswith(".py")]
    assert sum(map(is_python, texts)) > len(texts) * 0.95
    assert (
        sum(any(rule == "DAL103" for rule, _ in compare(tree)) for tree in trees) > len(trees) / 2
    )


@pytest.mark.parametrize("thorough", [True, False], ids=["small project", "large project"])
def test_a_module_may_bear_the_name_of_a_standard_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, thorough: bool
) -> None:
    """What is imported from the standard library is passed over, but not from its namesake."""
    if not thorough:
        monkeypatch.setattr(extract, "THOROUGH_BYTES", -1)
    (tmp_path / "platform.py").write_text("import sqlite3\n\npool = sqlite3.connect('x')\n")
    (tmp_path / "user.py").write_text("import platform\n\nplatform.pool.execute('x')\n")
    found = {(one.rule.id, one.place.path) for one in audit(Request(folder=tmp_path)).findings}
    assert found >= {("DAL101", "platform.py"), ("DAL103", "user.py")}


def test_what_lies_in_a_package_hides_no_standard_module() -> None:
    """`app/typing.py` is imported as `app.typing`; a script's neighbour by its own name."""
    packages = ["app/__init__.py", "app/typing.py", "app/json/__init__.py", "app/json/html.py"]
    rest = [
        "__init__.py",
        "copy.py",
        "tools/queue.py",
        "src/__init__.py",
        "src/token.py",
        "uuid/x.py",
        "bin/csv/__init__.py",
    ]
    foreign = foreign_modules([*packages, *rest], shipped_catalogue())
    assert {"typing", "json", "html"} <= foreign
    assert foreign.isdisjoint({"copy", "queue", "token", "uuid", "csv", "sqlite3"})


@pytest.mark.parametrize("shortcuts", [True, False])
def test_what_lies_in_a_package_that_is_a_source_root_hides_a_standard_module(
    tmp_path: Path, *, shortcuts: bool
) -> None:
    for name, text in {
        "dal-audit.toml": 'storage = ["app/queue.py"]\nsource-roots = ["./app/"]\n',
        "app/__init__.py": "",
        "app/queue.py": "import sqlite3\n\npool = sqlite3.connect('x')\n",
        "app/user.py": "from queue import pool\n\npool.execute('x')\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for cache in (False, True, True):
        found = audit(Request(folder=tmp_path, cache=cache, shortcuts=shortcuts)).findings
        assert {(finding.rule.id, finding.place.path) for finding in found} == {
            ("DAL103", "app/user.py")
        }


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_a_driver_s_user_hands_to_storage_is_asked_once_storage_hands_it_on(
    tmp_path: Path, jobs: int
) -> None:
    """Nobody asks before for the SQL that a call of another module's function is handed."""
    for name, text in {
        "storage/db.py": "import sqlite3\n\nconnection = sqlite3.connect('x')\n",
        "app/user.py": "import sqlite3\nfrom storage.db import run\n\nrun('SELECT a FROM b')\n",
        "app/silent.py": "import sqlite3\nfrom storage.db import run\n\nrun(sqlite3)\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    request = Request(folder=tmp_path, jobs=jobs)
    assert all(finding.rule.id != "DAL108" for finding in audit(request).findings)
    with (tmp_path / "storage/db.py").open("a") as storage:
        storage.write("\n\ndef run(sql):\n    connection.execute(sql)\n")
    for again in (request, request, Request(folder=tmp_path, cache=False)):
        found = [finding for finding in audit(again).findings if finding.rule.id == "DAL108"]
        assert [finding.place.path for finding in found] == ["app/user.py"]
