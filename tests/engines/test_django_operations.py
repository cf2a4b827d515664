"""The catalogue of Django's operations says what Django does: every example is run on both engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import make_url

from dal_audit.audit import audit
from dal_audit.catalogue.operations import DJANGO, OperationForm, forms
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request
from tests.engines.django_operations import IMPORTS, TABLES, configure, error_of, operations_of

FIRST = """\
{imports}

class Migration(migrations.Migration):
    initial = True
    operations = [{operations}]
"""
SECOND = """\
{imports}

class Migration(migrations.Migration):
    dependencies = [("shop", "0001_first")]
    operations = [{operations}]
"""


def test_every_example_does_on_the_engines_what_its_row_says(server: str, tmp_path: Path) -> None:
    configure(make_url(server), tmp_path / "shop.sqlite")
    wrong = []
    runs = 0
    for form in forms(DJANGO):
        for example in () if form.unproved else form.examples:
            for engine, is_taken in form.engines.items():
                error = error_of(engine, example)
                runs += 1
                if bool(error) == is_taken:
                    wrong.append(f"{form.id}: {engine} {example}: {error or 'takes it'}")
    print(f"{len(forms(DJANGO))} rows, {runs} runs")
    assert not wrong, "\n".join(wrong)


def _examples() -> Iterator[tuple[str, OperationForm, str]]:
    for row, form in enumerate(forms(DJANGO)):
        for number, example in enumerate(form.examples):
            yield f"form_{row}_{number}", form, example


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, list[Finding]]:
    """What the audit says of each example, by the name of its folder."""
    root = tmp_path_factory.mktemp("operations")
    (root / "dal-audit.toml").write_text('storage = ["**"]\nsource-roots = ["."]\n')
    tables = ", ".join(operations_of(TABLES))
    for name, _form, example in _examples():
        folder = root / name / "shop" / "migrations"
        folder.mkdir(parents=True)
        first = FIRST.format(imports=IMPORTS, operations=tables)
        (folder / "0001_first.py").write_text(first)
        second = SECOND.format(imports=IMPORTS, operations=example)
        (folder / "0002_second.py").write_text(second)
    report = audit(Request((str(root),), root))
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.place.path.partition("/")[0], []).append(finding)
    return found


def test_the_audit_says_of_every_example_what_its_row_says(
    findings: Mapping[str, list[Finding]],
) -> None:
    wrong = []
    for name, form, example in _examples():
        own = findings.get(name, [])
        rejecting = {engine for finding in own for engine in finding.breach.fails_on or ()}
        expected = {engine for engine, is_taken in form.engines.items() if not is_taken}
        if rejecting != expected:
            wrong.append(f"{form.id}: {example}: rejected by {sorted(rejecting)}")
        elif form.rule == "DAL309" and not any(finding.rule.id == "DAL309" for finding in own):
            wrong.append(f"{form.id}: {example}: no divergence is told")
        unguarded = [finding for finding in own if "no guards" in finding.breach.message]
        if len(unguarded) != 1:
            wrong.append(f"{form.id}: {example}: {len(unguarded)} findings of its set")
    assert not wrong, "\n".join(wrong)
