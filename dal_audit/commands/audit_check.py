"""The comparison of a project with what is kept of its last audit."""

from __future__ import annotations

import os
import stat
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Raw
from msgspec.msgpack import Encoder
from msgspec.structs import replace

from dal_audit.catalogue.rulebook import known_rules
from dal_audit.commands.kept_audit import KeptAsked, KeptAudit, KeptResult, decoded, moved
from dal_audit.commands.last_report import Swept, stamps_in, swept
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.git_listing import (
    index_places,
    list_paths,
    listing_digest,
    tracked_digest,
)
from dal_audit.discover.projects import ProjectScope, policy_of
from dal_audit.discover.stamps import UNSETTLED, Looked, changes, latest, with_others
from dal_audit.discover.sweep import Places, holds_no_more
from dal_audit.extract.line_moves import UnknownLineError
from dal_audit.facts import SourceFile, stamp_of
from dal_audit.policy import Policy, load_policy
from dal_audit.policy.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dal_audit.commands.moved_answers import Moved
    from dal_audit.extract.answers import Respondents
    from dal_audit.extract.extractor import ExtractionOptions

MAX_CHANGED: Final = 256
"""Where more places changed, it is audited anew: to ask so many files costs as much."""

MAX_ASKED: Final = 24
"""The same for files that would have to be asked once more."""

_OF_MIGRATIONS: Final = (".py", ".sql")
"""How the names of migrations' files end."""


class Check:
    """The comparison of a project with what is kept of its last audit.

    `places` are those that it hangs on; `changed` are the paths of files to ask once more.
    """

    def __init__(self, root: Path, request: Request, kept: KeptAudit, looked: Looked) -> None:
        """Compare nothing yet; what was `looked` at is not looked at again."""
        self.root = root
        self.request = request
        self.kept = kept
        self.places = os.fsdecode(kept.places).split("\0")
        self.changed: list[str] = []
        self.is_listed = False
        """Whether the same is listed and configured as at the last audit."""
        self.is_same = False
        """Whether the last audit tells what is found."""
        self.kept_result = kept.result
        self._moved: dict[str, Moved] = {}
        """The files that say the same as they did, on other lines."""
        self._looked = looked if looked.root == str(root) else Looked()
        self._numbers: list[int] = []
        self._deciding: Sequence[str] = ()
        """What decides on the listing and changed."""
        self._listed: dict[str, str] = {}

    def holds(self) -> bool:
        """Return whether an audit would find what the last one found."""
        return (
            self._finds_changes()
            and (not self._deciding or self._lists_the_same())
            and (not self.changed or self._answer_the_same())
        )

    def result(self) -> KeptResult | None:
        """Return what the last audit found, on the lines on which it is by now.

        None where that cannot be told.
        """
        found = decoded(self.kept.result, KeptResult)
        if found is None or not self._moved:
            return found
        try:
            found = moved(found, {path: own.moves for path, own in self._moved.items()})
        except UnknownLineError:
            return None
        self.kept_result = Raw(Encoder().encode(found))
        return found

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
        deciding = self._deciding = [
            self.places[number] for number in found if number < kept.listed
        ]
        self.changed = [self.places[number] for number in found if number >= kept.listed]
        self.is_listed = not deciding
        is_repository_gone = any(
            place.endswith("/.git") and not os.path.lexists(place) for place in deciding
        )
        return not is_repository_gone and len(self.changed) <= MAX_ASKED

    def _lists_the_same(self) -> bool:
        """Return whether the same files are listed, and nothing else hangs on git."""
        asked = self._asked
        if asked is None or (asked.asks_beyond and not self._is_apart(asked)):
            return False
        self._listed = list_paths(self.root)
        self.is_listed = listing_digest(self._listed) == self.kept.listing
        return self.is_listed

    def _is_apart(self, asked: KeptAsked) -> bool:
        """Return whether nothing that changed of git and the folders tells of migrations.

        Editors write a file beside the old one, and move it into its place; git writes its index
        when it only looks.
        """
        held = {
            path
            for path in self.places[self.kept.listed :]
            if path.endswith(_OF_MIGRATIONS)
            if (path.rpartition("/")[0] or ".") in self._deciding
        }
        return (
            not asked.asks_folders
            and held <= asked.answers.keys()
            and self._are_known
            and (not self._is_index_open or tracked_digest(self.root) == asked.tracked != b"")
        )

    @property
    def _are_known(self) -> bool:
        """Whether all that decides on the listing and changed are the project's folders, or git's.

        Of git it is the index alone.
        """
        others = [place for place in self._deciding if not self._is_folder(place)]
        return not others or index_places(self.root).issuperset(others)

    @property
    def _is_index_open(self) -> bool:
        return not all(map(self._is_folder, self._deciding))

    def _is_folder(self, place: str) -> bool:
        absolute = self.root / place
        return not Path(place).is_absolute() and os.path.isdir(absolute)  # noqa: PTH112  # it raises nothing

    def _answer_the_same(self) -> bool:
        """Return whether files that changed answer what they did, be it on other lines."""
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
        others = [
            file for file in self._files if not respondents.answers(file, asked.answers[file.path])
        ]
        return not others or self._say_the_same(others, asked, respondents, options)

    def _say_the_same(
        self,
        files: Sequence[SourceFile],
        asked: KeptAsked,
        respondents: Respondents,
        options: ExtractionOptions,
    ) -> bool:
        """Return whether files that answer otherwise say the same on other lines."""
        from dal_audit.commands.moved_answers import Comparison
        from dal_audit.extract.cache import Cache, key_of
        from dal_audit.extract.cache_file import FILE

        @cache
        def facts() -> Cache:
            key = key_of(options.catalogue, thorough=options.thorough, foreign=options.foreign)
            return Cache(self.root / CACHE / FILE, key)

        # Of which type an object is, where its attribute is configured, hangs on each import.
        strangers = () if self.policy.accessors else asked.foreign
        comparison = Comparison(
            asked,
            respondents,
            lambda path, kind: facts().kept_of(path, kind),
            frozenset(strangers),
        )
        for file in files:
            found = comparison.moved(file)
            if found is None:
                return False
            self._moved[file.path] = found
        return True

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
        answers.update((path, own.answers) for path, own in self._moved.items())
        said = {path: own.said for path, own in self._moved.items()}
        return replace(
            asked, answers=answers, size=self._size(asked), edited={**asked.edited, **said}
        )

    def swept(self, *, is_settled: bool) -> tuple[Swept, Places] | None:
        """Return the places that the result hangs on by now, with their stamps.

        Before all is settled they are not looked for anew: what decides on the listing and changed
        stays unsettled, so that the next run lists once more.
        """
        if is_settled and not self._hold_no_more():
            return swept(ProjectScope(self.policy, (".",), (), self._listed))
        kept = self.kept
        places = Places(
            self.places[: kept.deciding],
            self.places[kept.deciding : kept.listed],
            self.places[kept.listed :],
            frozenset(self.kept.links),
        )
        stamps = self._stamps(is_settled=is_settled)
        return Swept(str(self.root), (".",), self.places, stamps), places

    def _hold_no_more(self) -> bool:
        """Return whether the places are the same, although folders of the project changed."""
        known = frozenset(self.places) if self._deciding else frozenset()
        folders = filter(self._is_folder, self._deciding)
        return self._are_known and all(
            holds_no_more(self.root, folder, known) for folder in folders
        )

    def _stamps(self, *, is_settled: bool) -> bytes:
        """Return the kept stamps, with the new ones of what changed, as far as it is settled."""
        deciding = UNSETTLED * len(self._deciding)
        if is_settled:
            deciding = stamps_in(str(self.root), self._deciding)
        now = deciding + stamps_in(str(self.root), self.changed)
        return with_others(self.kept.stamps, self._numbers, now)

    def forget(self) -> None:
        """Let go of what was asked: an audit that goes on beside it wants the memory."""
        vars(self).pop("_asked", None)

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
