"""The command `check`: an audit is asked for, watched and reported, or its findings are fixed.

It takes options as they were read, and knows nothing of how: a run that names nothing but paths
never loads what reads the others.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from dal_audit.commands.output import (
    CLEAN,
    FINDINGS,
    encoded,
    failure,
    is_left_out,
    output_pairs,
    print_error,
    write,
)
from dal_audit.commands.progress import Progress, shown
from dal_audit.commands.stdin import with_standard_input
from dal_audit.commands.terminal import terminal_style
from dal_audit.discover.errors import UsageError
from dal_audit.policy.request import STAGES, Request, request_of
from dal_audit.report.render import exit_code, render
from dal_audit.report.terminal import PLAIN

if TYPE_CHECKING:
    from dal_audit.commands.fix import Fixed
    from dal_audit.commands.last_audit import LastAudit
    from dal_audit.commands.last_report import Rerun
    from dal_audit.discover.stamps import Looked
    from dal_audit.report.formats import Format
    from dal_audit.report.model import Report
    from dal_audit.report.terminal import TerminalStyle

UNSET: Final[Mapping[str, Any]] = {
    "formats": (),
    "outputs": (),
    "config": None,
    "select": (),
    "ignore": (),
    "extend_select": (),
    "fail_on": "info",
    "baseline": None,
    "since": None,
    "exit_zero": False,
    "show_suppressed": False,
    "show_all": False,
    "statistics": False,
    "color": "auto",
    "links": True,
    "jobs": None,
    "shortcuts": True,
    "cache": True,
    "cache_dir": None,
    "facts": (),
    "stdin_filename": None,
    "fix": False,
    "diff": False,
    "unsafe_fixes": False,
    "quiet": False,
    "verbose": False,
    "watch": False,
    "source_url": None,
    "report_date": None,
}
"""What the options of `check` are where none is given; a test holds it against the command line."""


def run_check(options: Mapping[str, Any], rerun: Rerun | None = None) -> int:
    """Audit, report, and return the exit code; `options` are those of `check`, by their names.

    What is printed is kept for the next `rerun`, where all of it hangs on files alone.
    """
    try:
        pairs = output_pairs(
            options["formats"], options["outputs"], statistics=options["statistics"]
        )
        request = request_of(
            options,
            jobs=options["jobs"],
            shortcuts=options["shortcuts"],
            cache=options["cache"],
            cache_folder=options["cache_dir"],
            facts=tuple(options["facts"]),
            baseline=options["baseline"],
            since=options["since"],
        )
        if options["watch"]:
            return _live(request, options)
        if options["diff"]:
            return _diff(request, options)
        looked = None if rerun is None else rerun.looked
        last = _last_audit(request, looked) if _hangs_on_files(options) else None
        report = last.report() if last is not None else None
        if report is None:
            report = (_mended if options["fix"] else _watched)(request, options)
        code = exit_code(report, fail_on=options["fail_on"])
        shown = _published(report, options)
        printed = ""
        for form, output in pairs:
            if not is_left_out(form, report, quiet=options["quiet"]):
                look = PLAIN
                if output == "-":
                    look = terminal_style(options["color"], links=options["links"])
                printed = _rendered(shown, form, look, options)
                write(printed, output)
        code = CLEAN if options["exit_zero"] else code
        found = last.kept(report) if last is not None else None
        # What is published says what git does of remotes, which is none of the places kept.
        is_kept = not options["outputs"] and shown is report
        if found is not None and rerun is not None and is_kept:
            rerun.keep(found, code, encoded(printed))
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        return failure(error, verbose=options["verbose"])
    return code


def _last_audit(request: Request, looked: Looked | None) -> LastAudit:
    from dal_audit.commands.last_audit import LastAudit  # only where something is kept

    return LastAudit(request, looked)


def _published(report: Report, options: Mapping[str, Any]) -> Report:
    """Return the report with what a page says of its project; as it is where none is asked for."""
    if "html" not in options["formats"]:
        return report
    from dal_audit.commands.publication import published  # only where it is shown

    return published(report, options)


def _hangs_on_files(options: Mapping[str, Any]) -> bool:
    """Return whether a run's result hangs on files as they are now, and on nothing else."""
    is_plain = options["cache"] and options["shortcuts"] and options["cache_dir"] is None
    is_silent = not (options["verbose"] or options["fix"])
    reads_files = options["stdin_filename"] is None and "-" not in options["paths"]
    return is_plain and is_silent and reads_files and os.name != "nt"


def _rendered(report: Report, form: Format, look: TerminalStyle, options: Mapping[str, Any]) -> str:
    if options["statistics"]:
        from dal_audit.report.statistics import render_statistics

        return render_statistics(report, form, look=look)
    return render(
        report,
        form,
        look=look,
        show_suppressed=options["show_suppressed"],
        show_all=options["show_all"],
        fail_on=options["fail_on"],
    )


def _live(request: Request, options: Mapping[str, Any]) -> int:
    """Audit again and again, until somebody ends it."""
    from dal_audit.commands.watch import run_watch

    form: Format = next(iter(options["formats"]), "text")
    look = terminal_style(options["color"], links=options["links"])
    return run_watch(request, options, lambda report: _rendered(report, form, look, options))


def _watched(request: Request, options: Mapping[str, Any]) -> Report:
    """Audit, and tell on standard error how far it is, and how long it took."""
    from dal_audit.audit import audit  # only where the last audit does not tell

    with (
        with_standard_input(request, options["stdin_filename"]) as asked,
        shown(Progress(STAGES), quiet=options["quiet"]) as progress,
    ):
        if not options["verbose"]:
            return audit(replace(asked, watch=progress, count=progress.count))
        from dal_audit.commands.timings import Timings

        timings = Timings(progress)
        report = audit(replace(asked, watch=timings, count=progress.count))
    for line in timings.lines(report):
        print_error(line)
    return report


def _mended(request: Request, options: Mapping[str, Any]) -> Report:
    """Apply fixes, say so, and return the report of what is left."""
    from dal_audit.commands.fix import write_changes
    from dal_audit.report.summary import plural

    result = _fixed(request, options)
    write_changes(result.changes)
    if not options["quiet"]:
        files = plural(len(result.changes), "file")
        print_error(f"Fixed {plural(result.count, 'finding')} in {files}.")
    return result.report


def _diff(request: Request, options: Mapping[str, Any]) -> int:
    """Show what fixing would change; the code is 1 where that is anything."""
    from dal_audit.commands.fix import diff_of

    if options["formats"] or options["outputs"] or options["statistics"]:
        raise UsageError("error: --diff shows changes and writes no report: leave out its options")
    result = _fixed(request, options)
    if result.changes:
        write(diff_of(result), "-")
    return FINDINGS if result.changes and not options["exit_zero"] else CLEAN


def _fixed(request: Request, options: Mapping[str, Any]) -> Fixed:
    """Fix on copies, tell on standard error how far it is, and what could not be done."""
    from dal_audit.commands.fix import fixed

    if options["stdin_filename"] or "-" in options["paths"]:
        raise UsageError("error: --fix and --diff are for files, not for standard input")
    with shown(Progress(STAGES), quiet=options["quiet"]) as progress:
        result = fixed(
            replace(request, watch=progress, count=progress.count), unsafe=options["unsafe_fixes"]
        )
    for reason in result.refused:
        print_error(f"warning: {reason}")
    return result
