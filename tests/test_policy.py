"""The configuration: found, read, checked, typed, and what a person is told of its problems."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli
from msgspec.structs import replace

from dal_audit.facts import Span
from dal_audit.policy import (
    Ci,
    ConfigurationError,
    Migrations,
    Policy,
    Waiver,
    default_policy,
    find_configuration,
    load_policy,
    render_problem,
)
from dal_audit.policy.keys import KEYS
from dal_audit.policy.schema import json_schema

RULES = (
    ("DAL101", "driver-import"),
    ("DAL102", "dynamic-driver-import"),
    ("DAL301", "placeholder-style"),
    ("DAL902", "nothing-audited"),
)
SCHEMA = Path(__file__).parent.parent / "dal_audit" / "policy" / "dal-audit.schema.json"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project's folder, which is the current one."""
    for folder in ("src/app", "migrations"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "accepted.json").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(folder: Path, text: str, name: str = "dal-audit.toml", **options: Any) -> Policy:
    """Write a configuration and read it."""
    file = folder / name
    file.write_bytes(text.encode())
    return load_policy(file, known_rules=RULES, **options)


EVERYTHING = """\
source-roots = ["src", "./src/app/"]
include = ["**/*.py"]
exclude = ["tests"]
storage = ["src/app/storage/**", "src/app/{db,dal}.py"]
interfaces = ["app.storage:Database", "app.*.types:*Store"]
composition-roots = []
backends = ["postgresql"]
backend-versions.sqlite = "3.40.1"
drivers = ["sqlite3", "google.cloud.spanner"]
extend-drivers = ["app.old_db"]
driver-types = ["app.storage.*Engine"]
accessors = ["raw_pool", "été"]
import-helpers = ["app.tools:lazy_import"]
orm-models = "deny"
rust-row-models = "allow"
type-checking-imports = "ignore"
placeholder-style = "numbered-question"
select = ["DAL1", "nothing-audited"]
ignore = ["dynamic-driver-import"]
extend-select = ["DAL301"]
version-table = "schema_version"
baseline = "./accepted.json"
[engine-modules]
sqlite = ["src/app/storage/queue.py"]
[severity]
driver-import = "warning"
DAL30 = "off"
[per-file-ignores]
"tests/**" = ["driver-import", "DAL3"]
"*.pyi" = []
[[migrations]]
path = "migrations/"
[[migrations]]
path = "src"
tool = "alembic"
backends = ["sqlite"]
[error-map]
"sqlite3.IntegrityError" = "app.storage.errors:NameTaken"
[[waivers]]
id = "W-1"
rules = ["driver-import", "DAL3"]
paths = ["src/app/**"]
reason = "A report that is on its way out."
granted = 2026-01-31
expires = "2026-12-31"
[ci]
workflows = [".github/workflows/*.yml"]
storage-tests = ["tests/storage/**"]
backend-env = { postgresql = "DATABASE_URL" }
"""


def without_text(policy: Policy) -> Policy:
    """Return what a policy says, apart from where it stands."""
    return replace(policy, text="", prefix=())


def test_every_key_is_read(root: Path) -> None:
    """Values are typed, paths normalised, names of rules translated."""
    policy = load(root, EVERYTHING)
    assert without_text(policy) == Policy(
        root=root,
        file=root / "dal-audit.toml",
        source_roots=("src", "src/app"),
        include=("**/*.py",),
        exclude=("tests",),
        storage=("src/app/storage/**", "src/app/{db,dal}.py"),
        interfaces=("app.storage:Database", "app.*.types:*Store"),
        composition_roots=(),
        backends=("postgresql",),
        backend_versions=(("sqlite", (3, 40, 1)), ("postgresql", (14,))),
        drivers=("sqlite3", "google.cloud.spanner"),
        extend_drivers=("app.old_db",),
        driver_types=("app.storage.*Engine",),
        accessors=("raw_pool", "été"),
        import_helpers=("app.tools:lazy_import",),
        error_map=(("sqlite3.IntegrityError", "app.storage.errors:NameTaken"),),
        orm_models="deny",
        rust_row_models="allow",
        type_checking_imports="ignore",
        placeholder_style="numbered-question",
        select=("DAL1", "DAL902"),
        ignore=("DAL102",),
        extend_select=("DAL301",),
        version_table="schema_version",
        baseline="accepted.json",
        severity=(("DAL101", "warning"), ("DAL30", "off")),
        per_file_ignores=(("tests/**", ("DAL101", "DAL3")), ("*.pyi", ())),
        migrations=(
            Migrations("migrations"),
            Migrations("src", tool="alembic", backends=("sqlite",)),
        ),
        engine_modules=(("sqlite", ("src/app/storage/queue.py",)),),
        waivers=(
            Waiver(
                "W-1",
                ("DAL101", "DAL3"),
                ("src/app/**",),
                "A report that is on its way out.",
                dt.date(2026, 1, 31),
                dt.date(2026, 12, 31),
            ),
        ),
        ci=Ci(
            (".github/workflows/*.yml",),
            ("tests/storage/**",),
            (("postgresql", ("DATABASE_URL",)),),
        ),
    )
    assert tomli.loads(EVERYTHING).keys() == {key.name for key in KEYS}


def test_a_policy_can_be_hashed_and_pickled(root: Path) -> None:
    """So it can be a part of a key, and travel to other processes with its places."""
    policy = load(root, EVERYTHING)
    copy = pickle.loads(pickle.dumps(policy))
    assert copy == policy
    assert hash(copy) == hash(policy)
    assert copy.place_of(("backends",)) == policy.place_of(("backends",)) is not None


def test_look_ups(root: Path) -> None:
    """Pairs are looked up by name."""
    policy = load(root, EVERYTHING)
    assert policy.version_of("sqlite") == (3, 40, 1)
    assert policy.version_of("postgresql") == (14,)
    assert policy.ci.env_of("postgresql") == ("DATABASE_URL",)
    assert policy.ci.env_of("sqlite") == ()
    assert Ci().env_of("sqlite") == ()


def test_nothing_configured(root: Path) -> None:
    """An empty file is the default policy; a folder without a file as well."""
    policy = load(root, "")
    assert without_text(policy) == Policy(root, root / "dal-audit.toml")
    assert default_policy(root) == Policy(root)
    assert default_policy(Path("src")).root == root / "src"
    assert policy.place_of(("storage",)) is None
    assert policy.version_of("sqlite") == (3, 35)


def test_the_shared_file(root: Path) -> None:
    """In pyproject.toml the keys stand in a table, and places are found in it."""
    text = '[tool.other]\nstorage = 1\n[tool.dal-audit]\nstorage = ["a", "b"]\n'
    policy = load(root, text, "pyproject.toml")
    assert policy.storage == ("a", "b")
    assert policy.place_of(("storage", 1)) == Span(4, 17, 4, 20)
    assert policy.key_place_of(("storage",)) == Span(4, 1, 4, 8)


def test_another_root(root: Path) -> None:
    """With `--config` the relative paths are read from the current folder."""
    elsewhere = root / "etc"
    elsewhere.mkdir()
    policy = load(elsewhere, 'source-roots = ["src"]', "any.toml", root=Path())
    assert (policy.root, policy.file) == (root, elsewhere / "any.toml")
    with pytest.raises(ConfigurationError, match="the folder `src` does not exist"):
        load(elsewhere, 'source-roots = ["src"]')


def test_every_key_has_a_field() -> None:
    """The table of keys and the policy hold the same keys, in the same order."""
    own = {"root", "file", "text", "prefix"}
    names = [key.name.replace("-", "_") for key in KEYS]
    assert names == [name for name in Policy.__struct_fields__ if name not in own]
    assert all(key.meaning.endswith(".") and key.default for key in KEYS)


@pytest.mark.parametrize(
    "line", [f"{key.name} = {key.default}" for key in KEYS if key.default[0] in '["{']
)
def test_a_default_that_is_toml_is_the_default(root: Path, line: str) -> None:
    """To write a stated default changes nothing."""
    assert without_text(load(root, line)) == without_text(load(root, ""))


def test_the_schema_is_the_published_one() -> None:
    """It is made from the table of keys, and committed."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema()


def test_the_schema_says_what_the_checks_do() -> None:
    """A few of its parts; it is closed at every level."""
    schema = json_schema()
    properties = schema["properties"]
    assert schema["additionalProperties"] is False
    assert properties["orm-models"]["enum"] == ["allow", "allow-imports", "deny"]
    assert properties["backends"]["minItems"] == 1
    waiver = properties["waivers"]["items"]
    assert waiver["required"] == ["id", "rules", "paths", "reason", "granted", "expires"]
    assert waiver["additionalProperties"] is False
    assert "Default: found" in properties["ci"]["description"]


def test_a_baseline_that_is_to_be_written(root: Path) -> None:
    """The command that writes it does not expect it; a folder in its place is refused still."""
    policy = load(root, "baseline = 'new.json'", baseline_expected=False)
    assert policy.baseline == "new.json"
    with pytest.raises(ConfigurationError):
        load(root, "baseline = 'src'", baseline_expected=False)


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (b"a = \n", (1, 5), "not valid TOML: invalid value"),
        (b"ok = 1\r\n\xf0\x9f\x98\x80 = 1", (2, 1), "not valid TOML: invalid statement"),
        ("a = '😀' b".encode(), (1, 10), "not valid TOML: expected newline or end of document"),
        (b"a = '''\n", (2, 1), "not valid TOML"),
        (b"a = 1\na = 2", (2, 6), "not valid TOML: cannot overwrite a value"),
        (b"\xef\xbb\xbfa = 1", (1, 1), "a byte order mark, which TOML does not allow"),
        (b"a = 1\n# \xc3\xa9 \xff", (2, 5), "not UTF-8: invalid start byte"),
        (b"a = '\xc3", (1, 6), "not UTF-8: unexpected end of data"),
    ],
)
def test_files_that_are_no_toml(
    root: Path, data: bytes, place: tuple[int, int], message: str
) -> None:
    """Syntax errors have their place, in UTF-16 columns."""
    file = root / "dal-audit.toml"
    file.write_bytes(data)
    with pytest.raises(ConfigurationError) as caught:
        load_policy(file, known_rules=RULES)
    (problem,) = caught.value.problems
    assert problem.span is not None
    assert (problem.span.line, problem.span.column) == place
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"a = {'[' * 5000}", "not usable TOML: nested too deeply"),
        (f"a = {'1' * 5000}", "not valid TOML: exceeds the limit"),
    ],
)
def test_files_made_to_do_harm(root: Path, text: str, message: str) -> None:
    """What Python itself refuses is a problem of the file, not of dal-audit."""
    with pytest.raises(ConfigurationError) as caught:
        load(root, text)
    (problem,) = caught.value.problems
    assert problem.message.startswith(message)
    assert "\n --> dal-audit.toml\n" in render_problem(problem)


def test_a_file_that_cannot_be_read(root: Path) -> None:
    """The system's reason is told."""
    with pytest.raises(ConfigurationError, match="cannot be read: No such file or directory"):
        load_policy(root / "none.toml", known_rules=RULES)
    with pytest.raises(ConfigurationError, match="cannot be read: "):
        load_policy(root / "src", known_rules=RULES)


def test_the_nearest_configuration_is_found(root: Path) -> None:
    """At or above a folder; the own file wins in one folder, not over a nearer one."""
    own, shared = root / "dal-audit.toml", root / "src" / "pyproject.toml"
    below = root / "src" / "app"
    own.touch()
    assert find_configuration(below) == own
    shared.write_text("[project]\nname = 'dal-audit'\n")
    assert find_configuration(below) == own
    shared.write_text("[tool]\nother.dal-audit = 1\n")
    assert find_configuration(below) == own
    shared.write_text("tool = 'dal-audit'\n")
    assert find_configuration(below) == own
    shared.write_text("[tool.dal-audit]\n")
    assert find_configuration(below) == shared
    assert find_configuration(Path("src/app/../app")) == shared
    assert find_configuration(root) == own
    shared.with_name("dal-audit.toml").touch()
    assert find_configuration(below) == shared.with_name("dal-audit.toml")
    assert find_configuration(below / ("x" * 999)) == shared.with_name("dal-audit.toml")
    assert find_configuration(Path(root.anchor)) is None
    (below / "pyproject.toml").mkdir()
    assert find_configuration(below) == shared.with_name("dal-audit.toml")


def test_a_shared_file_that_is_no_toml(root: Path) -> None:
    """It matters only if it seems to configure dal-audit."""
    own, shared = root / "dal-audit.toml", root / "src" / "pyproject.toml"
    own.touch()
    for data in (b"[", b"[tool.ruff]\n# dal-audit\n=", b"\xff", b"# dal-audit \xff"):
        shared.write_bytes(data)
        assert find_configuration(shared.parent) == own
    for data in (b"[tool.dal-audit]\n=", b"[tool.dal-audit]\n# \xff"):
        shared.write_bytes(data)
        with pytest.raises(ConfigurationError, match=r"--> src/pyproject\.toml:2:"):
            find_configuration(shared.parent)


def test_a_shared_file_that_may_not_be_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can say that it does not configure dal-audit."""

    def refuse(_: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    (root / "pyproject.toml").touch()
    monkeypatch.setattr("dal_audit.policy.load.read_regular", refuse)
    with pytest.raises(ConfigurationError, match="cannot be read: Permission denied"):
        find_configuration(root)


def test_a_configuration_of_a_real_project(root: Path) -> None:
    """Wrapper types, globs of files, and the root itself as a source root."""
    text = """\
source-roots = ["."]
include = ["synapse/**/*.py"]
exclude = ["**/tests/**", "**/test_*.py", "tests/**"]
storage = ["synapse/storage/**"]
interfaces = ["synapse.storage.databases.main:DataStore", "synapse.storage.types:*"]
composition-roots = ["synapse/_scripts/*.py"]
drivers = ["psycopg2", "sqlite3", "twisted.enterprise.adbapi"]
driver-types = ["synapse.storage.database.DatabasePool", "synapse.storage.engines.*Engine"]
import-helpers = ["prefect.utilities.importtools:lazy_import"]
"""
    policy = load(root, text)
    assert policy.source_roots == (".",)
    assert policy.place_of(("driver-types", 1)) == Span(8, 58, 8, 91)


def test_nothing_heavy_is_imported(root: Path) -> None:
    """What only an error needs is loaded when there is one."""
    (root / "dal-audit.toml").write_text(EVERYTHING)
    program = """if True:
        import sys
        from pathlib import Path
        from dal_audit.policy import load_policy
        rules = [(f"DAL{n}", name) for n, name in (
            (101, "driver-import"), (102, "dynamic-driver-import"), (301, "placeholder-style"),
            (902, "nothing-audited"))]
        load_policy(Path("dal-audit.toml"), known_rules=rules)
        print(*{"difflib", "unicodedata", "libcst", "sqlglot", "json"} & sys.modules.keys())
    """
    here = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(here)}
    command = [sys.executable, "-c", program]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == ""
