"""Finds the configuration file and reads it."""

from __future__ import annotations

import os
import re
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dal_audit.disk.regular_file import read_regular
from dal_audit.facts import Span
from dal_audit.policy.model import Policy
from dal_audit.policy.problems import ConfigurationError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dal_audit.policy.positions import KeyPath
    from dal_audit.policy.validate import Fault

OWN_FILE: Final = "dal-audit.toml"
SHARED_FILE: Final = "pyproject.toml"
SHARED_TABLE: Final = ("tool", "dal-audit")

_TABLE_ADVICE: Final = (
    "a table for pyproject.toml; in a file of dal-audit's own, keys stand at the top: "
    "leave out the line `[tool.dal-audit]`"
)
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
"""What a text in UTF-16 begins with."""

_AT: Final = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


def find_configuration(folder: Path) -> Path | None:
    """Return the nearest configuration file in a folder or above it.

    In one folder `dal-audit.toml` wins over `pyproject.toml`, which counts only when it has a
    `[tool.dal-audit]` table. Raises ConfigurationError when a `pyproject.toml` seems to have one
    and cannot be read, and when what is called `dal-audit.toml` is no file.
    """
    start = Path(normpath(folder.absolute()))
    for above in (start, *start.parents):
        own, shared = above / OWN_FILE, above / SHARED_FILE
        if _is_own(own):
            return own
        if _is_file(shared) and _configures(shared):
            return shared
    return None


def load_policy(
    file: Path,
    *,
    root: Path | None = None,
    known_rules: Sequence[tuple[str, str]],
    baseline_expected: bool = True,
) -> Policy:
    """Read a configuration file.

    Relative paths are read from `root`, by default the file's folder; `known_rules` are (id, name)
    pairs. `baseline_expected` is False for the command that writes the baseline. Raises
    ConfigurationError with all that is wrong.
    """
    file = Path(normpath(file.absolute()))
    root = file.parent if root is None else Path(normpath(root.absolute()))
    return read_policy(
        _decoded(file, _bytes(file)),
        file,
        root=root,
        known_rules=known_rules,
        baseline_expected=baseline_expected,
    )


def read_policy(
    text: str,
    file: Path,
    *,
    root: Path,
    known_rules: Sequence[tuple[str, str]],
    baseline_expected: bool = True,
) -> Policy:
    """Read a configuration from a text as though it stood in a file, which need not exist.

    Raises ConfigurationError with all that is wrong.
    """
    # Only where there is a configuration:
    from dal_audit.policy.keys import POLICY
    from dal_audit.policy.selection import RuleNames
    from dal_audit.policy.validate import Fault, Reader

    document: Any = _parsed(file, text)
    prefix: KeyPath = ()
    if file.name == SHARED_FILE:
        prefix = SHARED_TABLE
        for name in SHARED_TABLE:
            document = document.get(name, {}) if isinstance(document, dict) else {}
    reader = Reader(root, RuleNames(known_rules), baseline_expected=baseline_expected)
    if not prefix and SHARED_TABLE[0] in document:
        del document[SHARED_TABLE[0]]
        reader.faults.append(Fault(SHARED_TABLE[:1], _TABLE_ADVICE, on_key=True))
    if not isinstance(document, dict):
        reader.faults.append(Fault((), "`tool.dal-audit` must be a table"))
        document = {}
    fields = reader.fields(POLICY, document, ())
    if reader.faults:
        more = reader.count - len(reader.faults)
        problems = list(_problems(file, text, prefix, reader.faults))
        if more > 0:
            problems.append(Problem(_shown(file), None, f"and {more} more faults"))
        raise ConfigurationError(problems)
    return Policy(root=root, file=file, text=text, prefix=prefix, **fields)


def _is_file(path: Path) -> bool:
    """Tell whether a file is there, also one that may not be read."""
    try:
        return path.is_file()
    except OSError:
        return False


def _is_own(path: Path) -> bool:
    """Tell whether there is a file that configures dal-audit and nothing else.

    Raises ConfigurationError for what bears its name and is no file: a configuration that is passed
    over would be as if it allowed all.
    """
    if not os.path.lexists(path):
        return False
    if _is_file(path):
        return True
    is_there = os.path.exists(path)  # noqa: PTH110  # it raises nothing
    reason = "it is not a regular file" if is_there else "a symbolic link that leads nowhere"
    raise _unreadable(path, reason)


def _configures(file: Path) -> bool:
    """Tell whether a pyproject.toml has a table for dal-audit."""
    data = _bytes(file)
    if data.startswith(_UTF_16) and b"dal-audit" in data.replace(b"\0", b""):
        raise _unreadable(file, "it is UTF-16, and TOML is UTF-8")
    if b"dal-audit" not in data:
        # Most files are settled here, without a parser.
        return False
    try:
        document = _parsed(file, _decoded(file, data))
    except ConfigurationError:
        if b"tool.dal-audit" in data:
            raise
        return False
    tool = document.get("tool")
    return isinstance(tool, dict) and "dal-audit" in tool


def _bytes(file: Path) -> bytes:
    try:
        return read_regular(file)
    except OSError as error:
        raise _unreadable(file, error.strerror or type(error).__name__) from error


def _unreadable(file: Path, reason: str) -> ConfigurationError:
    message = f"the configuration cannot be read: {reason}"
    return ConfigurationError([Problem(_shown(file), None, message)])


def _decoded(file: Path, data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        lenient = data.decode(errors="replace")
        offset = len(data[: error.start].decode())
        message = f"not UTF-8: {error.reason}"
        raise ConfigurationError([_problem_at(file, lenient, offset, message)]) from error
    if text.startswith("\ufeff"):
        message = "a byte order mark, which TOML does not allow; save the file as UTF-8 without it"
        raise ConfigurationError([_problem_at(file, text, 0, message)])
    return text


def _parsed(file: Path, text: str) -> dict[str, Any]:
    import tomli  # only where there is a configuration

    try:
        return tomli.loads(text)
    except RecursionError as error:
        problem = Problem(_shown(file), None, "not usable TOML: nested too deeply")
        raise ConfigurationError([problem]) from error
    except ValueError as error:
        raise ConfigurationError([_syntax_problem(file, text, str(error))]) from error


def _syntax_problem(file: Path, text: str, reason: str) -> Problem:
    """Read the place of a syntax error from the words of `tomli`, which has no other."""
    at = _AT.search(reason)
    message = f"not valid TOML: {reason[:1].lower()}{reason[1 : at.start() if at else None]}"
    if at is None:
        # An integer of too many digits, for one, is refused without a place.
        return Problem(_shown(file), None, message)
    offset = len(text)
    if at[1]:
        lines = text.split("\n")
        offset = sum(len(line) + 1 for line in lines[: int(at[1]) - 1]) + int(at[2]) - 1
    return _problem_at(file, text, offset, message)


def _problems(file: Path, text: str, prefix: KeyPath, faults: Iterable[Fault]) -> Iterator[Problem]:
    """Find the places of faults; what has none of its own has that of what holds it."""
    from dal_audit.policy.positions import places_of  # only where something is wrong

    places = places_of(text)
    lines = text.split("\n")
    shown = _shown(file)
    for fault in faults:
        path = prefix + fault.path
        span = places.key(path) if fault.on_key else None
        while span is None and path:
            span = places.value(path)
            path = path[:-1]
        line = lines[span.line - 1].rstrip("\r") if span else ""
        yield Problem(shown, span, fault.message, line)


def _problem_at(file: Path, text: str, offset: int, message: str) -> Problem:
    """Return a problem with the one character at an offset."""
    from dal_audit.policy.positions import utf16_length  # only where something is wrong

    start = text.rfind("\n", 0, offset) + 1
    line = text[start:].split("\n", 1)[0].rstrip("\r")
    row = text.count("\n", 0, offset) + 1
    column = utf16_length(text[start:offset]) + 1
    width = max(1, utf16_length(text[offset : offset + 1]))
    return Problem(_shown(file), Span(row, column, row, column + width), message, line)


def _shown(file: Path) -> str:
    """Return a file's path as it is shown: from the current folder, if it lies below that."""
    try:
        return file.absolute().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return file.as_posix()
