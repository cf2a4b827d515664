"""The command that reads a part of a project; what it needs is imported when it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from dal_audit.commands.options import CONFIG, JOBS, VERBOSE
from dal_audit.commands.output import CLEAN, failure, print_error


@click.command("facts")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    required=True,
    help="Where the facts are written to.",
)
@click.option(
    "--shard", default="1/1", metavar="I/N", help="Read the I-th of N parts of the files alone."
)
@CONFIG
@JOBS
@VERBOSE
def facts_command(**options: Any) -> NoReturn:
    """Read the files of the project at PATHS, and write what they say to a file.

    `dal-audit check --facts FILE` audits with it, here or on another machine that has the same
    files, and finds what it finds without.
    """
    from dal_audit.commands.facts import shard_of, write_facts
    from dal_audit.policy.request import Request
    from dal_audit.report.summary import plural

    try:
        paths = tuple(options["paths"]) or (".",)
        request = Request(paths=paths, config=options["config"], jobs=options["jobs"])
        count = write_facts(request, options["output"], shard_of(options["shard"]))
        print_error(f"Facts of {plural(count, 'file')} were written to {options['output']}.")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        sys.exit(failure(error, verbose=options["verbose"]))
    sys.exit(CLEAN)
