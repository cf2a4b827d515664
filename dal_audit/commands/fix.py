"""Apply fixes: audit, amend, audit again, until nothing changes; then write, or show the changes.

The passes work on copies, which are audited in the place of the files. So what is shown is what
would be written, and a file is written once, whole, after its new text was audited.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.audit import audit
from dal_audit.commands.fix_search import Search, Trial, key_of, worse
from dal_audit.discover.errors import UsageError
from dal_audit.discover.files import is_script
from dal_audit.discover.links import leads_out
from dal_audit.discover.projects import root_of
from dal_audit.disk.scratch_folder import scratch_folder
from dal_audit.disk.whole_file import named, write_whole
from dal_audit.fix.model import Fix
from dal_audit.fix.rewrite import AmendError, amended, compatible, text_of
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request
from dal_audit.report.model import Report
from dal_audit.report.paths import shown_path
from dal_audit.report.terminal import safe
from dal_audit.triage.redaction import MASK

PASSES: Final = 100
"""So often fixes may give way to further ones; as many as ruff allows."""

TRIALS: Final = 64
"""So many audits may look for the fixes that make files worse."""

Accepts: TypeAlias = Callable[[Finding, Callable[[], str]], bool]
"""Returns whether the fix of a finding is applied; what it is handed gives the diff of it alone."""


_MASKED: Final = re.compile(f"[{MASK}]+")


class Change(Struct, frozen=True):
    """A file's bytes before and after; `path` reads like a finding's, `masked` are its secrets."""

    path: str
    file: Path
    before: bytes
    after: bytes
    masked: tuple[str, ...] = ()
    is_new: bool = False
    """Whether there must be no such file yet."""


class Fixed(Struct, frozen=True):
    """What fixing comes to: the audit of the new texts, the changes, and what could not be done.

    `count` are the findings whose fixes were applied; `refused` are sentences without a full stop.
    """

    report: Report
    changes: tuple[Change, ...]
    count: int
    refused: tuple[str, ...] = ()


def _accept_all(_finding: Finding, _diff: Callable[[], str]) -> bool:
    return True


def fixed(request: Request, *, unsafe: bool = False, accepts: Accepts = _accept_all) -> Fixed:
    """Fix what can be fixed and is accepted, on copies. Raises what `audit` raises."""
    with scratch_folder() as folder:
        work = _Work(request, unsafe=unsafe, folder=folder, accepts=accepts)
        work.run()
        changes = tuple(
            Change(path, work.file(path), work.before[path], data, work.masked.get(path, ()))
            for path, data in sorted(work.after.items())
            if data != work.before[path]
        )
        return Fixed(work.report, changes, work.count, work.reasons())


class _Work:
    """The texts so far, and the audit of them."""

    def __init__(self, request: Request, *, unsafe: bool, folder: Path, accepts: Accepts) -> None:
        self.request = request
        self.unsafe = unsafe
        self.accepts = accepts
        self.mended: dict[str, list[Finding]] = {}
        self.folder = folder
        self.report = audit(request)
        self.base = Path(os.path.normpath(request.folder / self.report.there))
        self.before: dict[str, bytes] = {}
        self.after: dict[str, bytes] = {}
        self.masked: dict[str, tuple[str, ...]] = {}
        self.refused: dict[str, str] = {}
        self.left: set[tuple[object, ...]] = set()
        self.told: list[str] = []
        self.count = 0
        self.copies = 0

    def reasons(self) -> tuple[str, ...]:
        """Return why what could not be done was not, a sentence each without a full stop."""
        return (*self.refused.values(), *self.told)

    def file(self, path: str) -> Path:
        """Return where a file lies."""
        return self.base / path

    def run(self) -> None:
        """Apply fixes until there are none left that can be."""
        for _ in range(PASSES):
            new = self._amended()
            if not new:
                return
            self._try(new)
        self.refused[""] = f"fixes still gave way to further ones after {PASSES} passes"

    def _try(self, new: Mapping[str, bytes]) -> None:
        """Take new texts of files; of those that are no better for them, what is.

        A text is better where what was to be mended is gone, and nothing more is found than before.
        """
        before, earlier = self.after, self.report
        self._take({**before, **new})
        broken = sorted(worse(earlier, self.report, self.mended) & new.keys())
        if broken:
            self._part(broken, before, earlier)
        self.count += sum(
            finding.breach.fix is not None and not finding.breach.fix.is_partial
            for path in new
            for finding in self.mended[path]
        )

    def _part(self, broken: Sequence[str], before: Mapping[str, bytes], earlier: Report) -> None:
        """Take of each broken file the fixes that make it no worse, and refuse the others.

        All files are searched at once: each audit tries one share of the fixes of each.
        """
        kept = {path: data for path, data in self.after.items() if path not in broken}
        old = {path: before[path] for path in broken if path in before}
        searches = {
            path: Search.of(self.mended[path], Trial.of(earlier, self.report, path))
            for path in broken
        }
        for _ in range(TRIALS):
            trying = [path for path in broken if searches[path].waiting]
            if not trying:
                break
            self._take({**old, **kept, **self._texts(searches, old)})
            bad = worse(earlier, self.report, self.mended)
            for path in trying:
                trial = Trial.of(earlier, self.report, path) if path in bad else None
                searches[path].note(trial)
        for search in searches.values():
            search.end()
        self._take({**old, **kept, **self._texts(searches, old)})
        spoilt = sorted(worse(earlier, self.report, self.mended) & {*broken})
        for path in spoilt:
            searches[path].drop()
        if spoilt:
            self._take({**old, **kept, **self._texts(searches, old)})
        for path in broken:
            for finding, reason in searches[path].refused:
                self._refuse_one(finding, reason)

    def _texts(self, searches: Mapping[str, Search], old: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the texts of files with the fixes that are tried, and note these."""
        texts = {}
        for path, search in searches.items():
            self.mended[path] = search.tried
            if search.tried:
                data, fixes = old.get(path, self.before[path]), [*_fixes(search.tried)]
                texts[path] = amended(data, fixes, is_script=is_script(path))
        return texts

    def _amended(self) -> dict[str, bytes]:
        """Return the new texts of files that can be fixed."""
        found: dict[str, list[Finding]] = {}
        for finding in self.report.open:
            if self._is_wanted(finding):
                found.setdefault(finding.place.path, []).append(finding)
        texts: dict[str, bytes] = {}
        for path, findings in found.items():
            kept = compatible(_fixes(findings))
            self.mended[path] = [own for own in findings if own.breach.fix in kept]
            try:
                texts[path] = amended(self._data(path), kept, is_script=is_script(path))
            except (AmendError, OSError) as error:
                self._refuse(path, str(error))
        return texts

    def _is_wanted(self, finding: Finding) -> bool:
        """Return whether a finding is to be mended."""
        fix, path = finding.breach.fix, finding.place.path
        if fix is None or not (self.unsafe or fix.is_safe) or path in self.refused:
            return False
        if key_of(finding) in self.left:
            return False
        return self.accepts(finding, lambda: self._diff(path, fix))

    def _diff(self, path: str, fix: Fix) -> str:
        """Return what a fix alone would change, empty where it cannot be applied."""
        try:
            before = self._data(path)
            after = amended(before, [fix], is_script=is_script(path))
        except (AmendError, OSError):
            return ""
        shown = shown_path(path, self.report)
        return diff([Change(shown, self.file(path), before, after, self.masked.get(path, ()))])

    def _data(self, path: str) -> bytes:
        """Return a file's text so far. Raises AmendError for one that lies outside, OSError."""
        if path in self.after:
            return self.after[path]
        file = self.file(path)
        if leads_out(file, self.base) or leads_out(file, root_of(file.parent, self.request.folder)):
            raise AmendError("it is a link that leads out of the project")
        data = file.read_bytes()
        self.before[path] = data
        shown = self.report.sources.get(path, data)
        if shown != data:
            self.masked[path] = _secrets(data, shown)
        return data

    def _take(self, texts: dict[str, bytes]) -> None:
        """Audit the files with these texts in their places."""
        self.after = texts
        instead = {}
        for path, data in texts.items():
            self.copies += 1
            copy = self.folder / str(self.copies)
            with named(self.file(path)):
                copy.write_bytes(data)
            instead[str(self.file(path))] = copy
        self.report = audit(replace(self.request, instead=instead))

    def _refuse(self, path: str, reason: str) -> None:
        shown = shown_path(path, self.report)
        self.refused[path] = f"`{shown}` cannot be fixed: {safe(reason)}"

    def _refuse_one(self, finding: Finding, reason: str) -> None:
        """Refuse the fix of a finding, in what follows, too."""
        shown = shown_path(finding.place.path, self.report)
        where = f"`{shown}:{finding.place.span.line}` ({finding.rule.id})"
        self.left.add(key_of(finding))
        self.told.append(f"{where} cannot be fixed: {safe(reason)}")


def _fixes(findings: Iterable[Finding]) -> Iterator[Fix]:
    for finding in findings:
        if finding.breach.fix is not None:
            yield finding.breach.fix


def _secrets(data: bytes, shown: bytes) -> tuple[str, ...]:
    """Return the passwords in a file, by what its text for reports has in their places."""
    found: set[str] = set()
    lines = text_of(data, is_script=False).split("\n")
    masked = shown.decode("utf-8", "replace").split("\n")
    for line, other in zip(lines, masked, strict=False):
        units = _units(line)
        pairs = zip(units, _units(other), strict=False)
        same = "".join(" " if before == two else MASK for before, two in pairs)
        found.update("".join(units[part.start() : part.end()]) for part in _MASKED.finditer(same))
    return tuple(sorted(found, key=len, reverse=True))


def _units(text: str) -> list[str]:
    """Return a text's characters, with nothing behind each that takes two UTF-16 code units."""
    return [unit for letter in text for unit in ((letter, "") if letter > "\uffff" else (letter,))]


# What comes of it


def write_changes(changes: Sequence[Change]) -> None:
    """Write the new texts: all of them, or none where one cannot be written.

    Each file is replaced by one with the same permissions, so that no reader ever sees half of it.
    Raises UsageError for a file that is read-only or was changed meanwhile, OSError.
    """
    for change in changes:
        if change.is_new:
            _check_free(change)
            continue
        if not change.file.stat().st_mode & 0o222 or not os.access(change.file, os.W_OK):
            raise UsageError(f"error: `{change.path}` is read-only; nothing was fixed")
        if change.file.read_bytes() != change.before:
            raise UsageError(f"error: `{change.path}` was changed meanwhile; nothing was fixed")
    for change in changes:
        change.file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(change.file, change.after, is_new=change.is_new)


def _check_free(change: Change) -> None:
    """Raise UsageError where there is a file already that is to be made."""
    if os.path.lexists(change.file):
        raise UsageError(f"error: `{change.path}` is there already; nothing was fixed")


def diff_of(fixed: Fixed) -> str:
    """Return the changes as a unified diff, which `patch -p0` takes in the current folder."""
    return diff(
        replace(change, path=shown_path(change.path, fixed.report)) for change in fixed.changes
    )


def diff(changes: Iterable[Change]) -> str:
    """Return changes as a unified diff.

    Passwords are masked, so that a diff can be shown wherever a report can.
    """
    pieces: list[str] = []
    for change in changes:
        path, old = change.path, "/dev/null" if change.is_new else change.path
        before, after = (
            _masked(text_of(data, is_script=is_script(path)), change.masked)
            for data in (change.before, change.after)
        )
        for line in difflib.unified_diff(_lines(before), _lines(after), old, path):
            pieces.append(line)
            if not line.endswith("\n"):
                pieces.append("\n\\ No newline at end of file\n")
    return "".join(pieces)


def _masked(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK * len(secret))
    return text


def _lines(text: str) -> list[str]:
    """Split a text where `patch` does."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)
