"""Which of a file's fixes make it worse: found by halves, so that all others can be applied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from dal_audit.judge.breach import Finding
from dal_audit.report.model import Report

BROKEN: Final = frozenset({"unreadable-file", "unparsed-sql"})
"""Rules that say that what was written is no program: none of their findings may be accepted."""

_STAYS: Final = "an audit of the new text would still find it"
_MORE: Final = "an audit of the new text would find more: {}"
_TOGETHER: Final = (
    "an audit of the new text would find more than before, with other fixes beside it"
)
_UNTRIED: Final = "it was not told from others that make the file worse"


class Search(Struct):
    """The search in one file: what is accepted so far, and the shares that wait to be tried.

    `refused` are the findings whose fixes are not applied, each with the reason.
    """

    waiting: list[list[Finding]]
    accepted: list[Finding] = field(default_factory=list)
    refused: list[tuple[Finding, str]] = field(default_factory=list)

    @classmethod
    def of(cls, findings: Sequence[Finding], reason: str) -> Search:
        """Begin with all fixes of a file, which together make it worse for a reason."""
        search = cls([[*findings]])
        search.note(reason)
        return search

    @property
    def tried(self) -> list[Finding]:
        """The findings whose fixes are tried next: those accepted, and the first share."""
        return [*self.accepted, *(self.waiting[0] if self.waiting else ())]

    def note(self, reason: str | None) -> None:
        """Note that the first share was tried, and why it makes the file worse, if it does."""
        share = self.waiting.pop(0)
        if reason is None:
            self.accepted += share
        elif len(share) == 1:
            self.refused.append((share[0], reason))
        else:
            middle = len(share) // 2
            self.waiting[:0] = [share[:middle], share[middle:]]

    def end(self) -> None:
        """Refuse what was not tried."""
        self.refused += [(own, _UNTRIED) for share in self.waiting for own in share]
        self.waiting.clear()

    def drop(self) -> None:
        """Refuse all: what is accepted is worse beside what was accepted in other files."""
        self.refused += [(own, _TOGETHER) for own in self.accepted]
        self.accepted.clear()


def key_of(finding: Finding) -> tuple[object, ...]:
    """Return what tells a fix from others of its file, wherever other fixes move it."""
    fix = finding.breach.fix
    texts = () if fix is None else tuple(edit.text for edit in fix.edits)
    return (*_said(finding)[-1], texts)


def added(before: Report, after: Report, path: str) -> str:
    """Return what is found in a file that was not, as a reason not to write it."""
    earlier = Counter(_said(finding)[0] for finding in before.open)
    now = Counter(_said(finding)[0] for finding in after.open if finding.place.path == path)
    more = now - earlier
    first = next(iter(sorted(more)), None)
    return _STAYS if first is None else _MORE.format(f"{first[1]}, {first[2]}")


def worse(before: Report, after: Report, mended: Mapping[str, Sequence[Finding]]) -> set[str]:
    """Return the files in which more is found than before, or still what was to be mended.

    What one engine does not take may become what the engines do not treat alike: a warning for an
    error is no worse.
    """
    worse = {path for path, _ in Counter(_counted(after)) - Counter(_counted(before))}
    earlier, now = (
        Counter(line for finding in report.open for line in _said(finding))
        for report in (before, after)
    )
    for path, findings in mended.items():
        ending = (_said(finding)[-1] for finding in findings)
        if any(now[line] >= earlier[line] for line in ending):
            worse.add(path)
    return worse


def _counted(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the file of each finding that counts, and once more with the rule of each error.

    So are those counted that nothing may accept.
    """
    for finding in report.findings:
        if finding.standing == "open":
            yield finding.place.path, ""
        is_error = finding.standing == "open" and finding.severity == "error"
        if is_error or finding.rule.name in BROKEN:
            yield finding.place.path, finding.rule.id


def _said(finding: Finding) -> list[tuple[str, ...]]:
    """Return what a report says of a finding, and what of it is gone with its fix, if it has one.

    That is all of it, or what the fix was to take out of it.
    """
    fix = finding.breach.fix
    whole = finding.place.path, finding.rule.id, finding.breach.message
    return [whole, (*whole, fix.message)] if fix is not None and fix.is_partial else [whole]
