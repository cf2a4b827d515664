"""What is worked out once: that it is worked out again when it is stale, and then alone."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct, field
from msgspec.structs import replace

from dal_audit.assemble import (
    accessor_names as accessor,
)
from dal_audit.assemble import (
    accessor_owners as owners,
)
from dal_audit.assemble import (
    accessors,
)
from dal_audit.assemble import (
    class_hierarchy as hierarchy,
)
from dal_audit.assemble import (
    first_runs as migrated,
)
from dal_audit.assemble import (
    held_objects as holding,
)
from dal_audit.assemble import (
    interface_members as interface,
)
from dal_audit.assemble import (
    migration_sets as audited_sets,
)
from dal_audit.assemble import project as project_module
from dal_audit.assemble import (
    receiver_types as receivers,
)
from dal_audit.assemble import (
    second_runs as migration_runs,
)
from dal_audit.assemble.accessor_owners import accessor_owners, accessors_of
from dal_audit.assemble.accessors import driver_fetch
from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.held_objects import held_objects_of
from dal_audit.assemble.interface_members import interface_members
from dal_audit.assemble.memo import FactsInput, FileQuery, Input, Memo, Query, file_query, query
from dal_audit.assemble.project import Project
from dal_audit.assemble.receiver_types import receivers_of
from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.python.parse.parser import parse
from dal_audit.extract.python.prefilter.attribute_marks import AccessorWords
from dal_audit.extract.python.value_facts import evidence
from dal_audit.extract.source import Lines
from dal_audit.extract.sql.scripts import script_facts
from dal_audit.facts import ConnectionUrl, FileFacts, Import, NotUnderstood, Span, ValueFacts
from dal_audit.policy import Policy

HERE = Span(1, 1, 1, 1)

# The memo by itself

NUMBER = Input("number", lambda snapshot: snapshot.number)
WORD = Input("word", lambda snapshot: snapshot.word)
GAPS = FactsInput("gaps", NotUnderstood)
URLS = FactsInput("urls", ConnectionUrl)

COUNTED: Counter[str] = Counter()


class State(Struct, frozen=True, eq=False, weakref=True):
    number: int = 0
    word: str = ""
    files: Sequence[FileFacts] = ()
    memo: Memo = field(default_factory=Memo)


@query(depends_on=(NUMBER,), cuts_off=True)
def is_even(state: State) -> bool:
    COUNTED["is_even"] += 1
    return state.number % 2 == 0


@query(depends_on=(NUMBER,))
def double(state: State) -> int:
    COUNTED["double"] += 1
    return 2 * state.number


@query(depends_on=(is_even, WORD))
def parity(state: State) -> str:
    COUNTED["parity"] += 1
    return f"{state.word} {'even' if is_even(state) else 'odd'}"


@file_query(of=(GAPS,), depends_on=(WORD,))
def details(path: str, gaps: Sequence[NotUnderstood], state: State) -> str:
    COUNTED[path] += 1
    return f"{state.word} {path}: {', '.join(gap.detail for gap in gaps)}"


@query(depends_on=(details,))
def all_details(state: State) -> tuple[str, ...]:
    COUNTED["all_details"] += 1
    return tuple(details(state).values())


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    COUNTED.clear()


def counted(work: Callable[[], object]) -> dict[str, int]:
    """Return what is worked out, and how often, by some work."""
    COUNTED.clear()
    work()
    return dict(COUNTED)


def file_of(path: str, *details_: str, urls: int = 0) -> FileFacts:
    gaps = tuple(NotUnderstood(HERE, "unparsable", detail) for detail in details_)
    return FileFacts(path, (*gaps, *[ConnectionUrl(HERE, HERE, "x", "x")] * urls), "read")


def test_an_answer_is_worked_out_once() -> None:
    state = State(3, "it is")
    assert counted(lambda: [parity(state), parity(state), is_even(state)]) == {
        "is_even": 1,
        "parity": 1,
    }
    assert parity(state) == "it is odd"


def test_an_answer_stands_when_nothing_that_it_depends_on_changed() -> None:
    state = State(3, "it is")
    parity(state), double(state)
    other = replace(state, word="it was")
    assert counted(lambda: (double(other), is_even(other))) == {}
    assert counted(lambda: parity(other)) == {"parity": 1}
    assert parity(other) == "it was odd"


def test_an_equal_answer_cuts_off_what_depends_on_it() -> None:
    state = State(3, "it is")
    parity(state)
    assert counted(lambda: parity(replace(state, number=5))) == {"is_even": 1}
    assert counted(lambda: parity(replace(state, number=6))) == {"is_even": 1, "parity": 1}


def test_an_answer_that_is_not_compared_does_not_cut_off() -> None:
    @query(depends_on=(double,))
    def quadruple(state: State) -> int:
        COUNTED["quadruple"] += 1
        return 2 * double(state)

    state = State(3)
    quadruple(state)
    assert counted(lambda: quadruple(replace(state, number=3))) == {}
    assert counted(lambda: quadruple(replace(state, number=4))) == {"double": 1, "quadruple": 1}


def test_an_answer_that_was_let_go_is_worked_out_again() -> None:
    state = State(3)
    assert double(state) == 6
    state.memo.forget(double)
    assert counted(lambda: double(state)) == {"double": 1}
    assert double(state) == 6


def test_snapshots_that_take_turns_are_each_told_what_is_right() -> None:
    odd, even = State(3, "it is"), None
    even = replace(odd, number=4)
    for _ in range(3):
        assert (parity(odd), double(odd)) == ("it is odd", 6)
        assert (parity(even), double(even)) == ("it is even", 8)


def test_work_that_asks_another_snapshot_leaves_nothing_wrong_behind() -> None:
    @query(depends_on=(is_even, NUMBER))
    def both(state: State) -> tuple[bool, bool]:
        return is_even(replace(state, number=state.number + 1)), is_even(state)

    @query(depends_on=(both, is_even))
    def upon(state: State) -> tuple[object, ...]:
        return both(state), is_even(state)

    state = State(3)
    for number in (3, 4, 3):
        state = replace(state, number=number)
        assert upon(state) == ((number % 2 == 1, number % 2 == 0), number % 2 == 0)
        assert double(state) == 2 * number
        assert is_even(state) == (number % 2 == 0)


def test_a_changed_file_is_worked_out_alone() -> None:
    state = State(word="at", files=[file_of("a", "1"), file_of("b", "2"), file_of("c")])
    assert counted(lambda: all_details(state)) == {"a": 1, "b": 1, "all_details": 1}
    other = replace(state, files=[state.files[0], file_of("b", "3"), state.files[2]])
    assert counted(lambda: all_details(other)) == {"b": 1, "all_details": 1}
    assert all_details(other) == ("at a: 1", "at b: 3")


def test_facts_of_other_kinds_make_nothing_stale() -> None:
    state = State(files=[file_of("a", "1"), file_of("b", "2")])
    all_details(state)
    other = replace(state, files=[file_of("a", "1", urls=2), state.files[1]])
    assert counted(lambda: all_details(other)) == {}
    # The file that has them is not the one that is known; its facts are.
    third = replace(other, files=[other.files[0], file_of("b", "3")])
    assert counted(lambda: all_details(third)) == {"b": 1, "all_details": 1}


def test_what_all_files_depend_on_makes_all_stale() -> None:
    state = State(files=[file_of("a", "1"), file_of("b", "2")])
    all_details(state)
    assert counted(lambda: all_details(replace(state, word="x"))) == {
        "a": 1,
        "b": 1,
        "all_details": 1,
    }


def test_files_come_and_go() -> None:
    first, second = file_of("a", "1"), file_of("b", "2")
    state = State(files=[first])
    all_details(state)
    both = replace(state, files=[second, first])
    assert counted(lambda: all_details(both)) == {"b": 1, "all_details": 1}
    assert all_details(both) == (" b: 2", " a: 1")
    assert all_details(replace(both, files=[second])) == (" b: 2",)
    assert all_details(replace(both, files=[])) == ()


def test_a_query_names_the_inputs_that_make_it_stale_for_certain() -> None:
    assert is_even.inputs == {NUMBER}
    assert parity.inputs == {WORD}
    assert all_details.inputs == {GAPS, WORD}


FILES = st.lists(
    st.builds(
        file_of,
        st.sampled_from("abc"),
        st.sampled_from("xy"),
        urls=st.integers(0, 1),
    ),
    max_size=3,
    unique_by=lambda file: file.path,
)


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from("uv"), FILES), max_size=8))
@settings(deadline=None)
def test_what_is_kept_is_what_is_worked_out_anew(
    edits: list[tuple[int, str, list[FileFacts]]],
) -> None:
    kept = State()
    for number, word, files in edits:
        kept = replace(kept, number=number, word=word, files=files)
        new = State(number, word, files)
        for asked in (parity, double, all_details):
            assert asked(kept) == asked(new)


# The project

CATALOGUE = catalogue_in_force()
WORDS = AccessorWords({"pool", "conn"})
STORE = """\
import sqlite3
from typing import Protocol
class Books(Protocol):
    def find(self) -> str: ...
class Store(Books):
    def __init__(self) -> None:
        self.pool = sqlite3.connect("x")
    def find(self) -> str:
        return ""
"""
TEXTS = {
    "app/__init__.py": ["", "from app.storage import Store\n"],
    "app/storage/__init__.py": [
        "from .store import Store\n",
        "from .store import *\n",
        "from .store import Store as Kept, Books\n",
        "",
    ],
    "app/storage/store.py": [
        STORE,
        STORE.replace("pool", "conn"),
        STORE.replace("(Protocol)", ""),
        STORE.replace("import sqlite3", "import psycopg as sqlite3"),
        "",
    ],
    "app/use.py": [
        "from app.storage import Store\ndef f(store: Store):\n    return store.pool\n",
        "from app.storage.store import sqlite3\nx = sqlite3.connect('x')\n",
        "from app.storage import Kept\nstore = Kept()\nprint(store.conn)\n",
        "import json\n",
    ],
    "db/query.py": ["import sqlite3\n", "x = 1\n"],
    "db/0001_a.sql": [
        "CREATE TABLE a (b INT);\n",
        "CREATE FUNCTION f() RETURNS INT AS $$ SELECT 1 $$ LANGUAGE sql;\n",
        "SELECT 'open\n",
    ],
}


def facts_of(path: str, text: str) -> FileFacts:
    """Return all facts of a text, its values among them."""
    if path.endswith(".sql"):
        return FileFacts(path, tuple(script_facts(text.encode())), "read")
    facts = list(python_facts(text, CATALOGUE, shortcuts=False))
    values = evidence(parse(text, shortcuts=True), Lines(text), WORDS.words)
    return FileFacts(path, (*facts, values), "whole")


READ = {(path, text): facts_of(path, text) for path, texts in TEXTS.items() for text in texts}
POLICIES = [
    Policy(Path("/")),
    Policy(Path("/"), storage=("app/storage/**",)),
    Policy(Path("/"), storage=("app/storage/**",), driver_types=("app.storage.store.Store",)),
    Policy(Path("/"), storage=(), interfaces=("app.storage.store:Books",), accessors=("pool",)),
]


def project_of(policy: Policy, files: Iterable[FileFacts], **further: Any) -> Project:
    found = list(files)
    modules = frozenset(file.path for file in found if file.path.endswith(".py"))
    return Project(policy, CATALOGUE, found, modules, **further)


QUERIES = {
    name: asked
    for module in (
        project_module,
        accessor,
        owners,
        accessors,
        audited_sets,
        hierarchy,
        holding,
        interface,
        migrated,
        migration_runs,
        receivers,
    )
    for name, asked in vars(module).items()
    if isinstance(asked, (Query, FileQuery))
}


def said(project: Project) -> list[object]:
    """Return what a project says to all that is asked of it."""
    linked = hierarchy_of(project)
    held = held_objects_of(project)
    found: list[object] = [
        project.assumptions,
        project.storage,
        project.tainted_names(),
        project.always_read,
        project.driver_backed_storage,
        linked.classes,
        linked.interfaces,
        linked.backends,
        linked.storage_base_files,
        interface_members(project),
        accessor_owners(project),
        accessors_of(project),
        receivers_of(project).missing(),
    ]
    found += [
        [held.of(owner, member) for member in owner.shape.members] for owner in linked.in_order
    ]
    for file in project.files:
        for fact in file.facts:
            if isinstance(fact, ValueFacts):
                found += [driver_fetch(access, file.path, project) for access in fact.accesses]
            elif isinstance(fact, Import):
                sources = project.driver_sources
                found += [sources.resolve_all(name.name, file.path) for name in fact.targets]
    return found


EDITS = st.fixed_dictionaries(
    {},
    optional={path: st.sampled_from(texts) for path, texts in TEXTS.items()},
)


@given(st.lists(st.tuples(st.sampled_from(POLICIES), EDITS), min_size=1, max_size=6))
@settings(deadline=None)
def test_a_project_after_edits_says_what_a_new_one_says(
    edits: list[tuple[Policy, dict[str, str]]],
) -> None:
    memo = Memo()
    for policy, texts in edits:
        files = [READ[item] for item in sorted(texts.items())]
        assert said(project_of(policy, files, memo=memo)) == said(project_of(policy, files))


def whole() -> Project:
    return project_of(POLICIES[1], [READ[path, texts[0]] for path, texts in TEXTS.items()])


def edited(project: Project, path: str, text: str) -> Project:
    return project.with_files(
        [facts_of(path, text) if file.path == path else file for file in project.files]
    )


def answered(project: Project, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the queries that are worked out to answer all questions to a project."""
    seen = set()
    for asked in QUERIES.values():

        def work(*arguments: Any, _asked: Any = asked, _work: Any = asked.work) -> Any:
            seen.add(_asked.name.strip("_"))
            return _work(*arguments)

        monkeypatch.setattr(asked, "work", work)
    for asked in QUERIES.values():
        asked(project)
    monkeypatch.undo()
    return seen


def test_what_an_edit_makes_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    project = whole()
    everything = answered(project, monkeypatch)
    assert everything == {asked.name.strip("_") for asked in QUERIES.values()}
    assert answered(project, monkeypatch) == set()
    assert answered(project.with_files(list(project.files)), monkeypatch) == set()

    body = edited(project, "app/use.py", TEXTS["app/use.py"][0] + "\n\ndef g(): return 1\n")
    assert answered(body, monkeypatch) == {"evidence", "receivers_of"}

    sql = edited(body, "db/0001_a.sql", TEXTS["db/0001_a.sql"][1])
    assert answered(sql, monkeypatch) == {
        *("made_by_file", "sql_files", "script", "statements_by_file"),
        *("runs_of", "first_runs", "embeds_sql", "engine_modules"),
    }

    # Its classes are others, and so is what storage hands out; the names lead where they led.
    store = edited(sql, "app/storage/store.py", TEXTS["app/storage/store.py"][1])
    assert answered(store, monkeypatch) == {
        *("classes", "hierarchy_of", "held_objects_of", "accessors_of", "interface_members"),
        *("accessor_owners", "receivers_of", "evidence", "handed_out", "handing_classes"),
    }


def test_an_edit_is_read_into_one_module_alone() -> None:
    project = whole()
    before = dict(project.symbols.modules)
    after = edited(project, "app/use.py", TEXTS["app/use.py"][1]).symbols.modules
    assert {name for name in after if after[name] is not before[name]} == {"app.use"}


def test_what_storage_is_stands_while_the_same_files_import_drivers() -> None:
    project = whole()
    zones = project.zones
    assert edited(project, "app/storage/store.py", "").zones is zones  # It is configured.

    project = project.with_policy(replace(project.policy, storage=None))
    zones = project.zones
    assert zones.storage == ("app/storage/**", "db/**")
    assert edited(project, "app/storage/store.py", TEXTS["app/storage/store.py"][1]).zones is zones
    assert edited(project, "app/storage/store.py", "").zones.storage != zones.storage


def test_an_earlier_project_is_let_go() -> None:
    """No answer refers to the project that it was worked out of, nor does the memo."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        project = whole()
        said(project)
        for asked in QUERIES.values():
            asked(project)
        earlier = weakref.ref(project)
        project = edited(project, "app/use.py", TEXTS["app/use.py"][1])
        assert earlier() is None
        said(project)
        earlier = weakref.ref(project)
        project = project.with_policy(POLICIES[2])
        assert earlier() is None
        said(project)
    finally:
        if collecting:
            gc.enable()


INPUTS = {
    "policy": project_module.POLICY,
    "catalogue": project_module.CATALOGUE,
    "modules": project_module.PATHS,
    "markers": project_module.PATHS,
    "layout": project_module.LAYOUT,
}


class Watched(Project, frozen=True, eq=False, weakref=True):
    """A project that notes which of its parts are read, and while which query is worked out."""

    def __getattribute__(self, name: str) -> Any:
        if name in INPUTS or name == "files":
            NOTED.append(name)
        return super().__getattribute__(name)


NOTED: list[str] = []


@pytest.mark.parametrize("asked", QUERIES.values(), ids=lambda asked: asked.name)
def test_a_query_reads_what_it_says_that_it_depends_on(asked: Any) -> None:
    """Then nothing that it did not declare can make its answer stale."""
    known = whole()
    project = Watched(known.policy, known.catalogue, known.files, known.modules)
    for item in asked.depends_on:
        if not isinstance(item, Input):
            item(project)
    allowed = {item for item in asked.depends_on if not isinstance(item, Input)}

    class Strict(Memo):
        def answer(self, inner: Any, _snapshot: Any) -> Any:
            assert inner in allowed, f"{asked.name} asks {inner}, and does not say so"
            return project.memo.answer(inner, project)

    strict = Watched(known.policy, known.catalogue, known.files, known.modules, memo=Strict())
    NOTED.clear()
    if isinstance(asked, FileQuery):
        for file in known.files:
            facts = tuple(fact for fact in file.facts if type(fact) in asked.types)
            if facts:
                asked.function(file.path, facts, strict)
    else:
        asked.function(strict)
    read = {INPUTS[name] for name in NOTED if name in INPUTS}
    assert read <= {item for item in asked.depends_on if isinstance(item, Input)}
    if "files" in NOTED:
        assert any(
            item.name == "audited" or isinstance(item, FactsInput) for item in asked.depends_on
        )
