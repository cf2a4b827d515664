"""Steps are counted where `re` takes them, and growth that is more than linear is seen."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import steps as counting
from tests.backtracking import Expression
from tests.steps import Counted, assert_linear, steps

PATTERNS = [
    r"a*ab",
    r"(a+)+b",
    r"(?:a|ab)(c|bcd)(d*)",
    r"a{2,3}?b|a+",
    r"^a|b$|\bab\b",
    r"(?m)^[^\n]*a$",
    r"(?i)A(?-i:b)C",
    r"(?=(?P<g>a*?b))(?P=g)c",
    r"(?<=a)b(?!c)",
    r"(a)?(?(1)b|c)",
    r"[^ab]|[a-c\d][\W_]",
    r"(?:a?){3}b",
    r"(?s).*c",
]


@given(st.sampled_from(PATTERNS), st.text("abcABC1 \n", max_size=12))
def test_what_is_counted_matches_as_re_does(pattern: str, text: str) -> None:
    expression = Counted(re.compile(pattern))
    for place in range(len(text) + 1):
        expression.match(text, place)
        expression.fullmatch(text, place)
        expression.search(text, place)
    assert expression.findall(text) == re.findall(pattern, text)


def taken(pattern: str, text: str) -> int:
    """Return the steps that a search takes."""
    expression = Expression(re.compile(pattern))
    expression.first(text, 0, len(text))
    return expression.steps


def test_growth_shows_in_steps() -> None:
    assert taken("[ab]c", "a" * 400) < 2.1 * taken("[ab]c", "a" * 200)
    assert taken("a*b", "a" * 400) > 3.5 * taken("a*b", "a" * 200)
    assert taken("(a+)+b", "a" * 14) > 2**14


@pytest.mark.parametrize(
    ("code", "is_linear"),
    [
        ("for unit in text:\n    pass\n", True),
        ("for unit in text:\n    for other in text:\n        pass\n", False),
        ("import re\nre.search('a+?b', text)\n", False),
        ("import re\nre.search('b+?', text)\n", True),
    ],
)
def test_work_that_is_more_than_linear_fails(
    code: str, is_linear: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_PACKAGE", str(tmp_path))
    program = compile(code, str(tmp_path / "work.py"), "exec")

    def work(size: int) -> object:
        return lambda: exec(program, vars(ModuleType("work")) | {"text": "a" * size})

    if is_linear:
        assert_linear(work, 50)  # type: ignore[arg-type]
    else:
        with pytest.raises(AssertionError):
            assert_linear(work, 50)  # type: ignore[arg-type]
    assert steps(lambda: None) == 0
