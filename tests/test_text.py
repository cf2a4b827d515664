"""The report for people: what is drawn below which line, and how much of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dal_audit.audit import audit
from dal_audit.discover.projects import ProjectScope
from dal_audit.facts import Edit, Place, Span
from dal_audit.fix.model import Fix
from dal_audit.judge.breach import Finding, Origin, Related
from dal_audit.policy import default_policy
from dal_audit.policy.request import Request
from dal_audit.report.diagnostic import ALIKE_SHOWN, NUMBERS_SHOWN, USES_SHOWN
from dal_audit.report.grouping import SPREAD_FROM, blocks, folded
from dal_audit.report.links import document_of
from dal_audit.report.render import Report, render
from dal_audit.report.snippet import MAX_LINE
from dal_audit.report.statistics import render_statistics
from dal_audit.report.summary import counts
from dal_audit.report.terminal import TerminalStyle, expand, width, wrapped
from dal_audit.report.text import ITEMS, SCREEN
from tests.reports import RULE, finding_of, hostile_report, report_of, rule_of

FIXTURES: Final = Path(__file__).parent.parent / "fixtures"


def text_of(*findings: Finding, look: TerminalStyle | None = None, **fields: Any) -> str:
    """Return what stands before the summary."""
    sources = {path: text.encode() for path, text in fields.pop("sources", {}).items()}
    report = report_of(*findings, sources=sources, **fields)
    text = render(report, "text", look=look or TerminalStyle())
    return re.split(r"12\s+files\s+audited", text)[0].rpartition("\n\n")[0] + "\n"


def used(
    line: int, column: int, end: int, message: str = "used", path: str = "app/a.py"
) -> Related:
    """Return a related place on one line."""
    return Related(Place(path, Span(line, column, line, end)), message)


def test_a_finding_with_a_use() -> None:
    source = "import sqlite3\n\nsqlite3.connect()\nsqlite3.Row\n"
    found = finding_of(
        label="comes in", related=(used(3, 1, 16), used(4, 1, 12)), remedy="Move it."
    )
    assert text_of(found, sources={"app/a.py": source}) == (
        "error[driver-import]: `sqlite3` is a database driver; only `storage` may import it\n"
        " --> app/a.py:1:8\n"
        "  |\n"
        "1 | import sqlite3\n"
        "  |        ^^^^^^^ comes in\n"
        ".\n"
        "3 | sqlite3.connect()\n"
        "  | --------------- used\n"
        "4 | sqlite3.Row\n"
        "  | ----------- used\n"
        "  = help: Move it.\n"
        "  = more: dal-audit explain driver-import\n"
    )


def test_the_way_of_a_leak_is_numbered() -> None:
    way = (used(2, 1, 4, "made here", "s/db.py"), used(1, 6, 9, "handed on", "s/__init__.py"))
    found = finding_of(
        rule=rule_of("driver-type"),
        label="arrives",
        flow_length=2,
        related=(*way, used(2, 1, 4)),
        remedy="c",
    )
    sources = {
        "app/a.py": "from s import Row\nRow()\n",
        "s/db.py": "\nRow = 1\n",
        "s/__init__.py": "from db\n",
    }
    lines = text_of(found, sources=sources).splitlines()
    assert lines[1:] == [
        " --> app/a.py:1:8",
        "  |",
        "1 | from s import Row",
        "  |        ^^^^^^^ 3. arrives",
        "2 | Row()",
        "  | --- used",
        " ::: s/db.py:2:1",
        "  |",
        "2 | Row = 1",
        "  | --- 1. made here",
        " ::: s/__init__.py:1:6",
        "  |",
        "1 | from db",
        "  |      -- 2. handed on",
        "  = help: c",
        "  = more: dal-audit explain driver-type",
    ]


def drawn(
    line: str,
    main: tuple[int, int],
    *others: tuple[int, int, str],
    look: TerminalStyle | None = None,
) -> list[str]:
    """Return a line of source and the rows below it, without the gutter."""
    related = tuple(used(1, start, end, label) for start, end, label in others)
    found = finding_of(span=Span(1, main[0], 1, main[1]), label="main", related=related, remedy="c")
    rows = text_of(found, sources={"app/a.py": line}, look=look).splitlines()
    begin = rows.index("  |") + 1
    return [row[4:] for row in rows[begin:] if row[3:4] in {" ", ""} and not row.startswith("  =")]


def test_two_marks_on_one_line() -> None:
    assert drawn("aaa bbb ccc", (1, 4), (9, 12, "other")) == [
        "aaa bbb ccc",
        "^^^     --- other",
        "|",
        "main",
    ]


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ("\timport x", "           ^"),
        ("'日本' + ab", "'日本' + ab".replace("日本", "    ")[:7] + " ^"),
        ("e\u0301e\u0301 ++ ab", "      ^"),
    ],
)
def test_marks_stand_below_what_they_mark(line: str, row: str) -> None:
    start = len(line.encode("utf-16-le")) // 2
    source, marks = drawn(line, (start, start + 1))
    assert marks == f"{' ' * (width(expand(line)) - 1)}^ main"
    assert width(source) == width(expand(line))
    assert len(row) - 1 <= width(source)


@settings(max_examples=200)
@given(
    st.text(st.sampled_from("ab日é\u0301\t😀 ="), min_size=1, max_size=30),
    st.integers(1, 30),
    st.integers(1, 5),
)
def test_marks_are_as_wide_as_what_they_mark(line: str, start: int, length: int) -> None:
    line = f"x{line}x"
    before, marked = line[:start], line[start : start + length] or "?"
    column = len(before.encode("utf-16-le")) // 2 + 1
    end = column + len(marked.encode("utf-16-le")) // 2
    rows = drawn(line, (column, end))
    gap, marks = re.fullmatch(r"( *)(\^+) main", rows[1]).groups()  # type: ignore[union-attr]
    assert len(gap) == width(expand(before))
    assert len(marks) == max(width(expand(line[start : start + length])), 1)


def test_a_long_line_is_cut_around_what_is_marked() -> None:
    line = "x" * 500 + "sqlite3" + "y" * 500
    source, marks = drawn(line, (501, 508))
    assert source.startswith("...x")
    assert source.endswith("y...")
    assert width(source) == MAX_LINE
    at = marks.index("^")
    assert source[at : at + 7] == "sqlite3"
    assert marks[at:] == "^^^^^^^ main"


def test_a_long_line_is_shown_for_each_of_its_marks() -> None:
    line = "x" * 300 + "one" + "y" * 300 + "two" + "z" * 300
    rows = drawn(line, (604, 607), (301, 304, "other"))
    shown = [
        source[marks.index(sign) : marks.index(sign) + 3]
        for source, marks in zip(rows[::2], rows[1::2], strict=True)
        for sign in "^-"
        if sign in marks
    ]
    assert shown == ["two", "one"]


@settings(max_examples=200)
@given(st.text(st.sampled_from("ab日\t"), max_size=400), st.integers(1, 400), st.integers(40, 90))
def test_no_excerpt_is_wider_than_the_terminal(line: str, start: int, columns: int) -> None:
    start = min(start, len(line) + 1)
    rows = drawn(f"{line}z", (start, start + 1), look=TerminalStyle(columns=columns))
    for row in rows:
        assert width(row) <= max(columns - 4, 40) + 6
    assert "main" in "".join(rows)


def test_a_label_that_leaves_the_terminal_hangs() -> None:
    line = "x" * 60 + "sqlite3"
    rows = drawn(line, (61, 68), look=TerminalStyle(columns=74))
    assert rows == [line, " " * 60 + "^^^^^^^", " " * 60 + "main"]


def test_help_is_wrapped_where_the_width_is_known() -> None:
    found = finding_of(remedy="one two three four five six seven eight")
    rows = text_of(found, look=TerminalStyle(columns=40)).splitlines()
    assert rows[-4:-2] == ["  = help: one two three four five six", "          seven eight"]
    assert text_of(found).splitlines()[-2].endswith("seven eight")


def test_messages_are_wrapped_where_the_width_is_known() -> None:
    rows = text_of(
        finding_of(message="one two three four"), look=TerminalStyle(columns=35)
    ).splitlines()
    assert rows[:2] == ["error[driver-import]: one two", "    three four"]
    colored = text_of(finding_of(message="one two"), look=TerminalStyle(columns=35, color=True))
    assert colored.startswith("\x1b[1;31merror[driver-import]\x1b[0m\x1b[1m: one two\x1b[0m\n")


def test_words_are_wrapped_between_blanks() -> None:
    assert list(wrapped("aa bb cc", 5)) == ["aa bb", "cc"]
    assert list(wrapped("longer than it", 4)) == ["longer", "than", "it"]
    assert list(wrapped("日本 日本", 5)) == ["日本", "日本"]
    assert list(wrapped("no width", 0)) == ["no width"]


def test_links_are_made_only_where_the_terminal_makes_them() -> None:
    linked = text_of(finding_of(), look=TerminalStyle(links=True))
    assert f"\x1b]8;;{document_of(RULE)}\x1b\\driver-import\x1b]8;;\x1b\\" in linked
    assert "\x1b" not in text_of(finding_of(), look=TerminalStyle(columns=80))
    assert "\x1b]8" not in text_of(finding_of(), look=TerminalStyle(color=True))


def test_uses_that_are_not_shown_are_named() -> None:
    source = "import sqlite3\n" * 40
    related = tuple(used(line, 1, 4) for line in range(2, 40))
    lines = text_of(
        finding_of(related=related, remedy="c"), sources={"app/a.py": source}
    ).splitlines()
    assert len([line for line in lines if line.endswith("--- used")]) == USES_SHOWN
    named = ", ".join(str(line) for line in range(5, 5 + NUMBERS_SHOWN))
    assert lines[-3] == f"  = used: on lines {named}, and {38 - USES_SHOWN - NUMBERS_SHOWN} more"
    related = related[: USES_SHOWN + 1]
    assert "used:" not in text_of(finding_of(related=related), sources={"app/a.py": source})


def test_findings_alike_are_told_as_one() -> None:
    source = "import sqlite3\n" * 12
    found = [
        finding_of(line=line, message=f"`m{line}` is a driver; only storage", driver="sqlite3")
        for line in range(1, 12)
    ]
    text = text_of(*found, finding_of("app/b.py"), sources={"app/a.py": source})
    assert text.count("error[") == 2
    assert "`m1` is a driver; only storage (and 10 more in this file)\n" in text
    assert "4 | import sqlite3\n  |        ^^^^^^^ `m4` is a driver\n" in text
    assert text.count("^^^^^^^ `m") == ALIKE_SHOWN
    assert "= also: on lines 9, 10, 11\n" in text
    assert text.count("= help:") == 2


def test_findings_alike_share_what_is_in_other_files() -> None:
    shared = used(2, 1, 4, "the interface", path="s/db.py")
    found = [
        finding_of(
            line=n,
            label="main",
            message=f"`m{n}` is public, and `I` is not",
            related=(shared, used(n + 5, 1, 4)),
            flow_length=1,
            remedy="c",
        )
        for n in range(1, 4)
    ]
    sources = {"app/a.py": "import sqlite3\n" * 9, "s/db.py": "\nRow = 1\n"}
    assert text_of(*found, sources=sources).splitlines()[1:] == [
        " --> app/a.py:1:8",
        "  |",
        "1 | import sqlite3",
        "  |        ^^^^^^^ 2. `m1` is public",
        "2 | import sqlite3",
        "  |        ^^^^^^^ 2. `m2` is public",
        "3 | import sqlite3",
        "  |        ^^^^^^^ 2. `m3` is public",
        " ::: s/db.py:2:1",
        "  |",
        "2 | Row = 1",
        "  | --- 1. the interface",
        "  = used: on lines 6, 7, 8",
        "  = help: c",
        "  = more: dal-audit explain driver-import",
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"remedy": "another"},
        {"driver": "psycopg"},
        {"severity": "info"},
        {"fails_on": ("sqlite",)},
        {"path": "app/b.py"},
        {"rule": rule_of("driver-type")},
        {"standing": "waived"},
        {"related": (used(1, 1, 2, path="b.py"),)},
        {"related": (used(1, 1, 2),), "flow_length": 1},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_is_not_alike_stays_alone(other: dict[str, Any]) -> None:
    alike = [finding_of(line=line) for line in (1, 2, 4)]
    groups = folded([*alike[:2], finding_of(**{"line": 3, **other}), alike[2]])
    assert sorted(map(len, groups)) == [1, 3]


def test_two_alike_are_told_apart() -> None:
    assert list(map(len, folded([finding_of(line=1), finding_of(line=2)]))) == [1, 1]


def test_every_finding_is_told_once_and_in_order() -> None:
    report = hostile_report()
    told = [one for group in folded(report.findings) for one in group]
    assert told == list(report.findings)


def test_more_than_a_screen_comes_below_an_overview() -> None:
    several = [*reaching(4), *(finding_of(f"{number}.py") for number in range(2))]
    scope = ProjectScope(default_policy(Path("p")), (".",), (), {})
    fields: dict[str, Any] = {"assumptions": ("storage: none",), "scopes": (scope,)}
    fields["notes"] = ("all hang on it",)
    assert "Most findings" not in render(report_of(*several, **fields), "text")
    many = [*several, *(finding_of(f"x{number}.py", message=f"{number}") for number in range(9))]
    told = render(report_of(*many, **fields), "text")
    assert told.startswith(
        "15 findings: 15 errors. 12 files audited.\n"
        "\n"
        "assumed storage: none\n"
        "note all hang on it\n"
        "\n"
        "Most findings\n"
        "  11 findings  driver-import  in 11 files\n"
        "   4 findings  driver-type    in 4 files\n"
        "\n"
        "What one change would mend\n"
        "  4 findings  s.db.Row  4 files  s/db.py:2\n"
        "\n"
        "Where to begin\n"
        "  dal-audit init                   write down what was assumed, to be set right\n"
        "  dal-audit baseline               accept these findings, so that only new ones fail\n"
        "  dal-audit explain driver-import  why it matters, and how to fix it\n"
        "\n"
        "error[driver-import]: "
    )


def test_a_long_list_of_what_was_assumed_is_folded() -> None:
    assumed = [f"app{number}/migrations" for number in range(12)]
    report = report_of(assumptions=(f"migrations: {', '.join(assumed)}", "backends: a, b"))
    told = render(report, "text").splitlines()
    first = "assumed migrations: " + ", ".join(assumed[:ITEMS])
    assert told[:2] == [f"{first} and 7 more (`--show-all` names them)", "assumed backends: a, b"]
    assert ", ".join(assumed) in render(report, "text", show_all=True)


def test_what_is_done_already_is_not_where_to_begin() -> None:
    known = [finding_of(f"b{number}.py", standing="baselined") for number in range(2)]
    many = [finding_of(f"{number}.py", message=f"it is {number}") for number in range(SCREEN)]
    configured = replace(default_policy(Path("p")), file=Path("p/dal-audit.toml"))
    scope = ProjectScope(configured, (".",), (), {})
    told = render(report_of(*many, *known, scopes=(scope,)), "text")
    assert "\n  dal-audit explain driver-import  why" in told
    assert "dal-audit init" not in told
    assert "dal-audit baseline" not in told


def test_what_was_accepted_has_no_overview() -> None:
    accepted = [finding_of(f"{number}.py", standing="baselined") for number in range(SCREEN)]
    told = render(report_of(*accepted), "text", show_suppressed=True)
    assert told.count("\n") > SCREEN
    assert "Most findings" not in told


def test_names_that_one_module_hands_on_are_one_block() -> None:
    found = [
        finding_of(
            f"app/f{index}.py",
            message="`R` is a type; only `s` may use it",
            flow_length=1,
            related=(made := used(index, 1, 3, f"`R{index}` is made here", "s/db.py"),),
            origin=Origin(f"s.db.R{index}", made.place, made.message),
        )
        for index in (1, 2, 3)
    ]
    sources = {"s/db.py": "R1 = 1\nR2 = 2\nR3 = 3\n"}
    assert text_of(*found, sources=sources).splitlines()[:9] == [
        "error[driver-import]: `s.db.R1`, `s.db.R2` and 1 more reach 3 files; only `s` may use it",
        " --> s/db.py:1:1",
        "  |",
        "1 | R1 = 1",
        "  | ^^ `R1` is made here",
        "2 | R2 = 2",
        "  | ^^ `R2` is made here",
        "3 | R3 = 3",
        "  | ^^ `R3` is made here",
    ]


def counted() -> Report:
    other = rule_of("driver-type")
    return report_of(
        finding_of("a.py", rule=other, severity="warning"),
        finding_of("a.py", rule=other),
        finding_of("b.py"),
        finding_of("c.py", standing="waived"),
    )


def test_statistics_count_the_findings_of_each_rule() -> None:
    assert render_statistics(counted(), "text").splitlines() == [
        "2  DAL103  driver-type    error, warning, in 1 file",
        "1  DAL101  driver-import  error, in 1 file",
        "",
        "3 findings: 2 errors, 1 warning (1 waived). 12 files audited.",
    ]
    assert render_statistics(report_of(), "text") == "No findings. 12 files audited.\n"


def test_statistics_for_programs() -> None:
    assert json.loads(render_statistics(counted(), "json")) == [
        {
            "id": "DAL103",
            "name": "driver-type",
            "count": 2,
            "severities": ["error", "warning"],
            "files": 1,
        },
        {"id": "DAL101", "name": "driver-import", "count": 1, "severities": ["error"], "files": 1},
    ]


def reaching(count: int, per_file: int = 1, **fields: Any) -> list[Finding]:
    """Return findings in so many files that one place hands a driver's object on to."""
    made = used(2, 1, 4, "`Row` is made here", "s/db.py")
    origin = Origin("s.db.Row", made.place, made.message)
    return [
        finding_of(
            f"app/f{index:02}.py",
            line,
            rule=rule_of("driver-type"),
            message=f"`Row{index}` is a sqlite3 type; only `s` may use it",
            flow_length=1,
            related=(made,),
            driver="sqlite3",
            remedy="c",
            origin=origin,
            **fields,
        )
        for index in range(count)
        for line in range(1, per_file + 1)
    ]


def test_findings_of_one_origin_are_one_block() -> None:
    sources = {"s/db.py": "\nRow = sqlite3.Row\n", "app/f01.py": "  from s.db import Row\n"}
    assert text_of(*reaching(3, per_file=2), sources=sources).splitlines() == [
        "error[driver-type]: `s.db.Row` reaches 3 files; only `s` may use it",
        " --> s/db.py:2:1",
        "  |",
        "2 | Row = sqlite3.Row",
        "  | ^^^ `Row` is made here",
        " ::: app/f00.py:1:8 (and 1 more)",
        " ::: app/f01.py:1:8  from s.db import Row (and 1 more)",
        " ::: app/f02.py:1:8 (and 1 more)",
        "  = help: c",
        "  = more: dal-audit explain driver-type",
    ]


def test_two_files_of_one_origin_are_told_apart() -> None:
    assert text_of(*reaching(2)).count("error[driver-type]") == 2


@pytest.mark.parametrize(("count", "named"), [(10, 10), (11, 11), (12, 10)])
def test_files_that_a_cause_reaches_are_folded(count: int, named: int) -> None:
    shown = text_of(*reaching(count))
    assert shown.count(" ::: app/") == named
    assert ("2 more files: `--show-all` names them" in shown) is (named < count)
    every = render(report_of(*reaching(count)), "text", show_all=True)
    assert every.count(" ::: app/") == count


def test_what_was_accepted_is_not_told_as_one() -> None:
    accepted = reaching(4, standing="waived", justification="w")
    assert all(not block.is_spread for block in blocks(accepted))


def test_findings_of_one_driver_are_one_block_in_many_files() -> None:
    several = [finding_of(f"app/f{index}.py", driver="sqlite3") for index in range(SPREAD_FROM)]
    (block,) = blocks(several)
    assert block.headline == "`sqlite3` comes up in 6 files; only `storage` may import it"
    assert block.origin is None
    assert len(blocks(several[1:])) == SPREAD_FROM - 1


def test_findings_that_say_the_same_are_one_block_in_many_files() -> None:
    several = [
        finding_of(f"app/f{index}.py", line, message="a URL is here")
        for index in range(SPREAD_FROM)
        for line in (1, 2)
    ]
    (block,) = blocks(several)
    assert block.headline == "a URL is here (12 places of 6 files)"


def test_every_finding_is_in_one_block() -> None:
    findings = [*hostile_report().findings, *reaching(5), *reaching(2, severity="warning")]
    told = [id(finding) for block in blocks(findings) for finding in block.findings]
    assert sorted(told) == sorted(map(id, findings))


CONTEXT = TerminalStyle(context=2)


def test_a_terminal_is_shown_the_lines_around() -> None:
    source = "\nimport os\nimport sqlite3\n\nx = 1\ny = 2\n"
    found = finding_of(line=3, label="here", remedy="c")
    assert text_of(found, sources={"app/a.py": source}, look=CONTEXT).splitlines()[2:-2] == [
        "  |",
        "2 | import os",
        "3 | import sqlite3",
        "  |        ^^^^^^^ here",
        "4 |",
        "5 | x = 1",
    ]


def test_nothing_is_shown_around_several_marks() -> None:
    found = [finding_of(line=line, driver="sqlite3") for line in (2, 4, 6)]
    text = text_of(*found, sources={"app/a.py": "import sqlite3\n" * 9}, look=CONTEXT)
    assert "1 | import" not in text


def test_a_span_of_several_lines_is_marked_whole() -> None:
    source = "call(\n    'a',\n    'b',\n)\n"
    found = finding_of(span=Span(1, 1, 4, 2), label="this", remedy="c")
    assert text_of(found, sources={"app/a.py": source}).splitlines()[2:-2] == [
        "  |",
        "1 | / call(",
        "2 | |     'a',",
        "3 | |     'b',",
        "4 | | )",
        "  | |_^ this",
    ]


def test_a_long_span_is_marked_at_both_ends() -> None:
    source = "\n".join(f"line{number}" for number in range(1, 12))
    rows = text_of(
        finding_of(span=Span(1, 1, 11, 7), remedy="c"), sources={"app/a.py": source}
    ).splitlines()
    assert [row for row in rows if " line" in row] == [
        " 1 | / line1",
        " 2 | | line2",
        " 3 | | line3",
        " 4 | | line4",
        "11 | | line11",
    ]


def test_a_fix_is_drawn_as_a_diff() -> None:
    edits = (Edit(Span(1, 1, 1, 7), "use"), Edit(Span(2, 3, 2, 3), "y"))
    fix = Fix("take it out", edits, "safe")
    found = finding_of(fix=fix, remedy="c")
    rows = text_of(found, sources={"app/a.py": "import sqlite3\nxx\n"}).splitlines()
    assert rows[-5:] == [
        "  - import sqlite3",
        "  + use sqlite3",
        "  - xx",
        "  + xxy",
        "  = more: dal-audit explain driver-import",
    ]


def test_files_and_rules_are_links_where_the_terminal_has_them() -> None:
    look = TerminalStyle(links=True, folder="/home/me/a b")
    text = text_of(finding_of("app/é.py"), look=look)
    assert "\x1b]8;;file:///home/me/a%20b/app/%C3%A9.py\x1b\\app/é.py:1:8\x1b]8;;\x1b\\" in text
    assert document_of(RULE) in text
    seen_from = text_of(finding_of(), look=look, here="sub", there="..")
    assert "file:///home/me/app/a.py" in seen_from


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_report_fits_its_terminal_and_places_stay_whole(columns: int) -> None:
    report = audit(Request(folder=FIXTURES / "demo", jobs=1))
    plain = render(report, "text")
    text = render(report, "text", look=TerminalStyle(columns=columns))
    for line in text.splitlines():
        words = line.split()
        is_place = len(words) == 2 and words[0] in {"-->", ":::"}
        is_one_name = len(words) == 2 and words[0] == "|"
        assert width(line) <= columns or is_place or is_one_name or len(words) == 1, line
    places = re.findall(r"(?:-->|:::) (\S+)", plain)
    assert places
    assert re.findall(r"(?:-->|:::) (\S+)", text) == places
    said = [re.sub(r"\s+", " ", part) for part in (plain, text)]
    for sentence in (*report.assumptions, *report.notes, counts(report)):
        assert all(sentence in part for part in said)


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_summary_of_many_findings_fits_its_terminal(columns: int) -> None:
    findings = [finding_of(f"{number}.py", message=f"it is {number}") for number in range(60)]
    report = report_of(*findings, assumptions=("words " * 40,), notes=("and " * 60,))
    text = render(report, "text", look=TerminalStyle(columns=columns))
    assert "Most findings" in text
    for line in text.splitlines():
        is_place = line.split()[:1] in (["-->"], [":::"])
        assert width(line) <= columns or is_place, line
