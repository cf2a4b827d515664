"""The command that mends what an audit finds; what it needs is imported when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click

from dal_audit.commands.options import CONFIG, POSTGRES, VERBOSE, engines, timeout
from dal_audit.commands.output import CLEAN, FINDINGS, failure, print_error, write


@click.command("fix")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--downs", is_flag=True, help="Write the downs that migrations lack.")
@click.option("--ask", is_flag=True, help="Ask about each fix of a finding, with its diff.")
@click.option(
    "--extract-interface",
    "backend",
    metavar="MODULE:CLASS",
    help="Write the interface of a backend, and have annotations name it.",
)
@click.option("--diff", is_flag=True, help="Show what would be written, and write nothing.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="Also write what no engine has proved, with its doubts."
)
@engines("Try it on sqlite, postgresql, or both")
@POSTGRES
@timeout("one statement")
@CONFIG
@click.option("-q", "--quiet", is_flag=True, help="Say nothing of what is not written.")
@VERBOSE
def fix_command(**options: Any) -> NoReturn:
    """Mend what an audit of PATHS finds (of the current folder by default).

    With --ask, each fix is shown and asked about, unsafe ones with --unsafe-fixes. With --downs,
    what takes migrations back is written and run right after its up on scratch databases: it is
    safe where the schema is then as it was; PostgreSQL needs `dal-audit[postgres]`. With
    --extract-interface, the Protocol of a backend is shown, and written with --unsafe-fixes.
    """
    try:
        code = _mend(options)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        code = failure(error, verbose=options["verbose"])
    sys.exit(code)


def _mend(options: Mapping[str, Any]) -> int:
    from dal_audit.discover.errors import UsageError

    if options["backend"] is not None and not options["downs"]:
        return _extract(options)
    if options["downs"] == options["ask"]:
        raise UsageError("error: --downs, --ask or --extract-interface says what to do")
    return _write_downs(options) if options["downs"] else _ask(options)


def _ask(options: Mapping[str, Any]) -> int:
    from dal_audit.commands.ask import Asker
    from dal_audit.commands.fix import diff_of, fixed, write_changes
    from dal_audit.policy.request import Request
    from dal_audit.report.summary import plural

    request = Request(tuple(options["paths"]) or (".",), config=options["config"])
    asker = Asker(lambda text: click.echo(text, nl=False), _typed)
    found = fixed(request, unsafe=options["unsafe_fixes"], accepts=asker.accepts)
    for reason in found.refused:
        print_error(f"warning: {reason}")
    if options["diff"]:
        write(diff_of(found), "-")
        return FINDINGS if found.changes else CLEAN
    write_changes(found.changes)
    if not options["quiet"]:
        files = plural(len(found.changes), "file")
        print_error(f"Fixed {plural(found.count, 'finding')} in {files}.")
    return FINDINGS if found.report.open else CLEAN


def _extract(options: Mapping[str, Any]) -> int:
    """Write an interface; without consent, show it."""
    from dal_audit.commands.ask import CONSENT
    from dal_audit.commands.fix import diff, write_changes
    from dal_audit.commands.interface import extraction
    from dal_audit.policy.request import Request

    request = Request(tuple(options["paths"]) or (".",), config=options["config"])
    found = extraction(request, options["backend"])
    for note in () if options["quiet"] else found.notes:
        print_error(f"note: {note}")
    is_wanted = options["unsafe_fixes"] and not options["diff"]
    if not is_wanted or options["ask"]:
        write(diff(found.changes), "-")
    if options["ask"] and not options["diff"]:
        is_wanted = _typed(CONSENT).strip().lower().startswith("y")
    if not is_wanted:
        print_error("Nothing was written: --unsafe-fixes writes it, --ask asks first.")
        return FINDINGS
    write_changes(found.changes)
    return FINDINGS if found.notes else CLEAN


def _typed(question: str) -> str:
    """Return what is typed in behind a question; nothing at the end of the input."""
    click.echo(question, nl=False)
    return sys.stdin.readline()


def _write_downs(options: Mapping[str, Any]) -> int:
    from dal_audit.commands.downs import downs
    from dal_audit.commands.fix import diff, write_changes
    from dal_audit.commands.replay_output import asked, shown_progress
    from dal_audit.disk.signals import heard_signals
    from dal_audit.report.summary import plural

    paths = options["paths"] or (".",)
    with heard_signals(), shown_progress() as progress:
        found = downs(asked(options), paths, progress, unsafe=options["unsafe_fixes"])
    for note in () if options["quiet"] else found.notes:
        print_error(f"note: {note}")
    if options["diff"]:
        write(diff(found.changes), "-")
        return FINDINGS if found.changes else CLEAN
    write_changes(found.changes)
    if not options["quiet"]:
        files = plural(len(found.changes), "file")
        print_error(f"Wrote {plural(len(found.written), 'down')} in {files}.")
    return FINDINGS if found.notes else CLEAN
