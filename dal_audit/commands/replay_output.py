"""A replay for the command line: its options, and its progress where a terminal shows it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from dal_audit.catalogue.engine_names import Engine
from dal_audit.discover.errors import UsageError
from dal_audit.replay.plan import engine_of
from dal_audit.replay.run import Progress, ReplayRequest, Result, replay
from dal_audit.replay.variables import variables_of
from dal_audit.report.terminal import safe

WIDTH: Final = 24
"""How many characters the bar has."""


def result_of(options: Mapping[str, Any]) -> Result:
    """Replay what the options of the command ask for.

    Raises UsageError for an engine that there is none of, and what `replay` raises.
    """
    with shown_progress() as progress:
        return replay(asked(options), progress)


def asked(options: Mapping[str, Any]) -> ReplayRequest:
    """Return what the options of a command ask of engines.

    Raises UsageError for an engine that there is none of.
    """
    return ReplayRequest(
        options.get("path", "."),
        config=options["config"],
        on=_engines(options["on"]),
        url=options["postgres"],
        seconds=options["timeout"],
        python=_interpreter(options.get("python") or ""),
        variables=variables_of(options.get("env") or (), options.get("env_file")),
    )


@contextmanager
def shown_progress() -> Iterator[Progress]:
    """Show on a terminal how far engines are, for as long as they run."""
    if sys.stderr is None or not sys.stderr.isatty():
        yield _silent
        return
    bar = _Bar()
    try:
        yield bar
    finally:
        bar.clear()


def _engines(words: list[str]) -> tuple[Engine, ...] | None:
    try:
        return tuple(dict.fromkeys(engine_of(word.lower()) for word in words)) or None
    except ValueError as error:
        raise UsageError(
            f"error: there is no engine `{error}` to replay on, only `sqlite` and `postgresql`"
        ) from None


def _interpreter(path: str) -> str:
    """Return the absolute path of an interpreter; a link to one stays, for it tells its packages.

    Raises UsageError where nothing can be run there.
    """
    if not path:
        return ""
    found = shutil.which(path)
    if found is None:
        raise UsageError(f"error: `{path}` is no interpreter that can be run")
    return str(Path(found).absolute())


def _silent(_what: str, _done: int, _total: int) -> None:
    """Show nothing: there is no terminal."""


class _Bar:
    """A line on a terminal's standard error that is written over and over."""

    def __init__(self) -> None:
        self._shown = ""

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show how much of a set is done."""
        full = WIDTH * done // total if total else 0
        line = f"[{'#' * full}{'.' * (WIDTH - full)}] {safe(what)}"
        if line != self._shown:
            self.clear()
            sys.stderr.write(line)
            sys.stderr.flush()
            self._shown = line

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = ""
