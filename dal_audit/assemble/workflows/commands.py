"""What a command of a script runs: programs, behind all that only leads to them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.assemble.workflows.programs import NAMING, Deed, judged, looks_like_tests
from dal_audit.assemble.workflows.wrappers import MAX_DEPTH, script_in, unwrapped
from dal_audit.extract.ci.shell import commands_at
from dal_audit.facts.ci import CiCommand

_FOLDER_OPTIONS: Final = ("-C", "--directory", "--prefix", "--cwd", "--dir")


class Call(Struct, frozen=True):
    """A program that a command runs, behind all that only leads to it.

    `does` tells what it is to tests; `words` are the program and its arguments, `assigned` the
    variables that are set for it alone, `folder` where it is told to go first.
    """

    does: Deed
    words: tuple[str, ...]
    assigned: tuple[tuple[str, str], ...] = ()
    folder: str = ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """What the program is given."""
        return self.words[1:]


def calls_of(command: CiCommand, depth: int = 0) -> Iterator[Call]:
    """Yield what a command runs: one program, or those of a script that a shell is given."""
    if command.words[:1] == ("test",):
        return  # The shell's own, which compares.
    inner = script_in(command.words) if depth < MAX_DEPTH else ""
    if inner:
        for nested in commands_at(inner, command.span):
            for call in calls_of(nested, depth + 1):
                yield _with(call, command.assigned)
        return
    words, assigned = unwrapped(list(command.words))
    if words:
        folder = _folder(words)
        does, words = judged(words)
        yield Call(does, tuple(words), (*command.assigned, *assigned), folder)


def _with(call: Call, assigned: Iterable[tuple[str, str]]) -> Call:
    return Call(call.does, call.words, (*assigned, *call.assigned), call.folder)


def _folder(words: Sequence[str]) -> str:
    told = (option for option in _FOLDER_OPTIONS if option in words[:-1])
    return next((words[words.index(option) + 1] for option in told), "")


def may_test(call: Call) -> bool:
    """Return whether what a call runs, and is not to be seen, may be tests."""
    if call.does in NAMING:
        names = [word for word in call.arguments if not word.startswith("-") and word != "run"]
        # A task that is called a check looks at anything.
        is_plain = call.does != "task"
        return any(looks_like_tests(name) and (is_plain or "test" in name) for name in names[:2])
    return looks_like_tests(call.words[0])
