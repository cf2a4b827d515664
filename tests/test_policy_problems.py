"""What is wrong with a configuration: the words, the place, and how it is shown."""

from __future__ import annotations

import datetime as dt
import json
import pickle
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.facts import Span
from dal_audit.policy import (
    ConfigurationError,
    Policy,
    Problem,
    load_policy,
    render_problem,
)
from dal_audit.policy.keys import KEYS

RULES = (("DAL101", "driver-import"), ("DAL301", "placeholder-style"))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project's folder, which is the current one."""
    (tmp_path / "src").mkdir()
    (tmp_path / "accepted.json").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(folder: Path, text: str, name: str = "dal-audit.toml") -> Policy:
    """Write a configuration and read it."""
    file = folder / name
    file.write_bytes(text.encode())
    return load_policy(file, known_rules=RULES)


def problems(root: Path, text: str, name: str = "dal-audit.toml") -> list[tuple[str, str]]:
    """Return what is wrong: the text at fault, and the message."""
    with pytest.raises(ConfigurationError) as caught:
        load(root, text, name)
    found = []
    for problem in caught.value.problems:
        span = problem.span
        assert span is not None
        assert problem.path == name
        end = span.end_column if span.end_line == span.line else None
        units = problem.line.encode("utf-16-le")
        at = units[2 * (span.column - 1) : 2 * (end - 1) if end else None].decode("utf-16-le")
        found.append((at, problem.message))
    return found


def only_problem(root: Path, text: str, name: str = "dal-audit.toml") -> tuple[str, str]:
    """Return the one thing that is wrong."""
    (found,) = problems(root, text, name)
    return found


WRONG = [
    ("storag = []", "storag", "unknown key `storag`; did you mean `storage`?"),
    ("source_roots = []", "source_roots", "did you mean `source-roots`?"),
    ("zzz = 1", "zzz", "unknown key `zzz`"),
    ('"" = 1', '""', "unknown key ``"),
    ("ci.workflow = []", "workflow", "unknown key `workflow`; did you mean `workflows`?"),
    ('storage = "src"', '"src"', "`storage` must be a list, found a string"),
    (
        "storage = ['a', 3]",
        "3",
        "an item of `storage` must be a string (a path glob), found an int",
    ),
    ("storage = [true]", "true", "found a boolean"),
    ("storage = [1.5]", "1.5", "found a float"),
    ("storage = [07:32:00]", "07:32:00", "found a time"),
    ("storage = [2026-01-01T00:00:00Z]", "2026-01-01T00:00:00Z", "found a date with a time"),
    ("storage = [['a']]", "['a']", "found a list"),
    ("ci = []", "[]", "`ci` must be a table, found a list"),
    ("severity = 'error'", "'error'", "`severity` must be a table, found a string"),
    ("[migrations]\npath = 'src'", "[migrations]", "written `[[migrations]]`, found a table"),
    ("migrations = [1]", "1", "an item of `migrations` must be a table, found an integer"),
    ("version-table = 1", "1", "`version-table` must be a string (a table's name), found an int"),
    ("version-table = ' '", "' '", "`version-table` must not be empty"),
    (
        "orm-models = 'deni'",
        "'deni'",
        "allowed are `allow`, `allow-imports` and `deny`; did you mean `deny`?",
    ),
    ("orm-models = true", "true", "`orm-models` must be a setting (a string), found a boolean"),
    (
        "placeholder-style = 'x'",
        "'x'",
        "`dollar`, `question`, `numbered-question`, `colon`, `percent` and `any`",
    ),
    ("backends = []", "[]", "`backends` must not be empty"),
    ("backends = ['postgres']", "'postgres'", "unknown backend `postgres`: allowed are"),
    ("backend-versions.mysql = '8'", "mysql", "unknown backend `mysql`"),
    ("backend-versions.sqlite = '3.x'", "'3.x'", '`3.x` is not a version such as "3.35"'),
    ("backend-versions.sqlite = '3.35\\n'", "'3.35\\n'", "is not a version"),
    ("backend-versions.sqlite = 3.35", "3.35", "must be a string (a version"),
    ("source-roots = ['scr']", "'scr'", "the folder `scr` does not exist; did you mean `src`?"),
    ("source-roots = ['x/y']", "'x/y'", "the folder `x/y` does not exist"),
    ("source-roots = ['accepted.json']", "'accepted.json'", "`accepted.json` is not a folder"),
    ("source-roots = ['/src']", "'/src'", "`/src` is absolute; paths are relative to"),
    ("source-roots = ['C:/src']", "'C:/src'", "is absolute"),
    ("source-roots = ['src/../../x']", "'src/../../x'", "leaves the project's root"),
    (r"source-roots = ['src\app']", r"'src\app'", r"has a `\`; write `/`"),
    ("source-roots = ['']", "''", "an item of `source-roots` must not be empty"),
    ('source-roots = ["\\u0000"]', '"\\u0000"', "does not exist"),
    (f"source-roots = ['{'x' * 999}']", f"'{'x' * 999}'", "x…` does not exist"),
    ("baseline = 'no.json'", "'no.json'", "the file `no.json` does not exist"),
    ("baseline = 'src'", "'src'", "`src` is not a file"),
    ("migrations = [{ path = 'no' }]", "'no'", "the folder `no` does not exist"),
    ("migrations = [{ path = 'src', tool = 'alembik' }]", "'alembik'", "did you mean `alembic`?"),
    ("[[migrations]]", "[[migrations]]", "the set of migrations lacks `path`"),
    ("storage = ['']", "''", "an item of `storage` must not be empty"),
    ("storage = ['/a']", "'/a'", "is absolute"),
    ("storage = ['a/../b']", "'a/../b'", "has `..`"),
    ("storage = ['{a']", "'{a'", "`{a` is not a path glob: a `{` is never closed"),
    ("per-file-ignores = { '' = [] }", "''", "a key of `per-file-ignores` must not be empty"),
    ("per-file-ignores.x = ['DAL4']", "'DAL4'", "unknown rule `DAL4`"),
    ("interfaces = ['app.db.Database']", "'app.db.Database'", "of the form `module:Class`"),
    ("interfaces = ['app:']", "'app:'", "of the form `module:Class`"),
    ("import-helpers = ['app.lazy']", "'app.lazy'", "of the form `module:function`"),
    ("drivers = ['psycopg2-binary']", "'psycopg2-binary'", "is not a dotted module name"),
    ("drivers = ['a..b']", "'a..b'", "is not a dotted module name"),
    ("driver-types = ['a b']", "'a b'", "is not a dotted glob"),
    ("accessors = ['a.b']", "'a.b'", "is not an attribute's name"),
    ("ci.backend-env.sqlite = 'A B'", "'A B'", "is not the name of an environment variable"),
    ("select = ['DAL999']", "'DAL999'", "unknown rule `DAL999`"),
    ("select = ['DAL6']", "'DAL6'", "unknown rule `DAL6`"),
    ("ignore = ['driver-imports']", "'driver-imports'", "did you mean `driver-import`?"),
    ("extend-select = ['dal301']", "'dal301'", "did you mean `DAL301`?"),
    ("severity.placeholder-stile = 'off'", "placeholder-stile", "did you mean `placeholder-style`"),
    ("severity.DAL101 = 'eror'", "'eror'", "did you mean `error`?"),
    (
        "severity = { DAL101 = 'off', driver-import = 'off' }",
        "driver-import",
        "`driver-import` is set twice, by id and by name",
    ),
]


@pytest.mark.parametrize(("text", "at", "message"), WRONG, ids=[text[:40] for text, _, _ in WRONG])
def test_what_is_wrong_and_where(root: Path, text: str, at: str, message: str) -> None:
    """Every kind of problem points at the text that is at fault."""
    found, said = only_problem(root, text)
    assert found == at
    assert message in said


@pytest.mark.parametrize(("text", "at", "message"), WRONG, ids=[text[:40] for text, _, _ in WRONG])
def test_the_same_in_the_shared_file(root: Path, text: str, at: str, message: str) -> None:
    """In pyproject.toml the same problems have the same words."""
    text = text.replace("[[", "[[tool.dal-audit.") if text.startswith("[[") else text
    text = text.replace("[m", "[tool.dal-audit.m") if text.startswith("[m") else text
    at = at.replace("[m", "[tool.dal-audit.m").replace("[[m", "[[tool.dal-audit.m")
    found, said = only_problem(root, f"[tool.dal-audit]\r\n{text}", "pyproject.toml")
    assert found == at
    assert message in said


WAIVER = {
    "id": "'W-1'",
    "rules": "['DAL101']",
    "paths": "['src/**']",
    "reason": "'because'",
    "granted": "2026-01-31",
    "expires": "2026-12-31",
}


def waivers(*changes: dict[str, str]) -> str:
    """Write sound waivers but for the changes; an empty value leaves its key out."""
    tables = []
    for change in changes:
        pairs = (WAIVER | change).items()
        lines = [f"{key} = {value}" for key, value in pairs if value]
        tables.append("\n".join(["[[waivers]]", *lines]))
    return "\n".join(tables)


@pytest.mark.parametrize(
    ("change", "at", "message"),
    [
        ({"id": ""}, "[[waivers]]", "the waiver lacks `id`"),
        (
            {"reason": "", "granted": "", "expires": ""},
            "[[waivers]]",
            "the waiver lacks `reason`, `granted` and `expires`",
        ),
        ({"reason": "' '"}, "' '", "`waivers.reason` must not be empty"),
        ({"id": "''"}, "''", "`waivers.id` must not be empty"),
        ({"rules": "[]"}, "[]", "`waivers.rules` must not be empty"),
        ({"paths": "[]"}, "[]", "`waivers.paths` must not be empty"),
        ({"paths": "['']"}, "''", "an item of `waivers.paths` must not be empty"),
        ({"rules": "['x']"}, "'x'", "unknown rule `x`"),
        ({"granted": "1"}, "1", "must be a date such as 2026-01-31, found an integer"),
        ({"granted": "'soon'"}, "'soon'", "`soon` is not a date such as 2026-01-31"),
        ({"granted": "'20260131'"}, "'20260131'", "is not a date"),
        ({"granted": "'2026-02-30'"}, "'2026-02-30'", "is not a date"),
        ({"expires": "2026-12-31T00:00:00"}, "2026-12-31T00:00:00", "found a date with a time"),
        ({"expires": "2026-01-30"}, "2026-01-30", "(2026-01-30) is before `granted` (2026-01-31)"),
        ({"expire": "2026-01-30"}, "expire", "unknown key `expire`; did you mean `expires`?"),
    ],
)
def test_waivers_are_whole(root: Path, change: dict[str, str], at: str, message: str) -> None:
    """All fields are required, and none may be empty."""
    found, said = only_problem(root, waivers(change))
    assert found == at
    assert message in said


def test_waivers_of_one_day_and_of_one_id(root: Path) -> None:
    """A waiver may end on the day it is granted; an id is given once."""
    one_day = waivers({"expires": "2026-01-31"}, {"id": "'W-2'", "granted": "'2026-01-31'"})
    assert len(load(root, one_day).waivers) == 2
    assert problems(root, waivers({}, {"id": "'W-2'"}, {})) == [
        ("'W-1'", "the id `W-1` is given twice")
    ]


def test_all_problems_at_once_in_the_order_of_the_file(root: Path) -> None:
    """One run tells all."""
    text = "storag = 1\nselect = ['x', 'y']\norm-models = 2\n[ci]\nz = 1\n[[waivers]]\n"
    found = problems(root, text)
    assert [at for at, _ in found] == ["storag", "'x'", "'y'", "2", "z", "[[waivers]]"]


@pytest.mark.parametrize("text", ["tool.dal-audit = 3", "[tool]\ndal-audit = []"])
def test_the_shared_table_is_a_table(root: Path, text: str) -> None:
    """Anything else is refused at its place."""
    _, said = only_problem(root, text, "pyproject.toml")
    assert said == "`tool.dal-audit` must be a table"


def written(value: object) -> str:
    """Write a value as TOML, tables inline."""
    if isinstance(value, dict):
        pairs = (f"{written(key)} = {written(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return (
        value.isoformat() if isinstance(value, dt.date) else json.dumps(value, ensure_ascii=False)
    )


WORDS = st.sampled_from(
    ["", "src", "a/**", "DAL1", "driver-import", "sqlite", "id", "path", "3.35", "a:B", "x\u0000"]
)
NAMES = st.sampled_from([*(key.name for key in KEYS), "storag", "😀"])
VALUES = st.recursive(
    st.one_of(WORDS, st.booleans(), st.integers(-9, 9), st.dates()),
    lambda items: st.one_of(st.lists(items, max_size=3), st.dictionaries(WORDS, items, max_size=3)),
    max_leaves=5,
)


@settings(max_examples=200)
@given(st.dictionaries(NAMES, VALUES, max_size=4))
def test_any_values_are_read_or_refused_in_their_place(values: dict[str, object]) -> None:
    """Nothing but a policy or problems comes of a file, whatever it holds."""
    text = "".join(f"{written(key)} = {written(item)}\n" for key, item in values.items())
    problems: tuple[Problem, ...] = ()
    with TemporaryDirectory() as folder:
        try:
            policy = load(Path(folder), text)
        except ConfigurationError as error:
            problems = error.problems
        else:
            assert all(policy.place_of((key,)) for key in values)
    for problem in problems:
        assert not problem.message.startswith("not valid TOML")
        assert problem.span
        assert problem.line == text.split("\n")[problem.span.line - 1]
        assert render_problem(problem).count("\n") == 5


def rendered(line: str, column: int, end_column: int, number: int = 1) -> list[str]:
    """Return the lines of a rendered problem below its arrow."""
    problem = Problem("f", Span(number, column, number, end_column), "m", line)
    return render_problem(problem).splitlines()[2:]


def test_a_rendered_problem(root: Path) -> None:
    """The whole of it, as a person sees it."""
    text = "\n" * 10 + '[tool.dal-audit]\nstorag = ["src/app/storage/**"]\n'
    with pytest.raises(ConfigurationError) as caught:
        load(root, text, "pyproject.toml")
    expected = """\
error: unknown key `storag`; did you mean `storage`?
 --> pyproject.toml:12:1
   |
12 | storag = ["src/app/storage/**"]
   | ^^^^^^
"""
    assert str(caught.value) == expected
    assert render_problem(caught.value.problems[0]) == expected


@pytest.mark.parametrize(
    ("line", "columns", "shown", "caret"),
    [
        ("\ta = 1", (2, 3), "    a = 1", "    ^"),
        ("'東京' = 1", (6, 7), "'東京' = 1", "       ^"),
        ("'e\u0301' = 1", (6, 7), "'e\u0301' = 1", "    ^"),
        ("'😀' = 1", (6, 7), "'😀' = 1", "     ^"),
        ("'東京' = 1", (1, 5), "'東京' = 1", "^^^^^^"),
        ("'\x1b[31m' = 1", (9, 10), "'\\x1b[31m' = 1", "           ^"),
        ("'\u202e' = 1", (5, 6), "'\\u202e' = 1", "         ^"),
        ("a = ", (5, 6), "a =", "    ^"),
        ("", (1, 2), "", "^"),
    ],
)
def test_the_caret_stands_under_its_text(
    line: str, columns: tuple[int, int], shown: str, caret: str
) -> None:
    """Also after tabs, wide and combining characters, and what is escaped."""
    assert rendered(line, *columns) == ["  |", f"1 | {shown}".rstrip(), f"  | {caret}"]


def test_wide_lines_are_cut_around_the_caret() -> None:
    """The caret stays in sight, and the cut is shown."""
    line = f"{'a' * 500}'bad'{'c' * 500}"
    _, text, caret = rendered(line, 501, 506)
    assert text == f"1 | …{'a' * 30}'bad'{'c' * 65}…"
    assert caret == f"  | {' ' * 31}^^^^^"
    _, text, caret = rendered(line, 1, 1001)
    assert text == f"1 | {'a' * 100}…"
    assert caret == f"  | {'^' * 100}"
    _, text, caret = rendered("東" * 100, 100, 101)
    assert text == f"1 | …{'東' * 16}"
    assert caret == f"  | {' ' * 31}^^"


def test_a_span_of_several_lines_is_underlined_to_the_end_of_its_first(root: Path) -> None:
    """The rest is not shown."""
    with pytest.raises(ConfigurationError) as caught:
        load(root, "ci = [ # x\n  1,\n]")
    assert "1 | ci = [ # x\n  |      ^^^^^\n" in str(caught.value)


def test_messages_are_harmless(root: Path) -> None:
    """What a hostile file says is escaped and cut."""
    with pytest.raises(ConfigurationError) as caught:
        load(root, f'"\\u001b]0;x\\n" = 1\n{"y" * 999} = 1')
    text = str(caught.value)
    assert "unknown key `\\x1b]0;x\\n`\n" in text
    assert f"unknown key `{'y' * 59}…`\n" in text
    assert text.replace("\n", "").isprintable()


def test_errors_can_be_pickled(root: Path) -> None:
    """So they can come from another process."""
    with pytest.raises(ConfigurationError) as caught:
        load(root, "storag = 1\nx = 2")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert copy.problems == caught.value.problems
