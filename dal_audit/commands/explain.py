"""`dal-audit explain` and `dal-audit rules`: the rule book on a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from dal_audit.catalogue.rulebook import Clause, Fixes, Rule, clauses, find_rule, rules
from dal_audit.commands.markdown import render_markdown
from dal_audit.report.terminal import PLAIN, Paint, TerminalStyle, width

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
        return [rule for rule in rules() if rule.id.startswith(word)]
    return [clause for clause in clauses() if clause.id == word]


def explain_topics(wanted: Iterable[Topic], form: str, look: TerminalStyle = PLAIN) -> str:
    """Return rules' documents and clauses, each once, as text, as Markdown or as JSON."""
    once = {topic.id: topic for topic in wanted}.values()
    if form == "json":
        return json.dumps([_record(topic, whole=True) for topic in once], indent=2) + "\n"
    if form == "markdown":
        return "\n".join(_document(topic) for topic in once)
    paint = Paint(look)
    columns = min(WIDEST, look.columns or PIPED)
    return f"\n{paint('─' * min(columns, PIPED), 'faint')}\n\n".join(
        f"{_head(topic, paint)}\n\n{render_markdown(_body(topic), paint, columns)}"
        for topic in once
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


def _head(topic: Topic, paint: Paint) -> str:
    if isinstance(topic, Clause):
        return paint(f"{topic.id} {topic.title}", "strong")
    about = (
        topic.severity,
        f"confidence {topic.confidence}",
        ", ".join(topic.languages),
        ", ".join(topic.clauses),
        f"since {topic.since}",
        *FIXES[topic.fix],
    )
    return f"{paint(f'{topic.id} {topic.name}', 'strong')}\n{paint(' · '.join(about), 'faint')}"


def _document(topic: Topic) -> str:
    """Return a topic in Markdown."""
    if isinstance(topic, Rule):
        return topic.text.strip() + "\n"
    return f"# {topic.id} {topic.title}\n\n{_body(topic).strip()}\n"


def _body(topic: Topic) -> str:
    """Return a topic in Markdown, without its title."""
    if isinstance(topic, Rule):
        return topic.text.strip().partition("\n")[2]
    enforcing = [f"- `{rule.id}` {rule.name}" for rule in rules() if topic.id in rule.clauses]
    return "\n".join([topic.text, "", *(enforcing or ["No rule enforces it yet."])])


def _record(topic: Topic, *, whole: bool) -> dict[str, object]:
    if isinstance(topic, Clause):
        enforcing = [rule.id for rule in rules() if topic.id in rule.clauses]
        return {"id": topic.id, "title": topic.title, "text": topic.text, "rules": enforcing}
    record: dict[str, object] = {
        "id": topic.id,
        "name": topic.name,
        "severity": topic.severity,
        "confidence": topic.confidence,
        "languages": list(topic.languages),
        "clauses": list(topic.clauses),
        "since": topic.since,
        "fix": topic.fix or None,
        "summary": topic.summary,
    }
    return record | {"sections": dict(topic.sections)} if whole else record
