"""Which of a file's fixes make it worse: those are found, so that all others can be applied.

Suspected are those of the statements in which more is found; the others are tried without them, and
then each share of suspects by its halves.
"""

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
_UNTRIED: Final = "it makes the file worse with others, and no trial was left to tell which"


class Trial(Struct, frozen=True):
    """What an audit found in a file that was not to be there.

    `more` are the lines of the statements in which more is found than before, as pairs of the first
    and the last; `stays` is what is still said that was to be mended.
    """

    reason: str
    more: tuple[tuple[int, int], ...]
    stays: frozenset[tuple[str, ...]]

    @classmethod
    def of(cls, before: Report, after: Report, path: str) -> Trial:
        """Return what is found in a file after and was not before, or still is."""
        earlier = Counter(_said(finding)[0] for finding in before.open)
        found = [own for own in after.open if own.place.path == path]
        now = Counter(_said(finding)[0] for finding in found)
        more = now - earlier
        first = min(more, default=None)
        reason = _STAYS if first is None else _MORE.format(f"{first[1]}, {first[2]}")
        lines = tuple(own.breach.lines for own in found if _said(own)[0] in more)
        said = Counter(_said(finding)[-1] for finding in before.open)
        left = Counter(_said(finding)[-1] for finding in found)
        stays = frozenset(own for own, number in left.items() if number >= said[own] > 0)
        return cls(reason, lines, stays)

    def suspects(self, finding: Finding) -> bool:
        """Return whether the fix of a finding may be to blame."""
        fix = finding.breach.fix
        if _said(finding)[-1] in self.stays:
            return True
        spans = [edit.span for edit in fix.edits] if fix is not None else []
        return any(
            first <= span.end_line and span.line <= last
            for span in spans
            for first, last in self.more
        )


class Search(Struct):
    """The search in one file: what is accepted so far, and the shares that wait to be tried.

    `refused` are the findings whose fixes are not applied, each with the reason.
    """

    waiting: list[list[Finding]]
    accepted: list[Finding] = field(default_factory=list)
    refused: list[tuple[Finding, str]] = field(default_factory=list)

    @classmethod
    def of(cls, findings: Sequence[Finding], trial: Trial) -> Search:
        """Begin with all fixes of a file, which together make it worse in a trial."""
        search = cls([[*findings]])
        search.note(trial)
        return search

    @property
    def tried(self) -> list[Finding]:
        """The findings whose fixes are tried next: those accepted, and the first share."""
        return [*self.accepted, *(self.waiting[0] if self.waiting else ())]

    def note(self, trial: Trial | None) -> None:
        """Note that the first share was tried, and what it makes worse in the file, if it does."""
        share = self.waiting.pop(0)
        if trial is None:
            self.accepted += share
        elif len(share) == 1:
            self.refused.append((share[0], trial.reason))
        else:
            suspects = [own for own in share if trial.suspects(own)]
            others = [own for own in share if not trial.suspects(own)]
            if not suspects or not others:
                middle = len(share) // 2
                others, suspects = share[:middle], share[middle:]
            self.waiting[:0] = [others, suspects]

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
    """Yield the file of each finding that counts, and again with an error's rule, and its engines.

    So are those counted that nothing may accept. A statement that another engine takes no more is
    no cure.
    """
    for finding in report.findings:
        if finding.standing == "open":
            yield finding.place.path, ""
        is_error = finding.standing == "open" and finding.severity == "error"
        if is_error or finding.rule.name in BROKEN:
            yield finding.place.path, finding.rule.id
            yield from ((finding.place.path, engine) for engine in finding.breach.fails_on or ())


def _said(finding: Finding) -> list[tuple[str, ...]]:
    """Return what a report says of a finding, and what of it is gone with its fix, if it has one.

    That is all of it, or what the fix was to take out of it.
    """
    fix = finding.breach.fix
    whole = finding.place.path, finding.rule.id, finding.breach.message
    return [whole, (*whole, fix.message)] if fix is not None and fix.is_partial else [whole]
