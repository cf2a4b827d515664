"""From what Rust files spell to the facts that every language has, once all files are known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from dal_audit.assemble.driver_objects import CONNECTION_ROLES
from dal_audit.assemble.rust.calls import Calls
from dal_audit.assemble.rust.classes import Classes
from dal_audit.assemble.rust.crates import crates_of
from dal_audit.assemble.rust.exports import exports_of
from dal_audit.assemble.rust.imports import ImportsOfFile
from dal_audit.assemble.rust.module_tree import ModuleTree
from dal_audit.assemble.rust.names import RustNames
from dal_audit.assemble.rust.pools import Pools
from dal_audit.assemble.rust.resolution import Resolution
from dal_audit.assemble.rust.values import Values
from dal_audit.assemble.state_classes import is_state_name
from dal_audit.catalogue.drivers import Catalogue
from dal_audit.catalogue.url_schemes import schemes_in_force
from dal_audit.facts import ConnectionUrl, Fact, FileFacts
from dal_audit.facts.rust import CargoManifest, RustFile


class RustProject:
    """The Rust of a project: its crates, modules and types."""

    def __init__(
        self,
        files: Sequence[FileFacts],
        manifests: Mapping[str, CargoManifest],
        paths: frozenset[str],
        catalogue: Catalogue,
    ) -> None:
        """Put together what was read; `paths` are those of all Rust files."""
        self.files = files
        self.read: dict[str, RustFile] = {}
        for file in files:
            for fact in file.facts:
                if isinstance(fact, RustFile):
                    self.read[file.path] = fact
        self.tree = ModuleTree(crates_of(manifests, paths), self.read, paths)
        self.names = RustNames(catalogue, self.tree)
        self.resolution = self._resolution()
        self.values = Values(self.read, self.resolution)
        self.classes = Classes(self.read, self.resolution, self.names)
        self.calls = Calls(self.resolution, self.names, self.values)
        self._schemes = schemes_in_force(catalogue)

    def _resolution(self) -> Resolution:
        """Return what paths mean; pools of other things than connections are no drivers."""
        crates, names_in = self.names.crates, self.names.names_in
        whole = Resolution(self.tree, crates, names_in)
        others = Pools(self.read, whole, self.names).of_others()
        if not others:
            return whole
        return Resolution(self.tree, crates, names_in, dict.fromkeys(others, self.names.pools))

    def facts(self, words: AbstractSet[str]) -> list[FileFacts]:
        """Return the facts of the files; `words` are further names of accessors."""
        asked = words | self.calls.accessors()
        return [
            FileFacts(file.path, tuple(self._lowered(file, asked)), file.attention)
            for file in self.files
        ]

    def _lowered(self, file: FileFacts, words: AbstractSet[str]) -> Iterator[Fact]:
        for fact in file.facts:
            if isinstance(fact, RustFile):
                yield from self._of_file(file.path, fact, words)
            elif not isinstance(fact, ConnectionUrl) or fact.scheme in self._schemes:
                yield fact

    def _of_file(self, path: str, read: RustFile, words: AbstractSet[str]) -> Iterator[Fact]:
        sql = tuple(self.calls.sql(path, read))
        sharper = self.calls.starts(sql) | frozenset(self._state_fields(path, read))
        yield from ImportsOfFile(path, read, self.resolution, self.names, sharper).facts()
        yield from exports_of(path, read, self.resolution, self.names)
        yield from self.classes.of_file(path)
        yield from sql
        yield from self.calls.reads(path, read, words)

    def _state_fields(self, path: str, read: RustFile) -> Iterator[tuple[int, int]]:
        """Yield where the fields of the program's state name a driver's connection."""
        for shape in read.shapes:
            for member in shape.members if is_state_name(shape.name, is_rust=True) else ():
                for part in member.types:
                    found = self.resolution.meaning(part.path, path, shape.scope)
                    if found is not None and self.names.role(found.far) in CONNECTION_ROLES:
                        yield part.span.line, part.span.column
