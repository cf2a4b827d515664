"""DAL503 silent-skip."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.assemble.workflows.guards import Silence, silences_of
from dal_audit.facts import Place
from dal_audit.judge.breach import Breach, Related
from dal_audit.judge.check import check


@check("DAL503")
def silent_skip(project: Project) -> Iterator[Breach]:
    """Flag a guard that skips tests of storage in every leg that runs them."""
    for silence in silences_of(project):
        first, *others = silence.guards
        related = [
            Related(Place(silence.path, guard.span), "skips for the same reason")
            for guard in others
        ]
        yield Breach(
            Place(silence.path, first.span),
            _message(silence),
            extent=first.extent,
            related=(*related, *_runs(silence)),
        )


def _message(silence: Silence) -> str:
    if silence.is_variable:
        name = silence.lacking
        return f"these tests skip without `{name}`, and no job that runs them sets it"
    if silence.lacking == "a server":
        return "these tests skip when no server answers, and no job that runs them starts one"
    if any(guard.driver for guard in silence.guards):
        return f"these tests skip without {silence.lacking}, and no job that runs them installs it"
    return f"these tests are left out without {silence.lacking}, and no job that runs them gives it"


def _runs(silence: Silence) -> list[Related]:
    """Return the places that run the tests, and the way to each."""
    seen = dict.fromkeys((note.place, note.message) for leg in silence.legs[:2] for note in leg.way)
    return [Related(place, message) for place, message in seen][:8]
