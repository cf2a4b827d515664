"""`fix --extract-interface`: the Protocol of a backend, who names it then, and what still leaks."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dal_audit.commands.parser import cli
from dal_audit.extract.python.interface_text import ClassSource, interface_text

FILES = {
    "app/__init__.py": "",
    "app/storage/__init__.py": "",
    "app/storage/records.py": "class User: ...\n",
    "app/storage/base.py": (
        "class Closing:\n    def close(self) -> None:\n        'Close it.'\n        self._c.close()\n"
    ),
    "app/storage/sqlite.py": '''\
import sqlite3

from .base import Closing
from .records import User


class SqliteStore(Closing):
    """Keeps users."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._c = sqlite3.connect(path)

    def get(self, name: str) -> User | None:
        return None

    def rows(self) -> list[sqlite3.Row]:
        return self._c.execute("SELECT 1").fetchall()

    def _hidden(self) -> None: ...
''',
    "app/plain.py": """\
from typing import Optional

from app.storage.sqlite import SqliteStore  # the store


def path(store: SqliteStore, other: "Optional[SqliteStore]" = None) -> str:
    return store.path
""",
    "app/made.py": """\
import app.storage.sqlite as s


def made(store: "s.SqliteStore | None") -> s.SqliteStore:
    return store or s.SqliteStore("x")
""",
}
BACKEND = "app.storage.sqlite:SqliteStore"
INTERFACE = '''\
"""What storage does for its callers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from app.storage.records import User


class Store(Protocol):
    """Keeps users."""

    path: str

    def get(self, name: str) -> User | None: ...

    # gives away `sqlite3.Row`
    def rows(self) -> list[Any]: ...

    def close(self) -> None:
        'Close it.'
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    put(tmp_path, FILES)
    return tmp_path


def put(root: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def run(root: Path, *words: str, answers: str = "", backend: str = BACKEND) -> Result:
    before = Path.cwd()
    os.chdir(root)
    try:
        return CliRunner().invoke(
            cli, ["fix", "--extract-interface", backend, *words], input=answers
        )
    finally:
        os.chdir(before)


def texts(root: Path) -> dict[str, str]:
    files = (file for file in root.rglob("*.py"))
    return {file.relative_to(root).as_posix(): file.read_text() for file in files}


def test_it_is_shown_and_not_written(root: Path) -> None:
    answer = run(root)
    assert answer.exit_code == 1
    assert "+++ app/storage/interface.py" in answer.stdout
    assert "Nothing was written" in answer.stderr
    assert texts(root) == FILES
    assert run(root, "--unsafe-fixes", "--diff").stdout == answer.stdout
    assert run(root, "--ask", answers="n\n").exit_code == 1
    assert texts(root) == FILES


@pytest.mark.parametrize(("words", "answers"), [(["--unsafe-fixes"], ""), (["--ask"], "y\n")])
def test_it_is_written_and_named(root: Path, words: list[str], answers: str) -> None:
    answer = run(root, *words, answers=answers)
    assert texts(root) == {
        **FILES,
        "app/storage/interface.py": INTERFACE,
        "app/plain.py": """\
from typing import Optional

from app.storage.interface import Store
# the store


def path(store: Store, other: "Optional[Store]" = None) -> str:
    return store.path
""",
        "app/made.py": """\
from app.storage.interface import Store
import app.storage.sqlite as s


def made(store: "Store | None") -> Store:
    return store or s.SqliteStore("x")
""",
    }
    for note in (
        "`Store.rows` still leaks `sqlite3.Row`",
        "app/made.py:5 still names `SqliteStore`, which is called there",
        "`SqliteStore` does not inherit `Store`",
    ):
        assert note in answer.stderr


def test_nothing_is_written_over(root: Path) -> None:
    put(root, {"app/storage/interface.py": "x = 1\n"})
    answer = run(root, "--unsafe-fixes")
    assert answer.exit_code == 2
    assert "is there already" in answer.stderr
    assert texts(root) == {**FILES, "app/storage/interface.py": "x = 1\n"}


def test_nothing_is_written_through_a_link(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("elsewhere")
    (root / "app/plain.py").rename(other / "plain.py")
    (root / "app/plain.py").symlink_to(other / "plain.py")
    answer = run(root, "--unsafe-fixes")
    assert "`app/plain.py` cannot be changed: it is a link that leads out" in answer.stderr
    assert (other / "plain.py").read_text() == FILES["app/plain.py"]
    assert "Store" in (root / "app/storage/interface.py").read_text()


def test_no_interface_is_written_into_a_folder_that_is_linked_in(
    root: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("elsewhere")
    (root / "app/api").symlink_to(other)
    put(root, {"dal-audit.toml": 'interfaces = ["app.api.users:Users"]\n'})
    answer = run(root, "--unsafe-fixes")
    assert answer.exit_code == 2
    assert "leads out of the project" in answer.stderr
    assert list(other.iterdir()) == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
def test_encodings_ends_of_lines_and_marks_stay(root: Path, end: str, encoding: str) -> None:
    head = "# coding: latin-1\n" if encoding == "latin-1" else ""
    before = f"{head}{FILES['app/plain.py']}# é\n"
    (root / "app/plain.py").write_bytes(before.replace("\n", end).encode(encoding))
    run(root, "--unsafe-fixes")
    data = (root / "app/plain.py").read_bytes()
    text = data.decode(encoding)
    assert data == text.replace("\r\n", "\n").replace("\n", end).encode(encoding)
    assert "store: Store" in text
    assert text.endswith(f"# é{end}")


def test_what_is_configured_is_written(root: Path) -> None:
    put(
        root,
        {"dal-audit.toml": 'interfaces = ["app.api.users:Users"]\nstorage = ["app/storage"]\n'},
    )
    run(root, "--unsafe-fixes")
    text = INTERFACE.replace("class Store", "class Users")
    assert (root / "app/api/users.py").read_text() == text
    assert "from app.api.users import Users" in (root / "app/plain.py").read_text()


@pytest.mark.parametrize("backend", ["app.storage.sqlite:None", "SqliteStore", "x:y"])
def test_a_class_that_is_not_there(root: Path, backend: str) -> None:
    answer = run(root, backend=backend)
    assert answer.exit_code == 2
    assert "there is no class" in answer.stderr


def test_a_backend_that_has_an_interface(root: Path) -> None:
    own = (
        "from typing import Protocol\n\n\nclass Store(Protocol):\n    def get(self) -> None: ...\n"
    )
    backend = FILES["app/storage/sqlite.py"].replace("(Closing)", "(Store)")
    put(
        root,
        {"app/storage/api.py": own, "app/storage/sqlite.py": f"from .api import Store\n{backend}"},
    )
    answer = run(root)
    assert answer.exit_code == 2
    assert "implements `app.storage.api.Store` already" in answer.stderr


EXTRACTION = Path(__file__).parent.parent / "fixtures" / "extraction"


@pytest.mark.parametrize(
    ("project", "backend"),
    [
        ("orders", "orders.storage.sqlite:SqliteOrders"),
        ("chat", "chat.storage.postgres:PostgresMessages"),
    ],
)
def test_a_project_is_as_it_is_kept_and_a_second_run_changes_nothing(
    tmp_path: Path, project: str, backend: str
) -> None:
    root = tmp_path / "project"
    shutil.copytree(EXTRACTION / project / "before", root)
    answer = run(root, "--unsafe-fixes", backend=backend)
    assert answer.exit_code == 1
    assert answer.stderr == (EXTRACTION / project / "notes.txt").read_text()
    kept = contents(EXTRACTION / project / "after")
    assert contents(root) == kept
    for path, data in kept.items():
        compile(data, path, "exec")
    assert run(root, "--unsafe-fixes", backend=backend).exit_code == 2
    assert contents(root) == kept


def contents(root: Path) -> dict[str, bytes]:
    return {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*.py")}


# The text


def written(text: str, *members: str) -> str:
    """Return the interface of `SqliteStore` in a text, in which `sqlite3` is the driver."""
    source = ClassSource(
        "app.storage.sqlite",
        text,
        "SqliteStore",
        frozenset(members),
        frozenset({*members, "made"}),
        lambda name: name.removeprefix("self:") if name.startswith(("sqlite3", "self:Row")) else "",
        lambda module: f"app.storage{module}" if module.startswith(".") else module,
    )
    found = interface_text([source], "Store", lambda name: name.startswith("app."))
    assert found is not None
    compile(found.text, "interface.py", "exec")
    return found.text


@pytest.mark.parametrize(
    ("member", "declared"),
    [
        ("a: int = 3", "a: int"),
        ("a = 'x'", "a: str"),
        ("a = made()", "# its type is not declared\n    a: Any"),
        ("a: Final = 3", "@property\n    def a(self) -> int: ..."),
        ("a: Final[str] = made()", "@property\n    def a(self) -> str: ..."),
        ("a, _b = 3, 'x'", "a: int"),
        ("a = sqlite3.Error", "# gives away `sqlite3.Error`\n    a: Any"),
        ("a, *_b = made()", "# its type is not declared\n    a: Any"),
        ("def f(self): self.a = functools.Thing(1)", "a: functools.Thing"),
        (
            "def f(self, b: int): self.a, self._b = b, 1",
            "# its type is not declared\n    a: Any",
        ),
        (
            "def f(self):\n        self.a = None\n        self.a = sqlite3.connect('x')",
            "# gives away `sqlite3.connect`\n    a: Any",
        ),
        (
            "def a(self, b=made(), c=None, *, d='x'): return 1",
            "def a(self, b=..., c=None, *, d='x'): ...",
        ),
        ("async def a(self) -> None: await b()", "async def a(self) -> None: ..."),
        ("async def a(self) -> Iterator[int]: yield 1", "def a(self) -> Iterator[int]: ..."),
        (
            "@property\n    def a(self) -> 'SqliteStore': return 1",
            "@property\n    def a(self) -> Store: ...",
        ),
        (
            "@functools.cached_property\n    def a(self): return 1",
            "@property\n    def a(self): ...",
        ),
        ("@functools.cache\n    def a(self) -> int: return 1", "def a(self) -> int: ..."),
        (
            "@classmethod\n    def a(cls) -> int: return 1",
            "@classmethod\n    def a(cls) -> int: ...",
        ),
        (
            "@contextmanager\n    def a(self) -> Iterator[sqlite3.Cursor]: yield",
            "# gives away `sqlite3.Cursor`\n    @contextmanager\n    def a(self) -> Iterator[Any]: ...",
        ),
        (
            "@overload\n    def a(self, b: int) -> int: ...\n    @overload\n    def a(self, b: str) -> str: ...\n    def a(self, b): return b",
            "@overload\n    def a(self, b: int) -> int: ...\n\n    @overload\n    def a(self, b: str) -> str: ...",
        ),
        (
            "@property\n    def a(self) -> int: return 1\n    @a.setter\n    def a(self, b: int) -> None: pass",
            "@property\n    def a(self) -> int: ...\n\n    @a.setter\n    def a(self, b: int) -> None: ...",
        ),
        (
            "def a(self, b: Literal['sqlite3']) -> Row: ...",
            "# gives away `Row`\n    def a(self, b: Literal['sqlite3']) -> Any: ...",
        ),
        (
            'def a(self):\n        """Text.\n\n        More.\n        """\n        return 1',
            'def a(self):\n        """Text.\n\n        More.\n        """',
        ),
        ("def a(self) -> 'not a type': ...", "def a(self) -> 'not a type': ..."),
    ],
)
def test_how_a_member_is_declared(member: str, declared: str) -> None:
    head = (
        "import functools, sqlite3\nfrom collections.abc import Iterator\n"
        "from contextlib import contextmanager\nfrom typing import Literal, overload\n"
        "Row = sqlite3.Row\n\n\n"
    )
    text = written(f"{head}class SqliteStore:\n    {member}\n", "a")
    assert text.partition("class Store(Protocol):\n")[2] == f"    {declared}\n"


def test_a_generic_class_takes_its_variables_along() -> None:
    head = (
        "from typing import Generic, TypeVar\nfrom .records import User as U\n\n"
        "T = TypeVar('T', bound=U)\n\n\nclass Page: ...\n\n\n"
    )
    text = written(f"{head}class SqliteStore(Generic[T]):\n    def a(self) -> T | Page: ...\n", "a")
    assert text.partition("annotations\n\n")[2] == (
        "from typing import TYPE_CHECKING, Protocol, TypeVar\n\n"
        "if TYPE_CHECKING:\n    from app.storage.records import User as U\n"
        "    from app.storage.sqlite import Page\n\n"
        "T = TypeVar('T', bound=\"U\")\n\n\n"
        "class Store(Protocol[T]):\n    def a(self) -> T | Page: ...\n"
    )


def test_a_class_in_a_function_has_no_interface() -> None:
    source = ClassSource(
        "a", "x = 1\n", "A", frozenset(), frozenset(), lambda _: "", lambda name: name
    )
    assert interface_text([source], "B", lambda _: False) is None
