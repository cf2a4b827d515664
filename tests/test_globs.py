"""Path globs: what they cover, what they refuse, and how fast they are."""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dal_audit.policy.globs import (
    ALTERNATIVES_LIMIT,
    GlobError,
    compile_globs,
    glob_flaw,
    written_out,
)
from tests.steps import assert_linear, steps

PROPERTY = settings(max_examples=400)


def covers(pattern: str, path: str, *, anchored: bool = True) -> bool:
    """Tell whether one pattern covers a path."""
    return compile_globs([pattern], anchored=anchored)(path)


@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        ("src/app.py", ["src/app.py"], ["app.py", "x/src/app.py", "src/app.pyi", "src/app-py"]),
        ("src", ["src", "src/", "src/a.py", "src/a/b.py"], ["srcs", "srcs/a.py", "a/src/b.py"]),
        ("src/", ["src/", "src/a.py"], ["src", "a/src/b.py"]),
        ("./src", ["src/a.py"], ["a/src"]),
        ("././src//app/./x", ["src/app/x"], ["src/x"]),
        (".", ["a", "a/b"], []),
        ("./", ["a", "a/b"], []),
        ("**", ["a", "a/b"], []),
        ("**/**", ["a", "a/b"], []),
        ("**/", ["a/", "a/b"], ["a"]),
        ("*", ["a", "a/b", ".a"], []),
        ("*/", ["a/", "a/b"], ["a"]),
        ("src/*", ["src/a", "src/a/b"], ["src", "src/"]),
        ("src/**", ["src/", "src/a", "src/a/b"], ["src", "srcs/a"]),
        ("src/*/**", ["src/a/b", "src/a/b/c"], ["src/a", "src/a.py"]),
        ("**/tests", ["tests", "tests/a", "a/tests", "a/b/tests/c"], ["atests", "tests_a/b"]),
        ("**/tests/**", ["tests/a", "a/tests/b/c"], ["tests", "a/tests"]),
        ("**/test_*.py", ["test_a.py", "a/b/test_.py"], ["atest_a.py", "test_a.pyi"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b", "a/x/b/c"], ["ab", "a/xb", "b", "x/a/b"]),
        ("a/**/b/**/c", ["a/b/c", "a/x/b/y/c", "a/b/b/c/c"], ["a/c", "a/c/b", "a/b"]),
        ("**/a/**/b/*.py", ["a/b/c.py", "x/a/y/b/c.py", "a/b/b/c.py"], ["a/b/x/c.py", "b/c.py"]),
        ("a**b", ["ab", "axb"], ["a/b"]),
        ("**.py", ["a.py"], ["a/b.py"]),
        ("a?c", ["abc", "a?c"], ["a/c", "ac"]),
        ("[ab]/[!ab]", ["a/c", "b/!"], ["a/a", "c/c", "a/"]),
        ("[a-c]x[]]", ["bx]"], ["dx]", "bx"]),
        ("[!]]", ["a"], ["]"]),
        ("[+-9]a", ["1a", ".a"], ["/a"]),
        ("x[a-]", ["x-", "xa"], ["xb"]),
        ("[[]id].py", ["[id].py"], ["i.py"]),
        ("[{]a[}]", ["{a}"], ["a"]),
        ("*.{py,pyi}", ["a.py", "a.pyi"], ["a.pyc", "a.{py,pyi}"]),
        ("src/{a,b/{c,d}}/x{,y}", ["src/a/x", "src/b/d/xy"], ["src/b/x", "src/d/x"]),
        ("{a}", ["a"], ["{a}"]),
        ("a,b}", ["a,b}"], ["a"]),
        ("{**/,}a", ["a", "x/a"], ["ab"]),
        ("a.b+(c)|d^$", ["a.b+(c)|d^$"], ["axb+(c)|d^$", "d^$"]),
        ("été/*.py", ["été/é.py"], ["ete/a.py"]),
        ("a\\b", ["a\\b"], ["ab"]),
        ("*\n*", ["a\nb"], ["ab"]),
    ],
)
def test_anchored(pattern: str, covered: list[str], not_covered: list[str]) -> None:
    """An anchored pattern starts at the root."""
    test = compile_globs([pattern], anchored=True)
    assert [path for path in covered if not test(path)] == []
    assert [path for path in not_covered if test(path)] == []


@pytest.mark.parametrize(
    ("pattern", "covered", "not_covered"),
    [
        ("tests", ["tests", "tests/a", "a/tests", "a/tests/b"], ["atests", "tests.py"]),
        ("tests/", ["tests/a", "a/tests/b"], ["tests", "a/tests"]),
        ("*.pyi", ["a.pyi", "a/b.pyi", "a.pyi/b"], ["a.py"]),
        ("{a,b/c}", ["x/a", "b/c"], ["x/b/c"]),
        ("./tests", ["tests/a"], ["a/tests/b"]),
        ("tests/**", ["tests/a"], ["a/tests/b"]),
        ("a/tests", ["a/tests/b"], ["x/a/tests"]),
        ("**/a/b", ["x/a/b"], ["a/x/b"]),
        ("**", ["a", "a/b"], []),
    ],
)
def test_not_anchored(pattern: str, covered: list[str], not_covered: list[str]) -> None:
    """A pattern of one component matches at any depth, one with a slash from the root."""
    test = compile_globs([pattern], anchored=False)
    assert [path for path in covered if not test(path)] == []
    assert [path for path in not_covered if test(path)] == []


def test_several_patterns_and_none() -> None:
    """Any pattern may cover a path; where there is none, nothing is covered."""
    test = compile_globs(["src/**", "a|b", "**/x*y*z", "**/p*q*r"], anchored=True)
    assert all(map(test, ["src/a", "a|b", "c/xyz", "c/pqr"]))
    assert not any(map(test, ["a", "b", "c/xy", "c/pxr"]))
    assert not compile_globs([], anchored=True)("a")
    assert not compile_globs([], anchored=False)("")


@pytest.mark.parametrize(
    ("pattern", "flaw"),
    [
        ("", "is empty"),
        ("{,a}", "is empty"),
        ("a[", "`[` is never closed"),
        ("a[!", "`[` is never closed"),
        ("[]", "`[` is never closed"),
        ("a[b/c]", "`[` is never closed"),
        ("a{b", "`{` is never closed"),
        ("{a,{b}", "`{` is never closed"),
        ("{a}{b[}", "`[` is never closed"),
        ("[z-a]", "range `z-a` is empty"),
        ("{a,b}" * 9, f"more than {ALTERNATIVES_LIMIT} patterns"),
        ("{" * 65 + "}" * 65, "more than 64 braces"),
    ],
)
def test_patterns_that_mean_nothing(pattern: str, flaw: str) -> None:
    """Such a pattern is refused, not silently matched with nothing."""
    assert flaw in glob_flaw(pattern)
    with pytest.raises(GlobError):
        compile_globs([pattern], anchored=False)


def test_the_limit_of_alternatives_is_reached() -> None:
    """As many alternatives as the limit says are written out."""
    assert len(written_out("{a,b}" * 8)) == ALTERNATIVES_LIMIT
    assert written_out("{a,b{c,d}}{e}") == ["ae", "bce", "bde"]


COMPONENT = st.text("ab-]!*?[.^\\é", min_size=1, max_size=7)
NAME = st.text("ab-]!.^\\é", min_size=1, max_size=7)


@PROPERTY
@given(COMPONENT, st.one_of(NAME, st.text("ab", min_size=1, max_size=7)))
def test_one_component_matches_as_fnmatch_does(pattern: str, name: str) -> None:
    """Within a component the language is that of the standard library."""
    assume(not glob_flaw(pattern) and pattern != "." and name != ".")
    assert covers(pattern, name) == fnmatchcase(name, pattern)


def plainly(pattern: list[str], path: list[str]) -> bool:
    """Match component by component, trying everything: the definition in its shortest form."""
    if not pattern:
        return True
    head, *rest = pattern
    if head == "**":
        return plainly(rest, path) or (bool(path) and plainly(pattern, path[1:]))
    return bool(path) and fnmatchcase(path[0], head) and plainly(rest, path[1:])


@PROPERTY
@given(
    st.lists(st.sampled_from(["**", "a", "b", "*", "a*", "*b", "a*b*", "*a*b", "?"]), min_size=1),
    st.lists(st.sampled_from(["a", "b", "ab", "ba", "abab", "aabb"]), min_size=1),
)
def test_components_match_as_trying_everything_does(pattern: list[str], path: list[str]) -> None:
    """Taking the first place that fits loses no match."""
    # A `**` at the end asks for something below, which the definition above does not.
    assume(pattern[-1] != "**")
    assert covers("/".join(pattern), "/".join(path)) == plainly(pattern, path)


@pytest.mark.parametrize(
    "pattern",
    ["**/**/**/*a*a*a*b", "**/a/**/a/**/a/**/b/*x", "**/*a*a/*/**/a*a/**/*b", "*a" * 50 + "b"],
)
@pytest.mark.parametrize("part", ["a", "a/", "a" * 40 + "/"])
def test_no_pattern_runs_away(pattern: str, part: str) -> None:
    """A path made to be nearly matched is refused in steps that are as many as it is long."""
    assert not compile_globs([pattern], anchored=True)(part * 2000 + "a")

    def work(size: int) -> Callable[[], object]:
        return lambda: compile_globs([pattern], anchored=True)(part * size + "a")

    assert_linear(work, 50)


@pytest.mark.parametrize("anchored", [True, False])
def test_many_patterns_are_one_walk(*, anchored: bool) -> None:
    """A path takes a thousand steps against twenty patterns, and not some at each of its folders."""
    names = ["tests", ".venv", "*.pyi", "build", "*.egg-info", "test_*.py", "docs/**", "./vendor"]
    globs = [f"src/**/gen{number}/*.py" for number in range(6)]
    globs += [f"src/app{number}/storage/**" for number in range(6)]
    path = "src/app/pkg7/sub3/module_4321.py"
    every = steps(lambda: compile_globs([*names, *globs], anchored=anchored)(path))
    made = steps(lambda: compile_globs([*names, *globs], anchored=anchored))
    assert not compile_globs([*names, *globs], anchored=anchored)(path)
    assert 0 < every - made < 1500


def test_paths_of_this_project() -> None:
    """The package's own files, as an example of real ones."""
    root = Path(__file__).parent.parent
    paths = [path.relative_to(root).as_posix() for path in (root / "dal_audit").rglob("*.py")]
    test = compile_globs(["dal_audit/policy/**"], anchored=True)
    assert {path for path in paths if test(path)} == {
        path for path in paths if path.startswith("dal_audit/policy/")
    }
