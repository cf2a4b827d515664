"""What the documents show is what `--fix`, `--unsafe-fixes` and `fix --downs` write."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.catalogue.rulebook import find_rule, rules
from dal_audit.commands.downs import downs
from dal_audit.commands.fix import fixed, write_changes
from dal_audit.judge.breach import Finding
from dal_audit.replay.run import ReplayRequest
from dal_audit.report.render import Report
from tests.examples import Example, audit_example, mended_examples
from tests.trial_runs import run_in_process

DOWNS = "By `fix --downs`"
SAFE = "By `--fix`"
UNSAFE = "By `--unsafe-fixes`"
KINDS = {"": frozenset[str](), "safe": frozenset({SAFE}), "unsafe": frozenset({UNSAFE})}


def begin(example: Example, root: Path) -> None:
    """Write an example of which nothing is released, and see that what is marked is found."""
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    differences = example.differences(audit_example(example, root))
    assert not differences, "\n".join([str(example), *differences])


@pytest.mark.parametrize(
    "example", [own for own in mended_examples() if own.title != DOWNS], ids=str
)
def test_fixes_write_what_the_documents_show(example: Example, tmp_path: Path) -> None:
    begin(example, tmp_path)
    rule = find_rule(Path(example.document).stem)
    assert rule is not None

    def is_own(finding: Finding, _diff: object) -> bool:
        return finding.rule == rule

    result = fixed(example.request(tmp_path), unsafe=example.title == UNSAFE, accepts=is_own)
    assert result.refused == ()
    write_changes(result.changes)
    compare(example, tmp_path, result.report)


@pytest.mark.parametrize(
    "example", [own for own in mended_examples() if own.title == DOWNS], ids=str
)
def test_downs_are_written_as_the_documents_show(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_in_process(monkeypatch)
    begin(example, tmp_path)
    asked = ReplayRequest(folder=tmp_path)
    write_changes(downs(asked, (".",), lambda *_: None, unsafe=False).changes)
    compare(example, tmp_path, audit(example.request(tmp_path)))


def compare(example: Example, root: Path, report: Report) -> None:
    """See that the files and the findings are those that the document shows afterwards."""
    expected = {**example.files, **example.afterwards}
    assert {path: (root / path).read_bytes() for path in expected} == expected
    kept = {mark: n for mark, n in example.marks.items() if mark.path not in example.afterwards}
    marks = example.marks_afterwards.copy()
    marks.update(kept)
    assert example.compared(report, marks) == []


def test_all_rules_with_fixes_show_what_these_do() -> None:
    """A rule with safe fixes may have others, too; what is shown twice would be one test."""
    shown: dict[str, set[str]] = {}
    for example in mended_examples():
        assert example.title in {DOWNS, SAFE, UNSAFE}, str(example)
        assert example.afterwards, f"{example}: nothing is changed"
        assert example.title not in shown.setdefault(example.document, set()), str(example)
        shown[example.document].add(example.title)
    for rule in rules():
        titles = shown.get(rule.file.name, set()) - {DOWNS}
        assert KINDS[rule.fix] <= titles, rule.name
        assert rule.fix == "safe" or SAFE not in titles, rule.name
        assert rule.fix or not titles, rule.name
