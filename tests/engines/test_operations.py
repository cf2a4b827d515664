"""The catalogue of operations says what the tools do: every example is run on both engines."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import make_url

from dal_audit.audit import audit
from dal_audit.catalogue.operations import ALEMBIC, OperationForm, forms
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request
from tests.engines.alembic_operations import TABLES, AlembicEngine

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


@pytest.fixture(scope="module")
def alembic_engines(server: str) -> Iterator[tuple[AlembicEngine, ...]]:
    """Both engines, with their newest drivers."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    engines = (
        AlembicEngine("sqlite", "sqlite://"),
        AlembicEngine("postgresql", url.render_as_string(hide_password=False)),
    )
    yield engines
    for engine in engines:
        engine.dispose()


def _is_installed(form: OperationForm, engine: str) -> bool:
    """Return whether a form can be run: an extension may be missing, a library be too new."""
    return engine not in (form.extension or {})


def test_every_example_does_on_the_engines_what_its_row_says(
    alembic_engines: tuple[AlembicEngine, ...],
) -> None:
    wrong = []
    runs = 0
    for engine in alembic_engines:
        for form in forms(ALEMBIC):
            for example in form.examples if _is_installed(form, engine.name) else ():
                first, again = engine.outcomes(form.setup, example)
                runs += 1
                if bool(first) == _takes(form, engine.name):
                    wrong.append(f"{form.id}: {engine.name} {example}: {first or 'takes it'}")
                elif not first and _again(form, engine.name, again):
                    wrong.append(f"{form.id}: {engine.name} {example}: again {again or 'runs'}")
    print(f"{len(forms(ALEMBIC))} rows, {runs} runs")
    assert not wrong, "\n".join(wrong)


def _takes(form: OperationForm, engine: str) -> bool:
    """Return whether an engine takes a form with the newest library."""
    return bool(form.library) or bool(form.engines.get(engine, True))


def _again(form: OperationForm, engine: str, error: str) -> bool:
    """Return whether a second run is another than the row says; `changes` is one that runs."""
    said = (form.again or {}).get(engine)
    return said is not None and (said == "fails") != bool(error)


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Finding]]:
    """What the audit says of each example, by the name of its folder."""
    root = tmp_path_factory.mktemp("operations")
    (root / "dal-audit.toml").write_text('storage = ["**"]\nsource-roots = ["."]\n')
    for name, form, example in _examples():
        _write(root / name / "migrations", form, example)
    report = audit(Request((str(root),), root))
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        if finding.place.path.endswith("second.py"):
            found.setdefault(finding.place.path.partition("/")[0], []).append(finding)
    return found


def _examples() -> Iterator[tuple[str, OperationForm, str]]:
    for row, form in enumerate(forms(ALEMBIC)):
        for number, example in enumerate(form.examples):
            yield f"form_{row}_{number}", form, example


def _write(folder: Path, form: OperationForm, example: str) -> None:
    """Write an environment with two revisions: the tables, and the example."""
    versions = folder / "versions"
    versions.mkdir(parents=True)
    (folder / "env.py").write_text("from alembic import context\n")
    (folder / "script.py.mako").write_text("")
    tables = "\n".join(f"op.execute({table!r})" for table in TABLES)
    body = f"{form.setup}\n{example}" if form.setup else example
    for own, before, text in (("first", None, tables), ("second", "first", body)):
        code = textwrap.indent(text, "    ")
        module = HEAD.format(own=own, before=repr(before), body=code)
        (versions / f"{own}.py").write_text(module)


def test_the_audit_says_of_every_example_what_its_row_says(
    findings: Mapping[str, list[Finding]],
) -> None:
    wrong = []
    for name, form, example in _examples():
        own = findings.get(name, [])
        rejecting = {engine for finding in own for engine in finding.breach.fails_on or ()}
        expected = {engine for engine, taken in form.engines.items() if not taken}
        if form.unseen:
            expected &= rejecting
        if rejecting != expected:
            wrong.append(f"{form.id}: {example}: rejected by {sorted(rejecting)}")
        elif form.rule == "DAL309" and not any(finding.rule.id == "DAL309" for finding in own):
            wrong.append(f"{form.id}: {example}: no divergence is told")
        failing = {
            engine
            for finding in own
            if finding.rule.id == "DAL404"
            for engine in finding.breach.fails_later_on
        }
        later = {engine for engine, said in (form.again or {}).items() if said == "fails"}
        if failing != later and not form.unseen:
            wrong.append(f"{form.id}: {example}: fails again on {sorted(failing)}")
    assert not wrong, "\n".join(wrong)
