"""`dal-audit explain` and `dal-audit rules`: the rule book on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dal_audit.rulebook import Rule, rules


def explain_rules(wanted: Iterable[Rule], form: str) -> str:
    """Return rules' documents as text, as Markdown or as JSON."""
    if form == "json":
        return json.dumps([_record(rule, whole=True) for rule in wanted], indent=2) + "\n"
    if form == "markdown":
        return "\n".join(rule.text.strip() + "\n" for rule in wanted)
    return "\n".join(f"{_head(rule)}\n\n{rule.text.strip()}\n" for rule in wanted)


def list_rules(form: str) -> str:
    """Return a line a rule, or JSON."""
    if form == "json":
        return json.dumps([_record(rule, whole=False) for rule in rules()], indent=2) + "\n"
    names = max(len(rule.name) for rule in rules())
    lines = [
        f"{rule.id}  {rule.name:<{names}}  {rule.severity:<7}  {', '.join(rule.clauses)}"
        for rule in rules()
    ]
    return "\n".join(lines) + "\n"


def _head(rule: Rule) -> str:
    return (
        f"{rule.id} {rule.name} · {rule.severity} · confidence {rule.confidence} · "
        f"{', '.join(rule.languages)} · {', '.join(rule.clauses)} · since {rule.since}"
    )


def _record(rule: Rule, *, whole: bool) -> dict[str, object]:
    record: dict[str, object] = {
        "id": rule.id,
        "name": rule.name,
        "severity": rule.severity,
        "confidence": rule.confidence,
        "languages": list(rule.languages),
        "clauses": list(rule.clauses),
        "since": rule.since,
        "summary": rule.summary,
    }
    return record | {"sections": dict(rule.sections)} if whole else record
