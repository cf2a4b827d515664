"""The lines that go between a replay and a project's interpreter, and what is noted meanwhile.

A request is a line of JSON on standard input, `{"do": "up", "name": …, "target": …}`, and its
answer one on standard output: `statements` that were run, each with its place and `text`, and
`failure`, which is null where there was none. The end of the input is the leash.
"""

from __future__ import annotations

import ast
import json
import os
import queue
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any


class UnfitError(Exception):
    """What keeps a project's environment from running its migrations, in words for people."""


class AbsentError(UnfitError):
    """The project that is set up does not run these migrations: they belong to another one."""


class Journal:
    """The statements of one request, each with the place in a migration that it comes from."""

    def __init__(self, locate: Callable[[FrameType, int], dict[str, Any] | None]) -> None:
        """Take what tells a place in a migration from a frame and its line."""
        self._locate = locate
        self.statements: list[dict[str, Any]] = []
        self.refused = ""

    def begin(self) -> None:
        """Forget what was run before; `refused` is the last statement that failed."""
        self.statements = []
        self.refused = ""

    def note(self, text: str) -> None:
        """Note a statement that is about to be run, if a migration runs it."""
        place = self._place((frame, frame.f_lineno) for frame in _outwards(sys._getframe(1)))
        if place is not None:
            self.statements.append({**place, "text": text})

    def failure(self, error: BaseException) -> dict[str, Any]:
        """Return what is said of an error: where, in which words, and whether an engine said it."""
        frames = list(_inwards(error.__traceback__))
        place = self._place(reversed(frames))
        answer = next(filter(_is_answer, _causes(error)), None)
        innermost = frames[-1][0].f_globals.get("__name__", "") if frames else ""
        refused = answer is not None or innermost.partition(".")[0] in TOOLKITS
        return {
            **(place or {}),
            "text": self.refused if answer is not None else "",
            "message": _message(answer or error, is_answer=answer is not None),
            "code": _code(answer),
            "refused": bool(place) and refused,
        }

    def _place(self, frames: Iterator[tuple[FrameType, int]]) -> dict[str, Any] | None:
        for frame, line in frames:
            place = self._locate(frame, line)
            if place is not None:
                return place
        return None


TOOLKITS = frozenset({"alembic", "django", "sqlalchemy"})
"""Whose refusal is one of the engine's: they know what it does not take."""


def _outwards(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _inwards(traceback: TracebackType | None) -> Iterator[tuple[FrameType, int]]:
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it comes from, the first cause first."""
    cause = getattr(error, "orig", None) or error.__cause__
    if isinstance(cause, BaseException) and cause is not error:
        yield from _causes(cause)
    yield error


def _is_answer(error: BaseException) -> bool:
    """Return whether an error is one of a database driver's."""
    return (
        isinstance(error, sqlite3.Error) or hasattr(error, "sqlstate") or hasattr(error, "pgcode")
    )


def _message(error: BaseException, *, is_answer: bool) -> str:
    words = getattr(getattr(error, "diag", None), "message_primary", None) or str(error)
    line = " ".join(str(words).split())
    return line if is_answer and line else f"{type(error).__name__}: {line}"


def _code(answer: BaseException | None) -> str:
    return str(getattr(answer, "sqlstate", None) or getattr(answer, "pgcode", None) or "")


def serve(answered: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Answer requests until the input ends, whatever is done then.

    What a project prints does not reach the answers: they have a descriptor of their own.
    """
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        os.dup2(2, 1)
        lines = _requests()
        while True:
            request = json.loads(lines.get())
            try:
                answer = answered(request)
            except UnfitError as error:
                answer = {"unfit": str(error), "is_absent": isinstance(error, AbsentError)}
            except Exception as error:  # noqa: BLE001  # what a project's settings raise
                answer = {"unfit": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), file=out, flush=True)


def _requests() -> queue.Queue[str]:
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    return lines


def ancestors(folder: Path, root: Path) -> Iterator[Path]:
    """Yield a folder and those that hold it, up to the project's."""
    yield folder
    if folder != root:
        for parent in folder.parents:
            yield parent
            if parent == root:
                return


def place(path: str, line: int, end: int, *, is_made: bool = False) -> dict[str, Any]:
    """Return a place: a file, the first and the last line, and whether a tool wrote the SQL."""
    return {"path": path, "line": line, "end": max(line, end), "is_made": is_made}


def end_of_statement(tree: ast.Module, line: int) -> int:
    """Return the last line of the smallest statement on a line; of one with a body, of its head."""
    found = line
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or line):
            body = getattr(node, "body", None)
            found = body[0].lineno - 1 if body else node.end_lineno or line
    return found
