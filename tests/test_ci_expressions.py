"""GitHub's expressions in three values, and the combinations of a matrix."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.assemble.workflows.matrix import combinations_of
from dal_audit.extract.ci import ci_facts
from dal_audit.extract.ci.expressions import (
    UNKNOWN,
    evaluate,
    interpolate,
    truth_of,
    value_of,
)
from dal_audit.facts.ci import CiWorkflow

CONTEXTS = {
    "matrix": {"backend": "postgres", "python": "3.13", "job": {"database": "sqlite"}},
    "github": {"event_name": "pull_request", "ref": f"refs/pull/{UNKNOWN}/merge", UNKNOWN: UNKNOWN},
    "inputs": {"soft": False, "url": ""},
    "env": {"DB": "postgres", UNKNOWN: UNKNOWN},
    "needs": UNKNOWN,
}

KNOWN = [
    ("true", True),
    ("'a''b'", "a'b"),
    ("0x10", 16.0),
    ("-1.5", -1.5),
    ("null", None),
    ("!false", True),
    ("!!'x'", True),
    ("'a' == 'A'", True),
    ("1 == '1'", True),
    ("null == 0", True),
    ("2 > 1 && 1 <= 1", True),
    ("false || 'x'", "x"),
    ("true && 'x' || 'y'", "x"),
    ("'' && 'x' || 'y'", "y"),
    ("matrix.backend", "postgres"),
    ("matrix['backend']", "postgres"),
    ("matrix.job.database", "sqlite"),
    ("matrix.missing", None),
    ("inputs.soft", False),
    ("env.DB", "postgres"),
    ("contains('postgres:16', 'gres')", True),
    ("contains(fromJSON('[\"a\", \"b\"]'), 'B')", True),
    ("startsWith(github.ref, 'refs/pull/')", True),
    ("startsWith(github.ref, 'refs/heads/')", False),
    ("github.ref == 'refs/heads/main'", False),
    ("endsWith('abc', 'C')", True),
    ("format('{0}-{1}', 'a', 1)", "a-1"),
    ("join(fromJSON('[\"a\", \"b\"]'), '+')", "a+b"),
    ("toJSON(true)", "true"),
    ('fromJSON(\'{"a": {"b": 3}}\').a.b', 3.0),
    ("always() && !cancelled()", True),
    ("failure()", False),
    ("(github.event_name == 'push') || github.event_name == 'pull_request'", True),
    ("needs.x.outputs.y == 'true' && false", False),
    ("needs.x.outputs.y == 'true' || true", True),
]

UNCERTAIN = [
    "github.actor == 'someone'",
    "github.event.pull_request.draft",
    "needs.x.outputs.y == 'true'",
    "!needs.x.outputs.y",
    "env.NOWHERE",
    "hashFiles('x')",
    "contains(github.event.labels, 'x')",
    "1 +",
    "((((",
    "matrix.backend ~ 2",
]


@pytest.mark.parametrize(("text", "value"), KNOWN)
def test_what_is_known_is_worked_out(text: str, value: object) -> None:
    assert evaluate(text, CONTEXTS) == value


@pytest.mark.parametrize("text", UNCERTAIN)
def test_what_only_a_run_knows_is_not_guessed(text: str) -> None:
    assert truth_of(text, CONTEXTS) is None
    assert truth_of(f"${{{{ {text} }}}}", CONTEXTS) is None


def test_a_text_keeps_what_is_known_of_it() -> None:
    text = "postgresql://u:${{ secrets.PASSWORD }}@${{ matrix.backend }}/x"
    assert interpolate(text, CONTEXTS) == f"postgresql://u:{UNKNOWN}@postgres/x"
    assert value_of("${{ inputs.soft }}", CONTEXTS) is False
    assert truth_of("${{ inputs.soft }} ", CONTEXTS) is False
    assert truth_of("x ${{ inputs.soft }}", CONTEXTS) is True


@given(st.text(max_size=60))
@settings(deadline=None)
def test_no_text_ends_the_evaluation(text: str) -> None:
    evaluate(text, CONTEXTS)
    interpolate(f"a ${{{{ {text} }}}} b", CONTEXTS)


@given(
    st.recursive(
        st.sampled_from(["true", "false", "github.actor", "matrix.backend == 'postgres'"]),
        lambda inner: st.one_of(
            inner.map(lambda text: f"!({text})"),
            st.tuples(inner, st.sampled_from(["&&", "||"]), inner).map(
                lambda parts: f"({parts[0]} {parts[1]} {parts[2]})"
            ),
        ),
        max_leaves=8,
    )
)
@settings(deadline=None)
def test_a_certain_answer_holds_whatever_the_unknown_is(text: str) -> None:
    answer = truth_of(text, CONTEXTS)
    possible = {
        truth_of(text, {**CONTEXTS, "github": {"actor": actor}}) for actor in ("", "someone")
    }
    assert None not in possible
    if answer is not None:
        assert possible == {answer}


def matrix_of(text: str) -> list[object]:
    lines = "".join(f"        {line}\n" for line in text.strip().split("\n"))
    data = f"on: push\njobs:\n  a:\n    strategy:\n      matrix:\n{lines}    steps: []\n"
    (workflow,) = ci_facts(".github/workflows/a.yml", data.encode())
    assert isinstance(workflow, CiWorkflow)
    return [dict(one) for one in combinations_of(workflow.jobs[0].matrix, CONTEXTS)]


def test_include_and_exclude_work_as_the_manual_shows_them() -> None:
    """The example of GitHub's manual, "Expanding or adding matrix configurations"."""
    assert matrix_of(
        """
fruit: [apple, pear]
animal: [cat, dog]
include:
  - color: green
  - color: pink
    animal: cat
  - fruit: apple
    shape: circle
  - fruit: banana
  - fruit: banana
    animal: cat
"""
    ) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert matrix_of(
        "os: [a, b]\nversion: [1, 2]\nexclude:\n  - os: a\n    version: 2\n  - os: b"
    ) == [{"os": "a", "version": "1"}]


def test_a_version_stays_as_it_is_written() -> None:
    assert matrix_of("python: [3.10, '3.9', true, null]") == [
        {"python": "3.10"},
        {"python": "3.9"},
        {"python": True},
        {"python": None},
    ]
    assert matrix_of("${{ fromJson(needs.x.outputs.y) }}") == [{UNKNOWN: UNKNOWN}]
