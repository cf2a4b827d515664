"""What the rows of operations say, held against what the tools do and what the audit says."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from dal_audit.audit import audit
from dal_audit.catalogue.operations import OperationForm, forms
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request
from tests.sampling import EVERYTHING

_MANY = 40
"""Of how many examples on a row's are drawn."""

CONFIGURATION = 'storage = ["**"]\nsource-roots = ["."]\n'


def examples(tool: str) -> Iterator[tuple[str, OperationForm, str]]:
    """Yield the examples of a tool's rows, each with the name of its folder and its row."""
    for row, form in enumerate(forms(tool)):
        for number, example in enumerate(form.examples):
            yield f"form_{row}_{number}", form, example


def findings_of(
    tool: str, root: Path, write: Callable[[Path, OperationForm, str], None], last: str
) -> Mapping[str, list[Finding]]:
    """Return what the audit says of each example, by the name of its folder.

    `write` makes an example's migrations in its folder; findings of files that end otherwise than
    `last` are left out.
    """
    (root / "dal-audit.toml").write_text(CONFIGURATION)
    for name, form, example in examples(tool):
        write(root / name, form, example)
    found: dict[str, list[Finding]] = {}
    for finding in audit(Request((str(root),), root)).findings:
        if finding.place.path.endswith(last):
            found.setdefault(finding.place.path.partition("/")[0], []).append(finding)
    return found


def flaw_of(form: OperationForm, findings: Sequence[Finding]) -> str:
    """Return in what findings differ from what a row says; empty where in nothing."""
    rejecting = {engine for finding in findings for engine in finding.breach.fails_on or ()}
    expected = {engine for engine, verdict in form.engines.items() if verdict is not True}
    if form.unseen:
        expected &= rejecting
    if rejecting != expected:
        return f"rejected by {sorted(rejecting)}"
    is_told = any(finding.rule.id == "DAL309" for finding in findings)
    return "no divergence is told" if form.rule == "DAL309" and not is_told else ""


def drawn(examples: Sequence[str], share: int = 4) -> Sequence[str]:
    """Return the examples of a row that are run with the tool by day, one in so many, or all."""
    return examples[:: 1 if EVERYTHING or len(examples) < _MANY else share]


def failures(
    tool: str,
    engines: Iterable[str],
    flaw: Callable[[OperationForm, str, str], str],
) -> list[str]:
    """Run every example of a tool on engines; return what is otherwise than its row says."""
    runs = [
        (form, engine, example)
        for engine in engines
        for form in forms(tool)
        for example in drawn(form.examples)
    ]
    print(f"{len(forms(tool))} rows, {len(runs)} runs")
    flaws = ((run, flaw(*run)) for run in runs)
    return [
        f"{form.id}: {engine} {example}: {said}" for (form, engine, example), said in flaws if said
    ]
