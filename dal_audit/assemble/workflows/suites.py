"""The tests of storage: which files they are, and which backends they can run on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from dal_audit.assemble.module_names import ModuleNames
from dal_audit.facts import FileFacts
from dal_audit.facts.ci import NamedBackend, SuiteFile
from dal_audit.policy import compile_globs

CONFTEST: Final = "conftest.py"


class Suites:
    """The files of tests of one project."""

    def __init__(
        self,
        suites: Iterable[FileFacts],
        configured: Sequence[str] | None,
        storage: AbstractSet[str],
        names: ModuleNames,
    ) -> None:
        """Take the facts of the files of tests, and where the storage that they import lies."""
        self.configured = configured
        self.names_of_modules = names
        self._storage_paths = storage
        self.files = {
            file.path: fact for file in suites for fact in file.facts if isinstance(fact, SuiteFile)
        }

    @cached_property
    def storage(self) -> dict[str, SuiteFile]:
        """The tests of storage: those that are configured, else those that import storage."""
        globs = self.configured
        if globs is not None:
            chosen = compile_globs(globs, anchored=True)
            return {path: suite for path, suite in self.files.items() if chosen(path)}
        importing = {
            path for path, suite in self.files.items() if self._imports_storage(path, suite)
        }
        return {
            path: suite
            for path, suite in self.files.items()
            if path in importing or any(above in importing for above in _conftests(path))
        }

    @cached_property
    def _storage_modules(self) -> frozenset[str]:
        return frozenset(
            self.names_of_modules.of(path) for path in self._storage_paths if path not in self.files
        )

    @cached_property
    def _storage_names(self) -> frozenset[str]:
        """What paths of Rust call storage's modules and crates."""
        paths = (path for path in self._storage_paths if path.endswith(".rs"))
        return frozenset(map(_name_in_rust, paths))

    def _imports_storage(self, path: str, suite: SuiteFile) -> bool:
        if path.endswith(".rs"):
            return not self._storage_names.isdisjoint(suite.imports)
        modules = self._storage_modules
        return any(self.names_of_modules.absolute(name, path) in modules for name in suite.imports)

    @cached_property
    def reach(self) -> dict[str, SuiteFile]:
        """The tests of storage, and the fixtures that are shared with them."""
        shared = {above for path in self.storage for above in _conftests(path)}
        further = {path: suite for path, suite in self.files.items() if path in shared}
        return {**self.storage, **further}

    def names(self, backend: str) -> bool:
        """Return whether some test of storage names a backend, by whatever it does."""
        return any(
            backend in named.backends for suite in self.reach.values() for named in suite.named
        )

    def uses(self, backend: str) -> bool:
        """Return whether some test uses a backend, and does not just ask for it by a variable."""
        suites = (suite for suite in (self.reach or self.files).values() if suite.tests)
        named = (named for suite in suites for named in suite.named if named.how != "variable")
        return any(backend in own.backends for own in named)

    def offers(self, backend: str) -> bool:
        """Return whether some tests run on a backend by a list of parameters."""
        named = (named for suite in (self.reach or self.files).values() for named in suite.named)
        return any(backend in own.backends and own.how == "parameters" for own in named)

    def excludes(self, backend: str, targets: AbstractSet[str]) -> bool:
        """Return whether each file of tests fixes a backend, and none of them this one."""
        fixed = [self.fixed(path, targets) for path in self.storage]
        if not fixed or any(named is None or backend in named.backends for named in fixed):
            return False
        further = {**self.reach, **self._helpers}
        shared = (suite for path, suite in further.items() if path not in self.storage)
        return not any(_may_choose(suite, backend) for suite in shared)

    @cached_property
    def _helpers(self) -> dict[str, SuiteFile]:
        """The files beside the tests that hold none: what they give is shared by import."""
        return {path: suite for path, suite in self.files.items() if not suite.tests}

    def fixed(self, path: str, targets: AbstractSet[str]) -> NamedBackend | None:
        """Return what fixes the one backend of a file's tests; None where several can be meant."""
        suite = self.files[path]
        listed = self.pinned(path)
        if listed is not None:
            return listed if set(listed.backends) <= targets else None
        can_choose = any(named.how == "parameters" for named in suite.named)
        if can_choose or any(map(is_location, suite.reads)) or not suite.tests:
            return None
        return _only_named(suite, targets)

    def pinned(self, path: str) -> NamedBackend | None:
        """Return the list of parameters by which all tests of a file run on some backends alone."""
        suite = self.files[path]
        lists = [named for named in suite.named if named.how == "parameters"]
        found = {name for named in lists for name in named.backends}
        return lists[0] if len(found) == 1 and _reach_all(lists, suite) else None

    @property
    def brings_servers(self) -> bool:
        """Whether some file among the tests starts a server, by whichever way they come to it."""
        return any(suite.servers for suite in self.files.values())

    def starts_servers(self) -> bool:
        """Return whether the tests themselves start a server, by a plug-in."""
        return any(suite.servers for suite in self.reach.values())


def _name_in_rust(path: str) -> str:
    """Return the name of a file's module, or of the crate that it is the root of."""
    folder, _, name = path.rpartition("/")
    if name in {"lib.rs", "main.rs"}:
        folder = folder.removesuffix("src").rstrip("/")
    is_own = name not in {"lib.rs", "main.rs", "mod.rs"}
    return (name.removesuffix(".rs") if is_own else folder.rpartition("/")[2]).replace("-", "_")


def _only_named(suite: SuiteFile, targets: AbstractSet[str]) -> NamedBackend | None:
    """Return where a file names a backend by what its tests do, if it names a single one."""
    found = {name for named in suite.named for name in named.backends} & targets
    if len(found) != 1:
        return None
    fitting = (named for named in suite.named if found.issubset(named.backends))
    return next((named for named in fitting if named.how in {"url", "name", "driver"}), None)


def _reach_all(lists: Sequence[NamedBackend], suite: SuiteFile) -> bool:
    """Return whether lists of parameters are for all tests of a file."""
    reached = {test for named in lists for test in named.tests}
    return any(not named.tests for named in lists) or reached.issuperset(suite.tests)


def _conftests(path: str) -> Iterator[str]:
    """Yield the files whose fixtures a file of tests can use."""
    folder = path.rpartition("/")[0]
    while True:
        own = f"{folder}/{CONFTEST}" if folder else CONFTEST
        if own != path:
            yield own
        if not folder:
            return
        folder = folder.rpartition("/")[0]


def _may_choose(suite: SuiteFile, backend: str) -> bool:
    """Return whether shared fixtures may run tests on a backend."""
    named = {name for named in suite.named for name in named.backends}
    return backend in named or any(map(is_location, suite.reads))


def is_location(variable: str) -> bool:
    """Return whether a variable's name says that it chooses a database or tells where it is."""
    words = set(variable.upper().split("_"))
    return bool(words & {"DATABASE", "DB", "DSN", "SQLALCHEMY", "BACKEND", "ENGINE", "STORAGE"})
