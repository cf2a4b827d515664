"""Files that say what a command runs: Makefiles, justfiles, package scripts, shell scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from dal_audit.extract.ci.shell import Placed, commands_at, commands_of
from dal_audit.extract.source import Lines
from dal_audit.facts import Span
from dal_audit.facts.ci import CiCommand, CiTarget, CiTool

_RULE: Final = re.compile(
    r"^(?P<names>[^\s#:=][^#:=\n]*?)\s*::?(?!=)(?P<rest>[^\n]*)$", re.MULTILINE
)
_RECIPE: Final = re.compile(
    r"^@?(?P<name>[A-Za-z_][\w-]*)(?P<parameters>[^:\n]*):(?!=)(?P<needs>[^\n]*)$", re.MULTILINE
)
_VARIABLE: Final = re.compile(
    r"^(?:export\s+)?([A-Za-z_]\w*)\s*(?:\?|:|::)?=[ \t]*(.*)$", re.MULTILINE
)
_EXPORT: Final = re.compile(r"^export\s+([A-Za-z_]\w*)\s*(?:\?|:|::)?=[ \t]*(.*)$", re.MULTILINE)
_REFERENCE: Final = re.compile(r"\$[({](\w+)[)}]")
_JUST_EXPORT: Final = re.compile(r"^export\s+(\w+)\s*:=\s*['\"]?([^'\"\n]*)['\"]?", re.MULTILINE)
_JUST_PARAMETER: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_SCRIPTS: Final = re.compile(r'"scripts"\s*:')

MAX_DEPTH: Final = 5


def shell_tool(text: str) -> CiTool:
    """Return a shell script, as a target without a name."""
    lines = Lines(text)
    commands = commands_of(text, _within(lines))
    return CiTool(Span(1, 1, 1, 1), (CiTarget("", Span(1, 1, 1, 1), commands),), ("",))


def _within(lines: Lines, offset: int = 0) -> Placed:
    size = len(lines.text)
    return lambda start, end: lines.span(min(offset + start, size), min(offset + end, size))


def make_tool(text: str) -> CiTool:
    """Return a Makefile's targets; variables that it sets itself are put in."""
    lines = Lines(text)
    variables = dict(_VARIABLE.findall(text))
    exported = tuple(
        (name, _filled(value.strip(), variables)) for name, value in _EXPORT.findall(text)
    )
    targets = []
    for rule in _RULE.finditer(text):
        needs, own = _prerequisites(rule["rest"])
        script, begin = _recipe(text, rule.end() + 1)
        commands = commands_of(_filled_in_place(script, variables), _within(lines, begin))
        span = lines.span(rule.start(), rule.end("names"))
        targets += [
            CiTarget(name, span, _bare(commands), (*exported, *own), needs=needs)
            for name in rule["names"].split()
        ]
    named = [target.name for target in targets if not target.name.startswith((".", "%"))]
    return CiTool(Span(1, 1, 1, 1), _with_own(targets), tuple(named[:1]))


def _prerequisites(rest: str) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return what a rule's first line asks for first, and the variables that it sets."""
    assigned = re.match(r"\s*(?:export\s+)?(\w+)\s*[:?]?=\s*(.*)", rest)
    if assigned:
        return (), ((assigned[1], assigned[2].strip()),)
    return tuple(re.split(r"[#;]", rest, maxsplit=1)[0].replace("|", " ").split()), ()


def _with_own(targets: list[CiTarget]) -> tuple[CiTarget, ...]:
    """Return targets once each: `test: export X = 1` is a line of its own."""
    found: dict[str, CiTarget] = {}
    for target in targets:
        before = found.get(target.name)
        if before is None:
            found[target.name] = target
            continue
        commands = before.commands or target.commands
        env = (*before.env, *target.env)
        needs = (*before.needs, *target.needs)
        found[target.name] = replace(before, commands=commands, env=env, needs=needs)
    return tuple(found.values())


def _recipe(text: str, begin: int) -> tuple[str, int]:
    """Return the indented lines that begin at an offset."""
    end = begin
    while end < len(text) and (text[end] in "\t " or text[end] == "\n"):
        following = text.find("\n", end)
        end = len(text) if following < 0 else following + 1
    return text[begin:end], begin


def _filled(text: str, variables: dict[str, str], depth: int = 0) -> str:
    if depth >= MAX_DEPTH:
        return text
    return _REFERENCE.sub(
        lambda found: (
            _filled(variables[found[1]], variables, depth + 1)
            if found[1] in variables
            else f"${{{found[1]}}}"
        ),
        text,
    )


def _filled_in_place(script: str, variables: dict[str, str]) -> str:
    """Put variables into a recipe; each line stays a line, so that places stay true by the line."""
    filled = "\n".join(_filled(line, variables).replace("\n", " ") for line in script.split("\n"))
    return filled.replace("$$", "$")


def _bare(commands: tuple[CiCommand, ...]) -> tuple[CiCommand, ...]:
    """Take off the marks before a recipe's commands; `-` lets make go on after a failure."""
    found = []
    for command in commands:
        first = command.words[0] if command.words else ""
        bare = first.lstrip("@-+")
        words = (bare, *command.words[1:]) if bare else command.words[1:]
        is_soft = "-" in first[: len(first) - len(bare)]
        then = "||" if is_soft and command.then == ";" else command.then
        found.append(replace(command, words=words, then=then))
        if is_soft and command.then == ";":
            found.append(CiCommand(command.span, ("true",), (), ";", "", command.part))
    return tuple(found)


def just_tool(text: str) -> CiTool:
    """Return a justfile's recipes; their parameters stay variables."""
    lines = Lines(text)
    exported = tuple((found[1], found[2]) for found in _JUST_EXPORT.finditer(text))
    targets = []
    for recipe in _RECIPE.finditer(text):
        script, begin = _recipe(text, recipe.end() + 1)
        script = _JUST_PARAMETER.sub(lambda found: f"${{{found[1]}}}", script)
        commands = _bare(commands_of(script, _within(lines, begin)))
        needs = tuple(word.strip("()") for word in recipe["needs"].split("#")[0].split())
        span = lines.span(recipe.start(), recipe.end("name"))
        targets.append(CiTarget(recipe["name"], span, commands, exported, needs=needs))
    first = tuple(target.name for target in targets[:1])
    return CiTool(Span(1, 1, 1, 1), tuple(targets), first)


def package_tool(text: str) -> CiTool | None:
    """Return the scripts of a package.json; None for a text that is none."""
    try:
        scripts = json.loads(text).get("scripts", {})
    except (ValueError, AttributeError, RecursionError):
        return None
    if not isinstance(scripts, dict):
        return None
    lines = Lines(text)
    opening = _SCRIPTS.search(text)
    start = opening.end() if opening else 0
    return CiTool(Span(1, 1, 1, 1), tuple(_package_targets(scripts, lines, start)))


def _package_targets(scripts: dict[str, object], lines: Lines, start: int) -> Iterator[CiTarget]:
    for name, script in scripts.items():
        if isinstance(script, str):
            index = max(lines.text.find(json.dumps(name, ensure_ascii=False), start), 0)
            span = lines.span(index, index + len(name) + 2)
            yield CiTarget(name, span, commands_at(script, span))
