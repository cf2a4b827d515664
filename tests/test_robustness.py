"""Whatever lies in a folder, the audit ends, says what it could not read, and audits the rest."""

from __future__ import annotations

import contextlib
import os
import re
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.extract import extractor as extract
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.python.prefilter.driver_marks import Prefilter, searchable
from dal_audit.extract.source import UndecodableError, decode
from dal_audit.facts import Import, NotUnderstood
from dal_audit.policy.request import Request
from dal_audit.report.formats import FORMATS
from dal_audit.report.render import render
from tests.examples import CHECKOUT, all_examples
from tests.processes import HANGING
from tests.sampling import EVERYTHING
from tests.steps import assert_linear

if TYPE_CHECKING:
    from collections.abc import Callable

    from dal_audit.report.render import Report

PROPERTY = settings(max_examples=150)
SHIPPED = catalogue_in_force()
NEIGHBOUR: Final = "import sqlite3\n"
"""What is audited beside the odd file, and must be found."""

UNSAFE: Final = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters, bidirectional controls, line ends of Unicode, lone surrogates."""


def beside(folder: Path, *, shortcuts: bool = True) -> tuple[Report, set[tuple[str, str]]]:
    """Audit a folder with a neighbour, render it, and return all but the neighbour's finding."""
    (folder / "neighbour.py").write_text(NEIGHBOUR)
    report = audit(Request(folder=folder, shortcuts=shortcuts))
    found = {(one.place.path, one.rule.id) for one in report.findings}
    assert ("neighbour.py", "DAL101") in found
    for form in FORMATS:
        shown = render(report, form)
        assert not UNSAFE.search(shown), UNSAFE.search(shown)
        shown.encode("utf-8")
    return report, found - {("neighbour.py", "DAL101")}


def read(data: bytes, *, shortcuts: bool = True) -> None:
    """Take bytes through the stages that look at a single file."""
    with contextlib.suppress(UndecodableError):
        Prefilter(SHIPPED).signals(searchable(data))
    with contextlib.suppress(UndecodableError):
        python_facts(decode(data), SHIPPED, shortcuts=shortcuts)


# Any bytes, any text


@PROPERTY
@given(data=st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf")
@example(b"#coding:")
@example(b"\xef\xbb\xbf# coding: latin-1")
def test_any_bytes(data: bytes) -> None:
    read(data)
    read(b"import sqlite3\n" + data)
    read(data + b"\nimport sqlite3", shortcuts=False)


@PROPERTY
@given(text=st.text(max_size=120))
def test_any_text(text: str) -> None:
    read(text.encode("utf-8", "surrogatepass"))
    read(b"# dal-audit: allow[x] " + text.encode("utf-8", "replace"))
    python_facts(f"import sqlite3\n{text}", SHIPPED)
    python_facts(f"import importlib\nimportlib.import_module({text!r})\n", SHIPPED)
    python_facts(f"import importlib\nimportlib.import_module({text!r}.format('a'))\n", SHIPPED)
    python_facts(f"import importlib\nimportlib.import_module({text!r} % 'a')\n", SHIPPED)
    python_facts(f"exec({text!r})\n", SHIPPED)


@PROPERTY
@given(
    text=st.lists(
        st.sampled_from(
            [
                "import",
                "from",
                "sqlite3",
                "as",
                "def",
                "class",
                "if",
                "else",
                ":",
                "(",
                ")",
                "[",
                "]",
                "{",
                "}",
                ",",
                ".",
                ";",
                "=",
                "\n",
                "\r",
                "\x0c",
                "\t",
                "\\",
                "\\\n",
                "#",
                "'",
                '"',
                "'''",
                '"""',
                "f'",
                'f"',
                "{{",
                "}}",
                "!",
                "*",
                "**",
                "->",
                ":=",
                "@",
                "lambda",
                "match",
                "case",
                "type",
                "async",
                "await",
                "except",
                "try",
                "\n",
                "",
                "",
                "\n\t",
                "dal-audit:",
                "allow[driver-import]",
                "importlib",
                "exec(",
                "\x00",
                "ｓ",
                "ß",
            ]
        ),
        max_size=30,
    ).map(" ".join)
)
def test_any_run_of_tokens(text: str) -> None:
    for shortcuts in (True, False):
        read(text.encode(), shortcuts=shortcuts)


SOURCES = [
    data
    for one in all_examples()
    for path, data in one.files.items()
    if path.endswith((".py", ".pyi")) and data
]


@PROPERTY
@given(
    data=st.sampled_from(SOURCES),
    position=st.integers(0, 5_000),
    length=st.integers(0, 20),
    new=st.one_of(
        st.binary(max_size=6), st.sampled_from([b"\r", b"\f", b"\\\n", b"(", b'"""', b"#"])
    ),
)
def test_any_mutation_of_sound_source(data: bytes, position: int, length: int, new: bytes) -> None:
    position %= len(data)
    read(data[:position] + new + data[position + length :])
    read(data[:position] + new + data[position + length :], shortcuts=False)


# Deep and long


DEEP = {
    "brackets": "(" * 100_000 + ")" * 100_000,
    "open brackets": "(" * 100_000,
    "closed brackets": ")" * 100_000,
    "mixed brackets": "([{" * 33_000 + "}])" * 33_000,
    "brackets of calls": "f(" * 50_000 + ")" * 50_000,
    "brackets after a comment, lines ending in CR": "# a comment\r" + "(" * 50_000 + ")" * 50_000,
    "brackets in an f-string": 'f"{' + "(" * 50_000 + "1" + ")" * 50_000 + '}"',
    "brackets in a long f-string": "f'''{" + "[" * 50_000 + "1" + "]" * 50_000 + "}'''",
    "f-strings in f-strings": 'f"{' * 5_000 + "1" + '}"' * 5_000,
    "formats in f-strings": 'f"{a' + ":{a" * 5_000 + "}" * 5_000 + '}"',
    "additions": "x = " + " + ".join(["1"] * 100_000),
    "additions of text": "x = " + " + ".join(["'a'"] * 20_000),
    "powers": "x = " + " ** ".join(["1"] * 50_000),
    "comparisons": "x = " + " < ".join(["1"] * 50_000),
    "ands": "x = " + " and ".join(["a"] * 50_000),
    "nots": "x = " + "not " * 100_000 + "a",
    "minuses": "x = " + "-" * 100_000 + "1",
    "awaits": "async def f(): " + "await " * 50_000 + "a",
    "attributes": "x = a" + ".b" * 20_000,
    "calls": "x = a" + "()" * 50_000,
    "subscripts": "x = a" + "[0]" * 50_000,
    "subscripts with commas": "x = a" + "[0, 1]" * 20_000,
    "methods": "x = a" + ".b(1, 2)" * 20_000,
    "lambdas": "x = " + "lambda: " * 50_000 + "1",
    "lambdas with commas": "x = " + "lambda a, b: " * 20_000 + "1",
    "conditions": "x = " + "1 if a else " * 50_000 + "2",
    "walruses": "(" + "(a := " * 5_000 + "1" + ")" * 5_000 + ")",
    "stars": "x = [" + "*" * 20_000 + "a]",
    "comparison of lambdas": "x = " + "lambda a=1, b=2: a < " * 10_000 + "1",
    "comprehensions": "[" * 5_000 + "a" + " for a in b]" * 5_000,
    "clauses": "[a" + " for a in b" * 20_000 + "]",
    "conditions of a clause": "[a for a in b" + " if a" * 20_000 + "]",
    "indentation": "".join(" " * level + "if a:\n" for level in range(5_000)) + " " * 5_000 + "a",
    "indented functions": "".join(" " * n + "def f():\n" for n in range(1_000)) + " " * 1_000 + "a",
    "blocks of one line": "if a: " * 5_000,
    "elifs": "if a: b\n" + "elif a: b\n" * 20_000,
    "elifs over lines": "if a:\n  b\n" + "elif a:\n  b\n" * 20_000,
    "decorators": "@a\n" * 3_000 + "def f(): ...",
    "parameters": f"def f({', '.join(f'a{index}' for index in range(20_000))}): ...",
    "patterns": "match a:\n case " + "[" * 5_000 + "]" * 5_000 + ": b",
    "alternatives": "match a:\n case " + " | ".join(["1"] * 20_000) + ": b",
    "handlers": "try: a\n" + "except b: c\n" * 3_000,
    "targets": "x = " * 50_000 + "1",
    "imported names": "from a import " + ", ".join(f"b{index}" for index in range(20_000)),
    "imported modules": "import " + ", ".join(f"b{index}" for index in range(20_000)),
    "a dotted module": "import " + ".".join(["a"] * 20_000),
    "dots of a relative import": "from " + "." * 50_000 + " import a",
    "type parameters": f"def f[{', '.join(f'T{index}' for index in range(5_000))}](): ...",
    "strings side by side": "x = (" + "'a' " * 50_000 + ")",
    "strings on lines": "x = (\n" + "'a'\n" * 50_000 + ")",
    "comments": "# a\n" * 10_000,
    "comments in brackets": "x = [\n" + "# a\n" * 10_000 + "]",
    "continued lines": "x = 1" + " \\\n" * 10_000,
    "semicolons": "a;" * 10_000,
    "blank lines": "\n" * 20_000,
    "blank lines ending in CR": "\r" * 20_000,
    "form feeds": "\f" * 500_000,
    "a long line": "x = '" + "a" * 5_000_000 + "'",
    "a long name": "a" * 1_000_000,
    "a long number": "x = " + "9" * 50_000,
    "a long comment": "#" + " dal-audit:" * 50_000,
    "open strings": "'" * 99_999,
    "open long strings": '"""' * 33_333,
    "open strings on lines": "'a\n" * 50_000,
    "backslashes": "\\" * 100_000,
    "a long suppression": "x = 1  # dal-audit: allow[" + "a," * 500 + "] b",
    "many suppressions": "x = 1  # dal-audit: allow[driver-import] b\n" * 2_000,
    "open suppressions": "# dal-audit: allow[" * 20_000,
    "a long annotation": "x: '" + "a[" * 5_000 + "]" * 5_000 + "'",
    "annotations in annotations": "x: " + "'a' | " * 20_000 + "b",
    "text of digits": "import importlib\nimportlib.import_module('{"
    + "9" * 6_000
    + "}'.format(a))",
    "executed text that is deep": "exec('" + "(" * 20_000 + ")" * 20_000 + "')",
    "executed text that executes": "exec(" * 50 + "'import sqlite3'" + ")" * 50,
    "names that stand for each other": "\n".join(f"a{n} = a{n + 1}" for n in range(5_000)),
    "dialects": "import sqlalchemy\n" + "sqlalchemy.a\n" * 2_000,
    "one name, bound and read often": "import sqlite3\n" + "sqlite3 = sqlite3\n" * 3_000,
}


@pytest.mark.parametrize("name", DEEP if EVERYTHING else sorted(DEEP)[1::2])
def test_deep_and_long_source(name: str, tmp_path: Path) -> None:
    (tmp_path / "odd.py").write_bytes(DEEP[name].encode())
    report, found = beside(tmp_path)
    assert {path for path, _ in found} <= {"odd.py"}
    assert len(report.findings) < 10_000


GROWING: dict[str, tuple[str, str]] = {
    "additions": ("x = 1", " + 1"),
    "attributes": ("x = sqlite3", ".b"),
    "calls": ("x = sqlite3.connect", "()"),
    "comments": ("", "# a\n"),
    "a long comment": ("#", " dal-audit:"),
    "open suppressions": ("", "# dal-audit: allow["),
    "many suppressions": ("", "x = 1  # dal-audit: allow[driver-import] b\n"),
    "a long suppression": ("x = 1  # dal-audit: allow[a", ",a"),
    "imported names": ("from a import b", ", b"),
    "strings side by side": ("x = 'a'", " 'a'"),
    "annotations in annotations": ("x: 'a'", " | 'a'"),
    "drivers": ("", "import redis\n"),
    "handlers": ("try: a\n", "except sqlite3.Error: c\n"),
    "texts": ("import importlib\n", "importlib.import_module('a' + 'b')\n"),
}
"""What a text begins with, and what is repeated in it."""


@pytest.mark.parametrize("name", GROWING)
def test_what_is_read_takes_steps_in_proportion(name: str) -> None:
    head, part = GROWING[name]

    def work(size: int) -> Callable[[], object]:
        text = f"import sqlite3\n{head}{part * size}\n"
        return partial(python_facts, text, SHIPPED)

    assert_linear(work, 20)


@pytest.mark.parametrize("part", range(4))
def test_deep_and_long_source_by_the_other_parser(part: int) -> None:
    """In a process of its own: a stack that overflows takes the process with it."""
    names = sorted(DEEP)[part :: 4 if EVERYTHING else 24]
    code = (
        "import sys\nfrom tests.test_robustness import DEEP, SHIPPED, python_facts\n"
        f"for name in {names!r}:\n"
        "    print(name, file=sys.stderr, flush=True)\n"
        "    python_facts('import sqlite3\\n' + DEEP[name], SHIPPED, shortcuts=False)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        capture_output=True,
        timeout=HANGING,
        check=False,
    )
    said = ended.stderr.decode()
    assert ended.returncode == 0, said[-500:]
    assert said.split("\n")[:-1] == names


def test_a_deep_import_is_reported_and_does_not_overflow_the_stack() -> None:
    text = "import sqlite3" + ".a" * 20_000 + "\n"
    (fact,) = [
        one for one in python_facts(text, SHIPPED) if isinstance(one, (Import, NotUnderstood))
    ]
    assert isinstance(fact, NotUnderstood) or fact.targets[0].name.startswith("sqlite3.")


SOUND = {
    "additions": "x = " + " + ".join(["'a'"] * 900),
    "ors": "x = " + " | ".join(["a"] * 900),
    "elifs": "if a: b\n" + "elif a: b\n" * 400,
    "methods": "x = a" + ".b(1)" * 400,
    "nots": "x = " + "not " * 150 + "a",
    "conditions": "x = " + "1 if a else " * 150 + "2",
    "brackets": "x = " + "(" * 80 + "1" + ")" * 80,
    "indentation": "".join(" " * level + "if a:\n" for level in range(90)) + " " * 90 + "a",
    "functions": "".join(" " * level + "def f():\n" for level in range(19)) + " " * 19 + "a",
    "a long display": "x = [" + "1, " * 20_000 + "]",
    "strings side by side": "x = (" + "'a' " * 5_000 + ")",
}


@pytest.mark.parametrize("name", SOUND)
@pytest.mark.parametrize("shortcuts", [True, False])
def test_what_python_takes_is_understood(name: str, shortcuts: bool) -> None:
    """Generated source is like this; a file that Python runs must not be called unreadable."""
    head = "import importlib, sqlite3\nimportlib.import_module(a)\n"
    text = f"{head}{SOUND[name]}\nsqlite3.connect()\n"
    compile(text, name, "exec")
    facts = python_facts(text, SHIPPED, shortcuts=shortcuts)
    assert [fact for fact in facts if type(fact).__name__ == "NotUnderstood"] == []
    assert [fact for fact in facts if type(fact).__name__ == "Import"]


CHAINS = {
    "additions": ("x = a", " + 'a'"),
    "methods": ("x = a", ".b(1)"),
    "ors": ("x = a", " | a"),
    "subscripts": ("x = a", "[0]"),
    "elifs": ("if a: b\n", "elif a: b\n"),
    "annotations": ("x: a", " | 'a'"),
}


@pytest.mark.parametrize("name", CHAINS)
def test_the_longest_chain_that_python_compiles_is_read(name: str) -> None:
    first, link = CHAINS[name]
    taken, refused = 500, 100_000
    while refused - taken > taken // 50:
        middle = (taken + refused) // 2
        try:
            compile(first + link * middle, name, "exec")
            taken = middle
        except (RecursionError, MemoryError, SyntaxError):
            refused = middle
    facts = python_facts(f"import sqlite3\n{first}{link * taken}\nsqlite3.connect()\n", SHIPPED)
    assert [fact for fact in facts if isinstance(fact, NotUnderstood)] == []
    assert [len(fact.targets[0].uses) for fact in facts if isinstance(fact, Import)] == [1]


def test_what_stands_beside_a_long_chain_is_found_by_every_rule(tmp_path: Path) -> None:
    """Each look at a file reads its tree anew."""
    storage = "import sqlite3\nclass Store:\n  pool: sqlite3.Connection\n"
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "store.py").write_text(storage)
    (tmp_path / "app.py").write_text(
        "from storage.store import Store\n"
        f"x = y{'.b(1)' * 400}.pool\n"
        "def read(store: Store): return store.pool\n"
    )
    for shortcuts in (True, False):
        _, found = beside(tmp_path, shortcuts=shortcuts)
        assert found == {("app.py", "DAL107")}


@pytest.mark.parametrize(
    "text",
    [f"x = y{'.pool()' * 900}\n", f"x = [{'y.pool, ' * 10_000}]\n", f"x = y{'.pool' * 900}\n"],
    ids=["called", "listed", "read"],
)
def test_very_many_accesses_in_one_statement(text: str, tmp_path: Path) -> None:
    storage = "import sqlite3\nclass Store:\n  pool: sqlite3.Connection\n"
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "store.py").write_text(storage)
    (tmp_path / "app.py").write_text(f"from storage.store import Store\ny = Store()\n{text}")
    _, found = beside(tmp_path)
    assert found == {("app.py", "DAL107")}


@pytest.mark.parametrize("link", [" + 'a'", ".b(1)", " | a"])
def test_a_long_chain_beside_a_grammar_that_only_libcst_may_know(link: str) -> None:
    """Python 3.10 and 3.11 do not know `type`, so the tree comes from LibCST."""
    text = f"import sqlite3\ntype X = sqlite3.Row\nx = a{link * 200}\n"
    for shortcuts in (True, False):
        facts = python_facts(text, SHIPPED, shortcuts=shortcuts)
        assert [fact for fact in facts if isinstance(fact, NotUnderstood)] == []
        assert [len(fact.targets[0].uses) for fact in facts if isinstance(fact, Import)] == [1]


@pytest.mark.parametrize(
    "text",
    [
        "x = t'{a}' t'{b}'\n",
        "x = t'{a}' 'b'\n",
        "(a): b = c\n",
        "x = f'{a!r=}'\n",
        "async x = 1\n",
        "def f(*): ...\n",
        "def f(a, a): ...\n",
        "f(a=1, a=2)\n",
        "f(**a, *b)\n",
        "*a = b\n",
        "del f()\n",
        "a + 1 = 2\n",
        "import a.b as c.d\n",
        "from a import (*)\n",
        "from . import *\n",
        "from a import b,\n",
        "from . import\n",
        "import\n",
        "from\n",
        "import a as\n",
        "return\n",
        "yield\n",
        "await a\n",
        "nonlocal a\n",
        "def f():\n  nonlocal a\n",
        "a: b: c\n",
        "match a:\n  case 1: b\n case 2: c\n",
        "x = 0777\n",
        "x = 1_\n",
        "x = '\\N{nothing of this name}'\n",
        "x = b'\\xzz'\n",
        "x = '\\x'\n",
        "x = u'\\ud800'\n",
        "x = '\\ud800'; y: '\\ud800'\n",
        "import importlib; importlib.import_module('\\ud800')\n",
        "exec('\\ud800')\n",
        "exec('# coding: klingon\\nimport sqlite3')\n",
        "exec('import sqlite3\\0')\n",
        "x: '\\0'\n",
        "x: ''\n",
        "x: '('\n",
        "x: 'a; b'\n",
        "x: ' a\\n b'\n",
        "import sqlite3; x: 'lambda: (yield)'\n",
        "import sqlite3; x: '[' + ']'\n",
        "if 1:\n\tx\n        y\n",
        "if 1:\n  x\n y\n",
        "  x\n",
        "\\\n",
        "x = \\",
        "\x0c",
        "\x1a",
        "import sqlite3\x1a",
        "import sqlite3\n\x1a",
        "x = 1\x00",
        "\ufeffimport sqlite3",
        "import\u00a0sqlite3\n",
        "import sqlite3\u2028import redis\n",
        "import sqlite３\n",
        "from sqlite3 import ℌ\n",
        "𝒾𝓂𝓅𝑜𝓇𝓉 = 1\n",
    ],
)
def test_odd_source_is_read_alike_both_ways(text: str) -> None:
    fast = python_facts(text, SHIPPED)
    slow = python_facts(text, SHIPPED, shortcuts=False)
    kinds = [sorted({type(fact).__name__ for fact in facts} - {"Shape"}) for facts in (fast, slow)]
    assert ("NotUnderstood" in kinds[0]) == ("NotUnderstood" in kinds[1])
    assert ("DynamicImport" in kinds[0]) == ("DynamicImport" in kinds[1])


# Encodings

COOKIES = [
    "klingon",
    "utf-16",
    "utf-16-le",
    "utf-32",
    "utf-7",
    "utf-8-sig",
    "unicode_escape",
    "raw_unicode_escape",
    "rot13",
    "base64",
    "hex",
    "bz2",
    "zlib",
    "uu",
    "quopri",
    "idna",
    "punycode",
    "undefined",
    "mbcs",
    "oem",
    "cp037",
    "cp65001",
    "hz",
    "iso2022_kr",
    "string-escape",
    "latin-1-unix",
    "utf-8-dos",
    "utf8",
    "UTF_8",
    "ascii",
    "x" * 1_000,
    "..",
    "a.b.c",
    "-",
    "__init__",
]


@pytest.mark.parametrize("cookie", COOKIES)
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_odd_cookies(cookie: str, bom: bytes, tmp_path: Path) -> None:
    for index, rest in enumerate([b"import sqlite3\n", b"x = '\xe9'\n", b"\0", b"+2AA-\\ud800"]):
        data = bom + b"# coding: " + cookie.encode() + b"\n" + rest
        (tmp_path / f"odd{index}.py").write_bytes(data)
        read(data, shortcuts=False)
    _, found = beside(tmp_path)
    assert found
    assert {rule for _, rule in found} <= {"DAL101", "DAL901"}


@pytest.mark.parametrize("cookie", COOKIES)
def test_an_encoding_is_taken_where_python_takes_it(cookie: str) -> None:
    data = b"# coding: " + cookie.encode() + b"\nx = 1\n"
    with contextlib.suppress(SyntaxError, ValueError, LookupError):
        compile(data, "odd", "exec")
        assert "coding" in decode(data) or cookie.startswith("utf-16")


# Files that are no files


def test_a_directory_that_is_called_like_a_file(tmp_path: Path) -> None:
    (tmp_path / "odd.py").mkdir()
    (tmp_path / "odd.py" / "inner.py").write_text("import sqlite3\n")
    _, found = beside(tmp_path)
    assert found == {("odd.py/inner.py", "DAL101")}


def test_empty_files(tmp_path: Path) -> None:
    (tmp_path / "empty.py").touch()
    _, found = beside(tmp_path)
    assert found == set()


def test_a_fifo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "odd.py")
    report = audited_apart(tmp_path)
    assert "odd.py:1:1: DAL901" in report
    assert "neighbour.py:1:8: DAL101" in report


def test_a_link_to_a_device(tmp_path: Path) -> None:
    (tmp_path / "odd.py").symlink_to("/dev/zero")
    report = audited_apart(tmp_path)
    assert "odd.py:1:1: DAL901" in report
    assert "neighbour.py:1:8: DAL101" in report


def audited_apart(folder: Path) -> str:
    """Audit a folder in a process of its own: what hangs in the kernel can only be killed."""
    (folder / "neighbour.py").write_text(NEIGHBOUR)
    ended = subprocess.run(
        [sys.executable, "-m", "dal_audit", "--format", "concise"],
        cwd=folder,
        capture_output=True,
        timeout=HANGING,
        check=False,
    )
    assert ended.returncode == 1, ended.stderr
    return ended.stdout.decode()


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("b.py")
    (tmp_path / "b.py").symlink_to("a.py")
    (tmp_path / "self.py").symlink_to("self.py")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "up").symlink_to("..")
    (tmp_path / "folder" / "inner.py").write_text("import sqlite3\n")
    _, found = beside(tmp_path)
    assert found == {
        ("a.py", "DAL901"),
        ("b.py", "DAL901"),
        ("self.py", "DAL901"),
        ("folder/inner.py", "DAL101"),
    }


def test_a_link_that_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "odd.py").symlink_to("nothing.py")
    (tmp_path / ".#locked.py").symlink_to("somebody@host.1234")
    (tmp_path / "notes").symlink_to("nothing")
    _, found = beside(tmp_path)
    assert found == {("odd.py", "DAL901")}


def test_links_within_and_out_of_the_tree(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "there.py").write_text("import sqlite3\n")
    root = tmp_path / "root"
    root.mkdir()
    (root / "file.py").symlink_to("../outside/there.py")
    (root / "folder").symlink_to("../outside")
    (root / "again.py").symlink_to("neighbour.py")
    _, found = beside(root)
    assert found == {("file.py", "DAL101")}


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), FileNotFoundError(2, "No such file")]
)
@pytest.mark.parametrize("call", ["lstat", "open"])
def test_a_file_that_cannot_be_read(
    error: OSError, call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.py").write_text("import sqlite3\n")
    fail_for("odd.py", call, error, monkeypatch)
    _, found = beside(tmp_path)
    assert found == {("odd.py", "DAL901")}


def test_a_folder_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "inner.py").write_text("import sqlite3\n")
    fail_for("odd", "scandir", PermissionError(13, "Permission denied"), monkeypatch)
    _, found = beside(tmp_path)
    assert found == {("odd", "DAL901")}


def fail_for(name: str, call: str, error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a call of the system fail for one name, whichever way it is called."""

    def failing(real: object) -> object:
        def attempt(path: object, *args: object, **kwargs: object) -> object:
            if isinstance(path, (str, bytes, os.PathLike)) and Path(os.fsdecode(path)).name == name:
                raise error
            assert callable(real)
            return real(path, *args, **kwargs)

        return attempt

    monkeypatch.setattr(os, call, failing(getattr(os, call)))
    if call == "open":
        real = Path.read_bytes
        monkeypatch.setattr(Path, "read_bytes", failing(real))


def test_a_file_that_vanishes_while_it_is_audited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.py").write_text("import sqlite3\n")
    real = extract.extract_file

    def vanish(file: object, *args: object, **kwargs: object) -> object:
        (tmp_path / "odd.py").unlink(missing_ok=True)
        return real(file, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(extract, "extract_file", vanish)
    _, found = beside(tmp_path)
    assert found == {("odd.py", "DAL901")}


def test_a_file_that_grows_or_shrinks_while_it_is_audited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.py").write_text("x = 1\n")
    real = extract.extract_file

    def grow(file: object, *args: object, **kwargs: object) -> object:
        (tmp_path / "odd.py").write_text("x = 1\n" * 1_000 + "import sqlite3\n")
        return real(file, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(extract, "extract_file", grow)
    _, found = beside(tmp_path)
    assert found == {("odd.py", "DAL101")}


# Names of files

HOSTILE = [
    b"new\nline.py",
    b"return\rcarriage.py",
    b"\x1b[31mred\x1b[0m.py",
    b"\x1b]0;title\x07.py",
    b"bell\x07.py",
    b"tab\there.py",
    b"delete\x7f.py",
    "c1\x9bcontrol.py".encode(),
    "\u202egpj.py".encode(),
    "\u2066iso\u2069.py".encode(),
    "mark\u200f.py".encode(),
    "arabic\u061cmark.py".encode(),
    "line\u2028end.py".encode(),
    b"bytes\xff\xfe.py",
    b"latin\xe9.py",
    b"-rf.py",
    b" space .py",
    b"quote'\"`.py",
    b"dollar$(id).py",
    b"percent%s.py",
    b"brace{0}.py",
    b"star*.py",
    b"question?.py",
    b"[bracket].py",
    b"back\\slash.py",
    b"::error::.py",
    b"colon:1:1.py",
    b".py",
    b"...py",
    "größe.py".encode(),
    "名前.py".encode(),
]


@pytest.mark.parametrize("name", HOSTILE, ids=repr)
@pytest.mark.parametrize("in_git", [False, True])
def test_hostile_file_names(name: bytes, in_git: bool, tmp_path: Path) -> None:
    if in_git:
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / os.fsdecode(name)).write_text("import sqlite3\nimport json  # dal-audit: x\n")
    _, found = beside(tmp_path)
    assert {rule for _, rule in found} == {"DAL101", "DAL903"}
    assert {os.fsencode(path) for path, _ in found} == {name}


def test_a_hostile_folder(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"a\nb\x1b[31m\xff")
    folder.mkdir()
    (folder / "odd.py").write_text("import sqlite3\n")
    (folder / "broken.py").write_text("def (:\n")
    _, found = beside(tmp_path)
    assert {rule for _, rule in found} == {"DAL101", "DAL901"}


def test_hostile_text_is_not_obeyed(tmp_path: Path) -> None:
    """What a file holds is shown in excerpts and in messages."""
    tricks = "\x1b[31m \u200b \u2060 \ufeff \u202e \u2066 \u061c \x07 \x9b \x85 \u2028"
    (tmp_path / "odd.py").write_bytes(
        f"import sqlite3; x = '{tricks}'\n"
        f"import json  # dal-audit: allow[{tricks}] {tricks}\n"
        f"import json  # dal-audit: allow[driver-import] {tricks}\n".encode()
    )
    (tmp_path / "cookie.py").write_bytes(b"# coding: x\x1b[31m\n")
    (tmp_path / "bad.py").write_bytes(b"x = '\x1b[31m\xff'\n")
    (tmp_path / "broken.py").write_bytes(f"import sqlite3 '{tricks}\n".encode())
    _, found = beside(tmp_path)
    assert ("odd.py", "DAL101") in found
    assert ("odd.py", "DAL903") in found
    assert ("bad.py", "DAL901") in found
    assert ("broken.py", "DAL901") in found


def test_a_large_file(tmp_path: Path) -> None:
    """20 MiB are not parsed unless they matter, and then said to be too large."""
    line = "x = 'some text that goes on and on'\n"
    with (tmp_path / "plain.py").open("w") as file:
        file.writelines([line] * (20 * 1024 * 1024 // len(line)))
    _, found = beside(tmp_path)
    assert found == set()
    with (tmp_path / "plain.py").open("a") as file:
        file.write("import sqlite3\n")
    _, found = beside(tmp_path)
    assert found == {("plain.py", "DAL901")}


def test_nothing_is_written(tmp_path: Path) -> None:
    """An audit leaves the tree as it was."""
    (tmp_path / "odd.py").write_text("import sqlite3\n")
    _, _ = beside(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"odd.py", "neighbour.py"}
    assert stat.S_ISREG((tmp_path / "odd.py").stat().st_mode)
