"""Measure the downs that are written for Alembic's revisions: how many take their ups back.

    python -m tests.tools.truth.revision_downs PROJECT... [--all] [--show N]

A down is written for each revision of each PROJECT that lacks one, or lacks something in it; with
`--all` each is emptied before, in a copy. Each is tried right after its up on each engine of its
set, by what its operations come to; nothing of the project is run. Printed are for each engine how
many were written that do anything, how many of these could be tried, how many restored the schema,
and how many count as safe.
"""

from __future__ import annotations

import argparse
import ast
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from dal_audit.catalogue.engine_names import Engine
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.discover.projects import plan_audit
from dal_audit.replay.plan import plan_replay
from dal_audit.replay.revision_downs import WrittenDowngrade, missing_downgrades, try_downgrades
from dal_audit.replay.run import Engines, ReplayRequest
from dal_audit.replay.verdicts import NO_UP
from tests.tools.truth.sql import copied


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the downs, try them, and print what came of them."""
    parser = argparse.ArgumentParser(prog="tests.tools.truth.revision_downs", description=__doc__)
    parser.add_argument("projects", type=Path, nargs="+")
    parser.add_argument("--all", action="store_true", help="also where there is a down")
    parser.add_argument("--show", type=int, default=3, help="how many that fail to print of a set")
    options = parser.parse_args(arguments)
    total: Counter[tuple[Engine, str]] = Counter()
    with closing(Engines(ReplayRequest())) as engines:
        for project in options.projects:
            with tempfile.TemporaryDirectory() as folder:
                root = copied(project, Path(folder)) if options.all else project.resolve()
                for file in root.rglob("*.py") if options.all else ():
                    empty(file)
                total.update(counted(root, engines, options.show))
    for engine, what in sorted(total):
        print(f"{engine:<11} {what:<9} {total[engine, what]:>5}")
    return 0


def empty(file: Path) -> None:
    """Let the way back of a revision do nothing."""
    text = file.read_bytes().decode("utf-8", "replace")
    if "def downgrade" not in text or "down_revision" not in text:
        return
    for own in ast.parse(text).body:
        if isinstance(own, ast.FunctionDef) and own.name == "downgrade":
            lines = text.splitlines(keepends=True)
            lines[own.body[0].lineno - 1 : own.end_lineno] = ["    pass\n"]
            file.write_bytes("".join(lines).encode())


def counted(root: Path, engines: Engines, show: int) -> Counter[tuple[Engine, str]]:
    """Write and try the downs of a project; print what fails, and return the counts."""
    found: Counter[tuple[Engine, str]] = Counter()
    for scope in plan_audit((".",), root, None, known_rules()).scopes:
        for planned in plan_replay(scope, None, reads={"alembic"}).sets:
            if planned.tool != "alembic":
                continue
            folder = scope.policy.root
            chain, every = missing_downgrades(planned, lambda path: (folder / path).read_bytes())  # noqa: B023  # it is called before the next one
            acting = [own for own in every if own.downgrade.is_acting]
            try_downgrades(chain, acting, engines, lambda *_: None)
            print(f"{planned.root}: {len(acting)} written of {len(chain.paths)}", flush=True)
            for engine in chain.engines:
                for own in acting:
                    found.update((engine, word) for word in words_of(own, engine))
                failing = [own for own in acting if own.said.get(engine, NO_UP) not in {"", NO_UP}]
                for own in failing[:show]:
                    print(f"    {own.migration.path} {engine}: {own.said[engine]}")
    return found


def words_of(own: WrittenDowngrade, engine: Engine) -> list[str]:
    """Return as what a down counts on an engine."""
    said = own.said.get(engine)
    words = ["written"]
    words += ["tried"] if said is not None and not said.startswith(NO_UP) else []
    words += ["restored"] if said == "" else []
    return words + (["safe"] if said == "" and not [*own.doubts()] else [])


if __name__ == "__main__":
    sys.exit(main())
