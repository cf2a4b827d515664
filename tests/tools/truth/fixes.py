"""Measure what `--fix` makes of migrations: which findings are left, and what the engines say.

    python -m tests.tools.truth.fixes SOURCES [--unsafe] [--set WORD]
    python -m tests.tools.truth.fixes PROJECT... --alembic [--unsafe]

SOURCES is a folder, or an archive of one, as `tests.tools.truth.downs` takes it; each PROJECT has
revisions of Alembic's. All is copied and taken as written today: nothing of it is released.
Printed are the findings about portability by rule, before and after, and for each engine how many
changed statements (of Alembic: revisions, by what they come to) it took before, takes now, took and
does not take any more, and leaves another schema for.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

from dal_audit.audit import audit
from dal_audit.catalogue.engine_names import Engine
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.commands.fix import fixed, write_changes
from dal_audit.discover.projects import plan_audit
from dal_audit.extract.operations.revision_source import revision_source
from dal_audit.extract.sql.statements import split
from dal_audit.fix.revisions.run_statements import run_statements
from dal_audit.fix.revisions.source_schema import SourceSchema
from dal_audit.policy.request import Request
from dal_audit.replay.database import Database
from dal_audit.replay.plan import plan_replay
from dal_audit.replay.postgresql import Postgresql
from dal_audit.replay.sqlite import Sqlite
from dal_audit.replay.workers import postgres
from tests.tools.truth.downs import ENGINES_OF
from tests.tools.truth.sql import CONFIGURATION, copied

Open: TypeAlias = Callable[[Engine], AbstractContextManager[Database]]
"""Opens an empty database."""

SECONDS: Final = 30.0

_TRANSACTION: Final = re.compile(
    r"(?:BEGIN|COMMIT|END|ROLLBACK|START)(?:\s+(?:TRANSACTION|WORK|IMMEDIATE|DEFERRED|EXCLUSIVE))?",
    re.IGNORECASE,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fix, run what changed before and after, and print the tables."""
    parser = argparse.ArgumentParser(prog="tests.tools.truth.fixes", description=__doc__)
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--set", default="", help="only sets whose name holds this")
    parser.add_argument("--unsafe", action="store_true", help="also apply unsafe fixes")
    parser.add_argument("--alembic", action="store_true", help="the sources are projects")
    options = parser.parse_args(arguments)
    counts: Counter[tuple[str, str]] = Counter()
    rules: Counter[tuple[str, str]] = Counter()
    with ExitStack() as stack:
        server = stack.enter_context(postgres(""))

        @contextmanager
        def opened(engine: Engine) -> Iterator[Database]:
            is_sqlite = engine == "sqlite"
            with closing(
                Sqlite(SECONDS)
                if is_sqlite
                else Postgresql(server.scratch(), SECONDS, is_shared=False)
            ) as database:
                yield database

        for source in options.sources:
            with tempfile.TemporaryDirectory() as folder:
                before = copied(source, Path(folder))
                rules.update(mended(before, after := Path(folder) / "after", options))
                compare = revisions if options.alembic else sets
                for engine, *words in compare(before, after, options.set, opened):
                    counts.update((engine, word) for word in words)
    for rule in sorted({rule for rule, _ in rules}):
        print(f"{rule:<7} {rules[rule, 'before']:>6} before {rules[rule, 'after']:>6} after")
    for (engine, word), number in sorted(counts.items()):
        print(f"{engine:<11} {word:<16} {number:>6}")
    return 0


def mended(before: Path, after: Path, options: argparse.Namespace) -> Iterator[tuple[str, str]]:
    """Write a copy with all fixes; yield the rule of each finding before, and after."""
    shutil.copytree(before, after)
    if not options.alembic:
        (after / "dal-audit.toml").write_text(CONFIGURATION)
    subprocess.run(["git", "init", "-q"], cwd=after, check=True)
    request = Request(paths=(".",), folder=after)
    yield from ((rule, "before") for rule in rules_of(audit(request)))
    found = fixed(request, unsafe=options.unsafe)
    print(f"{found.count} findings fixed in {len(found.changes)} files")
    for reason in found.refused:
        print(f"    {reason}")
    write_changes(found.changes)
    yield from ((rule, "after") for rule in rules_of(found.report))


def rules_of(report: Any) -> Iterator[str]:
    """Yield the rule of each finding about portability."""
    yield from (own.rule.id for own in report.open if own.rule.id.startswith(("DAL30", "DAL404")))


def sets(before: Path, after: Path, word: str, opened: Open) -> Iterator[tuple[str, ...]]:
    """Yield what an engine says of each changed statement of the sets."""
    for entry in json.loads((before / "sets-index.json").read_bytes()):
        if word not in entry["set"] or entry["claim"] not in ENGINES_OF:
            continue
        pairs = [(texts(before / path), texts(after / path)) for path in entry["ups"]]
        if all(old == new for old, new in pairs):
            continue
        for engine in ENGINES_OF[entry["claim"]]:
            with opened(engine) as database:
                for olds, news in pairs:
                    for old, new in side_by_side(olds, news):
                        yield from verdict(database, engine, old, new, entry["set"])
                    database.settle()


def texts(path: Path) -> list[str]:
    """Return the statements of a script, without those that would end a trial's transaction."""
    text = path.read_text("utf-8-sig", "replace")
    several = [text[own.start : own.end] for own in split(text).statements]
    return [own for own in several if not _TRANSACTION.fullmatch(own)]


def side_by_side(
    olds: Sequence[str], news: Sequence[str]
) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """Yield what is to be compared: each statement, or a script as a whole where they are more."""
    if len(olds) != len(news):
        yield olds, news
        return
    for old, new in zip(olds, news, strict=True):
        yield (old,), (new,)


def verdict(
    database: Database, engine: str, old: Sequence[str], new: Sequence[str], name: str
) -> Iterator[tuple[str, ...]]:
    """Run what was written before and what is written now on trials; then go on with the new."""
    if old != new:
        (refused, was), (refusal, now) = tried(database, old), tried(database, new)
        words = ["changed"]
        words += ["took before"] if not refused else []
        words += ["takes now"] if not refusal else []
        if refusal and not refused:
            words.append("refuses now")
            print(f"    {name} {engine}: {refusal}: {new[0][:160]!r}")
        if not refusal and not refused and was != now:
            words.append("other schema")
            print(f"    {name} {engine}: another schema: {new[0][:160]!r}")
        yield (engine, *words)
    for text in new if old == new or not refusal else old:
        database.run(text)


def tried(database: Database, several: Sequence[str]) -> tuple[str, dict[str, str]]:
    """Return what statements are refused for on a trial, and the schema that they leave."""
    with database.trial(apart=False) as trial:
        for text in several:
            refusal = trial.run(text)
            if refusal is not None:
                return refusal.message, {}
        return "", trial.definitions()


def revisions(before: Path, after: Path, word: str, opened: Open) -> Iterator[tuple[str, ...]]:
    """Yield what an engine says of each changed revision, by what it comes to there."""
    for scope in plan_audit((".",), after, None, known_rules()).scopes:
        for planned in plan_replay(scope, None, reads={"alembic"}).sets:
            if planned.tool != "alembic" or word not in planned.root:
                continue
            for engine, migrations in planned.migrations.items():
                schemas = SourceSchema(), SourceSchema()
                with opened(engine) as database:
                    for migration in migrations:
                        old = run_of(before / migration.path, schemas[0], engine)
                        new = run_of(after / migration.path, schemas[1], engine)
                        if old is not None and new is not None:
                            yield from verdict(database, engine, old, new, migration.path)


def run_of(path: Path, schema: SourceSchema, engine: str) -> tuple[str, ...] | None:
    """Return what a revision runs; None where not all of it is known."""
    actions = revision_source(path.read_text("utf-8", "replace")).up
    statements = run_statements(schema, actions, engine)
    known = [own for own in statements if own is not None]
    return tuple(text for own in known for text in own) if len(known) == len(statements) else None


if __name__ == "__main__":
    sys.exit(main())
