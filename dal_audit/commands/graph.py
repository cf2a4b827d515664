"""The command that draws which packages reach which drivers."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from dal_audit.commands.options import (
    BASELINE,
    CONFIG,
    JOBS,
    NO_PROGRESS,
    VERBOSE,
    WRITTEN_TO,
    words,
)
from dal_audit.commands.output import CLEAN, failure, write


@click.command("graph")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--to",
    "drivers",
    multiple=True,
    callback=words,
    metavar="DRIVER",
    help="Only what reaches these drivers, by the names of the catalogue.",
)
@click.option(
    "--from",
    "packages",
    multiple=True,
    callback=words,
    metavar="PACKAGE",
    help="Only what these packages reach: folders, or dotted names.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "dot", "mermaid", "json", "html"]),
    default="text",
    show_default=True,
    help="The form of what is printed.",
)
@WRITTEN_TO
@CONFIG
@BASELINE
@JOBS
@NO_PROGRESS
@VERBOSE
def graph(**options: Any) -> NoReturn:
    """Show which packages at PATHS reach which drivers, and by which way.

    Findings, what was accepted of them, and what storage imports itself are told apart.
    """
    sys.exit(_graph(options))


def _graph(options: dict[str, Any]) -> int:
    from msgspec.structs import replace

    from dal_audit.commands.progress import Progress, shown
    from dal_audit.graph.formats import render_graph
    from dal_audit.graph.survey import graph_of
    from dal_audit.policy.request import STAGES, Request

    request = Request(
        paths=options["paths"] or (".",),
        config=options["config"],
        baseline=options["baseline"],
        jobs=options["jobs"],
        cache=True,
    )
    try:
        with shown(Progress(STAGES), quiet=options["quiet"]) as progress:
            found = graph_of(
                replace(request, watch=progress),
                drivers=options["drivers"],
                packages=options["packages"],
            )
        write(render_graph(found, options["form"]), options["output"])
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        return failure(error, verbose=options["verbose"])
    return CLEAN
