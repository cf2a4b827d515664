"""GitHub's workflow commands: read as a runner reads them, whatever names and messages hold.

What a runner takes for a command is told by `ActionCommand.cs` of actions/runner.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.facts import Place, Span
from dal_audit.judge.breach import Related
from dal_audit.report.github import SHOWN
from dal_audit.report.render import render
from dal_audit.report.terminal import visible
from tests.reports import RULE, finding_of, hostile_report, report_of

TEXT = st.text(st.characters(), max_size=20)


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Return the commands of a log, as `ActionCommand.cs` finds them."""
    found = []
    for line in text.splitlines():
        if line.lstrip().startswith("::") and "::" in line.lstrip()[2:]:
            head, _, data = line.lstrip()[2:].partition("::")
            name, _, rest = head.partition(" ")
            pairs = (pair.split("=", 1) for pair in rest.split(",") if "=" in pair)
            properties = {key: unescaped(value, ":,") for key, value in pairs}
            found.append((name, properties, unescaped(data, "")))
        else:
            old = re.search(r"##\[([^\]]*)\]", line)
            assert old is None, line
    return found


def unescaped(text: str, more: str) -> str:
    """Undo what a value of a command is escaped by."""
    for char in f"\r\n{more}%":
        text = text.replace(f"%{ord(char):02X}", char)
    return text


def test_an_annotation() -> None:
    related = (Related(Place("b.py", Span(3, 1, 3, 4)), "it is used here"),)
    report = report_of(
        finding_of("a,b:c%.py", 7, message="50% of `x`, y", related=related, fails_on=("sqlite",))
    )
    ((name, properties, data),) = commands(render(report, "github"))
    assert name == "error"
    assert properties == {
        "file": "a,b:c%.py",
        "line": "7",
        "endLine": "7",
        "col": "8",
        "endColumn": "15",
        "title": "driver-import (DAL101)",
    }
    assert data.split("\n") == [
        "50% of `x`, y",
        "b.py:3: it is used here",
        "Fails on sqlite.",
        f"Help: {RULE.remedy}",
    ]


def test_columns_are_told_only_of_a_place_on_one_line() -> None:
    ((_, properties, _),) = commands(render(report_of(finding_of(span=Span(1, 8, 3, 2))), "github"))
    assert (properties["line"], properties["endLine"]) == ("1", "3")
    assert not {"col", "endColumn"} & properties.keys()


@pytest.mark.parametrize(
    ("errors", "warnings", "infos"),
    [(10, 10, 10), (11, 0, 0), (3, 25, 0), (0, 0, 11), (12, 12, 12)],
)
def test_what_exceeds_the_limits_is_announced(errors: int, warnings: int, infos: int) -> None:
    found = [
        finding_of(f"{severity}{number}.py", severity=severity)
        for severity, count in (("error", errors), ("warning", warnings), ("info", infos))
        for number in range(count)
    ]
    text = render(report_of(*found), "github")
    told = commands(text)
    kinds = Counter(name for name, _, _ in told)
    assert max(kinds["error"], kinds["warning"], kinds["notice"]) <= SHOWN
    located = {properties["file"] for _, properties, _ in told if "file" in properties}
    titles = [
        properties["title"] for _, properties, _ in told if "file" not in properties and properties
    ]
    left = len(found) - len(located)
    assert bool(left) == bool(titles) == (max(errors, warnings, infos) > SHOWN)
    if left:
        word = "finding" if left == 1 else "findings"
        assert titles == [f"dal-audit: {left} more {word} in the log of this step"]
        inside = text.split("::group::")[1].split("::endgroup::")[0].splitlines()[1:]
        assert len(inside) == left
        assert not [path for path in located if f" {path}:" in "\n".join(inside)]


@pytest.mark.parametrize("trick", ["##[add-mask]x", "::add-mask::x", " ::stop-commands::x"])
@pytest.mark.parametrize("where", ["path", "message"])
def test_the_rest_commands_nothing(trick: str, where: Literal["path", "message"]) -> None:
    last = finding_of(trick) if where == "path" else finding_of("z.py", message=trick)
    first = [finding_of(f" {number}.py") for number in range(SHOWN)]
    text = render(report_of(*first, last), "github")
    told = commands(text)
    assert [name for name, _, _ in told] == ["error"] * SHOWN + ["notice", "group", "endgroup"]
    assert "x" in text.split("::group::")[1]


def test_what_looks_escaped_is_escaped() -> None:
    found = finding_of("a%0A%3Ab.py", message="100%25 of %0A", remedy="c")
    ((_, properties, data),) = commands(render(report_of(found), "github"))
    assert (properties["file"], data) == ("a%0A%3Ab.py", "100%25 of %0A\nHelp: c")


def test_hostile_names_command_nothing() -> None:
    told = commands(render(hostile_report(), "github"))
    assert {name for name, _, _ in told} == {"error", "notice", "group", "endgroup"}
    for name, properties, _ in told:
        assert name != "error" or set(properties) == {
            "file",
            "line",
            "col",
            "endColumn",
            "endLine",
            "title",
        }
        assert properties.get("title", "driver-import").startswith(("driver-import", "dal-audit"))


@settings(max_examples=100)
@given(TEXT, TEXT)
def test_any_name_and_message_survives_as_one_command(path: str, message: str) -> None:
    ((name, properties, data),) = commands(
        render(report_of(finding_of(path or "a", message=message, remedy="c")), "github")
    )
    assert (name, properties["file"]) == ("error", visible(path or "a"))
    assert data == f"{visible(message)}\nHelp: c"
