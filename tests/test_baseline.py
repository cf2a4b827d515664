"""The baseline: what it accepts, how findings are known again, and that it never grows by itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dal_audit.audit import audit
from dal_audit.commands.baseline import REASONS
from dal_audit.commands.parser import cli
from dal_audit.policy.request import BASELINE, Request
from dal_audit.report.render import Report, render
from dal_audit.triage.baseline import NEVER_ACCEPTED, BaselineError, read_baseline

HEAD = '{"dal-audit-baseline": 1}\n'
IMPORT = "import sqlite3\n"
METHOD = "class Store:\n    def load(self):\n        import sqlite3\n"


def write(root: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.chdir(folder)
    return CliRunner().invoke(cli, list(words))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a storage package, two accepted findings, and its baseline."""
    write(
        tmp_path,
        {
            "app/storage/db.py": IMPORT,
            "app/service.py": f"import json\n\n\n{METHOD}",
            "app/tool.py": IMPORT,
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        answer = run(tmp_path, patch, "baseline")
    assert answer.exit_code == 0, answer.output
    assert "2 findings accepted" in answer.output
    return tmp_path


def standings(root: Path, *paths: str) -> list[tuple[str, str, str]]:
    """Audit, and return each finding's rule, path and standing."""
    report = audited(root, *paths)
    return [(one.rule.id, one.place.path, one.standing) for one in report.findings]


def audited(root: Path, *paths: str) -> Report:
    return audit(Request(paths or (".",), folder=root))


ACCEPTED = [
    ("DAL101", "app/service.py", "baselined"),
    ("DAL101", "app/tool.py", "baselined"),
]


def test_the_file_is_sorted_and_holds_a_finding_a_line(project: Path) -> None:
    lines = (project / BASELINE).read_text("utf-8").splitlines(keepends=True)
    assert lines[0] == HEAD
    entries = [json.loads(line) for line in lines[1:]]
    assert [(one["path"], one["rule"], one["symbol"], one["count"]) for one in entries] == [
        ("app/service.py", "DAL101", "Store.load", 1),
        ("app/tool.py", "DAL101", "", 1),
    ]


def test_what_it_holds_does_not_count(project: Path) -> None:
    assert standings(project) == ACCEPTED
    report = audited(project)
    assert "(2 baselined)" in render(report, "text")
    assert "app/tool.py" not in render(report, "concise")
    assert "app/tool.py" in render(report, "concise", show_suppressed=True)


def test_a_clause_that_the_baseline_keeps_from_failing_has_not_passed(project: Path) -> None:
    clauses = json.loads(render(audited(project), "json"))["clauses"]
    assert "baselined" in {one["verdict"] for one in clauses}
    (project / BASELINE).unlink()
    write(project, {"app/service.py": "", "app/tool.py": ""})
    clauses = json.loads(render(audited(project), "json"))["clauses"]
    assert "baselined" not in {one["verdict"] for one in clauses}


def test_sarif_says_what_accepted_a_finding(project: Path) -> None:
    log = json.loads(render(audited(project), "sarif", show_suppressed=True))
    suppressions = [one["suppressions"] for one in log["runs"][0]["results"]]
    wanted = {
        "kind": "external",
        "status": "accepted",
        "justification": f"accepted in {BASELINE}",
    }
    assert suppressions == [[wanted], [wanted]]


@pytest.mark.parametrize(
    "text",
    [
        f"# A line more.\n\n\n\n{METHOD}",
        f"if True:\n    {METHOD.replace(chr(10), chr(10) + '    ').rstrip()}\n",
        METHOD.replace("load", "fetch"),
        "def load():\n\timport   sqlite3\n",
    ],
    ids=["moved down", "indented", "function renamed", "out of the class, with other blanks"],
)
def test_what_moves_in_its_file_is_not_new(project: Path, text: str) -> None:
    write(project, {"app/service.py": text})
    assert standings(project) == ACCEPTED


def test_what_moves_with_its_file_is_not_new(project: Path) -> None:
    (project / "lib").mkdir()
    (project / "app/service.py").rename(project / "lib/services.py")
    assert standings(project) == [
        ("DAL101", "app/tool.py", "baselined"),
        ("DAL101", "lib/services.py", "baselined"),
    ]


def test_what_moves_to_another_file_with_its_function_is_not_new(project: Path) -> None:
    write(project, {"app/service.py": "", "app/other.py": METHOD})
    assert standings(project) == [
        ("DAL101", "app/other.py", "baselined"),
        ("DAL101", "app/tool.py", "baselined"),
    ]


def test_an_import_of_a_module_that_is_taken_out_here_and_put_in_there_is_new(
    project: Path,
) -> None:
    write(project, {"app/tool.py": "", "app/other.py": IMPORT})
    assert ("DAL101", "app/other.py", "open") in standings(project)


def test_a_copy_is_new(project: Path) -> None:
    write(project, {"app/copy.py": IMPORT})
    assert ("DAL101", "app/copy.py", "open") in standings(project)


def test_one_more_of_the_same_is_new_and_the_other_function_is_told_apart(project: Path) -> None:
    more = "class Another:\n    def load(self):\n        import sqlite3\n\n\n"
    write(project, {"app/service.py": more + METHOD})
    report = audited(project)
    found = [(one.place.span.line, one.standing) for one in report.findings[:2]]
    assert found == [(3, "open"), (8, "baselined")]


def test_an_entry_that_matches_nothing_is_a_finding_at_its_line(project: Path) -> None:
    write(project, {"app/tool.py": ""})
    report = audited(project)
    assert [(one.rule.id, one.place.path, one.place.span.line) for one in report.open] == [
        ("DAL903", BASELINE, 3)
    ]
    assert "`DAL101` in `app/tool.py` matches no finding" in report.open[0].breach.message


def test_a_part_of_the_project_calls_no_entry_unused(project: Path) -> None:
    write(project, {"app/tool.py": ""})
    assert standings(project, "app/service.py") == ACCEPTED[:1]
    limited = audit(Request(folder=project, ignore=("DAL101",)))
    assert limited.findings == ()


def test_an_entry_of_an_unknown_rule_is_unused(project: Path) -> None:
    file = project / BASELINE
    file.write_text(file.read_text("utf-8").replace("DAL101", "DAL199", 1), encoding="utf-8")
    open_ones = audited(project).open
    assert [one.rule.id for one in open_ones] == ["DAL903", "DAL101"]


def test_writing_again_shrinks_and_takes_nothing_new(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, {"app/tool.py": "", "app/new.py": "import psycopg\n"})
    answer = run(project, monkeypatch, "baseline")
    assert answer.exit_code == 0
    assert "1 finding accepted, 2 before; 1 new finding left out" in answer.output
    assert standings(project) == [("DAL101", "app/new.py", "open"), ACCEPTED[0]]
    answer = run(project, monkeypatch, "baseline", "--grow")
    assert "2 findings accepted, 1 before\n" in answer.output
    assert not audited(project).open


def test_writing_for_a_part_keeps_the_rest(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (project / BASELINE).read_bytes()
    write(project, {"app/tool.py": ""})
    run(project, monkeypatch, "baseline", "app/service.py")
    assert (project / BASELINE).read_bytes() == before
    run(project, monkeypatch, "baseline", "--ignore", "DAL101")
    assert (project / BASELINE).read_bytes() == before
    run(project, monkeypatch, "baseline", "app/tool.py")
    assert len(read_baseline(project / BASELINE)) == 1


def test_writing_twice_changes_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (project / BASELINE).read_bytes()
    run(project, monkeypatch, "baseline")
    assert (project / BASELINE).read_bytes() == before


def test_equal_findings_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"app/storage/db.py": "", "app/a.py": IMPORT * 3})
    run(tmp_path, monkeypatch, "baseline")
    assert [one.count for one in read_baseline(tmp_path / BASELINE)] == [3]
    write(tmp_path, {"app/a.py": IMPORT * 4})
    assert [one.standing for one in audited(tmp_path).findings] == ["baselined"] * 3 + ["open"]
    write(tmp_path, {"app/a.py": IMPORT * 2})
    report = audited(tmp_path)
    assert [one.breach.message for one in report.open] == [
        "the baseline's entry for `DAL101` in `app/a.py` counts 3 findings, and 2 are left"
    ]


def test_a_configured_baseline_and_one_that_is_given(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / BASELINE).rename(project / "other.jsonl")
    assert run(project, monkeypatch, ".", "--baseline", "other.jsonl").exit_code == 0
    assert run(project, monkeypatch, ".").exit_code == 1
    write(project, {"dal-audit.toml": "baseline = 'accepted.jsonl'\n"})
    assert run(project, monkeypatch, ".").exit_code == 2
    assert run(project, monkeypatch, "baseline").exit_code == 0
    assert run(project, monkeypatch, ".").exit_code == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ":1: not a baseline"),
        ("[]\n", ":1: not a baseline"),
        ('{"dal-audit-baseline": 2}\n', ":1: not a baseline of this version"),
        (HEAD + "x\n", ":2: not an entry"),
        (HEAD + "\n", ":2: not an entry"),
        (HEAD + '{"path": "a", "rule": "b", "symbol": "", "line": "", "count": 0}\n', ":2: not an"),
        (HEAD + "<<<<<<< HEAD\n", ":2: a merge conflict"),
        (HEAD + "[" * 100_000, ":2: not an entry"),
    ],
)
def test_a_faulty_baseline_is_an_error_with_its_place(
    project: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    (project / BASELINE).write_text(text, encoding="utf-8")
    for words in (["."], ["baseline"]):
        answer = run(project, monkeypatch, *words)
        assert answer.exit_code == 2
        assert BASELINE + said in answer.output
    assert (project / BASELINE).read_text("utf-8") == text


def test_a_baseline_that_is_no_file_or_no_text(project: Path) -> None:
    (project / BASELINE).write_bytes(b"\xff")
    with pytest.raises(BaselineError, match="not UTF-8"):
        audited(project)
    (project / BASELINE).unlink()
    (project / BASELINE).mkdir()
    with pytest.raises(BaselineError, match="cannot be read"):
        audited(project)


def test_the_larger_of_two_entries_for_one_key_holds(project: Path) -> None:
    file = project / BASELINE
    last = file.read_text("utf-8").splitlines(keepends=True)[-1]
    with file.open("a", encoding="utf-8") as more:
        more.write(last.replace('"count": 1', '"count": 2'))
    assert [one.count for one in read_baseline(file)] == [1, 2]


def test_an_audit_that_looked_at_nothing_cannot_be_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"app/a.py": "def\n", "dal-audit.toml": "storage = ['no/**']\n"})
    run(tmp_path, monkeypatch, "baseline")
    assert [one.rule.id for one in audited(tmp_path).open] == ["DAL901", "DAL902"]


def test_what_cannot_be_accepted_is_named_with_its_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"app/a.py": "def {{ x }}:\n", "app/b.py": IMPORT})
    said = run(tmp_path, monkeypatch, "baseline").output.splitlines()
    assert said[0].endswith("1 finding accepted")
    assert said[1].startswith("1 finding cannot be accepted, and the audit fails")
    assert said[2].startswith("  app/a.py:1: unreadable-file: the file cannot be parsed")
    assert said[3].endswith('leave it out: `exclude = ["app/a.py"]`.')
    write(tmp_path, {"dal-audit.toml": 'exclude = ["app/a.py"]\n'})
    assert "cannot be accepted" not in run(tmp_path, monkeypatch, "baseline").output
    assert run(tmp_path, monkeypatch, "check").exit_code == 0


def test_there_is_a_reason_for_all_that_is_never_accepted() -> None:
    assert REASONS.keys() == NEVER_ACCEPTED


def test_one_baseline_for_several_projects_is_refused(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(project, {"sub/dal-audit.toml": "", "sub/app/a.py": IMPORT})
    for words in ([".", "--baseline", "x"], ["baseline", "--baseline", "x"]):
        answer = run(project, monkeypatch, *words)
        assert answer.exit_code == 2
        assert "--baseline is for one project" in answer.output
    assert not (project / "x").exists()


def test_each_project_has_its_own(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, {"sub/dal-audit.toml": "", "sub/app/a.py": IMPORT, "sub/storage/b.py": ""})
    run(project, monkeypatch, "baseline")
    assert [one.key.path for one in read_baseline(project / "sub" / BASELINE)] == ["app/a.py"]
    assert not audited(project).open
