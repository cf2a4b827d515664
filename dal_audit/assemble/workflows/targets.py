"""What a call of tox, nox, make, just, a package's script or a shell script runs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import islice, pairwise, takewhile
from posixpath import join, normpath
from typing import Final

from dal_audit.assemble.workflows.commands import Call
from dal_audit.extract.ci.expressions import UNKNOWN
from dal_audit.facts.ci import CiTarget, CiTool
from dal_audit.facts.ci_files import CiKind, ci_kind_of

_KINDS: Final[Mapping[str, tuple[CiKind, ...]]] = {
    "tox": ("tox", "project"),
    "nox": ("nox",),
    "make": ("make",),
    "just": ("just",),
    "package": ("package",),
}
_CHOICES: Final = {"tox": ("-e", "--env"), "nox": ("-s", "--session", "--sessions", "-e")}
_VERBS: Final = frozenset({"ci", "exec", "run", "run-script", "workspace", "--"})
_FILE_OPTIONS: Final = ("-c", "--conf", "-f", "--noxfile", "--justfile", "--makefile")
_SPLIT: Final = re.compile(r"[,\s]+")
_TARGET: Final = re.compile(r"[A-Za-z][\w.:/-]*")

MAX_NEEDS: Final = 64
_NEEDED_DEPTH: Final = 5


def called_targets(
    call: Call, tools: Mapping[str, CiTool], folder: str, env: Mapping[str, str]
) -> tuple[str, list[CiTarget]] | None:
    """Return the file and the targets that a call runs; None where they are not to be seen.

    `env` are the variables that reach the call.
    """
    if call.does in {"shell", "script"}:
        return _script(call, tools, folder)
    if call.does not in _KINDS:
        return None  # Its file is not read.
    found = _file(call, tools, normpath(join(folder, call.folder)))
    if found is None:
        return None
    tool = tools[found]
    targets = list(_chosen(call, tool, env))
    return (found, list(_with_needs(targets, tool))) if targets else None


def _script(
    call: Call, tools: Mapping[str, CiTool], folder: str
) -> tuple[str, list[CiTarget]] | None:
    for base in dict.fromkeys((folder, "")):
        path = normpath(join(base, call.words[0]))
        if path in tools:
            return path, list(tools[path].targets)
    return None


def _file(call: Call, tools: Mapping[str, CiTool], folder: str) -> str | None:
    """Return the file that a tool reads: one that it is told, or one that lies in its folder."""
    kinds = _KINDS[call.does]
    words = call.words
    for option in _FILE_OPTIONS:
        if option in words[:-1]:
            told = normpath(join(folder, words[words.index(option) + 1]))
            if told in tools:
                return told
    fitting = (path for path in tools if ci_kind_of(path) in kinds)
    here = [
        path for path in fitting if normpath(path.rpartition("/")[0] or ".") == normpath(folder)
    ]
    return min(here, key=lambda path: (path.rpartition("/")[2] != "tox.ini", path), default=None)


def _chosen(call: Call, tool: CiTool, env: Mapping[str, str]) -> Iterator[CiTarget]:
    """Return the targets that a call names, or those that run without a word."""
    by_name = {target.name: target for target in tool.targets}
    if call.does == "tox":
        return _environments(call, tool, by_name, env)
    if call.does == "nox":
        return _sessions(call, tool, by_name)
    names = list(_names(call)) or list(tool.first)
    return (by_name[name] for name in names if name in by_name)


def _names(call: Call) -> Iterator[str]:
    """Yield the targets that make is told; of others the first, for its own arguments follow."""
    verbs = _VERBS if call.does == "package" else frozenset[str]()
    words = (word for word in _without_values(call.arguments) if word not in verbs)
    names = filter(_TARGET.fullmatch, words)
    return names if call.does == "make" else islice(names, 1)


def _without_values(words: Sequence[str]) -> Iterator[str]:
    """Yield words but for the values of options that take one."""
    skip = False
    for word in words:
        if not skip:
            yield word
        skip = word in {"-C", "-f", "-j", "--directory", "--justfile", "--makefile", "-d"}


def _told(call: Call) -> list[str]:
    """Return the environments or sessions that a call names."""
    options = _CHOICES[call.does]
    names: list[str] = []
    taking = False
    for word in takewhile(lambda word: word != "--", call.arguments):
        if word.startswith("-"):
            taking = word in options
            names += () if taking else _joined_to(options, word)
        elif taking:
            names += _SPLIT.split(word)
            taking = call.does == "nox"
    return [name for name in names if name]


def _joined_to(options: Sequence[str], word: str) -> list[str]:
    """Return what is joined to one of some options, as in `-epy312`."""
    option = next((option for option in options if word.startswith(option)), None)
    return _SPLIT.split(word[len(option) :].lstrip("=")) if option else []


def _environments(
    call: Call, tool: CiTool, by_name: Mapping[str, CiTarget], env: Mapping[str, str]
) -> Iterator[CiTarget]:
    """Yield the environments of tox; one that is not listed is made of its factors."""
    told = _told(call) or [*filter(None, _SPLIT.split(dict(call.assigned).get("TOXENV", "")))]
    every = [target for target in tool.targets if target.name != "*"]
    for name in told or _listed(tool, env):
        if UNKNOWN in name or name == "ALL":
            yield from every
        elif found := by_name.get(name) or by_name.get("*"):
            yield found


def _listed(tool: CiTool, env: Mapping[str, str]) -> list[str]:
    """Return the environments that run without a word, as far as variables choose among them."""
    names = list(tool.first)
    for variable, values in tool.chosen_by:
        wanted = dict(values).get(env.get(variable, ""), "")
        choices = [set(choice.split("-")) for choice in _SPLIT.split(wanted) if choice]
        kept = [name for name in names if any(map(set(name.split("-")).issuperset, choices))]
        names = kept or names
    return names


def _sessions(call: Call, tool: CiTool, by_name: Mapping[str, CiTarget]) -> Iterator[CiTarget]:
    tags = [value for option, value in pairwise(call.words) if option in {"-t", "--tags"}]
    if tags:
        yield from (target for target in tool.targets if _tagged(target, tags))
        return
    for name in _told(call) or tool.first:
        found = by_name.get(name.partition("(")[0]) or by_name.get(name.rpartition("-")[0])
        if found is not None:
            yield found


def _tagged(target: CiTarget, tags: Iterable[str]) -> bool:
    return any(fnmatchcase(own, tag) for own in target.tags for tag in tags)


def _with_needs(targets: Iterable[CiTarget], tool: CiTool) -> Iterator[CiTarget]:
    """Yield targets, each behind those that it needs; each once, however often it is needed."""
    by_name = {target.name: target for target in tool.targets}
    seen: set[str] = set()

    def visit(target: CiTarget, depth: int) -> Iterator[CiTarget]:
        if target.name in seen or len(seen) > MAX_NEEDS:
            return
        seen.add(target.name)
        for name in target.needs if depth < _NEEDED_DEPTH else ():
            if name in by_name:
                yield from visit(by_name[name], depth + 1)
        yield target

    for target in targets:
        yield from visit(target, 0)
