"""The crates of a project: its packages with their targets, and what their dependencies are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.facts.rust import CargoManifest, CrateDependency

STANDARD: Final = frozenset({"std", "core", "alloc", "proc_macro", "test"})
"""Crates that are there without a dependency (Reference, "Preludes")."""

_TARGET: Final = re.compile(
    r"(?:src/main|build|src/bin/[^/]+|src/bin/[^/]+/main|(?:tests|examples|benches)/[^/]+"
    r"|(?:tests|examples|benches)/[^/]+/main)\.rs\Z"
)
"""Where Cargo finds the roots of crates beside the library ("Package layout")."""


class Crate(Struct, frozen=True):
    """A crate: its name with `::` before it, the file that it begins in, and its package.

    `externs` are the crates that its code can name, by these names; None where no manifest tells.
    """

    name: str
    root: str
    folder: str
    externs: Mapping[str, str] | None
    edition: str = "2021"
    features: Mapping[str, frozenset[str]] = MappingProxyType({})
    """What the manifest asks of the crates that it depends on, by their names."""


def crates_of(manifests: Mapping[str, CargoManifest], paths: frozenset[str]) -> list[Crate]:
    """Return the crates of a project, libraries before the other targets of a package.

    `manifests` are by the paths of their folders ("" is the root).
    """
    packages = {folder: found for folder, found in manifests.items() if found.package}
    if not packages:
        return list(_without_manifest(paths))
    libraries = {
        found.package.replace("-", "_"): f"::{found.library}" for found in packages.values()
    }
    owned = _owned(packages, paths)
    crates: list[Crate] = []
    for folder, manifest in sorted(packages.items()):
        externs = dict(_externs(folder, manifest, manifests, libraries))
        features = _features(folder, manifest, manifests)
        crates += [
            replace(crate, features=features)
            for crate in _of_package(folder, manifest, externs, owned.get(folder, ()))
        ]
    return crates


def _owned(packages: Iterable[str], paths: Iterable[str]) -> Mapping[str, list[str]]:
    """Return the files of each package: those of the nearest folder above with a manifest."""
    found: dict[str, list[str]] = {}
    folders = frozenset(packages)
    for path in sorted(paths):
        folder = path.rpartition("/")[0]
        while folder and folder not in folders:
            folder = folder.rpartition("/")[0]
        found.setdefault(folder, []).append(path)
    return found


def _of_package(
    folder: str, manifest: CargoManifest, externs: Mapping[str, str], paths: Iterable[str]
) -> Iterator[Crate]:
    above = f"{folder}/" if folder else ""
    library = above + (manifest.library_path or "src/lib.rs")
    listed = list(paths)
    edition = manifest.edition
    own = {manifest.library: f"::{manifest.library}"}
    named = {above + target for target in manifest.targets}
    targets = [
        path
        for path in listed
        if path != library and (path in named or _TARGET.match(path.removeprefix(above)))
    ]
    if library in listed or not targets:  # Without any root, it is the library's that is missing.
        yield Crate(f"::{manifest.library}", library, folder, externs, edition)
    for path in targets:
        stem = path.removeprefix(above).removesuffix(".rs").replace("/", "-").replace(".", "-")
        target = f"::{manifest.library}#{stem}"
        yield Crate(target, path, folder, {**externs, **own}, edition)


def _externs(
    folder: str,
    manifest: CargoManifest,
    manifests: Mapping[str, CargoManifest],
    libraries: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    """Yield the names of a package's dependencies, each with the crate that it means."""
    inherited = _inherited(folder, manifests)
    for dependency in manifest.dependencies:
        package = dependency.package
        if dependency.is_workspace and dependency.name in inherited:
            package = inherited[dependency.name].package
        crate = libraries.get(package, f"::{package}")
        # Code names a library by its own name, unless the manifest gives it another.
        is_plain = package == dependency.name and package in libraries
        yield crate.removeprefix("::") if is_plain else dependency.name, crate


def _features(
    folder: str, manifest: CargoManifest, manifests: Mapping[str, CargoManifest]
) -> Mapping[str, frozenset[str]]:
    """Return the features that are asked of each crate, those that the workspace asks for too."""
    inherited = _inherited(folder, manifests)
    found: dict[str, frozenset[str]] = {}
    for dependency in manifest.dependencies:
        listed, package = dependency.features, dependency.package
        if dependency.is_workspace and dependency.name in inherited:
            package = inherited[dependency.name].package
            listed += inherited[dependency.name].features
        name = f"::{package}"
        found[name] = found.get(name, frozenset()).union(listed)
    return found


def _inherited(
    folder: str, manifests: Mapping[str, CargoManifest]
) -> Mapping[str, CrateDependency]:
    """Return the dependencies of the workspace that a package belongs to, by their names."""
    above = folder
    while True:
        found = manifests.get(above)
        if found is not None and found.inherited:
            return {dependency.name: dependency for dependency in found.inherited}
        if not above:
            return {}
        above = above.rpartition("/")[0]


def _without_manifest(paths: Iterable[str]) -> Iterator[Crate]:
    """Yield one crate for files of which no manifest tells anything."""
    roots = sorted(path for path in paths if path.rpartition("/")[2] in {"lib.rs", "main.rs"})
    root = roots[0] if roots else ""
    yield Crate("::crate", root, "", None)
