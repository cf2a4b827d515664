"""The rule book: every example is audited, and every document keeps the rule book's form."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dal_audit.assemble.project import Project
from dal_audit.catalogue.rulebook import SECTIONS, Rule, clauses, find_rule, rules
from dal_audit.judge.check import check_of
from dal_audit.policy import load_policy
from tests.examples import (
    CHECKOUT,
    DOCUMENTS,
    EDGES,
    Example,
    ExampleError,
    Mark,
    all_examples,
    audit_example,
    read_examples,
    written,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = all_examples()
LONGEST_SENTENCE = 200

each_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.name)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_an_example_is_judged_as_it_is_marked(example: Example, tmp_path: Path) -> None:
    differences = example.differences(audit_example(example, tmp_path))
    assert not differences, "\n".join([str(example), *differences])


# All rules


def test_there_are_rules() -> None:
    assert {rule.name for rule in rules()} >= {
        "driver-import",
        "dynamic-driver-import",
        "unreadable-file",
        "nothing-audited",
        "unused-suppression",
    }


@each_rule
def test_one_stem_serves_document_rule_check_and_edge_file(rule: Rule) -> None:
    assert rule.file.name == f"{rule.name}.md"
    check = check_of(rule)
    assert check.function.__name__ == rule.stem
    assert check.function.__module__ == f"dal_audit.checks.{rule.stem}"
    assert (EDGES / f"{rule.name}.md").is_file()


@each_rule
def test_a_document_has_the_headings_in_their_order(rule: Rule) -> None:
    titles = [title for level, title in headings(rule.text) if level == 2]
    assert titles == list(SECTIONS)


@each_rule
def test_a_document_bears_the_name_of_its_rule(rule: Rule) -> None:
    assert [title for level, title in headings(rule.text) if level == 1] == [rule.name]


@each_rule
def test_no_section_is_empty(rule: Rule) -> None:
    assert [title for title, text in rule.sections.items() if not text.strip()] == []


@each_rule
def test_an_id_and_a_name_are_well_formed(rule: Rule) -> None:
    assert re.fullmatch(r"DAL[1-59]\d\d", rule.id)
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", rule.name)
    assert re.fullmatch(r"\d+\.\d+\.\d+", rule.since)
    assert rule.languages


def test_ids_and_names_are_unique() -> None:
    counted = Counter(word for rule in rules() for word in (rule.id, rule.name))
    assert [word for word, count in counted.items() if count > 1] == []


@each_rule
def test_a_document_has_a_bad_and_a_good_example(rule: Rule) -> None:
    own = [one for one in EXAMPLES if one.document == rule.file.name]
    bad = [one for one in own if one.section == "Bad"]
    good = [one for one in own if one.section == "Good"]
    assert any(mark.rule == rule.id for one in bad for mark in one.marks)
    assert all(any(mark.rule == rule.id for mark in one.marks) for one in bad)
    assert good
    assert all(not one.marks for one in good)
    assert 2 <= len(bad) + len(good) <= 6  # edge cases live elsewhere


@each_rule
def test_every_fence_of_the_examples_was_read(rule: Rule) -> None:
    counted = fences(rule.sections["Bad"]) + fences(rule.sections["Good"])
    read = sum(one.fences for one in EXAMPLES if one.document == rule.file.name)
    assert read == counted > 0


@pytest.mark.parametrize("path", sorted(EDGES.glob("*.md")), ids=lambda path: path.stem)
def test_every_fence_of_an_edge_file_was_read(path: Path) -> None:
    read = sum(one.fences for one in EXAMPLES if one.document == f"edge/{path.name}")
    assert read == fences(path.read_text(encoding="utf-8")) > 0


@pytest.mark.parametrize("path", sorted(EDGES.glob("*.md")), ids=lambda path: path.stem)
def test_an_edge_file_belongs_to_a_rule_and_fires_it(path: Path) -> None:
    rule = find_rule(path.stem)
    assert rule is not None
    own = [one for one in EXAMPLES if one.document == f"edge/{path.name}"]
    assert any(mark.rule == rule.id for one in own for mark in one.marks)


def test_titles_are_unique_in_a_document() -> None:
    counted = Counter((one.document, one.section, one.title) for one in EXAMPLES)
    assert [title for title, count in counted.items() if count > 1] == []


@each_rule
def test_the_clauses_exist(rule: Rule) -> None:
    assert rule.clauses
    assert set(rule.clauses) <= {clause.id for clause in clauses()}


@each_rule
@pytest.mark.parametrize("part", ["summary", "remedy"])
def test_summary_and_cure_are_one_short_sentence(rule: Rule, part: str) -> None:
    text = str(getattr(rule, part))
    assert text.endswith(".")
    assert len(text) <= LONGEST_SENTENCE
    assert "\n" not in text
    assert text.count("`") % 2 == 0, "cut in the middle of code"


def test_the_index_lists_every_rule() -> None:
    text = (DOCUMENTS / "README.md").read_text(encoding="utf-8")
    links = set(re.findall(r"\]\(\.?/?([a-z-]+)\.md\)", text))
    assert links == {rule.name for rule in rules()}
    assert [rule.id for rule in rules() if rule.id not in text] == []


def test_every_check_has_a_document() -> None:
    modules = {path.stem for path in (CHECKOUT / "dal_audit" / "checks").glob("*.py")}
    assert modules - {"__init__"} == {rule.stem for rule in rules()}


@pytest.mark.parametrize("path", sorted(DOCUMENTS.glob("*.md")), ids=lambda path: path.stem)
def test_a_document_mentions_only_rules_that_exist(path: Path) -> None:
    text = re.sub(r"MISSING:[^\n]*", "", path.read_text(encoding="utf-8"))
    mentioned = set(re.findall(r"\bDAL\d{3}\b", text))
    assert mentioned - {rule.id for rule in rules()} == set()
    linked = set(re.findall(r"\]\(([a-z-]+)\.md\)", text))
    assert {name for name in linked if find_rule(name) is None} == set()


def test_examples_mark_only_rules_that_exist() -> None:
    known = {rule.id for rule in rules()}
    unknown = [
        (str(example), mark)
        for example in EXAMPLES
        for mark in example.marks
        if mark.rule not in known
    ]
    assert unknown == []


def test_a_check_is_about_something_that_exists() -> None:
    subjects = {subject for rule in rules() for subject in check_of(rule).subjects}
    assert Project in subjects
    assert len(subjects) > 1


def test_configured_examples_are_sound(tmp_path: Path) -> None:
    """A faulty configuration in an example would raise; none is passed over."""
    known = tuple((rule.id, rule.name) for rule in rules())
    read = 0
    for number, example in enumerate(EXAMPLES):
        if "dal-audit.toml" in example.files:
            root = tmp_path / str(number)
            example.write(root)
            assert load_policy(root / "dal-audit.toml", known_rules=known).root == root
            read += 1
    assert read


def headings(text: str) -> Iterator[tuple[int, str]]:
    """Yield the headings outside fences, read in another way than the examples are."""
    bare = re.sub(r"^(`{3,}|~{3,}).*?^\1[`~]*$", "", text, flags=re.MULTILINE | re.DOTALL)
    for found in re.finditer(r"^(#+) (.+)$", bare, re.MULTILINE):
        yield len(found[1]), found[2]


def fences(text: str) -> int:
    """Count fences, in another way than the examples are read."""
    return len(re.findall(r"^(`{3,}|~{3,}).*?^\1[`~]*[ \t]*$", text, re.MULTILINE | re.DOTALL))


# The grammar of examples


def one_example(text: str) -> Example:
    """Read an edge file of one example."""
    (example,) = read_examples("x.md", text, everywhere=True)
    return example


def test_marks_are_read_and_taken_off() -> None:
    example = one_example(
        "# x\n\n## One\n\n`a.py`\n```python\nimport sqlite3  # DAL101\nx = 1  # DAL901, DAL902\n"
        "y = 1  # MISSING: DAL103\nz = 2  # DAL102 MISSING: DAL103 DAL104\n```\n"
    )
    assert example.files == {"a.py": b"import sqlite3\nx = 1\ny = 1\nz = 2\n"}
    assert sorted(example.marks.elements()) == [
        Mark("a.py", 1, "DAL101"),
        Mark("a.py", 2, "DAL901"),
        Mark("a.py", 2, "DAL902"),
        Mark("a.py", 4, "DAL102"),
    ]
    assert example.gaps == {
        Mark("a.py", 3, "DAL103"),
        Mark("a.py", 4, "DAL103"),
        Mark("a.py", 4, "DAL104"),
    }


def test_only_bad_and_good_hold_examples_in_a_document() -> None:
    text = "## Why\n\n```\nfree\n```\n\n## Bad\n\n`a.py`\n```python\n```\n\n## Limits\n\n```\nfree\n```\n"
    assert [one.files for one in read_examples("x.md", text)] == [{"a.py": b""}]


def test_headings_in_fences_open_nothing() -> None:
    example = one_example("## One\n\n`a.py`\n````python\n## not one\n```\n# nor this\n````\n")
    assert example.files == {"a.py": b"## not one\n```\n# nor this\n"}


def test_where_no_mark_can_stand() -> None:
    example = one_example("## One\n\n`app` DAL902\n\n`a.txt`\n```\n```\n")
    assert list(example.marks) == [Mark("app", 1, "DAL902")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("## One\n\n```python\n```\n", "without a path"),
        ("## One\n\n`a.py`\n\n```python\n```\n", "without a path"),
        ("## One\n\n`a.py` DAL101\n```python\n```\n", "can be read"),
        ("## One\n\n`a.py`\n```python\nx = 1\n", "never ends"),
        ("## One\n\n`a.py`\n```\n```\n\n`a.py`\n```\n```\n", "two files"),
        ("## One\n\n`a.py`\n```python enkoding=utf-8\n```\n", "unknown words"),
    ],
)
def test_a_slip_in_an_example_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ExampleError, match=message):
        list(read_examples("x.md", text, everywhere=True))


@pytest.mark.parametrize(
    ("info", "lines", "data"),
    [
        ("python", ["a", "b"], b"a\nb\n"),
        ("python", [], b""),
        ("python newline=crlf", ["a", "b"], b"a\r\nb\r\n"),
        ("python newline=cr bare", ["a", "b"], b"a\rb"),
        ("python bom", ["a"], b"\xef\xbb\xbfa\n"),
        ("python encoding=latin-1", ["\xe9"], b"\xe9\n"),
        ("python encoding=utf-16-le", ["a"], b"a\0\n\0"),
        ("python escapes", [r"\fa\0b\xff\\f"], b"\x0ca\0b\xff\\f\n"),
        ("python", [r"\f"], b"\\f\n"),
        ("python", ["", "a", ""], b"\na\n\n"),
    ],
)
def test_files_are_written_as_the_info_string_asks(
    info: str, lines: list[str], data: bytes
) -> None:
    assert written("a.py", lines, info.split())[0] == data


def test_a_mark_counts_lines_as_they_are_written() -> None:
    _, marks, _ = written("a.py", [r"a\rb  # DAL101", "c  # DAL102"], ["python", "escapes"])
    assert marks == [Mark("a.py", 2, "DAL101"), Mark("a.py", 3, "DAL102")]
    _, marks, _ = written("a.py", ["a  # DAL101", "c  # DAL102"], ["python", "newline=cr"])
    assert marks == [Mark("a.py", 1, "DAL101"), Mark("a.py", 2, "DAL102")]


def test_a_lacking_and_a_surplus_finding_both_fail(tmp_path: Path) -> None:
    """An example that cannot fail would prove nothing."""
    lacking = one_example("## One\n\n`a.py`\n```python\nimport json  # DAL101\n```\n")
    surplus = one_example("## One\n\n`a.py`\n```python\nimport sqlite3\n```\n")
    once = one_example("## One\n\n`a.py`\n```python\nimport sqlite3, psycopg  # DAL101\n```\n")
    closed = one_example("## One\n\n`a.py`\n```python\nimport sqlite3  # MISSING: DAL101\n```\n")
    found = [
        example.differences(audit_example(example, tmp_path / str(number)))
        for number, example in enumerate((lacking, surplus, once, closed))
    ]
    assert [len(lines) for lines in found] == [1, 1, 1, 1]
    assert [lines[0].partition(":")[0] for lines in found] == [
        "not found",
        "found",
        "found",
        "a known gap is closed",
    ]
