"""DAL109 connection-url."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from dal_audit.assemble.project import Project
from dal_audit.facts import ConnectionUrl, FileFacts, Place
from dal_audit.judge.breach import Breach, with_article
from dal_audit.judge.check import check

SETTINGS_NAMES = frozenset({"settings", "config", "configuration", "conf"})
"""Modules and packages that are there to say where the database is."""


@check("DAL109")
def connection_url(fact: ConnectionUrl, file: FileFacts, project: Project) -> Iterator[Breach]:
    """Flag a database URL in a literal outside storage and settings; with a password, an error."""
    if project.in_storage(file.path) or _is_settings(file.path):
        return
    what = with_article(f"{fact.store} URL") + (" with a password" if fact.secrets else "")
    yield Breach(
        Place(file.path, fact.span),
        f"{what} is written into the code; "
        f"only {project.storage_description} and the settings may say where the database is",
        label="the password is masked here" if fact.secrets else "this leads to one database",
        extent=(fact.statement.line, fact.statement.end_line),
        severity="error" if fact.secrets else None,
    )


def _is_settings(path: str) -> bool:
    return not SETTINGS_NAMES.isdisjoint(PurePosixPath(path).with_suffix("").parts)
