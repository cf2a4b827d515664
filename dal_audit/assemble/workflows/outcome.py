"""Whether the failure of a command makes its step fail: `||`, pipes, `set +e`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from dal_audit.facts.ci import CiCommand

_SUCCEEDS: Final = frozenset({":", "cat", "echo", "ls", "printf", "sleep", "tail", "true"})
_FILTERS: Final = frozenset(
    {
        "awk",
        "cat",
        "cut",
        "grep",
        "head",
        "less",
        "more",
        "sed",
        "sort",
        "tail",
        "tee",
        "tr",
        "ts",
        "uniq",
    }
)
_STATUS: Final = re.compile(r"\$\?|\$\{?PIPESTATUS|\$\{?(?:EXIT|RC|STATUS|CODE)\w*", re.IGNORECASE)


def swallowed(
    commands: Sequence[CiCommand], index: int, *, has_pipefail: bool
) -> tuple[CiCommand, str] | None:
    """Return the command that hides the failure of another, and how; None where nothing does."""
    command = commands[index]
    if command.is_negated or command.part == "condition":
        return None
    if any(_STATUS.search(word) for later in commands for word in _texts(later)):
        return None
    return (
        _piped(commands, index, has_pipefail=has_pipefail)
        or _or_else(commands, _end_of_pipe(commands, index), command)
        or _unheeded(commands, index)
    )


def _end_of_pipe(commands: Sequence[CiCommand], index: int) -> int:
    """Return the index of the last command of the pipe that begins at one."""
    while index + 1 < len(commands) and commands[index].then == "|":
        index += 1
    return index


def _texts(command: CiCommand) -> list[str]:
    return [*command.words, *(value for _, value in command.assigned)]


def _piped(
    commands: Sequence[CiCommand], index: int, *, has_pipefail: bool
) -> tuple[CiCommand, str] | None:
    if commands[index].then != "|":
        return None
    before = [word for command in commands[:index] for word in command.words]
    if has_pipefail or "pipefail" in before:
        return None
    following = commands[index + 1] if index + 1 < len(commands) else None
    if following is None or not following.words or following.words[0] not in _FILTERS:
        return None
    return commands[index], f"the pipe into `{following.words[0]}`, without `pipefail`,"


def _or_else(
    commands: Sequence[CiCommand], index: int, command: CiCommand
) -> tuple[CiCommand, str] | None:
    """Return the alternative that succeeds where a command fails."""
    last = index
    while last + 1 < len(commands) and _goes_on(commands[last], command.depth):
        if commands[last].then == "&&" and _fails(commands[last + 1]):
            return None  # A check that something fails, and no run of tests.
        last += 1
    if commands[last].then != "||" or last + 1 >= len(commands):
        return None
    rest = _alternative(commands, last + 1)
    first = rest[0]
    is_retry = first.words[:1] == command.words[:1]
    if is_retry or any(map(_fails, rest)) or not _succeeds(first):
        return None
    return command, f"`|| {first.words[0]}`"


def _goes_on(command: CiCommand, depth: int) -> bool:
    """Return whether what follows a command is run with it, before an alternative is."""
    return command.then == "&&" or (depth > 0 and command.then == ";" and command.depth > 0)


def _alternative(commands: Sequence[CiCommand], start: int) -> list[CiCommand]:
    """Return the commands of an alternative: one and what hangs on it, or a whole group."""
    found = [commands[start]]
    for command in commands[start + 1 :]:
        before = found[-1]
        if before.then in {"&&", "||", "|"} or (
            before.then == ";" and before.depth > 0 and command.depth > 0
        ):
            found.append(command)
        else:
            break
    return found


def _fails(command: CiCommand) -> bool:
    words = command.words
    if words[:1] == ("false",):
        return True
    return words[:1] in {("exit",), ("return",)} and words[1:2] != ("0",)


def _succeeds(command: CiCommand) -> bool:
    words = command.words
    if not words or words[0] in {"exit", "return"}:
        return words[1:2] == ("0",)
    return words[0] in _SUCCEEDS or words[:2] in {("docker", "logs"), ("docker", "ps")}


def _unheeded(commands: Sequence[CiCommand], index: int) -> tuple[CiCommand, str] | None:
    """Return the `set +e` before a command after which others run."""
    if index + 1 >= len(commands):
        return None
    settings = (command for command in commands[:index] if command.words[:1] == ("set",))
    last = next((command for command in reversed([*settings]) if _sets_heed(command)), None)
    return (last, "`set +e` before it") if last and "+e" in last.words else None


def _sets_heed(command: CiCommand) -> bool:
    """Return whether `set` says that a failure ends the script, or that it does not."""
    return any(re.fullmatch(r"\+e|-\w*e\w*", word) for word in command.words[1:])
