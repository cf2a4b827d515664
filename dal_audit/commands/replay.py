"""The command that runs migrations; what it needs is imported when it is asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from dal_audit.commands.options import (
    COLOR,
    CONFIG,
    FAIL_ON,
    FORMAT,
    OUTPUT,
    POSTGRES,
    VERBOSE,
    engines,
    timeout,
)
from dal_audit.commands.output import (
    CLEAN,
    USAGE,
    failure,
    is_left_out,
    output_pairs,
    print_error,
    write,
)


@click.command("replay")
@click.argument("path", default=".", type=click.Path())
@engines("sqlite, postgresql, or both")
@POSTGRES
@click.option(
    "--python",
    metavar="PATH",
    default="",
    help="The project's interpreter, to run its Alembic and Django migrations [they are not run].",
)
@click.option(
    "--env",
    multiple=True,
    metavar="NAME[=VALUE]",
    help="Hand the project's interpreter a variable; without a value, the one that is set here.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Hand it the variables of a file of lines NAME=VALUE.",
)
@timeout("one statement, or one migration in Python,")
@FORMAT
@OUTPUT
@CONFIG
@FAIL_ON
@click.option("--exit-zero", is_flag=True, help="Exit with 0 although there are findings.")
@click.option("--show-suppressed", is_flag=True, help="Report suppressed and waived findings, too.")
@COLOR
@click.option("-q", "--quiet", is_flag=True, help="Print no report where there is no finding.")
@VERBOSE
def replay(**options: Any) -> NoReturn:
    """Run the migrations at PATH on real engines: up, up again, down, and up once more.

    Migrations in Python are code of the project, and run only with `--python`.

    PostgreSQL needs `dal-audit[postgres]`. Each set has an empty database of its own, of which
    nothing stays.
    """
    sys.exit(_replay(options))


def _replay(options: dict[str, Any]) -> int:
    from dal_audit.commands.replay_output import result_of
    from dal_audit.commands.terminal import terminal_style
    from dal_audit.disk.signals import heard_signals
    from dal_audit.replay.database import EngineError
    from dal_audit.report.render import exit_code, render
    from dal_audit.report.terminal import PLAIN

    try:
        pairs = output_pairs(options["formats"], options["outputs"], statistics=False)
        with heard_signals():
            result = result_of(options)
        for form, output in pairs:
            if is_left_out(form, result.report, quiet=options["quiet"]):
                continue
            text = render(
                result.report,
                form,
                look=terminal_style(options["color"]) if output == "-" else PLAIN,
                show_suppressed=options["show_suppressed"],
                fail_on=options["fail_on"],
            )
            write(f"{text}\n{result.table}" if form == "text" else text, output)
    except EngineError as error:
        print_error(f"error: {error}")
        return USAGE
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        return failure(error, verbose=options["verbose"])
    for note in result.notes:
        print_error(f"note: {note}")
    code = exit_code(result.report, fail_on=options["fail_on"])
    return CLEAN if options["exit_zero"] else code
