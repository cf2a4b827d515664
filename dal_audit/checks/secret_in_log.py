"""DAL506 secret-in-log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dal_audit.assemble.project import Project
from dal_audit.assemble.workflows.coverage import Coverage, coverage_of
from dal_audit.assemble.workflows.model import Print
from dal_audit.catalogue.backend_names import backends_of_url, has_password
from dal_audit.facts import Place
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check


@check("DAL506")
def secret_in_log(project: Project) -> Iterator[Breach]:
    """Flag what writes a connection URL to the log: a script of CI, or a test."""
    coverage = coverage_of(project)
    if not coverage.targets:
        return
    seen: dict[Place, str] = {}
    for run in coverage.runs:
        for printed in run.prints:
            message = _printed(printed)
            if message:
                seen.setdefault(printed.place, message)
    for place, message in sorted(seen.items()):
        yield Breach(place, message)
    yield from _of_tests(coverage)


def _printed(printed: Print) -> str:
    """Return what is said of a command that prints; empty where it gives no secret away."""
    if printed.everything:
        name = next((name for name, value in printed.env.items() if _is_secret(value)), "")
        return f"prints the environment with `{name}`, a connection URL, to the log" if name else ""
    for name in printed.variables:
        if _is_secret(printed.env.get(name, "")):
            return f"prints `{name}`, a connection URL, to the log"
    if has_password(printed.text):
        return "prints a connection URL to the log"
    return ""


def _is_secret(value: str) -> bool:
    """Return whether a value is a URL whose password is written in it, or not known."""
    return bool(backends_of_url(value)) and has_password(value)


def _of_tests(coverage: Coverage) -> Iterator[Breach]:
    values = _values(coverage)
    for path, suite in sorted(coverage.suites.reach.items()):
        for printed in suite.printed:
            if any(map(_is_secret, values.get(printed.variable, ()))):
                message = f"prints `{printed.variable}`, a connection URL, to the log"
                yield Breach(Place(path, printed.span), message, extent=printed.extent)


def _values(coverage: Coverage) -> Mapping[str, set[str]]:
    """Return what each variable can hold in the legs of CI."""
    found: dict[str, set[str]] = {}
    for leg in coverage.legs:
        for name, value in leg.env.items():
            found.setdefault(name, set()).add(value)
    return found
