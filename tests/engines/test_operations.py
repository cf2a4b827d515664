"""The catalogue of operations says what the tools do: every example is run on both engines."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import make_url

from dal_audit.catalogue.operations import ALEMBIC, DJANGO, OperationForm, forms
from dal_audit.fix.rewrite import amended
from dal_audit.judge.breach import Finding
from tests.engines import django_operations
from tests.engines.alembic_operations import TABLES, AlembicEngine
from tests.engines.operation_rows import examples, failures, findings_of, flaw_of

HEAD = """\
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql, postgresql, sqlite

revision = "{own}"
down_revision = {before}


def upgrade():
{body}


def downgrade():
    pass
"""
MIGRATION = """\
{imports}

class Migration(migrations.Migration):
    {head}
    operations = [{operations}]
"""


@pytest.fixture(scope="module")
def alembic_engines(server: str) -> Iterator[Mapping[str, AlembicEngine]]:
    """Both engines, with their newest drivers."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    engines = (
        AlembicEngine("sqlite", "sqlite://"),
        AlembicEngine("postgresql", url.render_as_string(hide_password=False)),
    )
    yield {engine.name: engine for engine in engines}
    for engine in engines:
        engine.dispose()


def test_every_example_does_with_alembic_what_its_row_says(
    alembic_engines: Mapping[str, AlembicEngine],
) -> None:
    def flaw(form: OperationForm, engine: str, example: str) -> str:
        if engine in (form.extension or {}):
            return ""
        first, again = alembic_engines[engine].outcomes(form.setup, example)
        is_taken = bool(form.library) or bool(form.engines.get(engine, True))
        if bool(first) == is_taken:
            return first or "takes it"
        said = (form.again or {}).get(engine)
        is_other = not first and said is not None and (said == "fails") != bool(again)
        return f"again {again or 'runs'}" if is_other else ""

    wrong = failures(ALEMBIC, alembic_engines, flaw)
    assert not wrong, "\n".join(wrong)


def test_what_is_written_instead_is_taken_by_all(
    alembic_engines: Mapping[str, AlembicEngine], tmp_path: Path
) -> None:
    findings = findings_of(ALEMBIC, tmp_path, _write_alembic, "second.py")
    wrong, fixed = [], set()
    for name, form, example in examples(ALEMBIC):
        for finding in findings.get(name, ()):
            fix = finding.breach.fix
            if fix is None or form.extension or form.rule != finding.rule.id:
                continue
            if not form.fixes and form.rule != "DAL404":
                continue  # Another form of the same rule says what is written.
            before = (tmp_path / finding.place.path).read_bytes()
            text = amended(before, [fix], is_script=False).decode()
            ast.parse(text)
            body = text.partition("def upgrade():\n")[2].partition("\n\n\ndef")[0]
            fixed.add(form.id)
            for engine in alembic_engines.values():
                said = engine.outcomes("", body)[0 if form.fixes else 1]
                wrong += [f"{form.id}: {engine.name}: {example}: {said}"] if said else []
    assert not wrong, "\n".join(wrong)
    assert fixed >= {form.id for form in forms(ALEMBIC) if form.fixes and not form.extension}


def test_every_example_does_with_django_what_its_row_says(server: str, tmp_path: Path) -> None:
    django_operations.configure(make_url(server), tmp_path / "shop.sqlite")

    def flaw(form: OperationForm, engine: str, example: str) -> str:
        if form.unproved or engine in (form.extension or {}):
            return ""
        error = django_operations.error_of(engine, example, is_taken_back=form.is_taken_back)
        is_newer = django_operations.is_at_least(form.library)
        is_taken = is_newer or django_operations.takes(engine, form.engines[engine])
        return (error or "takes it") if bool(error) == is_taken else ""

    wrong = failures(DJANGO, ("sqlite", "postgresql"), flaw)
    assert not wrong, "\n".join(wrong)


def _write_alembic(folder: Path, form: OperationForm, example: str) -> None:
    """Write an environment with two revisions: the tables, and the example."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "env.py").write_text(
        "from alembic import context\n\ntarget_metadata = None\n"
    )
    (versions.parent / "script.py.mako").write_text("")
    tables = "\n".join(f"op.execute({table!r})" for table in TABLES)
    body = f"{form.setup}\n{example}" if form.setup else example
    for own, before, text in (("first", None, tables), ("second", "first", body)):
        code = textwrap.indent(text, "    ")
        module = HEAD.format(own=own, before=repr(before), body=code)
        (versions / f"{own}.py").write_text(module)


def _write_django(folder: Path, form: OperationForm, example: str) -> None:
    """Write an app with two migrations: the tables, and the example."""
    head = 'dependencies = [("shop", "0001_first")]'
    head += "\n    atomic = False" if "!atomic" in form.marks else ""
    own = folder / "shop" / "migrations"
    own.mkdir(parents=True)
    tables = ", ".join(django_operations.operations_of(django_operations.TABLES))
    for name, said, operations in (
        ("0001_first", "initial = True", tables),
        ("0002_second", head, example),
    ):
        module = MIGRATION.format(
            imports=django_operations.IMPORTS, head=said, operations=operations
        )
        (own / f"{name}.py").write_text(module)


def test_the_audit_says_of_alembic_what_the_rows_say(tmp_path: Path) -> None:
    wrong = []
    findings = findings_of(ALEMBIC, tmp_path, _write_alembic, "second.py")
    for name, form, example in examples(ALEMBIC):
        own = findings.get(name, [])
        flaw = flaw_of(form, own)
        later = {engine for engine, said in (form.again or {}).items() if said == "fails"}
        failing = _failing_again(own)
        if failing != later and not form.unseen:
            flaw = flaw or f"fails again on {sorted(failing)}"
        wrong += [f"{form.id}: {example}: {flaw}"] if flaw else []
    assert not wrong, "\n".join(wrong)


def _failing_again(findings: list[Finding]) -> set[str]:
    """Return the engines on which a second run fails."""
    return {
        engine
        for finding in findings
        if finding.rule.id == "DAL404"
        for engine in finding.breach.fails_later_on
    }


def test_the_audit_says_of_django_what_the_rows_say(tmp_path: Path) -> None:
    wrong = []
    findings = findings_of(DJANGO, tmp_path, _write_django, ".py")
    for name, form, example in examples(DJANGO):
        own = findings.get(name, [])
        flaw = flaw_of(form, own)
        unguarded = [finding for finding in own if "no guards" in finding.breach.message]
        if len(unguarded) != 1:
            flaw = flaw or f"{len(unguarded)} findings of its set"
        wrong += [f"{form.id}: {example}: {flaw}"] if flaw else []
    assert not wrong, "\n".join(wrong)
