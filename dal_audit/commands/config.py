"""`dal-audit config`: what is in force for a path, and where each value comes from.

A value comes from the configuration file, the command line, the project itself (found) or
dal-audit (default). Rules are shown by their ids, whatever the file calls them.
"""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.audit import audit_project
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.commands.config_text import toml_text
from dal_audit.commands.detected import DetectedProject, detect
from dal_audit.discover.projects import ProjectScope, plan_audit
from dal_audit.policy import Policy, per_file_ignored, severity_of
from dal_audit.policy.keys import KEYS, Key, Record, Table
from dal_audit.policy.positions import KeyPath
from dal_audit.policy.request import Request
from dal_audit.report.merge import ProjectResult

VERSION: Final = 1
"""The version of the JSON form; it grows when a field goes or changes its meaning."""

COLUMN: Final = 60
"""Where the sources begin at the latest, if the value beside leaves room."""

Source: TypeAlias = Literal["file", "command line", "found", "default"]
Value: TypeAlias = object
"""What JSON can hold: None, texts, lists and mappings; None stands for what `meaning` says."""


class EffectiveValue(Struct, frozen=True):
    """A key with its value; `place` is line and column in the file that sets it, both 1-based.

    `meaning` says in words what holds where the value is None.
    """

    key: str
    value: Value
    source: Source
    place: tuple[int, int] | None = None
    meaning: str = ""


class Settings(Struct, frozen=True):
    """What is in force in one project; paths are relative to the current folder.

    `rules` are the ids, names and severities of the rules that run. `zone` says what a file is
    to the audit, where one was asked about: in which zone it lies, or why it is left out.
    """

    root: str
    file: str
    values: tuple[EffectiveValue, ...]
    rules: tuple[tuple[str, str, str], ...]
    zone: Mapping[str, str]


def settings_in_force(request: Request) -> list[Settings]:
    """Return what is in force for the paths of a request, project by project.

    Raises what an audit raises: its project stage says what was found.
    """
    scopes = plan_audit(request.paths, request.folder, request.config, known_rules()).scopes
    return [_settings(scope, request) for scope in scopes]


def _settings(scope: ProjectScope, request: Request) -> Settings:
    part = audit_project(scope, replace(request, tests=True))
    policy = scope.policy
    found = detect(part.project)
    severities = {rule.id: severity_of(policy, rule.id, rule.severity) for rule in part.rules}
    files = [path for path in scope.requested if (policy.root / path).is_file()]
    return Settings(
        root=_relative(policy.root, request.folder),
        file=_relative(policy.file, request.folder) if policy.file else "",
        values=tuple(_values(policy, found, request)),
        rules=tuple((rule.id, rule.name, severities[rule.id]) for rule in part.rules),
        zone={path: _zone(path, part) for path in files},
    )


def _values(policy: Policy, found: DetectedProject, request: Request) -> Iterator[EffectiveValue]:
    by_words = {
        "select": request.select,
        "ignore": request.ignore,
        "extend-select": request.extend_select,
    }
    seen = {
        "source-roots": found.source_roots,
        "storage": found.storage,
        "interfaces": found.interfaces,
        "migrations": found.migrations,
        "ci.workflows": found.workflows,
        "ci.storage-tests": found.storage_tests,
    }
    for key in KEYS:
        if by_words.get(key.name):
            yield EffectiveValue(key.name, _plain(by_words[key.name]), "command line")
            continue
        value = getattr(policy, _attribute(key.name))
        match key.shape:
            case Table():
                yield from _of_table(key.name, value, policy, key.default)
            case Record(keys=keys):
                yield from _of_record(key.name, keys, value, seen, policy)
            case _:
                yield _one((key.name,), value, seen.get(key.name), policy, key.default)


def _of_record(
    name: str, keys: Iterable[Key], record: object, seen: Mapping[str, object], policy: Policy
) -> Iterator[EffectiveValue]:
    for key in keys:
        value = getattr(record, _attribute(key.name))
        if isinstance(key.shape, Table) and value is not None:
            value = dict(value)
        yield _one((name, key.name), value, seen.get(f"{name}.{key.name}"), policy, key.default)


def _one(
    path: KeyPath, value: object, seen: object, policy: Policy, default: str
) -> EffectiveValue:
    name = ".".join(map(str, path))
    place = _place(policy, path)
    if place is not None:
        return EffectiveValue(name, _plain(value), "file", place)
    if value is None and seen is not None:
        return EffectiveValue(name, _plain(seen) or None, "found", meaning="none")
    return EffectiveValue(name, _plain(value), "default", meaning=default)


def _of_table(name: str, value: object, policy: Policy, default: str) -> Iterator[EffectiveValue]:
    """Yield an entry a key of a table, since each can come from elsewhere."""
    entries = dict(value) if isinstance(value, tuple) else {}
    if not entries:
        yield EffectiveValue(
            name, {}, "file" if _place(policy, (name,)) else "default", meaning=default
        )
    names = dict(known_rules())
    for key, entry in entries.items():
        spelled = (key, names.get(key, key))
        places = (_place(policy, (name, spelling)) for spelling in spelled)
        place = next((place for place in places if place is not None), None)
        plain = ".".join(map(str, entry)) if name == "backend-versions" else _plain(entry)
        yield EffectiveValue(f"{name}.{_bare(key)}", plain, "file" if place else "default", place)


def _place(policy: Policy, path: KeyPath) -> tuple[int, int] | None:
    span = policy.key_place_of(path)
    return (span.line, span.column) if span else None


def _zone(path: str, part: ProjectResult) -> str:
    """Say what a file is to the audit."""
    project = part.project
    if not any(file.path == path for file in project.files):
        return "not audited: no Python file or SQL migration, or left out by `exclude` or `include`"
    zone = "outside storage"
    if project.in_migrations(path) or project.sql_files.is_migration(path):
        zone = "in migrations"
    elif project.in_storage(path):
        zone = "in storage"
    elif project.in_composition_root(path):
        zone = "outside storage, a composition root"
    ignored = per_file_ignored(project.policy)
    off = [rule.id for rule in part.rules if ignored(path, rule.id)]
    return f"audited, {zone}" + (f"; ignored here: {', '.join(off)}" if off else "")


def render_settings(found: list[Settings], form: str) -> str:
    """Return what is in force as JSON, or as TOML with the sources in comments."""
    if form == "json":
        projects = [_record(settings) for settings in found]
        return json.dumps({"version": VERSION, "projects": projects}, indent=2) + "\n"
    return "\n".join("\n".join(_lines(settings)) + "\n" for settings in found)


def _record(settings: Settings) -> dict[str, object]:
    return {
        "root": settings.root,
        "file": settings.file or None,
        "values": [
            {
                "key": value.key,
                "value": value.value,
                "source": value.source,
                "line": value.place[0] if value.place else None,
                "column": value.place[1] if value.place else None,
                **({"meaning": value.meaning} if value.value is None else {}),
            }
            for value in settings.values
        ],
        "rules": [
            {"id": rule_id, "name": name, "severity": severity}
            for rule_id, name, severity in settings.rules
        ],
        "paths": dict(settings.zone),
    }


def _lines(settings: Settings) -> Iterator[str]:
    yield f"# project {settings.root}, {settings.file or 'without a configuration file'}"
    for path, zone in settings.zone.items():
        yield f"# {path}: {zone}"
    shown = [
        f"# {value.key}: {value.meaning}"
        if value.value is None
        else f"{value.key} = {toml_value(value.value)}"
        for value in settings.values
    ]
    column = max((len(line) for line in shown if len(line) <= COLUMN), default=0)
    for value, line in zip(settings.values, shown, strict=True):
        source = f"{settings.file}:{value.place[0]}" if value.place else value.source
        yield f"{line:<{column}}  # {source}"
    yield f"# {len(settings.rules)} rules run:"
    for rule_id, name, severity in settings.rules:
        yield f"#   {rule_id} {name} ({severity})"


def toml_value(value: Value) -> str:
    """Return a value on one line of TOML."""
    if isinstance(value, Mapping):
        inner = (f"{_bare(key)} = {toml_value(inner_value)}" for key, inner_value in value.items())
        return f"{{ {', '.join(inner)} }}" if value else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    return toml_text(str(value))


def _bare(key: str) -> str:
    """Return a key of TOML, in quotes where it needs them."""
    plain = key.replace("-", "").replace("_", "")
    return key if plain.isascii() and plain.isalnum() else toml_text(key)


def _plain(value: object) -> Value:
    """Return a value of the policy as JSON can hold it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, Struct):
        given = ((name.replace("_", "-"), getattr(value, name)) for name in value.__struct_fields__)
        return {name: _plain(part) for name, part in given if part is not None}
    return value.isoformat() if isinstance(value, datetime.date) else value


def _attribute(key: str) -> str:
    return key.replace("-", "_")


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path, folder)).as_posix()
