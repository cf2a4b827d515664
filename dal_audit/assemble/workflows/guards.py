"""Guards that skip tests of storage without a word where CI runs them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.assemble.memo import query
from dal_audit.assemble.project import Project
from dal_audit.assemble.workflows import cargo
from dal_audit.assemble.workflows.coverage import Coverage, coverage_of, satisfies
from dal_audit.assemble.workflows.installs import is_understood
from dal_audit.assemble.workflows.model import Leg
from dal_audit.assemble.workflows.selection import selects_tests
from dal_audit.assemble.workflows.suites import is_location
from dal_audit.catalogue.backend_names import backends_named
from dal_audit.facts.ci import SkipGuard
from dal_audit.policy.model import Backend

IGNORED: Final = "--include-ignored"


class Silence(Struct, frozen=True):
    """Guards of one file that skip for the same reason, and the legs that run into them.

    `lacking` says what is missing, as a message names it; `backends` are those that are then
    tested nowhere.
    """

    path: str
    lacking: str
    is_variable: bool
    guards: tuple[SkipGuard, ...]
    legs: tuple[Leg, ...]
    backends: tuple[Backend, ...]


@query(depends_on=(coverage_of,))
def silences_of(project: Project) -> tuple[Silence, ...]:
    """Return what skips silently in a project, a variable and file each."""
    coverage = coverage_of(project)
    if coverage.is_elsewhere or not coverage.targets:
        return ()
    return tuple(_found(coverage))


def _found(coverage: Coverage) -> Iterator[Silence]:
    for path, suite in sorted(coverage.suites.reach.items()):
        legs = [leg for leg in coverage.legs if selects_tests(leg, _below(path, coverage))]
        by_reason: dict[tuple[str, bool], list[SkipGuard]] = {}
        for guard in suite.guards:
            reason = _lacking(guard, path, coverage, legs)
            if reason is not None:
                by_reason.setdefault(reason, []).append(guard)
        for (lacking, is_variable), guards in by_reason.items():
            backends = _backends(lacking, coverage)
            yield Silence(path, lacking, is_variable, tuple(guards), tuple(legs), backends)


def _below(path: str, coverage: Coverage) -> dict[str, object]:
    """Return the tests that a guard in a file is about: of shared fixtures all those below."""
    folder, _, name = path.rpartition("/")
    if name != "conftest.py":
        return {path: None}
    inside = {other: None for other in coverage.suites.storage if other.startswith(f"{folder}/")}
    return {**inside} or {path: None}


def _lacking(
    guard: SkipGuard, path: str, coverage: Coverage, legs: Sequence[Leg]
) -> tuple[str, bool] | None:
    """Return what no leg has that a guard asks for; None where one does, or none runs it."""
    if not legs:
        return None
    if guard.ignored or guard.feature:
        return _lacking_option(guard, path, coverage, legs)
    if guard.driver:
        return _lacking_driver(guard.driver, coverage, legs)
    if guard.probes and not guard.needs:
        return _lacking_server(coverage, legs)
    return _lacking_variable(guard, coverage, legs)


def _lacking_option(
    guard: SkipGuard, path: str, coverage: Coverage, legs: Sequence[Leg]
) -> tuple[str, bool] | None:
    """Return the option of cargo that no leg gives, of tests that speak of a target backend."""
    named = guard.ignored or tuple(backends_named(guard.feature))
    if set(coverage.targets).isdisjoint(named) or any(leg.may_start_server for leg in legs):
        return None
    if guard.ignored:
        has_it = any(cargo.runs_ignored(leg.words) for leg in legs)
        return None if has_it else (f"`{IGNORED}`", False)
    is_default = guard.feature in _defaults(path, coverage)
    has_it = any(
        cargo.builds(leg.words, guard.feature) or (is_default and cargo.takes_defaults(leg.words))
        for leg in legs
    )
    return None if has_it else (f"the feature `{guard.feature}`", False)


def _defaults(path: str, coverage: Coverage) -> Sequence[str]:
    """Return the features that the package of a file has by default."""
    folder = path.rpartition("/")[0]
    while folder and folder not in coverage.ci.features:
        folder = folder.rpartition("/")[0]
    return coverage.ci.features.get(folder, ())


def _lacking_server(coverage: Coverage, legs: Sequence[Leg]) -> tuple[str, bool] | None:
    """Return that no leg has a server, where none is seen and none can have been started."""
    if "postgresql" not in coverage.targets or coverage.suites.starts_servers():
        return None
    has_one = any(leg.servers or leg.may_start_server for leg in legs)
    return None if has_one else ("a server", False)


def _lacking_variable(
    guard: SkipGuard, coverage: Coverage, legs: Sequence[Leg]
) -> tuple[str, bool] | None:
    """Return the variable that no leg sets; None where one sets all that a guard asks for."""
    wanted = _wanted(guard, coverage)
    held = [{text for text in wanted if satisfies(leg.env, text)} for leg in legs]
    enough = 1 if guard.any_of else len(set(wanted))
    if not wanted or any(len(own) >= enough for own in held):
        return None
    never = (text for text in wanted if text not in set().union(*held))
    return next(never, wanted[0]), True


def _wanted(guard: SkipGuard, coverage: Coverage) -> list[str]:
    """Return the variables that a guard asks for, as far as they are about a backend.

    Where one of several is enough, another may do that is about none.
    """
    about = [pair for pair in guard.needs if _matters(pair[0], coverage)]
    if guard.any_of and len(about) < len(guard.needs):
        return []
    return [f"{name}={value}" if value else name for name, value in about]


def _matters(variable: str, coverage: Coverage) -> bool:
    """Return whether a variable is one that says where a target backend is, or that it is used."""
    if any(variable == name for _, name in _configured(coverage)):
        return True
    named = backends_named(variable)
    return bool(named & set(coverage.targets)) or (not named and is_location(variable))


def _configured(coverage: Coverage) -> Iterator[tuple[Backend, str]]:
    """Yield the variables that the configuration says choose a target backend, by their names."""
    for backend in coverage.targets:
        for given in coverage.policy.ci.env_of(backend):
            yield backend, given.partition("=")[0]


def _lacking_driver(
    driver: str, coverage: Coverage, legs: Sequence[Leg]
) -> tuple[str, bool] | None:
    """Return a driver that no leg installs, where all that is installed is written out."""
    if not backends_named(driver) & set(coverage.targets):
        return None
    for leg in legs:
        if leg.may_start_server or not leg.installs or not all(map(is_understood, leg.installs)):
            return None
        if any(driver in word for words in leg.installs for word in words):
            return None
    return f"the driver `{driver}`", False


def _backends(lacking: str, coverage: Coverage) -> tuple[Backend, ...]:
    """Return the backends that go untested where something is lacking."""
    name = lacking.partition("=")[0]
    configured = tuple(backend for backend, own in _configured(coverage) if own == name)
    named = tuple(backend for backend in coverage.targets if backend in backends_named(lacking))
    return configured or named or tuple(name for name in coverage.targets if name != "sqlite")
