"""`dal-audit init`: writes down as configuration what an audit without one finds.

Nothing that stands in a file is touched: the text is put at the end of `pyproject.toml`, or into a
new `dal-audit.toml`. What is written is tried out first. A key that would change a single finding
stands as a comment.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.audit import audit_project
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.commands.config_text import SHOWN, proposed_settings, render_toml
from dal_audit.commands.detected import DetectedProject, detect
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.errors import UsageError
from dal_audit.discover.links import check_within
from dal_audit.discover.projects import root_of, whole_project
from dal_audit.disk.scratch_folder import scratch_folder
from dal_audit.disk.whole_file import write_whole
from dal_audit.facts import Span
from dal_audit.policy import (
    ConfigurationError,
    Policy,
    default_policy,
    find_configuration,
    load_policy,
    read_policy,
)
from dal_audit.policy.load import OWN_FILE, SHARED_FILE, SHARED_TABLE
from dal_audit.policy.positions import KeyPath
from dal_audit.policy.request import Request
from dal_audit.report.merge import ProjectResult

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

NONE: Final = frozenset[str]()


class Plan(Struct, frozen=True):
    """What `init` would do: the file, the text that it has, and the text that is put at its end.

    `addition` is empty where the project is configured already; `remarks` say how what was found
    compares with that, or what was found.
    """

    file: Path
    before: str
    addition: str
    remarks: tuple[str, ...]
    is_new: bool = False

    def diff(self, current: Path) -> str:
        """Return the change as a unified diff, with paths relative to the current folder."""
        name = Path(os.path.relpath(self.file, current)).as_posix()
        old = self.before.splitlines(keepends=True)
        new = (self.before + self.addition).splitlines(keepends=True)
        lines = difflib.unified_diff(old, new, "/dev/null" if self.is_new else name, name)
        # A last line without a newline is marked as `diff` and git do.
        return "".join(
            line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            for line in lines
        )

    def write(self) -> None:
        """Put the text into the file.

        Raises UsageError for a link that leads out of the project and for a file that was changed
        meanwhile, FileExistsError where one has come up that was not there, OSError where it cannot
        be written.
        """
        if self.addition:
            check_within(self.file, self.file.parent)
            before = self.before.encode()
            if not self.is_new and self.file.read_bytes() != before:
                raise UsageError(f"error: `{self.file}` was changed meanwhile; nothing was written")
            write_whole(self.file, before + self.addition.encode(), is_new=self.is_new)


def plan_init(folder: Path) -> Plan:
    """Return what `init` would do for a folder.

    Raises UsageError for a folder that is not there, ConfigurationError for a faulty configuration,
    and what an audit raises.
    """
    if not folder.is_dir():
        raise UsageError(f"error: no such folder: `{folder}`")
    with scratch_folder() as kept:
        return _plan(folder, kept)


def _plan(folder: Path, kept: Path) -> Plan:
    """Return what `init` would do; `kept` is a folder for facts, as files are read repeatedly."""
    configured = find_configuration(folder)
    if configured is not None:
        return _compared(configured, kept)
    root = folder if (folder / SHARED_FILE).is_file() else root_of(folder, folder)
    plain = _audited(default_policy(root), kept)
    found = _found(plain)
    shared = root / SHARED_FILE
    before = _extensible(shared)
    is_new = before is None
    file, prefix = (root / OWN_FILE, "") if is_new else (shared, ".".join(SHARED_TABLE))
    before = before or ""
    settings = proposed_settings(found)

    def is_same(left_out: frozenset[str]) -> bool:
        text = before + _addition(before, render_toml(settings, prefix, left_out))
        try:
            policy = read_policy(text, file, root=root, known_rules=known_rules())
            return _seen(_audited(policy, kept)) == seen
        except (ConfigurationError, UnicodeEncodeError):
            return False

    seen = _seen(plain)
    left_out = _left_out(is_same)
    addition = _addition(before, render_toml(settings, prefix, left_out))
    return Plan(file, before, addition, tuple(_remarks(plain, found, left_out)), is_new)


def _audited(policy: Policy, kept: Path) -> ProjectResult:
    own = policy.root / CACHE
    # Where no run left facts in the project, none are put there.
    request = Request(folder=policy.root, cache=True, cache_folder=None if own.is_dir() else kept)
    return audit_project(whole_project(policy), request)


def _found(part: ProjectResult) -> DetectedProject:
    return detect(part.project)


def _extensible(file: Path) -> str | None:
    """Return the text of a pyproject.toml that a table can be put at the end of.

    None where there is no such file, and where it is no TOML, or `tool` is closed (`tool = {}`) or
    an array.
    """
    if not file.is_file():
        return None
    try:
        text = file.read_bytes().decode()
        document = tomllib.loads(f"{text}\n[{'.'.join(SHARED_TABLE)}]\n")
    except ValueError:
        return None
    return text if isinstance(document["tool"], dict) else None


def _addition(before: str, text: str) -> str:
    """Return what is put at the end of a text: after an empty line, and in its usual line ends."""
    gap = "\n" if before else ""
    if before and not before.endswith("\n"):
        gap = "\n\n"
    elif before.endswith(("\n\n", "\n\r\n")):
        gap = ""
    newline = "\r\n" if 2 * before.count("\r\n") > before.count("\n") else "\n"
    return (gap + text).replace("\n", newline)


def _left_out(is_same: Callable[[frozenset[str]], bool]) -> frozenset[str]:
    """Return the keys that would change what is found; `is_same` tries it without some.

    All are tried at once; where that changes something, each is tried with those that are known to
    change nothing. Migrations go with storage, since they belong to it.
    """
    if is_same(NONE):
        return NONE
    groups = [("storage", "migrations"), ("source-roots",), ("interfaces",), ("ci",)]
    groups.append(("backends",))  # Written down, they are what tests in CI have to run on.
    left_out = frozenset(key for group in groups for key in group)
    for group in groups:
        without = left_out.difference(group)
        if is_same(without):
            left_out = without
    return left_out


def _seen(part: ProjectResult) -> list[tuple[object, ...]]:
    """Return what tells the findings of two audits apart."""
    return sorted(
        (
            finding.place.path,
            finding.place.span,
            finding.rule.id,
            finding.breach.message,
            finding.standing,
        )
        for finding in part.findings
    )


def _remarks(part: ProjectResult, found: DetectedProject, left_out: frozenset[str]) -> list[str]:
    """Say what was found, a line a key."""
    migrations = [f"{migration.path} ({migration.tool})" for migration in found.migrations]
    rows = (
        ("storage", [*found.storage], "none, so no file may import a driver"),
        ("source-roots", [*found.source_roots], "none"),
        ("interfaces", [*found.interfaces], "none"),
        ("migrations", migrations, "none"),
        ("ci", [*found.workflows], "no workflow that runs tests"),
    )
    lines = []
    for key, values, nothing in rows:
        note = " (as a comment: it would change what is found)" if key in left_out else ""
        lines.append(f"{key:<13} {_shown(values) or nothing}{note if values else ''}")
    count = sum(finding.standing == "open" for finding in part.findings)
    lines.append(f"{count} finding{'' if count == 1 else 's'}, with this configuration as without")
    return lines


def _shown(values: Sequence[str]) -> str:
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    return ", ".join(values[:SHOWN]) + more


def _compared(file: Path, kept: Path) -> Plan:
    """Say how what is configured differs from what would be found without."""
    policy = load_policy(file, known_rules=known_rules())
    blank = replace(
        policy,
        source_roots=None,
        storage=None,
        interfaces=None,
        migrations=None,
        ci=replace(policy.ci, workflows=None),
    )
    found = anew = _found(_audited(blank, kept))
    if policy.storage is not None and not _is_alike(policy.storage, anew.storage):
        # What else is found depends on what storage is.
        found = _found(_audited(replace(blank, storage=policy.storage), kept))
    migrations = (
        None if policy.migrations is None else [migration.path for migration in policy.migrations]
    )
    rows: tuple[tuple[KeyPath, Sequence[str] | None, Sequence[str]], ...] = (
        (("storage",), policy.storage, anew.storage),
        (("source-roots",), policy.source_roots, found.source_roots),
        (("interfaces",), policy.interfaces, found.interfaces),
        (("migrations",), migrations, [migration.path for migration in found.migrations]),
        (("ci", "workflows"), policy.ci.workflows, found.workflows),
    )
    remarks = [
        _difference(".".join(map(str, path)), policy.key_place_of(path), configured, values)
        for path, configured, values in rows
    ]
    return Plan(file, policy.text, "", tuple(remarks))


def _difference(
    key: str, place: Span | None, configured: Sequence[str] | None, values: Sequence[str]
) -> str:
    shown = _shown(values) or "nothing"
    if configured is None:
        return f"{key:<13} not configured; found is {shown}"
    where = f"line {place.line}" if place else "configured"
    if _is_alike(configured, values):
        return f"{key:<13} {where}: as found"
    return f"{key:<13} {where}: {_shown(configured) or 'nothing'}; found is {shown}"


def _is_alike(configured: Sequence[str], found: Sequence[str]) -> bool:
    """Return whether two lists of paths or names are the same but for order and spelling."""

    def plain(values: Sequence[str]) -> set[str]:
        return {value.removesuffix("/**").rstrip("/").removeprefix("./") for value in values}

    return plain(configured) == plain(found)
