"""`dal-audit init`: what it finds and writes, and that it disturbs nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dal_audit.audit import audit_project
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.commands.config_text import LEFT_OUT, toml_text
from dal_audit.commands.init import Plan, plan_init
from dal_audit.discover.errors import UsageError
from dal_audit.discover.projects import whole_project
from dal_audit.policy import Policy, default_policy, load_policy
from dal_audit.policy.request import Request

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
STORE = """
import abc
import sqlite3
class Store(abc.ABC):
    @abc.abstractmethod
    def get(self): ...
class SqliteStore(Store):
    def get(self): return sqlite3.connect("a")
"""
PROJECT = {
    "src/app/storage/__init__.py": "",
    "src/app/storage/store.py": STORE,
    "src/app/main.py": "from app.storage.store import SqliteStore\nimport psycopg\n",
    "migrations/0001_a.up.sql": "CREATE TABLE a (id INTEGER PRIMARY KEY);\n",
    "migrations/0001_a.down.sql": "DROP TABLE a;\n",
    ".github/workflows/tests.yml": "jobs:\n  t:\n    steps:\n      - run: python -m pytest\n",
    ".github/workflows/docs.yml": "jobs:\n  d:\n    steps:\n      - run: make docs\n",
}


def make(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


def findings(policy: Policy) -> list[tuple[object, ...]]:
    part = audit_project(whole_project(policy), Request(folder=policy.root))
    return sorted((one.place.path, one.place.span, one.rule.id) for one in part.findings)


def written(folder: Path) -> Policy:
    """Do what `init` would do, and read what was written."""
    plan = plan_init(folder)
    plan.write()
    return load_policy(plan.file, known_rules=known_rules())


def test_all_that_is_found_is_written_down(tmp_path: Path) -> None:
    policy = written(make(tmp_path, PROJECT))
    assert policy.file == tmp_path / "dal-audit.toml"
    assert policy.storage == ("src/app/storage/**",)
    assert policy.source_roots == (".", "src")
    assert policy.interfaces == ("app.storage.store:Store",)
    assert policy.backends == ("sqlite", "postgresql")
    assert [(one.path, one.tool) for one in policy.migrations or ()] == [
        ("migrations", "golang-migrate")
    ]
    assert policy.ci.workflows == (".github/workflows/tests.yml",)
    text = policy.text
    assert "it imports sqlite3" in text
    assert '# composition-roots = ["src/app/main.py"]' in text


@pytest.mark.parametrize("name", sorted(path.name for path in FIXTURES.iterdir()))
def test_the_findings_are_those_of_an_audit_without_configuration(
    tmp_path: Path, name: str
) -> None:
    folder = tmp_path / name
    shutil.copytree(FIXTURES / name, folder)
    for file in folder.rglob("dal-audit.toml"):
        file.unlink()
    for file in folder.rglob("pyproject.toml"):
        head = file.read_text("utf-8").partition("[tool.dal-audit")[0]
        file.write_text(head, encoding="utf-8")
    before = findings(default_policy(folder))
    policy = written(folder)
    assert findings(policy) == before
    assert (policy.storage or ()) == found_storage(folder)
    # One of its folders is taken for no set, and would be one if it were configured.
    is_doubtful = name == "migrations"
    assert (LEFT_OUT in policy.text.replace("\n# ", " ")) == is_doubtful


def test_storage_that_no_name_tells_is_a_comment(tmp_path: Path) -> None:
    files = {
        "app/access.py": "import psycopg\n\ndef find(name): ...\n",
        "app/service.py": "from app.access import find\n",
    }
    policy = written(make(tmp_path, files))
    assert policy.storage is None
    assert found_storage(tmp_path) == ("app/access.py",)
    assert '# storage = ["app/access.py"]' in policy.text
    assert "No name says where that is" in policy.text


def found_storage(folder: Path) -> tuple[str, ...]:
    part = audit_project(whole_project(default_policy(folder)), Request(folder=folder))
    return part.project.storage


@pytest.mark.parametrize(
    "text",
    [
        "[project]\nname = 'a'\n",
        "[project]\nname = 'a'  # no end of line",
        "[project]\r\nname = 'a'\r\n\r\n[tool.x]\r\ny = 1\r\n",
        "# comments only\n\n\n",
        "",
        "tool.ruff.line-length = 88\n",
        "x = '''\n[tool.dal-audit]\nin a text\n'''",
        "[[tool.x]]\ny = [\n  1, # [tool]\n]",
        "[tool.dal-audit-extra]\ny = 1\n# the end\r\n",
    ],
)
def test_what_stands_in_pyproject_is_kept_to_the_byte(tmp_path: Path, text: str) -> None:
    make(tmp_path, {**PROJECT, "pyproject.toml": text})
    policy = written(tmp_path)
    after = (tmp_path / "pyproject.toml").read_bytes()
    assert after.startswith(text.encode())
    document = tomllib.loads(after.decode())
    assert document["tool"].pop("dal-audit")["storage"] == list(policy.storage or ())
    assert {key: value for key, value in document.items() if value} == tomllib.loads(text)
    added = after[len(text.encode()) :]
    is_windows = text.count("\r\n") > 1
    assert added.count(b"\r\n") == (added.count(b"\n") if is_windows else 0)
    assert not (tmp_path / "dal-audit.toml").exists()


@pytest.mark.parametrize("text", ["tool = {}\n", "[[tool]]\n", "[project\n", "\xff"])
def test_a_pyproject_that_takes_no_table_is_left_alone(tmp_path: Path, text: str) -> None:
    make(tmp_path, PROJECT)
    (tmp_path / "pyproject.toml").write_bytes(text.encode("latin-1"))
    assert written(tmp_path).file == tmp_path / "dal-audit.toml"
    assert (tmp_path / "pyproject.toml").read_bytes() == text.encode("latin-1")


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    make(tmp_path, {**PROJECT, "pyproject.toml": "[project]\nname = 'a'\n"})
    written(tmp_path)
    before = (tmp_path / "pyproject.toml").read_bytes()
    plan = plan_init(tmp_path)
    plan.write()
    assert (plan.addition, plan.diff(tmp_path)) == ("", "")
    assert (tmp_path / "pyproject.toml").read_bytes() == before
    assert [line for line in plan.remarks if not line.endswith(": as found")] == []


def test_what_differs_from_the_configuration_is_said(tmp_path: Path) -> None:
    text = '[tool.dal-audit]\nexclude = []\nstorage = ["src/app"]\n'
    make(tmp_path, {**PROJECT, "pyproject.toml": text})
    plan = plan_init(tmp_path / "src")
    said = "\n".join(plan.remarks)
    assert plan.file == tmp_path / "pyproject.toml"
    assert "line 3: src/app; found is src/app/storage/**" in said
    assert "not configured; found is ., src" in said
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == text


def test_a_key_that_would_change_a_finding_stands_as_a_comment(tmp_path: Path) -> None:
    # Found roots serve the files below them; configured ones serve all files, and hide `redis`.
    files = {
        "a/pyproject.toml": "",
        "a/src/redis/__init__.py": "",
        "b/app.py": "import redis\n",
        "b/storage/x.py": "import sqlite3\n",
    }
    make(tmp_path, files)
    before = findings(default_policy(tmp_path))
    policy = written(tmp_path)
    assert policy.source_roots is None
    assert policy.storage == ("b/storage/**",)
    assert "# source-roots = " in policy.text
    assert LEFT_OUT in policy.text.replace("\n# ", " ")
    assert findings(policy) == before
    assert before


def test_without_storage_the_comment_says_who_imports_drivers(tmp_path: Path) -> None:
    policy = written(make(tmp_path, {"app.py": "import sqlite3\n", "web.py": "import psycopg\n"}))
    assert policy.storage is None
    comments = policy.text.replace("\n# ", " ")
    assert "None was found. Drivers are imported in app.py, web.py" in comments
    assert '# storage = ["app.py", "web.py"]' in policy.text


def test_folders_that_import_most_drivers_are_proposed_as_storage(tmp_path: Path) -> None:
    names = ("a/one.py", "b/c/one.py", "b/c/two.py", "tests/x.py", "tests/y.py", "tests/z.py")
    policy = written(make(tmp_path, dict.fromkeys(names, "import sqlite3\n")))
    assert '# storage = ["a/one.py", "b/c/**"]' in policy.text
    assert '# exclude = ["tests"]' in policy.text
    assert not (tmp_path / ".dal_audit_cache").exists()


def test_an_interface_that_nobody_inherits_from_is_proposed(tmp_path: Path) -> None:
    text = STORE.replace("SqliteStore(Store)", "SqliteStore")
    policy = written(make(tmp_path, {"app/storage/store.py": text}))
    assert policy.interfaces is None
    assert '# interfaces = ["app.storage.store:Store"]' in policy.text


@pytest.mark.parametrize(
    "name", ['we"ird', "new\nline", "es\x1bcape", "b\\slash", "\u202e", "ä[b]"]
)
def test_names_of_any_kind_are_written_so_that_toml_reads_them(tmp_path: Path, name: str) -> None:
    try:
        make(tmp_path, {f"{name}/storage/x.py": STORE, "y.py": "import sqlite3\n"})
    except OSError:
        pytest.skip("this file system has no such names")
    before = findings(default_policy(tmp_path))
    assert findings(written(tmp_path)) == before


def test_a_name_that_is_not_utf_8_stands_as_a_comment(tmp_path: Path) -> None:
    try:
        make(tmp_path, {"\udcff/storage/x.py": STORE})
    except (OSError, UnicodeError):
        pytest.skip("this file system has no such names")
    assert written(tmp_path).storage is None


def test_toml_text_reads_back() -> None:
    for value in ('a"b', "a\\b", "a\nb", "\x7f\x00", "ü😀", "\u2028", "\U000e0001"):
        assert tomllib.loads(f"x = {toml_text(value)}")["x"] == value


def test_the_difference_can_be_applied_as_a_patch(tmp_path: Path) -> None:
    make(tmp_path, {**PROJECT, "pyproject.toml": "[project]\nname = 'a'"})
    plan = plan_init(tmp_path)
    answer = subprocess.run(
        ["git", "apply", "-p0", "-"], cwd=tmp_path, input=plan.diff(tmp_path).encode(), check=False
    )
    assert answer.returncode == 0
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == plan.before + plan.addition


def test_a_file_that_came_up_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    plan = Plan(tmp_path / "dal-audit.toml", "", "storage = []\n", (), is_new=True)
    plan.file.write_text("# mine\n", encoding="utf-8")
    with pytest.raises(FileExistsError):
        plan.write()
    assert plan.file.read_text("utf-8") == "# mine\n"


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        plan_init(tmp_path / "nowhere")
