"""`dal-audit explain` and `dal-audit rules`: the rule book on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from dal_audit.catalogue.rulebook import Clause, Fixes, Rule, clauses, find_rule, rules
from dal_audit.commands.markdown import render_markdown
from dal_audit.report.terminal import PLAIN, Look, Paint, width

PIPED: Final = 88
"""How wide text is that no terminal shows."""

WIDEST: Final = 100
"""The longest line that is read with ease."""

SHORTEST_SUMMARY: Final = 20
"""The room below which the list of rules leaves summaries out."""

FIXES: Final[Mapping[Fixes, Sequence[str]]] = {
    "": (),
    "safe": ("--fix",),
    "unsafe": ("--fix --unsafe-fixes",),
}
"""What to say of whether a program can fix a rule's findings."""

Topic: TypeAlias = Rule | Clause


def topics(word: str) -> Sequence[Topic]:
    """Return what a word asks for: a rule, all rules of a prefix of ids (`DAL1`), or a clause."""
    rule = find_rule(word)
    if rule is not None:
        return [rule]
    word = word.strip().upper()
    if word.startswith("DAL"):
        return [one for one in rules() if one.id.startswith(word)]
    return [one for one in clauses() if one.id == word]


def explain_topics(wanted: Iterable[Topic], form: str, look: Look = PLAIN) -> str:
    """Return rules' documents and clauses, each once, as text, as Markdown or as JSON."""
    once = {one.id: one for one in wanted}.values()
    if form == "json":
        return json.dumps([_record(one, whole=True) for one in once], indent=2) + "\n"
    if form == "markdown":
        return "\n".join(_document(one) for one in once)
    paint = Paint(look)
    columns = min(WIDEST, look.columns or PIPED)
    return f"\n{paint('─' * min(columns, PIPED), 'faint')}\n\n".join(
        f"{_head(one, paint)}\n\n{render_markdown(_body(one), paint, columns)}" for one in once
    )


def list_rules(form: str, *, room: int = 0) -> str:
    """Return a line a rule, a table in Markdown, or JSON.

    Lines are cut at `room`, the width of the terminal; 0 cuts none.
    """
    if form == "json":
        return json.dumps([_record(rule, whole=False) for rule in rules()], indent=2) + "\n"
    if form == "markdown":
        return "".join(f"{line}\n" for line in _table())
    names = max(len(rule.name) for rule in rules())
    laws = max(len(", ".join(rule.clauses)) for rule in rules())
    lines = []
    for rule in rules():
        law = ", ".join(rule.clauses)
        fix = f"fix {rule.fix}" if rule.fix else ""
        lead = f"{rule.id}  {rule.name:<{names}}  {rule.severity:<7}  {fix:<10}  {law:<{laws}}"
        lines.append(_cut(lead, rule.summary, room))
    return "".join(lines)


def _cut(lead: str, summary: str, room: int) -> str:
    left = room - len(lead) - 2
    if room and left < SHORTEST_SUMMARY:
        return f"{lead.rstrip()}\n"
    if room and width(summary) > left:
        while width(summary) > left - 1:
            summary = summary[:-1]
        summary = f"{summary.rstrip()}…"
    return f"{lead}  {summary}\n"


def _table() -> Iterator[str]:
    yield "| id | name | severity | fix | clause | what it reports |"
    yield "|---|---|---|---|---|---|"
    for rule in rules():
        summary = rule.summary.replace("|", "\\|")
        law = ", ".join(rule.clauses)
        cells = (rule.id, rule.name, rule.severity, rule.fix, law, summary)
        yield f"| {' | '.join(cells)} |"


def _head(one: Topic, paint: Paint) -> str:
    if isinstance(one, Clause):
        return paint(f"{one.id} {one.title}", "strong")
    about = (
        one.severity,
        f"confidence {one.confidence}",
        ", ".join(one.languages),
        ", ".join(one.clauses),
        f"since {one.since}",
        *FIXES[one.fix],
    )
    return f"{paint(f'{one.id} {one.name}', 'strong')}\n{paint(' · '.join(about), 'faint')}"


def _document(one: Topic) -> str:
    """Return a topic in Markdown."""
    if isinstance(one, Rule):
        return one.text.strip() + "\n"
    return f"# {one.id} {one.title}\n\n{_body(one).strip()}\n"


def _body(one: Topic) -> str:
    """Return a topic in Markdown, without its title."""
    if isinstance(one, Rule):
        return one.text.strip().partition("\n")[2]
    enforcing = [f"- `{rule.id}` {rule.name}" for rule in rules() if one.id in rule.clauses]
    return "\n".join([one.text, "", *(enforcing or ["No rule enforces it yet."])])


def _record(one: Topic, *, whole: bool) -> dict[str, object]:
    if isinstance(one, Clause):
        enforcing = [rule.id for rule in rules() if one.id in rule.clauses]
        return {"id": one.id, "title": one.title, "text": one.text, "rules": enforcing}
    record: dict[str, object] = {
        "id": one.id,
        "name": one.name,
        "severity": one.severity,
        "confidence": one.confidence,
        "languages": list(one.languages),
        "clauses": list(one.clauses),
        "since": one.since,
        "fix": one.fix or None,
        "summary": one.summary,
    }
    return record | {"sections": dict(one.sections)} if whole else record
