"""Storage is read before all else, and whole: what it carries out decides what else is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import ExtractionOptions, extract, read_whole
from dal_audit.facts import FileFacts, SourceFile


def extract_project(
    files: Sequence[SourceFile],
    options: Callable[[], ExtractionOptions],
    storage: AbstractSet[str],
    *,
    jobs: int | None,
    cache: Cache,
    count: Callable[[int, int], None],
) -> list[FileFacts]:
    """Return the facts of each file of a project, in the order of the files, as `extract` does.

    Those whose paths are in `storage` are read whole, but for what breaks a rule only elsewhere:
    SQL in calls.
    """
    if not files:
        return []
    stored = read_whole(
        [file for file in files if file.path in storage and not file.flaw],
        lambda: replace(options(), depth="storage"),
        jobs,
        cache,
        "storage",
    )
    known = {facts.path: facts for facts in stored}
    others = extract(
        [file for file in files if file.path not in known],
        options,
        jobs=jobs,
        cache=cache,
        count=count,
    )
    known.update((facts.path, facts) for facts in others)
    return [known[file.path] for file in files]
