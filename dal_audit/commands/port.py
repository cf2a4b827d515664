"""The command that says what stands between a project and a further engine."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from dal_audit.commands.options import CONFIG, JOBS, NO_PROGRESS, VERBOSE, WRITTEN_TO
from dal_audit.commands.output import CLEAN, FINDINGS, failure, write


@click.command("port")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--to",
    "target",
    required=True,
    type=click.Choice(["sqlite", "postgresql", "postgres"], case_sensitive=False),
    help="The engine that the project is to run on, too.",
)
@CONFIG
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    show_default=True,
    help="The form of what is printed.",
)
@WRITTEN_TO
@click.option("--show-all", is_flag=True, help="List all places, and not the first of each kind.")
@JOBS
@NO_PROGRESS
@VERBOSE
def port(**options: Any) -> NoReturn:
    """Say what holds the project at PATHS to its engines, and keeps it from another.

    The exit code is 0 where all was read and nothing is in the way, and 1 otherwise. Nothing is
    changed, and no database is asked.
    """
    sys.exit(_port(options))


def _port(options: dict[str, Any]) -> int:
    from msgspec.structs import replace

    from dal_audit.catalogue.engine_words import engine_of
    from dal_audit.commands.progress import Progress, shown
    from dal_audit.policy.request import STAGES, Request
    from dal_audit.port.formats import render_surveys
    from dal_audit.port.survey import surveys

    request = Request(
        paths=options["paths"] or (".",),
        config=options["config"],
        jobs=options["jobs"],
        cache=True,
    )
    try:
        with shown(Progress(STAGES), quiet=options["quiet"]) as progress:
            target: Any = engine_of(options["target"])  # One of `Engine`, by the option's choices.
            found = surveys(replace(request, watch=progress), target)
        text = render_surveys(found, options["form"], show_all=options["show_all"])
        write(text, options["output"])
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        return failure(error, verbose=options["verbose"])
    is_clear = bool(found) and all(survey.is_clear for survey in found)
    return CLEAN if is_clear else FINDINGS
