"""`explain` and `rules`: the rule book on a terminal, and Markdown as text."""

from __future__ import annotations

import json
import re

import pytest

from dal_audit.catalogue.rulebook import clauses, rules
from dal_audit.commands.explain import explain_topics, list_rules, topics
from dal_audit.commands.markdown import render_markdown
from dal_audit.report.terminal import Paint, TerminalStyle, width

PLAIN, COLORED = Paint(TerminalStyle()), Paint(TerminalStyle(color=True))
ANSI = re.compile(r"\x1b\[[0-9;]*m")
DOCUMENT = """\
# Title

A paragraph with `code of several words`, and a [link](https://example.org) that is long enough
to be wrapped.

## Section

- one
  goes on
- two [other](other.md)

1. first

`app/x.py`
```python
import sqlite3  # DAL101

long = "a line of code that is far too long for the terminal that it is shown on, and not cut"
```

| a | much |
|---|---|
| `x` | words that are so many that they do not fit on the line that they begin on |
| y | |
"""


def test_blocks_are_laid_out() -> None:
    assert render_markdown(DOCUMENT, PLAIN, 50) == (
        "Title\n"
        "\n"
        "  A paragraph with `code of several words`, and a\n"
        "  link (https://example.org) that is long enough\n"
        "  to be wrapped.\n"
        "\n"
        "Section\n"
        "  • one goes on\n"
        "  • two other\n"
        "  1. first\n"
        "\n"
        "  `app/x.py`\n"
        "    import sqlite3  # DAL101\n"
        "\n"
        '    long = "a line of code that is far too long for the terminal that it is shown on, '
        'and not cut"\n'
        "\n"
        "  a    much\n"
        "  `x`  words that are so many that they do not fit\n"
        "       on the line that they begin on\n"
        "  y\n"
    )


def test_colour_changes_nothing_but_backticks() -> None:
    colored = render_markdown(DOCUMENT, COLORED, 50)
    assert "\x1b[1;31m# DAL101\x1b[0m" in colored
    bare = ANSI.sub("", colored)
    assert "`" not in bare
    wide = render_markdown(DOCUMENT, PLAIN, 1000).replace("`", "").split()
    assert bare.split() == wide


@pytest.mark.parametrize("columns", [1, 40, 88, 100])
def test_no_paragraph_of_the_rule_book_is_wider_than_the_terminal(columns: int) -> None:
    for rule in rules():
        text = re.sub(r"```.*?```|^#.*?$", "", rule.text, flags=re.DOTALL | re.MULTILINE)
        rendered = render_markdown(text, COLORED, columns)
        for line in ANSI.sub("", rendered).splitlines():
            longest = max(map(width, line.split()), default=0)
            assert width(line) <= max(columns, 28, longest + 6), (rule.name, line)


def test_nothing_of_a_document_is_lost() -> None:
    for rule in rules():
        shown = explain_topics([rule], "text")
        for line in rule.text.splitlines():
            text = re.sub(
                r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"^(#+ |- |\d+\. |```.*)", "", line)
            )
            for word in text.strip("|").split():
                assert word in shown or set(word) <= {"|", "-"}, (rule.name, word)


@pytest.mark.parametrize(
    ("word", "ids"),
    [
        ("DAL101", ["DAL101"]),
        ("Driver-Import", ["DAL101"]),
        ("dal90", [one.id for one in rules() if one.id > "DAL900"]),
        ("cx-dbp-012", ["CX-DBP-012"]),
        ("DAL", [rule.id for rule in rules()]),
        ("D", []),
        ("", []),
        ("DAL999", []),
    ],
)
def test_a_word_asks_for_rules_or_a_clause(word: str, ids: list[str]) -> None:
    assert [one.id for one in topics(word)] == ids


def test_a_rule_that_is_asked_for_twice_is_explained_once() -> None:
    twice = [*topics("DAL101"), *topics("driver-import")]
    assert len(json.loads(explain_topics(twice, "json"))) == 1


def test_a_clause_names_the_rules_that_enforce_it() -> None:
    for clause in clauses():
        text = explain_topics([clause], "text")
        (record,) = json.loads(explain_topics([clause], "json"))
        assert all(rule in text for rule in record["rules"])
        assert record["rules"] or "No rule enforces it yet." in text
        assert explain_topics([clause], "markdown").startswith(f"# {clause.id} ")


@pytest.mark.parametrize("room", [30, 80, 100, 140, 200])
def test_the_list_of_rules_fits_the_terminal(room: int) -> None:
    lines = list_rules("text", room=room).splitlines()
    assert len(lines) == len(rules())
    lead = max(line.index("CX-DBP") + len("CX-DBP-011, CX-DBP-030") for line in lines)
    assert max(map(width, lines)) <= max(room, lead)


def test_the_list_of_rules_is_not_cut_without_a_terminal() -> None:
    lines = list_rules("text").splitlines()
    assert all(rule.summary in line for line, rule in zip(lines, rules(), strict=True))


def test_the_list_of_rules_as_markdown_is_a_table() -> None:
    lines = list_rules("markdown").splitlines()
    assert len(lines) == len(rules()) + 2
    assert {re.sub(r"\\\|", "", line).count("|") for line in lines} == {7}
