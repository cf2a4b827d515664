"""Which backends the legs of a project's CI are for, and how far they block a merge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from dal_audit.assemble.memo import file_query, query
from dal_audit.assemble.project import CI, IMPORTS, POLICY, URLS, Project
from dal_audit.assemble.workflows.installs import is_understood
from dal_audit.assemble.workflows.model import JobRun, Leg
from dal_audit.assemble.workflows.programs import looks_like_tests
from dal_audit.assemble.workflows.runs import Runs
from dal_audit.assemble.workflows.selection import (
    BY_PATHS,
    may_run,
    selects_backend,
    selects_tests,
)
from dal_audit.assemble.workflows.suites import Suites, is_location
from dal_audit.catalogue.backend_names import backends_named, backends_of_url, is_server_image
from dal_audit.catalogue.drivers import RUST
from dal_audit.catalogue.engine_words import engines_in
from dal_audit.extract.ci.expressions import UNKNOWN
from dal_audit.facts import ConnectionUrl, DynamicImport, Import, Place
from dal_audit.facts.ci import CiFiles, CiTool, CiWorkflow, DeclaredBackend
from dal_audit.facts.ci_files import SERVER_PACKAGES
from dal_audit.policy import Policy
from dal_audit.policy.model import Backend

_NOTHING = frozenset({"", "0", "false", "no", "none", "off"})
_SERVERS: tuple[Backend, ...] = ("postgresql",)
"""The backends that need a server."""


class Coverage:
    """What the CI of one project runs, and on which backends."""

    def __init__(
        self,
        policy: Policy,
        ci: CiFiles,
        suites: Suites,
        storage: Sequence[str],
        shown: AbstractSet[str],
    ) -> None:
        """Take what tells how a project is tested; jobs are walked through when they are asked for.

        `storage` are the paths of storage, `shown` the backends that it names.
        """
        self.policy = policy
        self.ci = ci
        self.suites = suites
        self.storage = storage
        self.shown = shown

    @cached_property
    def workflows(self) -> Mapping[str, CiWorkflow]:
        """The workflows by their paths, reusable ones among them."""
        return {
            file.path: fact
            for file in self.ci.files
            for fact in file.facts
            if isinstance(fact, CiWorkflow)
        }

    @cached_property
    def runs(self) -> tuple[JobRun, ...]:
        """The jobs, in the order of their files and lines."""
        return tuple(self._walked.found)

    @cached_property
    def _walked(self) -> Runs:
        configured = self.policy.ci.workflows
        paths = [*self.storage, *self.suites.storage]
        runs = Runs(self.ci.files, configured, paths)
        runs.walk()
        return runs

    @property
    def unread(self) -> Mapping[Place, str]:
        """The jobs that run before a merge what lies in no file of the project, and its name."""
        return self._walked.unread

    @cached_property
    def all_legs(self) -> tuple[Leg, ...]:
        """All legs, of whatever tests."""
        return tuple(leg for run in self.runs for leg in run.legs)

    @cached_property
    def legs(self) -> tuple[Leg, ...]:
        """The legs that run tests of storage."""
        tests = self.suites.storage
        if tests or not (self.shown or self.declared):
            return tuple(leg for leg in self.all_legs if selects_tests(leg, tests))
        return tuple(leg for leg in self.all_legs if may_run(leg, self.suites.files))

    @property
    def is_elsewhere(self) -> bool:
        """Whether a CI system, or a file of one, that is not read may test the project, too."""
        leads_on = any(workflow.leads_on for workflow in self.workflows.values())
        is_said = bool(self.ci.foreign) or self.policy.ci.external_ci
        return is_said or leads_on or any(map(looks_like_tests, self.unread.values()))

    # Targets

    @cached_property
    def are_configured(self) -> bool:
        """Whether the configuration says which backends are the targets."""
        return self.policy.key_place_of(("backends",)) is not None

    @cached_property
    def targets(self) -> tuple[Backend, ...]:
        """The target backends: those that are configured, else those that the project shows."""
        backends = self.policy.backends
        if self.are_configured:
            return backends
        if not self.shown and not self.declared:
            return ()
        chosen = {name for leg in self.legs for name in backends if self._is_chosen(leg, name)}
        return tuple(name for name in backends if name in {*self.shown, *self.declared, *chosen})

    @cached_property
    def declared(self) -> Mapping[str, tuple[Place, str]]:
        """The engines that the project declares, each with the place that is nearest to its root.

        That are the drivers that it depends on, and what its settings name.
        """
        found: dict[str, tuple[Place, str]] = {}
        files = sorted(self.ci.files, key=lambda file: (file.path.count("/"), file.path))
        for path, fact in ((file.path, fact) for file in files for fact in file.facts):
            if isinstance(fact, DeclaredBackend):
                found.setdefault(fact.backend, (Place(path, fact.span), fact.by))
        return found

    def _is_chosen(self, leg: Leg, backend: str) -> bool:
        """Return whether a leg selects a backend, and does not just start a server of it."""
        if self._is_given(leg, backend):
            return True
        can_run = backend not in _SERVERS or self._has_server(leg)
        return can_run and backend in self._named(leg)

    # Legs of a backend

    @cached_property
    def _by_backend(self) -> dict[str, tuple[Leg, ...]]:
        return {}

    def legs_for(self, backend: str) -> tuple[Leg, ...]:
        """Return the legs on which tests of storage run on a backend."""
        if backend not in self._by_backend:
            found = [leg for leg in self.legs if self.is_for(leg, backend)]
            # Where no leg has a server, a plug-in that is not to be seen may start one.
            found = found or [leg for leg in self.legs if self._may_be_for(leg, backend)]
            self._by_backend[backend] = tuple(found)
        return self._by_backend[backend]

    def is_for(self, leg: Leg, backend: str) -> bool:
        """Return whether a leg runs tests of storage on a backend."""
        if not selects_backend(leg.words, backend) or self._is_excluded(backend):
            return False
        if self._is_given(leg, backend):
            return True
        others = self.chosen_by(leg) - {backend}
        if backend in _SERVERS:
            return self._is_on_server(leg, backend, others)
        if self._is_chosen_otherwise(leg, backend):
            return False
        if backend in self._named(leg):
            return True
        # Without a word about it tests run where they run on a developer's machine.
        return not others or self.suites.names(backend)

    def _is_excluded(self, backend: str) -> bool:
        """Return whether no test of storage can run on a backend."""
        if backend not in self._excluded:
            every = set(self.policy.backends)
            self._excluded[backend] = self.suites.excludes(backend, every)
        return self._excluded[backend]

    @cached_property
    def _excluded(self) -> dict[str, bool]:
        return {}

    def _is_on_server(self, leg: Leg, backend: str, others: set[str]) -> bool:
        if backend in self._named(leg):
            return self._has_server(leg) or leg.may_start_server
        if self.policy.ci.env_of(backend) or others:
            return False
        return self._has_server(leg)

    def _is_chosen_otherwise(self, leg: Leg, backend: str) -> bool:
        """Return whether the variable that chooses a backend has another value."""
        for given in self.policy.ci.env_of(backend):
            name, has_value, value = given.partition("=")
            known = leg.env.get(name, "")
            if has_value and known and UNKNOWN not in known and known.lower() != value.lower():
                return True
        return False

    def _is_given(self, leg: Leg, backend: str) -> bool:
        """Return whether the variables that reach the tests say that they use a backend."""
        configured = self.policy.ci.env_of(backend)
        if configured:
            return any(satisfies(leg.env, given) for given in configured)
        values = [value for name, value in leg.env.items() if not _is_of_server(name)]
        return any(backend in backends_of_url(value) for value in values)

    def _named(self, leg: Leg) -> set[str]:
        """Return the backends that a leg's values, variables and words name."""
        found = set(self.chosen_by(leg))
        for name, value in leg.env.items():
            if value.lower() not in _NOTHING and not _is_of_server(name):
                found |= backends_named(value) or backends_named(name)
        for word in leg.words:
            found |= backends_named(word) if not _is_feature(word, leg.words) else set()
        return found

    def chosen_by(self, leg: Leg) -> set[str]:
        """Return the backends that the values of a leg's combination name."""
        return set(_named_in(leg.axes))

    def _has_server(self, leg: Leg) -> bool:
        if leg.servers or self.suites.starts_servers() or self._brings_server:
            return True
        return any(is_server_image(value) for value in leg.env.values())

    def _may_be_for(self, leg: Leg, backend: str) -> bool:
        """Return whether a plug-in may start a server: no test is to be seen that would tell."""
        is_unseen = not self.suites.files and leg.words[0] in BY_PATHS
        if not is_unseen or not selects_backend(leg.words, backend) or self.chosen_by(leg):
            return False
        return not all(map(is_understood, leg.installs))

    @cached_property
    def _brings_server(self) -> bool:
        """Whether the project depends on a plug-in that starts a server for its tests."""
        facts = (fact for file in self.ci.files for fact in file.facts)
        if any(isinstance(fact, CiTool) and fact.brings for fact in facts):
            return True
        installed = (word for leg in self.all_legs for words in leg.installs for word in words)
        return any(word.startswith(SERVER_PACKAGES) for word in installed)

    def is_seen(self, leg: Leg, backend: str) -> bool:
        """Return whether a leg was seen to run tests on a backend, and is not just taken to.

        A leg of which no word tells is one of SQLite where it starts no server, and of another
        backend where the tests bring its server along; else they must tell that they use it.
        """
        if leg.is_opaque or not self.is_for(leg, backend):
            return False
        if self.is_told(leg, backend) or backend in self._named(leg):
            return backend not in _SERVERS or self._has_server(leg)
        others = self._named(leg)
        if others:
            # It is another leg's backend, or tests run on several by themselves.
            return others.issubset(self.targets) and self.suites.offers(backend)
        by_itself = self._is_plugged_in() if backend in _SERVERS else not leg.servers
        return by_itself or self.suites.uses(backend)

    def _is_plugged_in(self) -> bool:
        """Return whether the tests bring their server along: they say so, where any is seen."""
        return self.suites.brings_servers or (self._brings_server and not self.suites.files)

    def is_told(self, leg: Leg, backend: str) -> bool:
        """Return whether a leg's combination or variables say that it is for a backend."""
        return backend in self.chosen_by(leg) or self._is_given(leg, backend)

    def repeats(self, backends: Iterable[str]) -> bool:
        """Return whether whole runs are repeated on backends by a variable that the tests read.

        A variable that names a backend leads to that one alone, and repeats nothing.
        """
        read = {name for suite in self.suites.files.values() for name in suite.reads}
        chosen = {name for name in read if is_location(name) and not backends_named(name)}
        return all(
            any(chosen & leg.env.keys() for leg in self.legs_for(backend)) for backend in backends
        )

    def blocking_for(self, backend: str) -> tuple[Leg, ...]:
        """Return the legs of a backend whose failure keeps a change from being merged."""
        return tuple(leg for leg in self.legs_for(backend) if leg.blocks)


def satisfies(env: Mapping[str, str], given: str) -> bool:
    """Return whether variables hold one that is asked for: by its name, or `NAME=value`.

    A value that only a run knows may be what is asked for.
    """
    name, has_value, value = given.partition("=")
    known = env.get(name, "")
    if not has_value:
        return known != ""
    return UNKNOWN in known or any(
        fnmatchcase(line.lower(), value.lower()) for line in known.splitlines()
    )


def _is_of_server(name: str) -> bool:
    """Return whether a variable is one by which the server's container is set up."""
    return name in {"POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB", "POSTGRES_INITDB_ARGS"}


def _is_feature(word: str, words: Iterable[str]) -> bool:
    """Return whether a word is among a cargo command's features, which prove nothing."""
    listed = list(words)
    at = listed.index(word)
    return word.startswith("--features=") or (
        at > 0 and listed[at - 1] in {"--features", "-F", "--package", "-p", "--bin"}
    )


def _named_in(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _named_in(item, str(name))
    elif isinstance(value, str):
        if value.lower() not in _NOTHING:
            yield from backends_named(value) or backends_named(key)
    elif value is True:
        yield from backends_named(key)


@file_query(of=(IMPORTS, URLS), depends_on=(Project.driver_names, CI))
def _named_by_file(
    path: str, facts: Sequence[Import | DynamicImport | ConnectionUrl], project: Project
) -> frozenset[str]:
    """Return the backends that a file names: by a driver, or by a URL.

    Which of its engines a driver's types speak of counts only where there is CI to be judged.
    """
    found: set[str] = set()
    for fact in facts:
        if isinstance(fact, Import):
            for target in fact.targets:
                driver = project.driver_of(target.name, path)
                if driver is not None and driver.dialect:
                    found.add(driver.dialect)
                elif driver is not None and target.name.startswith(RUST) and project.ci.files:
                    found.update(engines_in(target.name))  # `sqlx::PgPool`
        elif isinstance(fact, ConnectionUrl):
            found.update(backends_named(fact.scheme))
    return frozenset(found)


@query(depends_on=(POLICY, CI, Project.names, Project.zones, _named_by_file))
def coverage_of(project: Project) -> Coverage:
    """Return what a project's CI runs; it is worked out once for all checks."""
    policy, storage = project.policy, project.zones.storage_paths
    suites = Suites(project.ci.suites, policy.ci.storage_tests, storage, project.names)
    named = _named_by_file(project)
    shown = (names for path, names in named.items() if path in storage and path not in suites.files)
    own = sorted(storage)
    return Coverage(policy, project.ci, suites, own, frozenset().union(*shown))
