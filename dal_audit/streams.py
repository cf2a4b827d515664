"""What every command does alike: it writes to standard output, complains, and ends with a code."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import click

CLEAN, FINDINGS, USAGE, FAILED = 0, 1, 2, 3
"""Exit codes, the same for every format."""

INTERRUPTED, UNREAD = 130, 141
"""128 + SIGINT or SIGPIPE, as a shell reports a program that ends so: not green, nothing failed."""


def write(text: str, output: str) -> None:
    """Write a report; what the output's encoding lacks is escaped."""
    if output != "-":
        file = Path(output)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        return
    if sys.stdout is None:
        message = "standard output is closed"
        raise OSError(message)
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.buffer.write(text.encode(encoding, "backslashreplace"))
    sys.stdout.flush()


def complain(message: str) -> None:
    """Say what is wrong; names and texts that are none of ours are shown and not obeyed."""
    from dal_audit.report.terminal import safe

    click.echo("\n".join(safe(line) for line in message.split("\n")), err=True)


def failure(error: BaseException, *, verbose: bool = False) -> int:
    """Say what went wrong, and return the exit code that it stands for; a gone reader is raised."""
    from dal_audit.discover import DiscoveryError
    from dal_audit.policy import ConfigurationError
    from dal_audit.scope import UsageError

    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, ConfigurationError | UsageError):
        complain(str(error))
        return USAGE
    if isinstance(error, KeyboardInterrupt):
        complain("error: interrupted")
        return INTERRUPTED
    if isinstance(error, DiscoveryError | OSError):
        complain(f"error: {error}")
        return FAILED if isinstance(error, DiscoveryError) else USAGE
    complain(f"error: dal-audit itself failed: {error}")
    complain(
        "".join(traceback.format_exception(error))
        if verbose
        else "This is a bug. `--verbose` shows where; please report it."
    )
    return FAILED
