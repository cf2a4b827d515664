"""Passwords in the files of CI and of tests: none is printed, and what only looks like one is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.extract.secrets import secret_spans, text_for_facts, without_secrets
from dal_audit.policy.request import Request
from dal_audit.report.render import FORMATS, render

SECRET = "kestrel-tango"


@pytest.mark.parametrize(
    "text",
    [
        "URL: postgresql://app:{}@db/app",
        "URLS: postgresql://a:{}@db/a,sqlite://,postgresql://b:{}@db/b",
        "POSTGRES_PASSWORD: {}",
        "POSTGRES_PASSWORD: &pw {}",
        'POSTGRES_PASSWORD: "{}"',
        "POSTGRES_PASSWORD: >-\n  {}",
        "- name: DB_PASSWORD\n  value: {}",
        "PGPASSWORD={} psql -c 'select 1'",
        "docker run -e POSTGRES_PASSWORD='{}' -d postgres",
        "psql --password {}",
        "export DB_PASS={}",
        '"MYSQL_ROOT_PASSWORD": "{}",',
        "PGPASSWORD=${{PGPASSWORD:-{}}}",
        "postgresql://app:${{PW:-{}}}@db",
        'os.environ["PGPASSWORD"] = "{}"',
    ],
)
def test_passwords_are_found(text: str) -> None:
    written = text.format(SECRET, SECRET)
    shown = without_secrets(written)
    assert SECRET not in shown
    assert shown == written.replace(SECRET, "*" * len(SECRET))
    assert len(secret_spans(written)) == written.count(SECRET)


@pytest.mark.parametrize(
    "text",
    [
        "POSTGRES_PASSWORD: postgres",
        "POSTGRES_PASSWORD: ${{ secrets.PG }}",
        "POSTGRES_PASSWORD: $PG",
        "POSTGRES_HOST_AUTH_METHOD: trust",
        "PGPASSWORD=$(cat /run/pw) psql",
        "clear-password: true",
        "POSTGRES_PASSWORD:\n  POSTGRES_USER: app",
        "postgresql://postgres:postgres@localhost/app",
        "https://example.com/a@b",
        "run: echo password",
    ],
)
def test_what_is_no_password_stays(text: str) -> None:
    assert without_secrets(text) == text
    assert secret_spans(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        'item.password = made(\n    password=data["password"],\n)\n',
        "args.append('--password=' + password)\n",
        "args.append('--password=' + password)\nargs.append('--list')\n",
        "run(password=first; other=second)",
        "UPDATE users SET password=old_password; SELECT 1;",
    ],
)
def test_code_is_read_as_it_is_written(text: str) -> None:
    assert text_for_facts(text, is_program=True) == text


@pytest.mark.parametrize(
    "text",
    [
        'x = "host=db password=geheim dbname=a"\n',
        "x = 'Uid=a;Pwd=geheim;'\n",
        '"""\npostgres://a:geheim@h/d\n"""',
        "# password=geheim dbname=x\n",
        "-- password=geheim dbname=x\n",
        "CREATE USER a PASSWORD 'geheim';",
        "x = \"CREATE USER a PASSWORD 'geheim'\"\n",
        "x = 'CREATE USER a PASSWORD \\'geheim\\''\n",
        "x = 'CREATE USER a PASSWORD ''geheim'' '\n",
        "CREATE ROLE a PASSWORD $$geheim$$;",
    ],
)
def test_no_fact_of_a_program_holds_a_password(text: str) -> None:
    hidden = text_for_facts(text, is_program=True)
    assert "geheim" not in hidden
    assert len(hidden) == len(text)


def test_in_a_program_a_password_stands_in_quotes() -> None:
    assert secret_spans("password = os.environ['PW']", is_program=True) == ()
    assert secret_spans(f'password = "{SECRET}"', is_program=True)
    assert secret_spans(f'setenv("PGPASSWORD", "{SECRET}")', is_program=True)


WORKFLOW = f"""\
on: [pull_request]
jobs:
  tests:
    strategy:
      matrix:
        url: ["postgresql://app:{SECRET}@db/app"]
    services:
      db: {{image: "postgres:16", env: {{POSTGRES_PASSWORD: {SECRET}}}}}
    env: {{TEST_URL: "postgresql://app:{SECRET}@db/app"}}
    steps:
      - run: PGPASSWORD={SECRET} pytest || true  # TEST_URL=postgresql://app:{SECRET}@db/app
      - run: echo postgresql://app:{SECRET}@db/app
      - run: docker run -e POSTGRES_PASSWORD={SECRET} -d postgres:16 && psql
      - name: with postgresql://app:{SECRET}@db/app
        run: ./scripts/show.sh postgresql://app:{SECRET}@db/app
"""
PROJECT = {
    "app/storage/__init__.py": "import sqlite3\nimport psycopg\n",
    "tests/test_store.py": (
        "import os, pytest\nimport app.storage\n\n\n"
        f'@pytest.mark.skipif(not os.getenv("PG_URL"), reason="postgresql://app:{SECRET}@db/app")\n'
        f'def test_a():\n    print(os.environ["TEST_URL"], "postgresql://app:{SECRET}@db")\n'
    ),
    "tests/test_one.py": (
        "import app.storage\n\n\n"
        f'def test_b():\n    app.storage.open("postgresql://app:{SECRET}@db/app")\n'
    ),
    "scripts/show.sh": f"echo postgresql://app:{SECRET}@db/app $TEST_URL\npytest || true\n",
    ".github/workflows/a.yml": WORKFLOW,
    ".github/workflows/broken.yml": f"on: [push\nenv: {{PGPASSWORD: {SECRET}}}: postgresql://a:b@\n",
}
LATIN = f"on: push\nenv: {{PGPASSWORD: {SECRET}}}  # \xe4\n".encode("latin-1")


@pytest.mark.parametrize("form", FORMATS)
def test_no_report_prints_a_password_of_ci(form: str, tmp_path: Path) -> None:
    for path, text in PROJECT.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    (tmp_path / ".github/workflows/latin.yml").write_bytes(LATIN)
    report = audit(Request(folder=tmp_path))
    found = {finding.rule.id for finding in report.findings}
    assert {"DAL502", "DAL503", "DAL504", "DAL506", "DAL901"} <= found
    text = render(report, form, show_suppressed=True)  # type: ignore[arg-type]
    assert SECRET not in text
    assert SECRET not in repr(report)
