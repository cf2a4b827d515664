"""Passwords: wherever one stands in a project, no byte of it is written anywhere."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from dal_audit.extract import cache
from dal_audit.extract.cache_form import SETTLED_NS
from dal_audit.extract.masks import HIDDEN
from dal_audit.extract.secrets import secret_spans, text_for_facts, without_secrets
from dal_audit.extract.sql.scripts import script_facts
from dal_audit.facts import Span
from dal_audit.facts.sql import SqlStatement
from dal_audit.report.render import FORMATS
from tests.invocation import run

STEM: Final = "kestrel-tango"
"""With a number behind it for each place, so that a test tells which one is told."""

TEMPLATES: Final = dict(
    section.split("\n", 1)
    for section in (Path(__file__).parent / "data/secrets.txt").read_text().split("==> ")[1:]
)


def numbers() -> Iterator[str]:
    number = 100
    while True:
        yield f"{STEM}{number}x"
        number += 1


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a password in every place."""
    root = tmp_path / "project"
    secrets = numbers()
    for path, template in TEMPLATES.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        text = re.sub("<SECRET>", lambda _: next(secrets), template)
        file.write_text(text, encoding="utf-8")
    return root


def told(data: bytes) -> list[bytes]:
    """Return what stands around each password in some output."""
    found = [start for start in range(len(data)) if data.startswith(STEM.encode(), start)]
    return [data[max(0, start - 90) : start + 30] for start in found]


@pytest.mark.parametrize("form", FORMATS)
def test_no_report_tells_one(form: str, project: Path) -> None:
    shown = run(project, "check", "--show-suppressed", "--verbose", "--format", form)
    assert shown.exit_code == 1, shown.output
    assert not told(shown.output.encode())
    assert HIDDEN not in shown.output


@pytest.mark.parametrize(
    "words",
    [
        ("check", "--diff", "--unsafe-fixes"),
        ("check", "--fix", "--unsafe-fixes"),
        ("check", "--statistics"),
        ("check", "--add-noqa"),
        ("baseline",),
        ("init", "--stdout"),
        ("init",),
        ("config",),
    ],
)
def test_no_command_tells_one(words: tuple[str, ...], project: Path) -> None:
    before = {file: file.read_bytes() for file in project.rglob("*") if file.is_file()}
    shown = run(project, *words)
    assert not told(shown.output.encode())
    for file in project.rglob("*"):
        if file.is_file() and file not in before:
            assert not told(file.read_bytes()), file


def test_what_is_fixed_keeps_its_passwords(project: Path) -> None:
    file = project / "migrations/0001_init.up.sql"
    before = file.read_text()
    run(project, "check", "--fix", "--unsafe-fixes")
    after = file.read_text()
    assert HIDDEN not in after
    assert after != before
    assert after.count(STEM) == before.count(STEM)


def test_the_cache_holds_none(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "now_ns", lambda: time.time_ns() + 10 * SETTLED_NS)
    kept = tmp_path / "kept"
    first = run(project, "check", "--cache-dir", str(kept)).output
    (file,) = kept.glob("*.facts")
    assert b"TEST_URL" in file.read_bytes()
    assert not told(file.read_bytes())
    assert run(project, "check", "--cache-dir", str(kept)).output == first


def test_a_faulty_configuration_tells_none(project: Path) -> None:
    (project / "dal-audit.toml").write_text(f'owner = "postgresql://app:{STEM}@db/app"\n')
    shown = run(project, "check")
    assert shown.exit_code == 2
    assert "owner" in shown.output
    assert not told(shown.output.encode())


@pytest.mark.parametrize(
    "text",
    [
        "connect(password='{}')",
        "connect(password=b'{}')",
        'x = "password=\\"{}\\" host=db"',
        "def f(password: str = '{}'): ...",
        "password: str | None = '{}'",
        'PASSWORD["PGPASSWORD"] = "{}"',
        'setenv("PGPASSWORD", "{}")',
        "x = 'host=db password={}'",
        "x = 'Server=a;Pwd={}'",
        "CREATE USER app PASSWORD '{}'",
        "CREATE USER app PASSWORD '{} with words'",
        "ALTER USER app IDENTIFIED WITH caching_sha2_password BY '{}'",
        "SET PASSWORD = PASSWORD('{}')",
        "PRAGMA main.rekey='{}'",
        "ATTACH DATABASE 'x.db' AS x KEY '{}'",
        "CREATE SUBSCRIPTION s CONNECTION 'host=a password={} user=b' PUBLICATION p",
    ],
)
def test_a_program_s_passwords_are_found(text: str) -> None:
    assert STEM not in without_secrets(text.format(STEM), is_program=True)
    (span,) = secret_spans(text.format(STEM), is_program=True)
    assert span.column == text.index("{") + 1


@pytest.mark.parametrize(
    "text",
    [
        "connect(password=pw, host=host)",
        "connect(password=settings.password)",
        "password = getpass('word')",
        "INSTALLED = ['auth.password', 'app.storage']",
        "names = ('PGPASSWORD', 'PGHOST')",
        "reset_password = 'UPDATE users SET a = 1'",
        "f'postgresql://{user}:{password}@{host}/{name}'",
        "f'host={host} password={password} dbname={name}'",
        "connect(f'user={user};password={pw};')",
        """connect(f"host={db['HOST']} password={db['PASSWORD']} port={db['PORT']}")""",
        """connect(f"user={db.user} password={'secret' + salt} port=1")""",
        "os.environ['PWD'] = '/srv/app'",
        "CREATE TABLE users (password varchar(20), pwd TEXT)",
        "UPDATE users SET password = $1, token = $2",
        "SELECT password FROM users WHERE id = 'kestrel'",
        "PRIMARY KEY ('a')",
        "CREATE USER app PASSWORD NULL",
        'c.execute("UPDATE t SET a=1, password=:new; SELECT 1")',
        'c.execute("""\n UPDATE t SET password=?;\n UPDATE t SET pwd=%(new)s;\n""")',
        'connect(\n    password=pw\n)\nx = """\nSET\n  password=:new\n"""',
        'x = """\n"""\nb = 2; password=word; c = 3\ny = """\n"""',
    ],
)
def test_code_is_no_password(text: str) -> None:
    assert text_for_facts(text, is_program=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "tox: passenv = PGPASSWORD PGHOST",
        "run: case $PASSWORD in",
        "run: psql --no-password -d app",
        "run: unset PGPASSWORD PGUSER",
        "password: !vault |\n  abc",
        "password: *anchor",
        "password: true",
    ],
)
def test_settings_are_no_password(text: str) -> None:
    assert text_for_facts(text, is_program=False) == text


def test_what_is_hidden_is_read_as_before() -> None:
    plain, other = (
        script_facts(f"CREATE USER a PASSWORD '{word}'; SELECT 'ä' || now();".encode())
        for word in ("postgres", "\U0001f600kestrel")
    )
    assert [type(fact) for fact in plain] == [type(fact) for fact in other] == [SqlStatement] * 2
    spans = [fact.span for fact in other if isinstance(fact, SqlStatement)]
    assert spans[0] == Span(1, 1, 1, 24 + 2 + 9)
    assert text_for_facts("password: 12345\n", is_program=False) == "password: 11111\n"
    assert text_for_facts("password: kestrel\n", is_program=False) == "password: xxxxxxx\n"
