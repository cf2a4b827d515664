"""DAL109 connection-url."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dal_audit.assemble.project import Project
from dal_audit.assemble.throwaway_urls import may_hold_urls, throwaway_urls
from dal_audit.facts import ConnectionUrl, FileFacts, Place
from dal_audit.judge.breach import Breach, Related, with_article
from dal_audit.judge.check import check

_SHOWN: Final = 20
"""So many of the other places are told of."""


@check("DAL109")
def connection_url(fact: ConnectionUrl, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a database URL in a literal outside storage and settings; with a password, an error.

    Those that lead to this machine, or to no other, are told of once a project.
    """
    if may_hold_urls(file.path, project):
        return
    place = Place(file.path, fact.span)
    gathered = throwaway_urls(project)
    if place in gathered.others:
        return
    others = sorted(gathered.others) if place == gathered.first else ()
    what = with_article(f"{fact.store} URL") + (" with a password" if fact.secrets else "")
    yield Breach(
        place,
        f"{what} is written into the code{_and_elsewhere(len(others))}; "
        f"only {project.storage_description} and the settings may say where the database is",
        label="the password is masked here" if fact.secrets else "this leads to one database",
        extent=(fact.statement.line, fact.statement.end_line),
        severity="error" if fact.secrets else None,
        related=tuple(Related(other, "and one of this kind here") for other in others[:_SHOWN]),
    )


def _and_elsewhere(count: int) -> str:
    if not count:
        return ""
    return f", and {count} more of throw-away databases {'is' if count == 1 else 'are'}"
