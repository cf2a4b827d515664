"""What the last audit found, for as long as all answers that it rests on are the same.

An audit keeps what it found in all of a project, with the stamps of the places that decided it
(`sweep`) and with what it asked of each file (`inquiries`). The next run compares the stamps. Files
that changed are asked the same questions, and where git's view of the tree may be another, it is
asked for once more; if all answers are those of the last audit, so are the findings. They are
reported in whatever format, of whatever paths. Anything else that differs, and it is audited.
"""

from __future__ import annotations

import contextlib
import os
import stat
from functools import cached_property
from pathlib import Path
from time import time_ns
from typing import Final

from msgspec import Raw
from msgspec.msgpack import Encoder
from msgspec.structs import replace

from dal_audit.catalogue.digest import sha256
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.commands.kept_audit import (
    KeptAsked,
    KeptAudit,
    KeptResult,
    decoded,
    kept_asked,
    kept_result,
    outcome_of,
)
from dal_audit.commands.last_report import (
    Swept,
    own_bytes,
    stamps_in,
    surroundings,
    swept,
    write_kept,
)
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.git_listing import list_paths, listing_digest
from dal_audit.discover.projects import AuditPlan, ProjectScope, base_of, only_root, policy_of
from dal_audit.discover.stamps import (
    UNSETTLED,
    Looked,
    changes,
    latest,
    with_others,
    with_unsettled,
)
from dal_audit.discover.sweep import Places
from dal_audit.extract.cache_form import HEAD, SETTLED_NS, payload_of
from dal_audit.facts import SourceFile, stamp_of
from dal_audit.policy import Policy, load_policy
from dal_audit.policy.request import Request
from dal_audit.report.merge import merge, part_of
from dal_audit.report.model import Report

MAX_CHANGED: Final = 256
"""Where more places changed, it is audited anew: to ask so many files costs as much."""

MAX_ASKED: Final = 24
"""The same for files that would have to be asked once more."""


class LastAudit:
    """One request, as one that an earlier audit may have answered."""

    def __init__(self, request: Request, looked: Looked | None = None) -> None:
        """Take down what else decides what is found; `looked` is what was looked at already."""
        self.request = request
        self._looked = looked or Looked()
        self.begun = time_ns()
        asked = (
            *(request.config, request.select, request.ignore, request.extend_select),
            *(request.accept, request.baseline, request.since, request.tests, request.today),
        )
        said = [*surroundings(str(request.folder)), *map(repr, asked)]
        self.key = sha256("\0".join(said).encode(errors="surrogateescape"))
        self.name = f"{self.key[:8].hex()}.audit"
        self._check: _Check | None = None
        self._requested: tuple[str, ...] = ()

    def report(self) -> Report | None:
        """Return the report that an audit would make, where the last one tells it."""
        request = self.request
        root = only_root(request.paths, request.folder, request.config) if self._is_told else None
        kept = None if root is None else self._found(root)
        if root is None or kept is None:
            return None
        check = self._check = _Check(root, request, kept, self._looked)
        result = decoded(kept.result, KeptResult) if check.holds() else None
        requested = None if result is None else _requested(root, request, result)
        if result is None or requested is None:
            return None
        check.is_same = True
        self._requested = requested
        scope = ProjectScope(check.policy, requested, (), {})
        plan = AuditPlan((scope,), base_of(root, request.folder))
        return merge([part_of(outcome_of(root, result), requested)], plan, request)

    @property
    def _is_told(self) -> bool:
        """Whether all that the request hangs on is among a project's places."""
        return self.request.since is None and self.request.baseline is None

    def _found(self, root: Path) -> KeptAudit | None:
        data = own_bytes(str(root / CACHE), self.name)
        payload = payload_of(data, self.key) if len(data) > HEAD else None
        kept = None if payload is None else decoded(payload, KeptAudit)
        return kept if kept is not None and kept.root == os.fsencode(root) else None

    def kept(self, report: Report) -> Swept | None:
        """Keep what was found, and return the places that it hangs on, with their stamps.

        A failure to write is none of the audit. None where no report can be kept either: several
        projects were audited, or what changed may change once more.
        """
        check = self._check
        if check is not None and check.is_same:
            return self._kept_anew(check)
        if len(report.scopes) != 1:
            return None
        (scope,) = report.scopes
        is_whole = self._is_told and not (scope.nested or scope.beyond or scope.links)
        is_listed = is_whole and check is not None and check.is_listed
        if check is not None and is_listed and not check.has_links:
            found = check.swept(is_settled=check.is_settled(self.begun - SETTLED_NS))
        else:
            found = swept(scope)
        if found is None:
            return None
        seen, places = found
        seen.requested = scope.requested
        outcome = report.outcome
        if is_whole and outcome is not None and outcome.inquiry is not None:
            with contextlib.suppress(UnicodeEncodeError):  # Of a path that is no text, for one.
                answers = {
                    path: own for path, own in outcome.inquiry.answers() if path not in places.links
                }
                self._keep(
                    seen,
                    places,
                    listing_digest(scope.listed),
                    kept_asked(outcome.inquiry, answers),
                    Raw(Encoder().encode(kept_result(outcome))),
                )
        return seen

    def _kept_anew(self, check: _Check) -> Swept | None:
        """Keep with its new stamps what an earlier audit found, where something has others."""
        if not check.is_changed:
            return Swept(str(check.root), self._requested, check.places, check.kept.stamps)
        if not check.is_settled(self.begun - SETTLED_NS):
            return None
        found = check.swept(is_settled=True)
        asked = check.asked()
        if found is None or asked is None:
            return None
        seen, places = found
        self._keep(seen, places, check.kept.listing, asked, check.kept.result)
        return Swept(seen.root, self._requested, seen.places, seen.stamps)

    def _keep(
        self, seen: Swept, places: Places, listing: bytes, asked: KeptAsked, result: Raw
    ) -> None:
        """Keep an audit, unless something is as young as this one that nobody could ask again."""
        deciding = len(places.configuring)
        listed = deciding + len(places.listing)
        files = (
            number for number, path in enumerate(places.listed, listed) if path in asked.answers
        )
        repeatable = {*range(deciding, listed), *files}
        known = with_unsettled(seen.stamps, self.begun - SETTLED_NS, repeatable)
        if known is None:
            return
        kept = KeptAudit(
            os.fsencode(seen.root),
            os.fsencode("\0".join(seen.places)),
            known,
            deciding,
            listed,
            listing,
            tuple(places.links),
            Raw(Encoder().encode(asked)),
            result,
        )
        write_kept(seen.folder, self.name, self.key, Encoder().encode(kept), self.begun)


def _requested(root: Path, request: Request, result: KeptResult) -> tuple[str, ...] | None:
    """Return the requested paths, relative to the root.

    None where one is no audited file of Python, nor a folder of audited files.
    """
    python = {file.path for file in result.files if "python" in file.languages}
    found = []
    for path in request.paths:
        relative = Path(os.path.relpath(os.path.normpath(request.folder / path), root)).as_posix()
        is_known = relative in python or relative == "."
        if not is_known and not any(inner.startswith(f"{relative}/") for inner in python):
            return None
        found.append(relative)
    return tuple(sorted(set(found)))


class _Check:
    """The comparison of a project with what is kept of its last audit.

    `places` are those that it hangs on; `changed` are the paths of files to ask once more.
    """

    def __init__(self, root: Path, request: Request, kept: KeptAudit, looked: Looked) -> None:
        self.root = root
        self.request = request
        self.kept = kept
        self.places = os.fsdecode(kept.places).split("\0")
        self.changed: list[str] = []
        self.is_listed = False
        """Whether the same is listed and configured as at the last audit."""
        self.is_same = False
        """Whether the last audit tells what is found."""
        self._looked = looked if looked.root == str(root) else Looked()
        self._numbers: list[int] = []
        self._is_listing_open = False
        self._listed: dict[str, str] = {}

    def holds(self) -> bool:
        """Return whether an audit would find what the last one found."""
        return (
            self._finds_changes()
            and (not self._is_listing_open or self._lists_the_same())
            and (not self.changed or self._answer_the_same())
        )

    @property
    def is_changed(self) -> bool:
        """Whether anything has another stamp than at the last audit."""
        return bool(self._numbers)

    def _finds_changes(self) -> bool:
        """Find what changed; return whether all of it can be asked again."""
        kept = self.kept
        descriptor = os.open(self.root, os.O_RDONLY)
        try:
            found = changes(self.places, kept.stamps, descriptor, MAX_CHANGED, self._looked)
        finally:
            os.close(descriptor)
        if found is None or any(number < kept.deciding for number in found):
            return False
        self._numbers = found
        deciding = [self.places[number] for number in found if number < kept.listed]
        self.changed = [self.places[number] for number in found if number >= kept.listed]
        self._is_listing_open = bool(deciding)
        self.is_listed = not deciding
        is_repository_gone = any(
            place.endswith("/.git") and not os.path.lexists(place) for place in deciding
        )
        return not is_repository_gone and len(self.changed) <= MAX_ASKED

    def _lists_the_same(self) -> bool:
        """Return whether the same files are listed, and nothing else hangs on git."""
        asked = self._asked
        if asked is None or asked.asks_beyond:
            return False
        self._listed = list_paths(self.root)
        self.is_listed = listing_digest(self._listed) == self.kept.listing
        return self.is_listed

    def _answer_the_same(self) -> bool:
        """Return whether files that changed answer what they did."""
        asked = self._asked
        if asked is None or any(path not in asked.answers for path in self.changed):
            return False
        from dal_audit.extract.answers import Respondents
        from dal_audit.extract.extractor import THOROUGH_BYTES, ExtractionOptions
        from dal_audit.judge.selection import catalogue_of

        is_thorough = self._size(asked) <= THOROUGH_BYTES
        if is_thorough != (asked.size <= THOROUGH_BYTES):
            return False
        options = ExtractionOptions(
            catalogue_of(self.policy), frozenset(asked.foreign), thorough=is_thorough
        )
        respondents = Respondents(asked.questions, options)
        return all(respondents.answers(file, asked.answers[file.path]) for file in self._files)

    def _size(self, asked: KeptAsked) -> int:
        """Return how many bytes of Python the project has by now."""
        before = sum(asked.answers[path].size for path in self.changed)
        return asked.size - before + sum(file.size for file in self._files)

    @property
    def has_links(self) -> bool:
        """Whether a link is among what changed."""
        return any((self.root / path).is_symlink() for path in self.changed)

    def is_settled(self, begun: int) -> bool:
        """Return whether all that changed is older than a time."""
        return latest(stamps_in(str(self.root), [self.places[n] for n in self._numbers])) < begun

    def asked(self) -> KeptAsked | None:
        """Return what was asked, with the sizes that files have by now."""
        asked = self._asked
        if asked is None:
            return None
        sizes = {file.path: file.size for file in self._files}
        answers = {
            path: replace(own, size=sizes[path]) if path in sizes else own
            for path, own in asked.answers.items()
        }
        return replace(asked, answers=answers, size=self._size(asked))

    def swept(self, *, is_settled: bool) -> tuple[Swept, Places] | None:
        """Return the places that the result hangs on by now, with their stamps.

        Before all is settled they are not looked for anew: what decides on the listing and changed
        stays unsettled, so that the next run lists once more.
        """
        if self._is_listing_open and is_settled:
            return swept(ProjectScope(self.policy, (".",), (), self._listed))
        kept = self.kept
        places = Places(
            self.places[: kept.deciding],
            self.places[kept.deciding : kept.listed],
            self.places[kept.listed :],
            frozenset(self.kept.links),
        )
        return Swept(str(self.root), (".",), self.places, self._stamps()), places

    def _stamps(self) -> bytes:
        """Return the kept stamps, with the new ones of the files that changed."""
        now = stamps_in(str(self.root), self.changed)
        deciding = len(self._numbers) - len(self.changed)
        return with_others(self.kept.stamps, self._numbers, UNSETTLED * deciding + now)

    @cached_property
    def _asked(self) -> KeptAsked | None:
        return decoded(self.kept.asked, KeptAsked)

    @cached_property
    def _files(self) -> list[SourceFile]:
        return [_regular(self.root, path) for path in self.changed]

    @cached_property
    def policy(self) -> Policy:
        """The project's configuration."""
        config = self.request.config
        if config is None:
            return policy_of(self.root, known_rules())
        return load_policy(config, root=self.root, known_rules=known_rules())


def _regular(root: Path, path: str) -> SourceFile:
    """Return a file to ask; with a flaw where it is none."""
    absolute = f"{root}{os.sep}{path}"
    try:
        status = os.lstat(absolute)
    except OSError:
        return SourceFile(path, absolute, 0, "not there")
    flaw = "" if stat.S_ISREG(status.st_mode) else "not a regular file"
    return SourceFile(path, absolute, status.st_size, flaw, stamp_of(status))
