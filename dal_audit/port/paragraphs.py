"""What text and Markdown have in common: the sentences of a survey, its rows and its groups."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from msgspec import Struct

from dal_audit.facts import Place
from dal_audit.port.model import (
    KIND_TITLES,
    Hold,
    Survey,
    files_of,
    mended,
    title_of,
    titles_of,
)
from dal_audit.report.summary import plural

FOLDED: Final = 10
"""Places that are shown of a group; who wants all says `--show-all`."""

ALL: Final = sys.maxsize
COLUMNS: Final = ("kind", "places", "files", "--fix", "--unsafe-fixes", "by hand")
CONFIGURE: Final = (
    'To have `dal-audit --fix` mend what it can, configure `backends = ["sqlite", "postgresql"]`.'
)


class Group(Struct, frozen=True):
    """Holds of one kind that one cure is for."""

    cure: str
    holds: tuple[Hold, ...]


def groups(holds: Sequence[Hold]) -> list[Group]:
    """Return holds by their cures, in the order of the first of each."""
    first: dict[str, int] = {}
    for index, hold in enumerate(holds):
        first.setdefault(hold.cure, index)
    ordered = sorted(holds, key=lambda hold: first[hold.cure])
    return [Group(cure, tuple(own)) for cure, own in groupby(ordered, lambda hold: hold.cure)]


def kinds(survey: Survey) -> Iterator[tuple[str, list[Hold]]]:
    """Yield the title of each kind that holds the project, with its holds."""
    for kind in KIND_TITLES:
        holds = survey.of_kind(kind)
        if holds:
            yield KIND_TITLES[kind], holds


def rows(survey: Survey) -> list[tuple[str, ...]]:
    """Return the estimate: a row a kind, in the order of `COLUMNS`, and their sum."""
    parts = [*kinds(survey), ("all", list(survey.holds))]
    return [(title, *map(str, _counted(holds))) for title, holds in parts]


def _counted(holds: Sequence[Hold]) -> tuple[int, ...]:
    safe, unsafe = mended(holds, "safe"), mended(holds, "unsafe")
    return len(holds), files_of(holds), safe, unsafe, len(holds) - safe - unsafe


def headline(survey: Survey) -> str:
    """Return what the survey is about."""
    others = [engine for engine in survey.today if engine != survey.target]
    speaks = (
        f"speaks to {titles_of(survey.today)}" if survey.today else "names no engine that was found"
    )
    where = "" if survey.project == "." else f" of {survey.project}"
    also = "" if others or not survey.today else " already"
    return f"Port{where} to {title_of(survey.target)} {survey.version}: the project {speaks}{also}"


def outcome(survey: Survey) -> Iterator[str]:
    """Yield how much stands between, and how much was looked at."""
    target = title_of(survey.target)
    if survey.holds:
        safe, unsafe = mended(survey.holds, "safe"), mended(survey.holds, "unsafe")
        stand = "stands" if len(survey.holds) == 1 else "stand"
        yield (
            f"{plural(len(survey.holds), 'place')} in {plural(files_of(survey.holds), 'file')} "
            f"{stand} in the way: --fix mends {safe}, --unsafe-fixes {unsafe} more, people "
            f"{len(survey.holds) - safe - unsafe}."
        )
    elif survey.gaps:
        yield "Nothing was found in what could be read; not all of it could."
    else:
        yield f"Nothing stands in the way of {target}, in all that was read."
    yield (
        f"{plural(survey.statements, 'statement')} of SQL in {plural(survey.files, 'file')} "
        f"{'was' if survey.statements == 1 else 'were'} judged for {target}."
    )


def located(place: Place) -> str:
    """Return where a place is; of a whole file or folder its path alone."""
    span = place.span
    is_whole = (span.line, span.column) == (span.end_line, span.end_column) == (1, 1)
    return place.path if is_whole else f"{place.path}:{span.line}:{span.column}"


def more(count: int, shown: int) -> str:
    """Return how many places are not shown; empty where all are."""
    return f"and {count - shown} more (--show-all)" if count > shown else ""
