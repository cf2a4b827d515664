"""What is fed: each reader with sound texts to spoil, and what it may refuse them with."""

from __future__ import annotations

import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.drivers import Catalogue, catalogue_in_force
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.extract.cache import Cache
from dal_audit.extract.cache_file import write_cache
from dal_audit.extract.ci import facts_of_kind
from dal_audit.extract.embedded.module import statements_of_file
from dal_audit.extract.extractor import ExtractionOptions, extract_bytes
from dal_audit.extract.migrations.reader import revision_of_bytes
from dal_audit.extract.python.parse.parser import UnparsableError, parse
from dal_audit.extract.python.prefilter.driver_marks import Prefilter
from dal_audit.extract.rust.module_facts import rust_facts
from dal_audit.extract.source import Lines
from dal_audit.extract.sql.scripts import script_facts
from dal_audit.facts.ci_files import CiKind
from dal_audit.facts.sql import SqlStatement
from dal_audit.policy import ConfigurationError, read_policy
from dal_audit.triage.baseline import BaselineError, Key, baseline_text, read_baseline
from tests.tools.fuzz.edits import told_the_same
from tests.tools.fuzz.fixes import MODULE, fixed_script, fixes_of_modules, spoilt_script
from tests.tools.fuzz.grammar import SQL, Grammar, made
from tests.tools.fuzz.grammars import ALEMBIC, BASELINE, CONFIGURATION, DJANGO
from tests.tools.fuzz.grammatical import grammatical, is_at_hand
from tests.tools.fuzz.mutations import mutated

CHECKOUT: Final = Path(__file__).parents[3]
FILE: Final = Path("dal-audit.toml")
KINDS: Final[tuple[CiKind, ...]] = (
    *("github", "gitlab", "circleci", "azure", "compose", "action"),
    *("tox", "nox", "project", "make", "just", "package", "shell"),
)


class Reader(Struct, frozen=True):
    """A reader: its name, what makes an input, what is done with it, what it may raise.

    `cost` is how many times as long as the others' an input takes, about.
    """

    name: str
    make: Callable[[random.Random], bytes]
    read: Callable[[bytes], None]
    refusals: tuple[type[Exception], ...] = ()
    cost: int = 1


def readers() -> list[Reader]:
    """Return all readers."""
    catalogue = catalogue_in_force()
    python = _seeds("dal_audit/checks/*.py", "tests/engines/*.py", "fixtures/**/*.py")
    sql = _seeds("fixtures/**/*.sql")
    toml = _seeds("fixtures/**/*.toml", "dal-audit.toml", "pyproject.toml")
    yaml = [*_seeds("fixtures/**/*.yml", "action.yml", ".github/workflows/*.yml"), _WORKFLOW]
    source = _source("a.py", catalogue)
    migration, unparsable = _migration(catalogue), (UnparsableError,)
    by_grammar = [Reader("source by a grammar", grammatical(), source)] if is_at_hand() else []
    return [
        Reader("source", _spoilt(python), source),
        *by_grammar,
        Reader("notebooks", _spoilt([_NOTEBOOK]), _source("a.ipynb", catalogue)),
        Reader("SQL", _spoilt(sql), _script),
        Reader("SQL by a grammar", _grown(SQL, "statement"), _sound_script),
        Reader("Alembic by a grammar", _grown(ALEMBIC, "module"), migration, unparsable),
        Reader("Django by a grammar", _grown(DJANGO, "module"), migration, unparsable),
        Reader("Rust", _spoilt(_seeds("fixtures/**/*.rs", "tests/engines/**/*.rs")), _rust),
        Reader("CI", _spoilt([*yaml, *toml, *python[:3]]), _ci),
        Reader("configuration", _spoilt(toml), _configuration, (ConfigurationError,)),
        Reader(
            *("configuration by a grammar", _grown(CONFIGURATION, "file"), _configuration),
            (ConfigurationError,),
        ),
        Reader("baselines", _spoilt([_BASELINE]), _baseline, (BaselineError,)),
        Reader("baselines by a grammar", _grown(BASELINE, "file"), _baseline, (BaselineError,)),
        Reader("caches", _spoilt([_CACHE]), _cache),
        Reader("fixes of modules", _grown(MODULE, "text"), fixes_of_modules(catalogue)),
        Reader("fixes of spoilt modules", _spoilt(python), fixes_of_modules(catalogue)),
        Reader("fixes of SQL", _grown(SQL, "statement"), fixed_script),
        Reader("fixes of spoilt SQL", _spoilt(sql), spoilt_script),
        Reader("edits", lambda chance: chance.randbytes(8), told_the_same, cost=30),
    ]


def _spoilt(seeds: Sequence[bytes]) -> Callable[[random.Random], bytes]:
    return lambda chance: mutated(chance, seeds)


def _grown(grammar: Grammar, rule: str) -> Callable[[random.Random], bytes]:
    return lambda chance: made(chance, grammar, rule).encode()


def _seeds(*globs: str) -> list[bytes]:
    files = (file for glob in globs for file in sorted(CHECKOUT.glob(glob)))
    return [file.read_bytes()[:4000] for file in files if file.is_file()] or [b""]


def _source(path: str, catalogue: Catalogue) -> Callable[[bytes], None]:
    options = ExtractionOptions(catalogue, frozenset(), thorough=True)
    prefilter = Prefilter(catalogue)

    def read(data: bytes) -> None:
        extract_bytes(path, data, options, prefilter, reached=True)

    return read


def _migration(catalogue: Catalogue) -> Callable[[bytes], None]:
    def read(data: bytes) -> None:
        text = data.decode()
        tree = parse(text)
        revision = revision_of_bytes(data)
        if revision is None:
            raise AssertionError("no migration")
        statements_of_file(tree, Lines(text), revision, catalogue)

    return read


def _rust(data: bytes) -> None:
    rust_facts(data)


def _script(data: bytes) -> None:
    script_facts(data)


def _sound_script(data: bytes) -> None:
    """What SQLite takes is understood."""
    with closing(sqlite3.connect(":memory:")) as database:
        try:
            database.executescript(data.decode())
        except sqlite3.Error:
            script_facts(data)
            return
    for fact in script_facts(data):
        if isinstance(fact, SqlStatement) and fact.flaw:
            raise AssertionError(fact.flaw)


def _ci(data: bytes) -> None:
    for kind in KINDS:
        facts_of_kind(kind, data)


def _configuration(data: bytes) -> None:
    read_policy(data.decode(errors="replace"), FILE, root=CHECKOUT, known_rules=known_rules())


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for what is read from files: to make one takes longer than to read them."""
    return tempfile.TemporaryDirectory(prefix="fuzz-")


def _baseline(data: bytes) -> None:
    file = Path(_folder().name) / "baseline"
    file.write_bytes(data)
    read_baseline(file)


def _cache(data: bytes) -> None:
    """A right checksum over anything, and anything at all."""
    file = Path(_folder().name) / "facts"
    write_cache(file, b"k" * 32, [data], 0)
    Cache(file, b"k" * 32)
    file.write_bytes(data)
    Cache(file, b"k" * 32)


_WORKFLOW: Final = b"""\
on: {push: {branches: [main]}, pull_request: null}
jobs:
  a: &a
    strategy: {matrix: {db: [sqlite, "postgres:16"], include: [{db: x, y: 1}]}}
    services: {db: {image: "${{ matrix.db }}", env: {POSTGRES_PASSWORD: kestrel}}}
    steps: [{run: "pytest -k ${{ matrix.db }} || true", env: {A: 1}}, {uses: ./.github/actions/a}]
  b: *a
"""
_NOTEBOOK: Final = (
    b'{"cells": [{"cell_type": "code", "source": ["import sqlite3\\n", "%time x\\n"], "outputs": '
    b'[], "metadata": {}}, {"cell_type": "markdown", "source": "a"}], "nbformat": 4, "metadata": {}}'
)
_BASELINE: Final = baseline_text(
    Counter({Key("app/a.py", "DAL101", "", "01ab"): 2, Key("b.sql", "DAL302", "x", "ff"): 1})
).encode()
_CACHE: Final = (
    b"\x93\xc4\x00\x91\x91\xc4\x10" + b"d" * 16 + b"\x91\x93\xa4a.py\x94\x01\x02\x03\x04\x00"
)
