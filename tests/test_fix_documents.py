"""What the documents show of their rules' fixes is what `--fix` and `--unsafe-fixes` write."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dal_audit.catalogue.rulebook import find_rule, rules
from dal_audit.commands.fix import fixed, write_changes
from dal_audit.judge.breach import Finding
from tests.examples import Example, audit_example, mended_examples

SAFE = "By `--fix`"
UNSAFE = "By `--unsafe-fixes`"
KINDS = {"": frozenset[str](), "safe": frozenset({SAFE}), "unsafe": frozenset({UNSAFE})}


@pytest.mark.parametrize("example", mended_examples(), ids=str)
def test_fixes_write_what_the_documents_show(example: Example, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)  # Nothing in it is released.
    differences = example.differences(audit_example(example, tmp_path))
    assert not differences, "\n".join([str(example), *differences])
    rule = find_rule(Path(example.document).stem)
    assert rule is not None

    def is_own(finding: Finding, _diff: object) -> bool:
        return finding.rule == rule

    result = fixed(example.request(tmp_path), unsafe=example.title == UNSAFE, accepts=is_own)
    assert result.refused == ()
    write_changes(result.changes)
    expected = {**example.files, **example.afterwards}
    assert {path: (tmp_path / path).read_bytes() for path in expected} == expected
    kept = {mark: n for mark, n in example.marks.items() if mark.path not in example.afterwards}
    marks = example.marks_afterwards.copy()
    marks.update(kept)
    assert example.compared(result.report, marks) == []


def test_all_rules_with_fixes_show_what_these_do() -> None:
    """A rule with safe fixes may have others, too; what is shown twice would be one test."""
    shown: dict[str, set[str]] = {}
    for example in mended_examples():
        assert example.title in {SAFE, UNSAFE}, str(example)
        assert example.afterwards, f"{example}: nothing is changed"
        assert example.title not in shown.setdefault(example.document, set()), str(example)
        shown[example.document].add(example.title)
    for rule in rules():
        titles = shown.get(rule.file.name, set())
        assert KINDS[rule.fix] <= titles, rule.name
        assert rule.fix == "safe" or SAFE not in titles, rule.name
        assert rule.fix or not titles, rule.name
