"""Which rules run, how grave they are, and where they are ignored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dal_audit.policy import (
    Policy,
    RuleNames,
    per_file_ignored,
    rules_in_force,
    selects,
    severity_of,
)

ROOT = Path("/project")
RULES = (
    ("DAL101", "driver-import", True),
    ("DAL102", "dynamic-driver-import", True),
    ("DAL110", "state-holds-connection", True),
    ("DAL301", "placeholder-style", True),
    ("DAL309", "silent-divergence", False),
    ("DAL901", "unreadable-file", True),
)
DEFAULT = {"101", "102", "110", "301", "901"}
ALL = DEFAULT | {"309"}


def running(policy: dict[str, Any], **options: Any) -> set[str]:
    """Return the numbers of the rules that run."""
    rules = rules_in_force(Policy(ROOT, **policy), RULES, **options)
    return {rule.removeprefix("DAL") for rule in rules}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, DEFAULT),
        ({"select": ()}, set()),
        ({"select": ("DAL",)}, ALL),
        ({"select": ("DAL3",)}, {"301", "309"}),
        ({"select": ("DAL10", "DAL901")}, {"101", "102", "901"}),
        ({"extend_select": ("DAL309",)}, ALL),
        ({"select": ("DAL9",), "extend_select": ("DAL3",)}, {"301", "309", "901"}),
        ({"select": (), "extend_select": ("DAL101",)}, {"101"}),
        ({"ignore": ("DAL1",)}, {"301", "901"}),
        ({"ignore": ("DAL",)}, set()),
        ({"select": ("DAL1",), "ignore": ("DAL1",)}, set()),
        ({"select": ("DAL10",), "ignore": ("DAL1",)}, {"101", "102"}),
        ({"select": ("DAL1",), "ignore": ("DAL10",)}, {"110"}),
        ({"select": ("DAL101",), "ignore": ("DAL", "DAL1", "DAL10")}, {"101"}),
        ({"select": ("DAL101", "DAL1"), "ignore": ("DAL101",)}, {"102", "110"}),
        ({"extend_select": ("DAL101",), "ignore": ("DAL1",)}, {"101", "301", "901"}),
        ({"severity": (("DAL101", "off"),)}, DEFAULT - {"101"}),
        ({"severity": (("DAL1", "off"), ("DAL101", "info"))}, {"101", "301", "901"}),
        ({"select": ("DAL101",), "severity": (("DAL", "off"),)}, set()),
    ],
)
def test_the_policy_selects(policy: dict[str, Any], expected: set[str]) -> None:
    """The most specific selector decides, `ignore` in a tie, and `off` is off."""
    assert running(policy) == expected


@pytest.mark.parametrize(
    ("policy", "options", "expected"),
    [
        ({}, {"select": ["driver-import", "DAL3"]}, {"101", "301", "309"}),
        ({}, {"select": []}, set()),
        ({}, {"ignore": ["driver-import"]}, DEFAULT - {"101"}),
        ({}, {"extend_select": ["silent-divergence"]}, ALL),
        ({"select": ("DAL1",)}, {"select": ["DAL9"]}, {"901"}),
        ({"extend_select": ("DAL1",)}, {"select": ["DAL9"]}, {"901"}),
        ({"select": ("DAL101",)}, {"ignore": ["DAL1"]}, set()),
        ({"ignore": ("DAL101",)}, {"extend_select": ["DAL1"]}, DEFAULT),
        ({"ignore": ("DAL101",)}, {"select": ["DAL1"]}, {"102", "110"}),
        ({"ignore": ("DAL101",)}, {"select": ["DAL101"]}, {"101"}),
        ({"ignore": ("DAL1",)}, {"select": ["DAL101"]}, {"101"}),
        ({}, {"select": ["DAL1"], "ignore": ["DAL1"]}, set()),
        ({}, {"select": ["DAL1"], "extend_select": ["DAL301"]}, {"101", "102", "110", "301"}),
        ({"severity": (("DAL101", "off"),)}, {"select": ["DAL101"]}, set()),
    ],
)
def test_the_command_line_is_laid_over_the_policy(
    policy: dict[str, Any], options: dict[str, Any], expected: set[str]
) -> None:
    """Its `select` replaces the policy's, whose `ignore` yields only to one as specific."""
    assert running(policy, **options) == expected


@pytest.mark.parametrize("option", ["select", "ignore", "extend_select"])
def test_an_unknown_rule_on_the_command_line(option: str) -> None:
    """It is refused with a hint, not passed over."""
    with pytest.raises(ValueError, match="unknown rule `driver-imprt`; did you mean `driver-imp"):
        running({}, **{option: ["driver-imprt"]})


def test_order_does_not_matter() -> None:
    """Selectors compete by length alone."""
    one = {"select": ("DAL101", "DAL3"), "ignore": ("DAL301", "DAL")}
    other = {"select": ("DAL3", "DAL101"), "ignore": ("DAL", "DAL301")}
    assert running(one) == running(other) == {"101", "309"}


@pytest.mark.parametrize(
    ("text", "selector"),
    [
        ("DAL101", "DAL101"),
        ("driver-import", "DAL101"),
        ("DAL", "DAL"),
        ("DAL1", "DAL1"),
        ("DAL30", "DAL30"),
        ("DA", None),
        ("", None),
        ("dal101", None),
        ("DAL2", None),
        ("DAL1011", None),
        ("driver", None),
        ("ALL", None),
    ],
)
def test_selectors(text: str, selector: str | None) -> None:
    """Ids, names, and prefixes of ids with all their letters, written as in the rule book."""
    names = RuleNames((rule, name) for rule, name, _ in RULES)
    assert names.selector(text) == selector


def test_unknown_rules_are_explained() -> None:
    """A slip of the pen is guessed, also in case; what is like nothing is not."""
    names = RuleNames((rule, name) for rule, name, _ in RULES)
    assert names.unknown("dal101") == "unknown rule `dal101`; did you mean `DAL101`?"
    assert names.unknown("placeholder_style").endswith("; did you mean `placeholder-style`?")
    assert names.unknown("xyz") == "unknown rule `xyz`"


def test_severity() -> None:
    """The most specific entry decides; without one, the rule's own severity stands."""
    policy = Policy(ROOT, severity=(("DAL101", "info"), ("DAL1", "warning"), ("DAL", "off")))
    assert severity_of(policy, "DAL101", "error") == "info"
    assert severity_of(policy, "DAL102", "error") == "warning"
    assert severity_of(policy, "DAL901", "error") == "off"
    assert severity_of(Policy(ROOT), "DAL901", "warning") == "warning"


def test_selects() -> None:
    """A selector selects what begins with it."""
    assert selects("DAL1", "DAL101")
    assert not selects("DAL101", "DAL102")


def test_per_file_ignores() -> None:
    """All entries that cover a file add up."""
    ignores = (("tests", ("DAL1",)), ("*.pyi", ("DAL301",)), ("src/a/**", ("DAL9", "DAL102")))
    ignored = per_file_ignored(Policy(ROOT, per_file_ignores=ignores))
    assert ignored("tests/x.py", "DAL101")
    assert ignored("src/tests/x.py", "DAL110")
    assert not ignored("tests/x.py", "DAL301")
    assert ignored("tests/x.pyi", "DAL301")
    assert ignored("tests/x.pyi", "DAL101")
    assert ignored("src/a/b.py", "DAL901")
    assert ignored("src/a/b.py", "DAL102")
    assert not ignored("src/a/b.py", "DAL101")
    assert not ignored("b/src/a/b.py", "DAL901")
    assert not per_file_ignored(Policy(ROOT))("a.py", "DAL101")
