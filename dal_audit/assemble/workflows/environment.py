"""The variables of a job: put into words, handed on to later steps, passed on to what is called."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from msgspec.structs import replace

from dal_audit.assemble.workflows.state import State
from dal_audit.extract.ci.expressions import UNKNOWN, interpolate
from dal_audit.facts.ci import CiCommand, CiStep, CiTarget

_VARIABLE: Final = re.compile(r"\$\{(\w+)(?::?-([^}]*))?\}|\$(\w+)|\$\((\w+)\)")
_PAIR: Final = re.compile(r"\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)", re.DOTALL)


def filled(command: CiCommand, state: State) -> CiCommand:
    """Return a command with its expressions worked out, and variables that are whole words."""
    words: list[str] = []
    for word in command.words:
        if "${{" in word:
            text = interpolate(word, state.contexts)
            words += text.split() if word.startswith("${{") and word.endswith("}}") else [text]
        elif word.startswith("$") and _VARIABLE.fullmatch(word):
            words += expanded(word, state.env).split()
        else:
            words.append(word)
    assigned = tuple(
        (name, expanded(interpolate(value, state.contexts), state.env))
        for name, value in command.assigned
    )
    given = interpolate(command.given, state.contexts)
    return replace(command, words=tuple(words), assigned=assigned, given=given)


def expanded(text: str, env: Mapping[str, str]) -> str:
    """Return a text with the variables put in that are known."""

    def value(found: re.Match[str]) -> str:
        name = found[1] or found[3] or found[4]
        default = found[2]
        known = env.get(name, "")
        return known or (default if default is not None else UNKNOWN)

    return _VARIABLE.sub(value, text)


def keeps(command: CiCommand) -> bool:
    """Return whether a command writes variables for later steps."""
    targets = [command.output, *command.words]
    return any("GITHUB_ENV" in target or "BASH_ENV" in target for target in targets)


def given_by(commands: Sequence[CiCommand], index: int) -> dict[str, str]:
    """Return the variables that a command sets: by words, a document, or what it is piped."""
    command = commands[index]
    texts = [*command.words[1:], *command.given.splitlines()]
    if command.words[:1] == ("tee",) and index:
        texts += commands[index - 1].words[1:]
    pairs = [pair for pair in map(_PAIR.fullmatch, texts) if pair is not None]
    return {pair[1]: pair[2].strip("'\"") for pair in pairs}


def written(step: CiStep) -> set[str]:
    """Return the variables that a step may hand on to those after it."""
    kept = (index for index, command in enumerate(step.script) if keeps(command))
    return {name for index in kept for name in given_by(step.script, index)}


def reaching(
    env: Mapping[str, str], target: CiTarget, assigned: Mapping[str, str]
) -> dict[str, str]:
    """Return the variables that reach what a tool runs."""
    outer = {**env, **assigned}
    if target.passes is not None:
        outer = {
            name: value
            for name, value in outer.items()
            if any(fnmatchcase(name.upper(), glob.upper()) for glob in target.passes)
        }
    return {**outer, **{name: expanded(value, {**env, **assigned}) for name, value in target.env}}
