"""tox and nox: what an environment or a session runs, and which variables reach it.

The form of `tox.ini`, `[tool.tox]` and `setup.cfg` is that of tox's "Configuration" page.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import tomli
from msgspec.structs import replace

from dal_audit.extract.ci.shell import commands_at
from dal_audit.extract.source import Lines
from dal_audit.facts import Span
from dal_audit.facts.ci import CiCommand, CiTarget, CiTool
from dal_audit.facts.ci_files import SERVER_PACKAGES

_SECTION: Final = re.compile(r"\[([^\]\n]+)\]\s*(?:[#;].*)?")
_KEY: Final = re.compile(r"([A-Za-z_]\w*)\s*[=:]\s*(.*)")
_FACTORS: Final = re.compile(r"(?P<factors>[\w.,!{}-]+(?:\s*,\s*[\w.!{}-]+)*)\s*:\s+(?P<value>.*)")
_ASSIGNED: Final = re.compile(r"([A-Za-z_]\w*)\s*=\s*(.*)")
_ENVIRON: Final = re.compile(r"\{env:(\w+)(?::([^{}]*))?\}")
_POSARGS: Final = re.compile(r"\{posargs(?::([^{}]*))?\}|\{\[[^\]]*\][^}]*\}")
_BRACES: Final = re.compile(r"\{([^{}]*)\}")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*")
"""What tox 4 takes off each line."""

_SPLIT: Final = re.compile(r"[\s,]+")

PASSED: Final = ("CI", "GITHUB_*", "HOME", "LANG", "LC_*", "PATH", "PIP_*", "TOX_*", "TMP*", "USER")
"""What tox passes on without being asked, as far as it matters here."""

MAX_ENVIRONMENTS: Final = 512

Line = tuple[str, int]


class _Section:
    """A section: each key's lines with their numbers, 1-based."""

    def __init__(self) -> None:
        self.keys: dict[str, list[Line]] = {}

    def lines(self, *names: str) -> list[Line]:
        return next((self.keys[name] for name in names if name in self.keys), [])


def tox_tool(text: str, *, prefix: str = "") -> CiTool | None:
    """Return the environments of a tox.ini or, with a prefix, of a setup.cfg; None for none."""
    sections = _sections(text)
    testing = _first(sections, f"{prefix}testenv", "testenv")
    head = _first(sections, f"{prefix}tox", "tox")
    named = {name[8:]: own for name, own in sections.items() if name.startswith("testenv:")}
    if not any((testing, head, named)):
        return None
    listed = _listed(head.lines("envlist", "env_list") if head else [])
    names = list(dict.fromkeys([*listed, *named]))[:MAX_ENVIRONMENTS] or ["py"]
    reader = _Tox(Lines(text), testing or _Section(), named)
    targets = tuple(reader.target(name) for name in (*names, "*"))
    first = tuple(listed) or ("*",)
    return CiTool(Span(1, 1, 1, 1), targets, first, chosen_by=_choices(sections))


def _first(sections: Mapping[str, _Section], *names: str) -> _Section | None:
    return next((sections[name] for name in names if name in sections), None)


def _choices(
    sections: Mapping[str, _Section],
) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the variables of CI by which environments are chosen."""
    found = _first(sections, "gh-actions:env", "gh:env") or _Section()
    return tuple((name.upper(), _values(lines)) for name, lines in found.keys.items())


def _values(lines: list[Line]) -> tuple[tuple[str, str], ...]:
    """Return the factors of each value of a variable, as tox-gh-actions and tox-gh have it."""
    rows = (re.split(r"\s*[:=]\s*", text, maxsplit=1) for text, _ in lines)
    return tuple((row[0], row[1]) for row in rows if len(row) > 1)


class _Tox:
    """Reads environments: their own section, and `testenv` below it."""

    def __init__(self, lines: Lines, testing: _Section, named: Mapping[str, _Section]) -> None:
        self.lines = lines
        self.testing = testing
        self.named = named

    def target(self, name: str) -> CiTarget:
        own = self.named.get(name)
        return CiTarget(
            name,
            self._place(own),
            tuple(self._commands(name, own)),
            tuple(self._env(name, own)),
            self._passes(name, own),
        )

    def _place(self, own: _Section | None) -> Span:
        for section in (own, self.testing):
            keys = section.keys.values() if section else ()
            numbers = [number for lines in keys for _, number in lines]
            if numbers:
                return self._span(min(numbers))
        return Span(1, 1, 1, 1)

    def _span(self, number: int) -> Span:
        width = len(self.lines.line(number).rstrip("\r\n"))
        return Span(number, 1, number, width + 1)

    def _values(self, name: str, own: _Section | None, *keys: str) -> list[Line]:
        """Return the lines of a key that hold for an environment."""
        lines = (own.lines(*keys) if own else []) or self.testing.lines(*keys)
        return [line for given in _joined(lines) for line in _for_environment(given, name)]

    def _commands(self, name: str, own: _Section | None) -> Iterator[CiCommand]:
        for text, number in self._values(name, own, "commands"):
            script = _POSARGS.sub(lambda found: found[1] or "", _ENVIRON.sub(_from_outside, text))
            is_soft = script.startswith("-")
            script = script.lstrip("-! ") + (" || true" if is_soft else "")
            yield from commands_at(script, self._span(number))

    def _env(self, name: str, own: _Section | None) -> Iterator[tuple[str, str]]:
        given = [
            line
            for section in (self.testing, own)
            for line in (section or _Section()).lines("setenv", "set_env")
        ]
        for text, _ in (line for row in given for line in _for_environment(row, name)):
            assigned = _ASSIGNED.match(text)
            if assigned:
                yield assigned[1], _ENVIRON.sub(_from_outside, assigned[2].strip())

    def _passes(self, name: str, own: _Section | None) -> tuple[str, ...]:
        lines = self._values(name, own, "passenv", "pass_env")
        words = [word for text, _ in lines for word in _SPLIT.split(text) if word]
        return (*PASSED, *words)


def _from_outside(found: re.Match[str]) -> str:
    """Write `{env:NAME:default}` as a shell does."""
    return f"${{{found[1]}:-{found[2]}}}" if found[2] is not None else f"${{{found[1]}}}"


def _sections(text: str) -> dict[str, _Section]:
    found: dict[str, _Section] = {}
    section = _Section()
    lines: list[Line] = []
    for row, number in _rows(text):
        heading, key = (
            (None, None) if row[:1].isspace() else (_SECTION.fullmatch(row), _KEY.match(row))
        )
        if heading:
            section = found.setdefault(heading[1].strip(), _Section())
            continue
        if key:
            lines = section.keys.setdefault(key[1].lower(), [])
        value = key[2].strip() if key else row.strip()
        lines += [(value, number)] if value else []
    return found


def _rows(text: str) -> Iterator[Line]:
    """Yield the lines that are neither blank nor a comment, without what tox takes off them."""
    for number, line in enumerate(text.splitlines(), 1):
        row = _COMMENT.sub("", line).rstrip()
        if row and not row.lstrip().startswith(";"):
            yield row, number


def _joined(lines: list[Line]) -> list[Line]:
    """Return the lines with those joined that end in a backslash."""
    found: list[Line] = []
    goes_on = False
    for text, number in lines:
        if goes_on:
            before, first = found[-1]
            found[-1] = f"{before} {text.rstrip(chr(92)).strip()}", first
        else:
            found.append((text.rstrip("\\").strip(), number))
        goes_on = text.endswith("\\")
    return found


def _for_environment(line: Line, name: str) -> list[Line]:
    """Return a line without its factors where these hold for an environment, else nothing."""
    text, number = line
    factors = _FACTORS.fullmatch(text)
    if factors is None or "://" in factors["factors"]:
        return [line]
    own = set(name.split("-"))
    for choice in _expanded(factors["factors"].replace(" ", "")):
        parts = choice.split("-")
        if all((part[1:] not in own) if part.startswith("!") else part in own for part in parts):
            return [(factors["value"], number)]
    return []


def _listed(lines: list[Line]) -> list[str]:
    text = ",".join(line for line, _ in lines)
    return [name for name in _expanded(text) if name][:MAX_ENVIRONMENTS]


def _expanded(text: str) -> list[str]:
    """Return what a list with braces stands for: `py{39,310}-{a,b}` is four names."""
    found: list[str] = []
    waiting = _parts(text)
    while waiting and len(found) < MAX_ENVIRONMENTS:
        part = waiting.pop(0).strip()
        braces = _BRACES.search(part)
        if braces is None:
            found.append(part)
            continue
        choices = [choice.strip() for choice in braces[1].split(",")]
        waiting = [
            part[: braces.start()] + choice + part[braces.end() :] for choice in choices
        ] + waiting
    return found


def _parts(text: str) -> list[str]:
    """Split a list at the commas and line ends outside of braces."""
    return [part for part in re.split(r",(?![^{}]*\})|\s+(?![^{}]*\})", text) if part.strip()]


def project_tool(text: str) -> CiTool | None:
    """Return what a pyproject.toml says of tests; None where it says nothing.

    That is the environments of `[tool.tox]`, and the plug-ins that start servers.
    """
    brings = tuple(name for name in SERVER_PACKAGES if f'"{name}' in text or f"'{name}" in text)
    found = _tox_of_project(text) if "tox" in text else None
    if found is None:
        return CiTool(Span(1, 1, 1, 1), (), (), brings) if brings else None
    return replace(found, brings=brings)


def _tox_of_project(text: str) -> CiTool | None:
    try:
        tool = tomli.loads(text).get("tool", {}).get("tox", {})
    except (tomli.TOMLDecodeError, AttributeError, RecursionError):
        return None
    if isinstance(tool, dict) and isinstance(tool.get("legacy_tox_ini"), str):
        return tox_tool(tool["legacy_tox_ini"])
    return _toml_tool(tool) if isinstance(tool, dict) and tool else None


def _toml_tool(tool: Mapping[str, Any]) -> CiTool:
    testing = tool.get("env_run_base", {})
    named = tool.get("env", {})
    listed = [str(name) for name in tool.get("env_list", [])]
    names = list(dict.fromkeys([*listed, *named, "*"]))
    targets = tuple(_toml_target(name, {**testing, **named.get(name, {})}) for name in names)
    return CiTool(Span(1, 1, 1, 1), targets, tuple(listed) or ("*",))


def _toml_target(name: str, table: Mapping[str, Any]) -> CiTarget:
    start = Span(1, 1, 1, 1)
    commands = tuple(
        CiCommand(start, tuple(str(word) for word in words if isinstance(word, str)), then=";")
        for words in table.get("commands", [])
        if isinstance(words, list)
    )
    env = tuple((key, str(value)) for key, value in dict(table.get("set_env", {})).items())
    passes = tuple(str(word) for word in table.get("pass_env", []))
    return CiTarget(name, start, commands, env, (*PASSED, *passes))


def nox_tool(text: str, tree: ast.Module) -> CiTool:
    """Return the sessions of a noxfile: the commands that each calls, in whatever order."""
    lines = Lines(text)
    targets = [
        _session(node, lines)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any(map(_is_session, node.decorator_list))
    ]
    return CiTool(Span(1, 1, 1, 1), tuple(targets), tuple(target.name for target in targets))


def _is_session(node: ast.expr) -> bool:
    called = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(called) in {"nox.session", "session", "nox_poetry.session"}


def _session(node: ast.FunctionDef, lines: Lines) -> CiTarget:
    keywords = {
        keyword.arg: keyword.value
        for decorator in node.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
    }
    name = keywords.get("name")
    calls = (call for call in ast.walk(node) if isinstance(call, ast.Call))
    runs = (call for call in calls if ast.unparse(call.func).endswith((".run", ".run_always")))
    return CiTarget(
        _constant(name, node.name),
        Span(node.lineno, 1, node.lineno, 1),
        tuple(_run(call, lines) for call in runs),
        tags=_constants(keywords.get("tags")),
    )


def _constant(node: ast.expr | None, other: str) -> str:
    """Return a constant as a text; another text for what only a run knows."""
    return str(node.value) if isinstance(node, ast.Constant) else other


def _constants(node: ast.expr | None) -> tuple[str, ...]:
    items = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
    return tuple(str(item.value) for item in items if isinstance(item, ast.Constant))


def _run(call: ast.Call, lines: Lines) -> CiCommand:
    words = tuple(_constant(argument, "$ARGUMENT") for argument in call.args)
    env = next((keyword.value for keyword in call.keywords if keyword.arg == "env"), None)
    pairs = zip(env.keys, env.values, strict=True) if isinstance(env, ast.Dict) else ()
    assigned = tuple(
        (key.value, _constant(value, "$VALUE"))
        for key, value in pairs
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    )
    width = len(lines.line(call.lineno).rstrip("\r\n"))
    span = Span(call.lineno, 1, call.lineno, width + 1)
    return CiCommand(span, words, assigned, ";")
