"""Where reading and running disagree about a project whose migrations are Python.

    python -m tests.tools.truth.agree_python PROJECT... --python PATH [--postgres URL] [--env NAME=VALUE]...

Each project is audited, and replayed by its own interpreter. Compared is which files each of the two
accuses of what: that an engine does not take them (DAL3xx), that a second run fails (DAL404), that
nothing undoes them (DAL402) or not all (DAL403). What one side alone says is printed with its words.
What comes after a file that does not apply on an engine is not compared: nothing ran it there.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from dal_audit.audit import audit
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request
from dal_audit.replay.database import EngineError
from dal_audit.replay.run import ReplayRequest, replay
from dal_audit.replay.variables import variables_of
from dal_audit.report.render import Report

Accused: TypeAlias = dict[tuple[str, str], str]
"""What is said of a file, in words, by the kind and the file."""

KINDS: Final = {"DAL402": "no down", "DAL403": "down", "DAL404": "second run"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Audit and replay projects, and print how far the two agree."""
    parser = argparse.ArgumentParser(prog="tests.tools.truth.agree_python", description=__doc__)
    parser.add_argument("projects", type=Path, nargs="+")
    parser.add_argument("--python", required=True, help="the interpreter that has their packages")
    parser.add_argument("--postgres", default="", help="the URL of a server")
    parser.add_argument("--env", action="append", default=[], help="a variable, NAME=VALUE")
    options = parser.parse_args(arguments)
    handed = variables_of(options.env, None)
    counts: Counter[tuple[str, str]] = Counter()
    for project in options.projects:
        request = ReplayRequest(
            str(project), url=options.postgres, python=options.python, variables=handed
        )
        try:
            result = replay(request, lambda _what, _done, _total: None)
        except EngineError as error:
            print(f"{project}: not replayed: {error}")
            continue
        print(f"{project}\n{result.table}")
        ran = accused(result.report)
        read = accused(audit(Request(paths=(str(project),))))
        for kind, who, words in compared(read, ran):
            counts[kind, who] += 1
            if words:
                print(f"  only {who}: {kind}: {words}")
    for (kind, who), number in sorted(counts.items()):
        print(f"{kind:<12} {who:<8} {number:>5}")
    return 0


def accused(report: Report) -> Accused:
    """Return what a report says of the files of migrations in Python."""
    found: Accused = {}
    for finding in report.open:
        path, kind = finding.place.path, kind_of(finding)
        if path.endswith(".py") and kind:
            found.setdefault((kind, path), f"{path}:{finding.place.span.line}: {words_of(finding)}")
    return found


def kind_of(finding: Finding) -> str:
    """Return what a finding is about; empty for what a run of migrations cannot prove."""
    if finding.rule.id.startswith(("DAL30", "DAL311")) and finding.breach.fails_on:
        return "rejected"
    return KINDS.get(finding.rule.id, "")


def words_of(finding: Finding) -> str:
    """Return a finding's words, as many as fit on a line."""
    return f"{finding.rule.id} {finding.breach.message[:160]}"


def compared(read: Accused, ran: Accused) -> Iterator[tuple[str, str, str]]:
    """Yield each kind and file, who speaks of it, and the words where that is one side alone."""
    for key in sorted(read.keys() | ran.keys()):
        if key in read and key in ran:
            yield key[0], "both", ""
        elif key in read:
            yield key[0], "reading", read[key]
        else:
            yield key[0], "running", ran[key]


if __name__ == "__main__":
    sys.exit(main())
