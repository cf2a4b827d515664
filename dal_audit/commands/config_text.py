"""The text of a configuration: what was found, as commented TOML."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.commands.detected import DetectedProject
from dal_audit.policy.model import DEFAULT_BACKENDS, DEFAULT_VERSIONS, Migrations
from dal_audit.policy.problems import printable

WIDTH: Final = 88
"""How long a line of the text may be, if it can be broken."""

SHOWN: Final = 5
"""How many files a comment names."""

_UNSURE: Final = "No name says where that is; this place alone, whose code others import,"
"""Why storage stands as a comment where it was found by what it does."""

LEFT_OUT: Final = "A comment only: written down, it would change what is found."


class Setting(Struct, frozen=True):
    """A key with what is said of it, and its value as TOML.

    `tables` hold the lines of the table's bodies where the key is one, or an array of them.
    A setting that is not active stands as a comment: it is a proposal, or the default.
    """

    key: str
    comment: str
    value: str = ""
    tables: tuple[tuple[str, ...], ...] = ()
    is_array: bool = False
    is_active: bool = True


def proposed_settings(found: DetectedProject) -> tuple[Setting, ...]:
    """Return the settings that say what was found."""
    versions = ", ".join(f"{name} = {toml_text(_dotted(v))}" for name, v in DEFAULT_VERSIONS)
    return (
        _storage(found),
        Setting(
            "source-roots",
            "Where absolute imports resolve from.",
            toml_list(found.source_roots),
        ),
        _interfaces(found),
        *_composition_roots(found),
        Setting(
            "backends",
            "The engines that all SQL must run on, whichever of them is in use today.",
            toml_list(DEFAULT_BACKENDS),
        ),
        Setting(
            "backend-versions",
            "The oldest version of each that SQL must run on; these are the defaults.",
            f"{{ {versions} }}",
            is_active=False,
        ),
        *_exclude(found),
        *_migrations(found),
        *_ci(found),
    )


def render_toml(settings: Iterable[Setting], prefix: str, left_out: frozenset[str]) -> str:
    """Return the text, ending in a newline; keys that are `left_out` stand as comments.

    `prefix` is `tool.dal-audit` for pyproject.toml, and empty for a file of our own.
    """
    lines = [f"[{prefix}]"] if prefix else []
    lines += _comment(
        "Written by `dal-audit init` from what it found. `dal-audit config` shows what is in force "
        "and where it comes from, `dal-audit config --schema` all keys."
    )
    ordered = sorted(settings, key=lambda setting: bool(setting.tables))
    for setting in ordered:
        is_left = setting.is_active and setting.key in left_out
        is_active = setting.is_active and not is_left
        lines += ["", *_comment(f"{setting.comment} {LEFT_OUT}" if is_left else setting.comment)]
        body = list(_tables(setting, prefix)) if setting.tables else []
        if setting.value:
            body = f"{setting.key} = {setting.value}".split("\n")
        lines += body if is_active else [f"# {line}".rstrip() for line in body]
    return "\n".join(lines) + "\n"


def _storage(found: DetectedProject) -> Setting:
    comment = "The only place where drivers may appear."
    if found.storage:
        names = _words([driver.name for driver in found.drivers])
        how = "Found by its name; it" if found.is_storage_named else _UNSURE
        says = f" {how} imports {names}." if names else ""
        value = toml_list(found.storage)
        return Setting("storage", comment + says, value, is_active=found.is_storage_named)
    importing = sorted(found.drivers_outside_storage)
    files = ", ".join(importing[:SHOWN])
    more = f" and {len(importing) - SHOWN} more" if len(importing) > SHOWN else ""
    says = f"Drivers are imported in {files}{more}." if files else "No file imports a driver."
    return Setting(
        "storage",
        f"{comment} None was found. {says}",
        toml_list(_likely(found) or ["path/to/storage/**"]),
        is_active=False,
    )


def _likely(found: DetectedProject) -> list[str]:
    """Return the places that import most drivers: folders, or the only file of one that does."""
    folders: dict[str, list[str]] = {}
    for path in sorted(found.drivers_outside_storage):
        if path.partition("/")[0] not in found.tests:
            folders.setdefault(path.rpartition("/")[0], []).append(path)
    ranked = sorted(folders.items(), key=lambda item: (-len(item[1]), item[0]))[:SHOWN]
    return sorted(
        f"{folder}/**" if folder and len(paths) > 1 else path
        for folder, paths in ranked
        for path in paths[: 1 if folder else SHOWN]
    )


def _interfaces(found: DetectedProject) -> Setting:
    comment = "What storage offers to the rest of the program"
    if found.interfaces:
        return Setting(
            "interfaces",
            f"{comment}: the Protocols and ABCs in storage that classes there implement.",
            toml_list(found.interfaces),
        )
    says = "no class in storage inherits from a Protocol or an ABC there"
    says += "; these are there:" if found.abstract else "."
    return Setting(
        "interfaces",
        f"{comment}. None was found: {says}",
        toml_list(found.abstract or ["package.storage.interface:Store"]),
        is_active=False,
    )


def _composition_roots(found: DetectedProject) -> Iterator[Setting]:
    if found.composition_roots:
        yield Setting(
            "composition-roots",
            "The files that may name a concrete backend; any other is reported (DAL106) once this "
            "is set. Today these name one:",
            toml_list(found.composition_roots),
            is_active=False,
        )


def _exclude(found: DetectedProject) -> Iterator[Setting]:
    if found.tests:
        yield Setting(
            "exclude",
            "What is left out of the audit. Tests import drivers here; decide whether they may.",
            toml_list(found.tests),
            is_active=False,
        )


def _migrations(found: DetectedProject) -> Iterator[Setting]:
    if found.migrations:
        yield Setting(
            "migrations",
            "The folders of migrations, and the tool that runs each.",
            tables=tuple(tuple(_migration(migration)) for migration in found.migrations),
            is_array=True,
        )


def _migration(migrations: Migrations) -> Iterator[str]:
    yield f"path = {toml_text(migrations.path)}"
    yield f"tool = {toml_text(migrations.tool)}"
    if migrations.backends is not None:
        yield f"backends = {toml_list(migrations.backends)}"


def _ci(found: DetectedProject) -> Iterator[Setting]:
    if found.workflows:
        line = f"workflows = {toml_list(found.workflows)}"
        yield Setting("ci", "The workflows that run the tests.", tables=((line,),))


def _tables(setting: Setting, prefix: str) -> Iterator[str]:
    name = f"{prefix}.{setting.key}" if prefix else setting.key
    for index, body in enumerate(setting.tables):
        if index:
            yield ""
        yield f"[[{name}]]" if setting.is_array else f"[{name}]"
        yield from "\n".join(body).split("\n")


def _comment(text: str) -> list[str]:
    """Return a text as lines of a comment, in which TOML allows no control characters."""
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent="# ",
        subsequent_indent="# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _words(names: Sequence[str]) -> str:
    """Return names as a list in a sentence, cut when it is long."""
    shown = list(names[:SHOWN])
    if len(names) > SHOWN:
        shown.append(f"{len(names) - SHOWN} more")
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


def toml_list(values: Sequence[str]) -> str:
    """Return strings as an array of TOML, a line each where they do not fit on one."""
    items = [toml_text(value) for value in values]
    line = f"[{', '.join(items)}]"
    if len(line) <= WIDTH - len("composition-roots = "):
        return line
    return "[\n" + "".join(f"  {item},\n" for item in items) + "]"


def toml_text(value: str) -> str:
    r"""Return a basic string of TOML; whatever is not plain text is escaped.

    Lone surrogates, for bytes of file names that are not UTF-8, have no form in TOML, and become
    escapes that its readers refuse.
    """
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(char) for char in quoted)


def _escaped(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) <= 0xFFFF else f"\\U{ord(char):08x}"  # noqa: PLR2004
