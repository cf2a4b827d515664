"""What the last audit found, for as long as all answers that it rests on are the same.

An audit keeps what it found in all of a project, with the stamps of the places that decided it
(`sweep`) and with what it asked of each file (`inquiries`). The next run compares the stamps. Files
that changed are asked the same questions, and where git's view of the tree may be another, it is
asked for once more; if all answers are those of the last audit, so are the findings, be it on other
lines (`moved_answers`). They are reported in whatever format, of whatever paths. Anything else that
differs, and it is audited.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from time import time_ns

from msgspec import Raw
from msgspec.msgpack import Encoder

from dal_audit.catalogue.digest import sha256
from dal_audit.commands.audit_check import Check
from dal_audit.commands.kept_audit import (
    KeptAsked,
    KeptAudit,
    decoded,
    kept_asked,
    kept_result,
    outcome_of,
    pieces_of,
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
from dal_audit.discover.git_listing import (
    index_places,
    list_paths,
    listing_digest,
    tracked_digest,
)
from dal_audit.discover.projects import AuditPlan, ProjectScope, base_of, only_root
from dal_audit.discover.stamps import Looked, latest, stamp_at, with_unsettled
from dal_audit.discover.sweep import Places
from dal_audit.extract.cache_form import HEAD, SETTLED_NS, payload_of
from dal_audit.extract.inquiries import Inquiry
from dal_audit.policy.request import Request
from dal_audit.report.merge import merge, part_of
from dal_audit.report.model import Report
from dal_audit.report.outcome import AuditedFile


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
        self._check: Check | None = None
        self._requested: tuple[str, ...] = ()

    def report(self) -> Report | None:
        """Return the report that an audit would make, where the last one tells it."""
        request = self.request
        root = only_root(request.paths, request.folder, request.config) if self._is_told else None
        kept = None if root is None else self._found(root)
        if root is None or kept is None:
            return None
        check = self._check = Check(root, request, kept, self._looked)
        result = check.result() if check.holds() else None
        requested = None if result is None else _requested(root, request, result.files)
        if result is None or requested is None:
            check.forget()
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
        seen.settled = _settled(seen, listing_digest(scope.listed), self.begun)
        outcome = report.outcome
        if is_whole and outcome is not None and outcome.inquiry is not None:
            if _requested(scope.policy.root, self.request, outcome.files) is None:
                return seen  # What was asked for by its name was looked at for that alone.
            with contextlib.suppress(UnicodeEncodeError):  # Of a path that is no text, for one.
                answers = {
                    path: own for path, own in outcome.inquiry.answers() if path not in places.links
                }
                self._keep(
                    seen,
                    places,
                    listing_digest(scope.listed),
                    kept_asked(outcome.inquiry, answers, self._tracked(seen, outcome.inquiry)),
                    Raw(Encoder().encode(kept_result(outcome))),
                )
        return seen

    def _tracked(self, seen: Swept, inquiry: Inquiry) -> bytes:
        """Return a digest of what git's index has, where an audit asked it for that alone."""
        places = index_places(Path(seen.root))
        young = self.begun - SETTLED_NS
        is_asked = inquiry.asks_beyond and not inquiry.asks_index
        is_settled = latest(stamps_in(seen.root, sorted(places))) < young
        return tracked_digest(Path(seen.root)) if is_asked and is_settled else b""

    def _kept_anew(self, check: Check) -> Swept | None:
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
        self._keep(seen, places, check.kept.listing, asked, check.kept_result)
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
        known = with_unsettled(seen.stamps, self.begun - SETTLED_NS, repeatable, seen.settled)
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
        write_kept(seen.folder, self.name, self.key, pieces_of(kept), self.begun)


def _settled(seen: Swept, listing: bytes, begun: int) -> frozenset[int]:
    """Return the number of the project's root, where nothing appeared in it since it was listed.

    A first run makes the folder of the cache in it. Once that is long enough ago for a further
    change to have another stamp, it is listed again; and so is what this run listed.
    """
    number = seen.places.index(".") if "." in seen.places else None
    if number is None:
        return frozenset()
    changed = latest(stamp_at(seen.stamps, number))
    is_old_enough = begun - SETTLED_NS <= changed < time_ns() - SETTLED_NS
    is_same = is_old_enough and listing_digest(list_paths(Path(seen.root))) == listing
    return frozenset((number,)) if is_same else frozenset()


def _requested(
    root: Path, request: Request, files: Sequence[AuditedFile]
) -> tuple[str, ...] | None:
    """Return the requested paths, relative to the root.

    None where one is no audited file of Python, nor a folder of audited files.
    """
    python = {file.path for file in files if "python" in file.languages}
    found = []
    for path in request.paths:
        relative = Path(os.path.relpath(os.path.normpath(request.folder / path), root)).as_posix()
        is_known = relative in python or relative == "."
        if not is_known and not any(inner.startswith(f"{relative}/") for inner in python):
            return None
        found.append(relative)
    return tuple(sorted(set(found)))
