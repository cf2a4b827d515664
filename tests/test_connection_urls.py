"""Database URLs in literals, the passwords in them, and that no report prints one."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.catalogue.drivers import catalogue_in_force, shipped_drivers
from dal_audit.catalogue.url_schemes import schemes_in_force, shipped_schemes
from dal_audit.extract.passwords import passwords
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.python.prefilter.driver_marks import Prefilter, searchable
from dal_audit.facts import ConnectionUrl, Span
from dal_audit.policy.request import Request
from dal_audit.report.render import FORMATS, render
from dal_audit.triage.redaction import redacted

CATALOGUE = catalogue_in_force()
SECRET = "kestrel-tango"
"""Not the documents' example, which SARIF carries as help."""


def facts(text: str) -> list[ConnectionUrl]:
    """Return the URLs of a module, the same with and without shortcuts."""
    found = [one for one in python_facts(text, CATALOGUE) if isinstance(one, ConnectionUrl)]
    slowly = python_facts(text, CATALOGUE, shortcuts=False)
    assert found == [one for one in slowly if isinstance(one, ConnectionUrl)]
    if found:
        assert Prefilter(CATALOGUE).signals(searchable(text.encode()))
    return found


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("app:kestrel-tango@localhost/app", [SECRET]),
        (":kestrel-tango@localhost", [SECRET]),
        ("app:correct%20horse@localhost", ["correct%20horse"]),
        ("app:cor/rect@localhost/app", ["cor/rect"]),
        ("app:cor@rect@localhost/app", ["cor@rect"]),
        ("localhost/app?user=app&password=kestrel-tango", [SECRET]),
        ("app:a-b-c@one:1,two:2/app", ["a-b-c"]),
        ("localhost/app", []),
        ("localhost:5432/app@home", []),
        ("app@localhost:5432/app", []),
        ("user:password@localhost", []),
        ("postgres:postgres@localhost", []),
        ("prefect:prefect@localhost", []),
        ("app:***@localhost", []),
        ("app:<password>@localhost", []),
        ("app:${PASSWORD}@localhost", []),
        ("app:%s@localhost", []),
        ("app:{password}@localhost", []),
        ("app:\N{REPLACEMENT CHARACTER}@localhost", []),
        ("app:@localhost", []),
    ],
)
def test_passwords_are_told_from_placeholders(rest: str, found: list[str]) -> None:
    assert [secret for _, secret, _ in passwords(rest)] == found


def test_a_password_is_marked_to_the_letter() -> None:
    (one,) = facts(f'URL = "postgresql://app:{SECRET}@localhost/app"\n')
    assert one.secrets == (Span(1, 25, 1, 25 + len(SECRET)),)
    assert (one.scheme, one.store) == ("postgresql", "PostgreSQL")
    assert SECRET not in repr(one)


@pytest.mark.parametrize(
    "literal",
    [
        f'"postgresql://app:{SECRET[:4]}" "{SECRET[4:]}@localhost"',
        f'"postgresql://app:" + "{SECRET}@localhost"',
        r'"postgresql://app:kestrel\x2dtango@localhost"',
        f'"postgresql://app:{SECRET}@{SECRET}.example.com"',
    ],
)
def test_where_a_password_is_not_plain_the_literal_is_masked(literal: str) -> None:
    (one,) = facts(f"URL = {literal}\n")
    assert one.secrets == (Span(1, 7, 1, 7 + len(literal)),)


def test_a_mask_keeps_the_columns() -> None:
    data = 'x = "ä\U0001f600b"  # ä\n'.encode()
    assert redacted(data, [Span(1, 6, 1, 10)]).decode() == 'x = "****"  # ä\n'
    latin = '# coding: latin-1\nx = "ä"\n'.encode("latin-1")
    assert redacted(latin, [Span(2, 6, 2, 7)]).decode() == '# coding: latin-1\nx = "*"\n'
    assert redacted(b"\xff", [Span(1, 1, 1, 2)]) == b""
    assert redacted(b"x\n", [Span(7, 1, 7, 2)]) == b""


PROJECT = {
    "app/storage/store.py": f'import sqlite3; URL = "postgresql://app:{SECRET}@localhost"\n',
    "app/jobs.py": (
        "import sqlite3\n"
        f'URL = "postgresql://app:{SECRET}@localhost"; import psycopg; c = sqlite3.connect(URL)\n'
        f'connect(url="mysql://app:{SECRET}@db",\n    more="redis://:{SECRET}@cache/0",\n)\n'
        f'c.execute("SELECT 1", "postgresql://app:{SECRET}@localhost")\n'
        f'OLD = "mysql://app:{SECRET}@db"  # dal-audit: allow[connection-url] rotated\n'
    ),
    "app/settings.py": f'import sqlite3; URL = "postgresql://app:{SECRET}@localhost"\n',
}


QUOTING = {"text", "sarif", "html"}
"""The formats that show lines of source."""


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("select", [("DAL",), ("DAL101",)])
def test_no_report_prints_a_password(form: str, select: tuple[str, ...], tmp_path: Path) -> None:
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    report = audit(Request(folder=tmp_path, select=select))
    assert {one.place.path for one in report.findings} == {"app/jobs.py", "app/settings.py"}
    for shown in (False, True):
        text = render(report, form, show_suppressed=shown)  # type: ignore[arg-type]
        assert SECRET not in text
        assert ("*" * len(SECRET) in text) == (form in QUOTING)
    assert SECRET not in repr(report)


def test_a_password_makes_an_error_of_a_warning(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        f'A = "mysql://db/app"\nB = "mysql://app:{SECRET}@db/app"\n', encoding="utf-8"
    )
    report = audit(Request(folder=tmp_path, select=("DAL109",)))
    assert [one.severity for one in report.findings] == ["warning", "error"]
    assert all("a MySQL URL" in one.breach.message for one in report.findings)


def test_schemes_follow_the_drivers_in_force() -> None:
    assert {"postgresql", "redis", "mongodb"} <= schemes_in_force(CATALOGUE).keys()
    only_sql = schemes_in_force(catalogue_in_force(only=["sqlalchemy"]))
    assert "mysql" in only_sql
    assert "redis" not in only_sql
    assert not schemes_in_force(catalogue_in_force(only=["pymemcache"]))


def test_the_schemes_name_drivers_that_exist() -> None:
    known = {driver.name for driver in shipped_drivers()}
    names = [name for row in shipped_schemes() for name in row.names]
    assert len(names) == len(set(names))
    for row in shipped_schemes():
        assert set(row.drivers) <= known
        assert row.source.startswith("https://")


@pytest.mark.parametrize(
    "source",
    [
        '"""Use postgresql://localhost/app."""\n',
        '# "x" or postgresql://localhost\nx = 1\n',
        'x = "https://example.com"\n',
    ],
)
def test_files_without_a_url_are_ruled_out_by_their_bytes(source: str) -> None:
    assert not Prefilter(CATALOGUE).signals(searchable(source.encode()))
    assert not facts(source)
