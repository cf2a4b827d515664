"""`Cargo.toml`: packages, their targets, and what their dependencies are called in the code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

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
        dependencies=tuple(_all_dependencies(read)),
        inherited=tuple(_dependencies(_table(_table(read, "workspace"), "dependencies"))),
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
        yield CrateDependency(_identifier(key), _identifier(package), is_workspace)


def _table(read: Any, key: str) -> Mapping[str, Any]:
    found = read.get(key) if isinstance(read, dict) else None
    return found if isinstance(found, dict) else {}


def _text(table: Mapping[str, Any], key: str) -> str:
    found = table.get(key)
    return found if isinstance(found, str) else ""


def _identifier(name: str) -> str:
    """Return a package's name as code spells it."""
    return name.replace("-", "_")
