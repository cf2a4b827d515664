"""A project's interpreter that runs its migrations, seen from who watches the database.

It is given nothing but what it needs: no variable of the environment that this process has, for
these hold secrets and the addresses of databases that are not the scratch one; but those that it is
told to hand over, whose values are in no answer.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from dal_audit.catalogue.engine_names import SQLITE, Engine
from dal_audit.facts import START, Place, Span
from dal_audit.replay.child_process import ChildProcess
from dal_audit.replay.database import AbsentSetError, EngineError
from dal_audit.replay.model import Command, Program, Refusal
from dal_audit.replay.variables import masked

_BEGIN: Final = """\
import sys
own, module, *words = sys.argv[1:]
import ast, json, os, pathlib, queue, re, sqlite3, threading
sys.path[0] = own
from importlib import import_module
program = import_module(module)
sys.path[0] = words[1]
program.main(*map(pathlib.Path, words))
"""
"""Our own program is imported from here, and everything else as the project does."""

_PROGRAMS: Final = {"alembic": "alembic_revisions", "django": "django_migrations"}

RUNS: Final = frozenset({"up", "again", "down"})
"""What is asked for that runs a migration; anything else only prepares that."""

SET_UP: Final = 15.0
"""Seconds that a project may take besides to import what it needs."""

_KEPT: Final = ("LANG", "LC_ALL", "SYSTEMROOT", "TMPDIR", "TEMP", "TZ")


class ProgramError(EngineError):
    """A migration fails by what its program does, not by what an engine takes."""


class Answer:
    """What came of a migration: the statements that were run, and what was refused."""

    def __init__(self, statements: tuple[Command, ...], refused: Refusal | None) -> None:
        """Take both; of what was refused, the last statement is the place."""
        self.statements = statements
        self.refused = refused


class ProjectProcess:
    """The process, started when it is asked for the first time, and again after it was killed."""

    def __init__(self, program: Program, engine: Engine, seconds: float) -> None:
        """Take what is run, and how long one migration may take."""
        self.program = program
        self.engine = engine
        self.seconds = seconds
        self._child: ChildProcess | None = None
        self._lines: dict[str, list[str]] = {}

    def close(self) -> None:
        """End it."""
        if self._child is not None:
            self._child.close()
            self._child = None

    def ask(self, what: str, name: str, address: str, *, is_first: bool = False) -> Answer:
        """Have one thing done on a database, and return what came of it.

        Raises EngineError where the environment does not let it be done, and, where it `is_first`,
        ProgramError where it fails by itself, which then is no matter of any engine; AbsentSetError
        for a set that the project does not run.
        """
        answer = self._answer(what, name, address)
        if answer is None:
            self.close()
            late = f"it took longer than {self.seconds:g} seconds"
            if what not in RUNS:
                raise EngineError(f"`{self.program.root}` is not run: {late} to prepare it")
            return self._refused({}, late)
        if "unfit" in answer:
            error = AbsentSetError if answer.get("is_absent") else EngineError
            raise error(f"`{self.program.root}` is not run: {answer['unfit']}")
        statements = tuple(self._command(row) for row in answer["statements"])
        failure = answer["failure"]
        if failure is None:
            return Answer(statements, None)
        if is_first and not failure["refused"]:
            raise ProgramError(self._fault(failure))
        return self._refused(failure, failure["message"], statements)

    def _answer(self, what: str, name: str, address: str) -> dict[str, Any] | None:
        seconds = self.seconds
        if self._child is None:
            self._child = self._started()
            seconds += SET_UP
        request = {"do": what, "name": name, "target": target(self.engine, address)}
        try:
            self._child.send(json.dumps(request).encode())
            line = self._child.next(seconds)
        except BrokenPipeError:
            line = b""
        if line == b"":
            self.close()
            return {"unfit": f"{self.program.python} ended without a word"}
        if line is None:
            return None
        values = [value for _, value in self.program.variables]
        said: dict[str, Any] = masked(json.loads(line), values)
        return said

    def _started(self) -> ChildProcess:
        program = self.program
        folder = Path(program.project)
        own = str(Path(__file__).resolve().parents[2])
        module = f"dal_audit.replay.programs.{_PROGRAMS[program.tool]}"
        words = [module, str(folder / program.root), program.project]
        arguments = [program.python, "-B", "-c", _BEGIN, own, *words]
        try:
            return ChildProcess(arguments, folder=folder, environment=_environment(program))
        except OSError as error:
            raise EngineError(f"{program.python} cannot be run: {error.strerror}") from None

    def _refused(
        self, failure: dict[str, Any], message: str, statements: tuple[Command, ...] = ()
    ) -> Answer:
        refusal = Refusal(message, failure.get("code", ""))
        return Answer((*statements, self._command(failure)), refusal)

    def _fault(self, failure: dict[str, Any]) -> str:
        place = self._command(failure).place
        if not place.path:
            return f"`{self.program.root}` is not run: {failure['message']}"
        return f"{place.path}:{place.span.line}: the migration itself fails: {failure['message']}"

    def _command(self, row: dict[str, Any]) -> Command:
        """Return a statement and its place: whole lines, without what indents the first."""
        text = row.get("text", "")
        if "path" not in row:
            return Command(Place("", START), text)
        path, first, last = row["path"], row["line"], row["end"]
        if path not in self._lines:
            self._lines[path] = Path(path).read_text("utf-8", "replace").split("\n")
        lines = self._lines[path]
        column = len(lines[first - 1]) - len(lines[first - 1].lstrip()) + 1
        end = len(lines[last - 1].rstrip().encode("utf-16-le")) // 2 + 1
        shown = os.path.relpath(path, os.path.realpath(self.program.project))
        place = Place(Path(shown).as_posix(), Span(first, column, last, end))
        return Command(place, text, is_made=row["is_made"])


def target(engine: Engine, address: str) -> dict[str, str]:
    """Return a database as a program is told of it."""
    if engine == SQLITE:
        return {"engine": engine, "database": address}
    from psycopg.conninfo import conninfo_to_dict

    named = conninfo_to_dict(address)
    words = {"database": "dbname", "user": "user", "password": "password", "host": "host"}
    parts = {word: str(named.get(key) or "") for word, key in (*words.items(), ("port", "port"))}
    return {"engine": engine, **parts}


def _environment(program: Program) -> dict[str, str]:
    """Return the variables that a program is given."""
    folder = Path(program.python).parent
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {
        **kept,
        "PATH": os.pathsep.join([str(folder), os.defpath]),
        "VIRTUAL_ENV": str(folder.parent),
        "PYTHONPATH": program.project,
        "PYTHONIOENCODING": "utf-8",
        **dict(program.variables),
    }
