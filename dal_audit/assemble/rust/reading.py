"""The rounds in which Rust is read: what names drivers first, then what those files' names lead to.

A file that holds none of the names that matter is not parsed. Each round puts together what was
read, and asks which further names lead to a driver, to a backend or to what storage hands out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from dal_audit.assemble.accessor_names import PLUMBING
from dal_audit.assemble.accessors import handed_out, handing_classes
from dal_audit.assemble.class_hierarchy import hierarchy_of
from dal_audit.assemble.engine_stores import engine_store_names
from dal_audit.assemble.project import Project
from dal_audit.assemble.rust.lowering import RustProject
from dal_audit.assemble.symbols import SymbolId
from dal_audit.catalogue.drivers import RUST, Catalogue, with_crates
from dal_audit.discover.files import ProjectFiles
from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import is_small
from dal_audit.extract.rust_sources import extract_rust, holding, read_manifests
from dal_audit.facts import ClassDefinition, Fact, FileFacts, ModuleExports, SourceFile
from dal_audit.facts.rust import CargoManifest
from dal_audit.policy import Policy

_FOLLOWED: frozenset[str] = PLUMBING | {f"_{name}" for name in PLUMBING}


def with_rust(
    project: Project,
    tree: ProjectFiles,
    cache: Cache,
    *,
    jobs: int | None,
    shortcuts: bool,
    reads_sql: bool,
) -> Project:
    """Return a project with the facts of its Rust files, behind those of the others.

    The SQL in storage's files is among them where a rule asks for it.
    """
    policy = project.policy
    catalogue = with_crates(project.catalogue, only=policy.drivers, also=policy.extend_drivers)
    manifests = read_manifests(tree.manifests)
    rounds = _Rounds(replace(project, catalogue=catalogue), tree, manifests, cache, jobs)
    if is_small(tree.rust) or not shortcuts:
        found = rounds.read({file.path for file in tree.rust})
    else:
        found = rounds.follow(first_words(catalogue, manifests, policy))
    return rounds.with_sql(found) if reads_sql else found


def first_words(
    catalogue: Catalogue, manifests: Mapping[str, CargoManifest], policy: Policy
) -> frozenset[str]:
    """Return what a file that matters from the start holds: a driver's crate, or an interface.

    A crate is looked for under each name that a manifest gives it.
    """
    modules = (name for name in catalogue.by_module if name.startswith(RUST))
    crates = frozenset(name.removeprefix(RUST).partition(".")[0] for name in modules)
    interfaces = {name.rpartition(":")[2] for name in policy.interfaces or ()}
    plain = frozenset(filter(str.isidentifier, interfaces))
    return plain | (_named_by(manifests, crates) if manifests else crates)


def _named_by(manifests: Mapping[str, CargoManifest], crates: frozenset[str]) -> frozenset[str]:
    """Return the names of those of some crates that manifests depend on, and their own ones."""
    used = [
        dependency
        for manifest in manifests.values()
        for dependency in (*manifest.dependencies, *manifest.inherited)
        if dependency.package in crates
    ]
    packages = frozenset(dependency.package for dependency in used)
    return packages | frozenset(dependency.name for dependency in used)


class _Rounds:
    """Reads files, and puts the project together with what they say."""

    def __init__(
        self,
        project: Project,
        tree: ProjectFiles,
        manifests: Mapping[str, CargoManifest],
        cache: Cache,
        jobs: int | None,
    ) -> None:
        self.project = project
        self.tree = tree
        self.manifests = manifests
        self.cache = cache
        self.jobs = jobs
        self.others = tuple(project.files)
        self.paths = frozenset(path for path in tree.modules if path.endswith(".rs"))
        self.known: dict[str, FileFacts] = {}
        self.lowered: dict[str, tuple[Fact, ...]] = {}
        self.rust: RustProject | None = None

    def follow(self, words: frozenset[str]) -> Project:
        """Read on, round by round, until no further name leads anywhere."""
        roots = {file.path for file in self.tree.rust if file.path.endswith(("lib.rs", "main.rs"))}
        zones = {file.path for file in self.tree.rust if self.project.in_storage(file.path)}
        due = roots | zones | holding(self.tree.rust, words, jobs=self.jobs, marks=True)
        project = self.read(due)
        while True:
            waiting = [file for file in self.tree.rust if file.path not in self.known]
            named, inside = self._leading(project)
            new = named - words
            words |= new
            due = set(holding(waiting, new, jobs=self.jobs)) if new else set()
            due |= {file.path for file in waiting if project.in_storage(file.path)}
            due |= self._below(inside, waiting, project)
            if not due:
                return project
            project = self.read(due)

    def _below(
        self, inside: frozenset[SymbolId], waiting: Sequence[SourceFile], project: Project
    ) -> set[str]:
        """Return the files that hold a name which a module above them has for itself alone."""
        found: set[str] = set()
        for module in sorted({module for module, _ in inside}):
            names = frozenset(name for other, name in inside if other == module)
            below = [
                file for file in waiting if project.module_name(file.path).startswith(f"{module}.")
            ]
            found.update(holding(below, names, jobs=1) if below else ())
        return found

    def _leading(self, project: Project) -> tuple[frozenset[str], frozenset[SymbolId]]:
        """Return the names by which a driver's object, a backend or storage's own can be had.

        What a module takes for itself alone can be had from it by the modules below it.
        """
        hierarchy = hierarchy_of(project)
        tainted = project.driver_sources.tainted_names() | hierarchy.tainted_names()
        tainted |= engine_store_names(project)
        of_rust = {(module, name) for module, name in tainted if module.startswith(RUST)}
        inside = of_rust & self._private(project)
        names = frozenset(name.partition(".")[0] for _, name in of_rust - inside)
        names |= handed_out(project) | self._holders(handing_classes(project))
        return names | frozenset(project.policy.accessors), frozenset(inside)

    def _holders(self, classes: frozenset[str]) -> frozenset[str]:
        """Return the names of classes, and of what has objects of them as its fields, at any depth.

        The files that say of which class a field is are read, though they may name no driver.
        """
        holding = [
            (
                _last_name(fact.name),
                {_last_name(name.origin) for part in fact.members for name in part.types},
            )
            for facts in self.lowered.values()
            for fact in facts
            if isinstance(fact, ClassDefinition)
        ]
        found = frozenset(map(_last_name, classes))
        while True:
            further = {name for name, held in holding if not held.isdisjoint(found)} - found
            if not further:
                return found
            found |= further

    def _private(self, project: Project) -> set[SymbolId]:
        """Return the names that modules take and do not hand on."""
        return {
            (f"{own}.{fact.inner}" if fact.inner else own, export.name)
            for path in self.known
            for own in (project.module_name(path),)
            for fact in self.lowered[path]
            if isinstance(fact, ModuleExports)
            for export in fact.exports
            if export.made in {"import", "alias", "type"} and not export.renamed
        }

    def read(self, due: set[str]) -> Project:
        """Read some files, and return the project with all that is known."""
        files: Sequence[SourceFile] = [file for file in self.tree.rust if file.path in due]
        for facts in extract_rust(files, jobs=self.jobs, cache=self.cache):
            self.known[facts.path] = facts
        read = [
            self.known.get(file.path) or FileFacts(file.path, (), "ruled-out")
            for file in self.tree.rust
        ]
        rust = RustProject(read, self.manifests, self.paths, self.project.catalogue)
        words = _FOLLOWED | frozenset(self.project.policy.accessors)
        lowered = rust.facts(words)
        self.rust = rust
        self.lowered = {file.path: file.facts for file in lowered}
        return replace(
            self.project,
            files=(*self.others, *lowered),
            given_names=rust.tree.names,
        )

    def with_sql(self, project: Project) -> Project:
        """Return the project with the SQL in storage's files."""
        storage = [file for file in self.tree.rust if project.in_storage(file.path)]
        if self.rust is None or not storage:
            return project
        from dal_audit.assemble.rust.embedded_sql import with_sql  # only where there is storage

        count = len(self.others)
        lowered = with_sql(project.files[count:], self.rust, storage, self.cache, jobs=self.jobs)
        return project.with_files([*self.others, *lowered])


def _last_name(name: str) -> str:
    return name.rpartition(".")[2]
