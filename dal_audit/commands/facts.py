"""The command `facts`: what files say is read apart from the audit, in parts, on any machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.migration_layout import audited_scripts, layout_of
from dal_audit.assemble.sql_files import SqlFiles
from dal_audit.audit import discover, key_for, projects_of
from dal_audit.catalogue.digest import sha256
from dal_audit.discover.errors import UsageError
from dal_audit.discover.files import ProjectFiles
from dal_audit.disk.whole_file import write_whole
from dal_audit.extract.extractor import digests_of, extract, options_for
from dal_audit.extract.facts_file import Collection
from dal_audit.extract.sql_scripts import extract_scripts
from dal_audit.facts import SourceFile
from dal_audit.judge.selection import catalogue_of
from dal_audit.policy.request import Request


class Shard(Struct, frozen=True):
    """One of `count` parts of a project's files, by its number from 1 on.

    A file's path decides in which it is, so that an edit changes one of them.
    """

    number: int
    count: int

    def holds(self, file: SourceFile) -> bool:
        """Return whether a file is in this part."""
        digest = sha256(file.path.encode(errors="surrogateescape"))
        return int.from_bytes(digest[:8], "big") % self.count == self.number - 1


def shard_of(text: str) -> Shard:
    """Return the part that is written `2/8`. Raises UsageError for what is none."""
    number, slash, count = text.partition("/")
    is_written = slash and number.isascii() and count.isascii()
    if is_written and number.isdigit() and count.isdigit() and 1 <= int(number) <= int(count):
        return Shard(int(number), int(count))
    raise UsageError(f"error: `{text}` is no part of a whole: write 1/4 for the first of four")


def write_facts(request: Request, output: Path, shard: Shard) -> int:
    """Write what the files of a shard say, as far as it shows file by file; return their number.

    Raises as `audit` does, UsageError where PATHS hold several projects.
    """
    plan = projects_of(request)
    if len(plan.scopes) != 1:
        raise UsageError("error: facts are of one project, and PATHS hold several")
    (scope,) = plan.scopes
    catalogue = catalogue_of(scope.policy)
    whole = discover(scope, request)
    part = _part(whole, shard)
    files = [*part.files, *part.scripts]
    roots = scope.policy.source_roots
    collection = Collection(
        key_for(whole, catalogue, roots), files, lambda some: digests_of(some, jobs=request.jobs)
    )
    options = partial(options_for, whole.files, catalogue, roots)
    extract(part.files, options, jobs=request.jobs, cache=collection)
    layout = layout_of(scope, part, collection, jobs=request.jobs)
    scripts = audited_scripts(SqlFiles(scope.policy, layout), part, scope)
    extract_scripts(scripts, jobs=request.jobs, cache=collection)
    write_whole(request.folder / output, collection.data())
    return len(files)


def _part(tree: ProjectFiles, shard: Shard) -> ProjectFiles:
    """Return a project's files with those alone to read that are in a shard."""
    return replace(
        tree,
        files=tuple(filter(shard.holds, tree.files)),
        scripts=tuple(filter(shard.holds, tree.scripts)),
    )
