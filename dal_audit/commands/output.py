"""What every command does alike: it writes to standard output, complains, and ends with a code."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from dal_audit.report.model import Report

CLEAN, FINDINGS, USAGE, FAILED = 0, 1, 2, 3
"""Exit codes, the same for every format."""

INTERRUPTED, UNREAD = 130, 141
"""128 + SIGINT or SIGPIPE, as a shell reports a program that ends so: not green, nothing failed."""


def output_pairs(
    formats: Sequence[str], outputs: Sequence[str], *, statistics: bool
) -> list[tuple[Any, str]]:
    """Pair formats with outputs in their order.

    Raises UsageError for more outputs than formats, two reports to one place, or statistics in a
    format that has none.
    """
    from dal_audit.discover.errors import UsageError
    from dal_audit.report.formats import STATISTICS

    forms = list(formats) or ["text"]
    places = [*outputs, *["-"] * (len(forms) - len(outputs))]
    if len(places) > len(forms):
        raise UsageError("error: more --output than --format options")
    if len(set(places)) < len(places):
        raise UsageError("error: two reports cannot go to one place; give each an --output")
    if statistics and not STATISTICS.issuperset(forms):
        raise UsageError(f"error: --statistics are for {', '.join(sorted(STATISTICS))} alone")
    return list(zip(forms, places, strict=True))


def is_left_out(form: str, report: Report, *, quiet: bool) -> bool:
    """Return whether nothing is printed: a report for people, in which nothing is found."""
    return quiet and not report.open and form in {"text", "concise"}


def write(text: str, output: str) -> None:
    """Write a report; what the output's encoding lacks is escaped.

    Raises UsageError for a link below the current folder that leads out of it, OSError.
    """
    if output != "-":
        from pathlib import Path  # nothing else of `--version` needs it

        from dal_audit.discover.links import check_within
        from dal_audit.disk.whole_file import write_whole

        file = Path(output)
        check_within(file, Path.cwd())
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, text.encode("utf-8", "backslashreplace"))
        return
    write_bytes(encoded(text))


def encoded(text: str) -> bytes:
    """Return a text as standard output takes it; what its encoding lacks is escaped."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace")


def write_bytes(data: bytes) -> None:
    """Write to standard output. Raises OSError, also where it is closed."""
    if sys.stdout is None:
        message = "standard output is closed"
        raise OSError(message)
    try:
        _pour(data)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard output") from error


def _pour(data: bytes) -> None:
    """Write all bytes to standard output, whatever it takes at a time.

    Past its buffer, which tells of a failure to pass on what it holds as of one to take more. Where
    the output does not wait (a pipe that its reader made so), it may take none.
    """
    sys.stdout.flush()
    buffer = sys.stdout.buffer
    output = getattr(buffer, "raw", buffer)
    view = memoryview(data)
    while view:
        taken = output.write(view)
        if taken:
            view = view[taken:]
        else:
            _await_room()


def _await_room() -> None:
    import select  # only where standard output does not wait

    select.select((), (sys.stdout.fileno(),), ())


def print_error(message: str) -> None:
    """Say what is wrong; names and texts that are none of ours are shown and not obeyed."""
    from dal_audit.extract.quotations import starred
    from dal_audit.report.terminal import safe

    if sys.stderr is not None:
        lines = starred(message, is_program=True).split("\n")
        sys.stderr.write("".join(f"{safe(line)}\n" for line in lines))
        sys.stderr.flush()


def silence_stdout() -> None:
    """Let standard output lead nowhere: its reader is gone, and Python would say so at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def interrupted(error: KeyboardInterrupt) -> int:
    """Say that a signal ended the run, and return the exit code that a shell makes of it."""
    import contextlib  # only where somebody ends a run

    with contextlib.suppress(KeyboardInterrupt):  # Somebody is in a hurry.
        print_error("error: interrupted")
    return getattr(error, "code", INTERRUPTED)


def _said(error: BaseException) -> str:
    """Return an error in its own words; what the system says of a file begins with the file."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{os.fsdecode(error.filename)}: {error.strerror.lower()}"
    return str(error)


def failure(error: BaseException, *, verbose: bool = False) -> int:
    """Say what went wrong, and return the exit code that it stands for."""
    from dal_audit.discover.errors import UsageError
    from dal_audit.discover.git_listing import DiscoveryError
    from dal_audit.policy import ConfigurationError

    if isinstance(error, BrokenPipeError):
        silence_stdout()  # `dal-audit | head`: nobody reads on.
        return UNREAD
    if isinstance(error, ConfigurationError | UsageError):
        print_error(str(error))
        return USAGE
    if isinstance(error, KeyboardInterrupt):
        return interrupted(error)
    if isinstance(error, DiscoveryError | OSError):
        print_error(f"error: {_said(error)}")
        return USAGE
    import traceback  # only where a bug is met

    print_error(f"error: dal-audit itself failed: {error}")
    print_error(
        "".join(traceback.format_exception(error))
        if verbose
        else "This is a bug. `--verbose` shows where; please report it."
    )
    return FAILED
