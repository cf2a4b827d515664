"""`Cargo.toml`: packages, their targets, and what their dependencies are called in the code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec.structs import replace

from dal_audit.facts.rust import CargoManifest, CrateDependency

_KINDS: Final = ("dependencies", "dev-dependencies", "build-dependencies")
_TARGETS: Final = ("bin", "test", "example", "bench")


def manifest_of(data: bytes) -> CargoManifest | None:
    """Return what a manifest says; None for one that is no TOML."""
    import tomli  # only where there is a Cargo.toml

    try:
        read = tomli.loads(data.decode())
    except (UnicodeDecodeError, tomli.TOMLDecodeError):
        return None
    package, library = _table(read, "package"), _table(read, "lib")
    name = _text(package, "name")
    build = package.get("build")
    return CargoManifest(
        package=name,
        library=_identifier(_text(library, "name") or name),
        library_path=_text(library, "path"),
        edition=_text(package, "edition") or ("2021" if "edition" in package else "2015"),
        targets=(*_targets(read), *((build,) if isinstance(build, str) else ())),
        dependencies=tuple(_with_features(_all_dependencies(read), _table(read, "features"))),
        inherited=tuple(_dependencies(_table(_table(read, "workspace"), "dependencies"))),
        defaults=tuple(_defaults(_table(read, "features"))),
    )


def _targets(read: Mapping[str, Any]) -> Iterator[str]:
    for kind in _TARGETS:
        tables = read.get(kind)
        for target in tables if isinstance(tables, list) else ():
            if isinstance(target, dict) and (path := _text(target, "path")):
                yield path


def _all_dependencies(read: Mapping[str, Any]) -> Iterator[CrateDependency]:
    """Yield the dependencies of a package, those of one platform among them."""
    for kind in _KINDS:
        yield from _dependencies(_table(read, kind))
    for platform in _table(read, "target").values():
        for kind in _KINDS:
            yield from _dependencies(_table(platform, kind))


def _dependencies(table: Mapping[str, Any]) -> Iterator[CrateDependency]:
    for key, value in table.items():
        about = value if isinstance(value, dict) else {}
        package = _text(about, "package") or key
        is_workspace = about.get("workspace") is True
        features = tuple(_texts(about.get("features")))
        yield CrateDependency(_identifier(key), _identifier(package), is_workspace, features)


def _with_features(
    dependencies: Iterable[CrateDependency], table: Mapping[str, Any]
) -> Iterator[CrateDependency]:
    """Yield dependencies with what the package's own features ask of them (`sqlx/postgres`)."""
    asked: dict[str, list[str]] = {}
    for value in table.values():
        for wanted in _texts(value):
            key, _, feature = wanted.replace("?", "").partition("/")
            if feature:
                asked.setdefault(_identifier(key), []).append(feature)
    for dependency in dependencies:
        further = asked.get(dependency.name, ())
        yield replace(dependency, features=(*dependency.features, *further))


def _defaults(table: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the feature `default` asks for, and what that does."""
    waiting, met = ["default"], {"default"}
    while waiting:
        for name in _texts(table.get(waiting.pop())):
            if name not in met:
                met.add(name)
                waiting.append(name)
                yield name


def _texts(value: Any) -> Iterator[str]:
    for part in value if isinstance(value, list) else ():
        if isinstance(part, str):
            yield part


def _table(read: Any, key: str) -> Mapping[str, Any]:
    found = read.get(key) if isinstance(read, dict) else None
    return found if isinstance(found, dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    found = table.get(key)
    return found if isinstance(found, str) else ""


def _identifier(name: str) -> str:
    """Return a package's name as code spells it."""
    return name.replace("-", "_")
