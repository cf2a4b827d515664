"""The command that removes caches; what it needs is imported when it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from dal_audit.commands.options import CONFIG
from dal_audit.commands.output import CLEAN, FAILED, failure, print_error, write


@click.command("clean")
@click.argument("paths", nargs=-1, type=click.Path())
@CONFIG
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder that facts are kept in, if not the project's own.",
)
def clean_command(paths: tuple[str, ...], config: Path | None, cache_dir: Path | None) -> NoReturn:
    """Remove the cache of the projects at PATHS (the current folder by default)."""
    from dal_audit.commands.clean import clean as remove
    from dal_audit.policy.request import Request

    try:
        request = Request(paths=paths or (".",), config=config, cache_folder=cache_dir)
        for line in remove(request):
            write(f"{line}\n", "-")
    except OSError as error:
        print_error(f"error: {error}")
        sys.exit(FAILED)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        sys.exit(failure(error))
    sys.exit(CLEAN)
