"""The command line: options in, reports on standard output, everything else on standard error.

Whoever names paths and plain options, as a hook does, does not wait for what reads all others: that
is a quarter of such a run.
"""

from __future__ import annotations

import gc
import os
import sys

from dal_audit import __version__
from dal_audit.commands.last_report import Rerun
from dal_audit.commands.output import (
    CLEAN,
    FAILED,
    UNREAD,
    interrupted,
    print_error,
    silence_stdout,
    write,
    write_bytes,
)

TYPE_CHECKING = False
if TYPE_CHECKING:  # To import `typing` takes longer than to print what was printed before.
    from collections.abc import Sequence
    from typing import Any, Final, NoReturn

COMMANDS: Final = frozenset(
    {
        *("baseline", "check", "clean", "config", "explain", "facts", "fix"),
        *("graph", "help", "init", "port", "replay", "rules", "server"),
    }
)
"""The names of all commands; a test holds them against the command line."""


def main() -> NoReturn:
    """Run the command line; a reader that goes away ends it quietly."""
    try:
        hear_interrupts()
        # Facts and syntax trees hold no cycles, and looking for some in all of them takes time.
        gc.disable()
        words = sys.argv[1:]
        if words == ["--version"]:
            write(f"dal-audit, version {__version__}\n", "-")
            sys.exit(CLEAN)
        rerun = Rerun(words) if is_check(words) and os.name != "nt" else None
        last = None if rerun is None else rerun.printed()
        if last is not None:
            code, printed = last
            write_bytes(printed)
            sys.exit(code)
        options = plain_words(words)
        if options is None:
            from dal_audit.commands.parser import cli

            cli(prog_name="dal-audit", obj=rerun)
        else:
            from dal_audit.commands.check import UNSET, run_check

            sys.exit(run_check({**UNSET, **options}, rerun))
    except BrokenPipeError:
        silence_stdout()
        sys.exit(UNREAD)
    except KeyboardInterrupt as error:
        sys.exit(interrupted(error))
    except Exception as error:  # noqa: BLE001  # a module that fails to load must not look like a finding
        import traceback

        print_error(f"error: dal-audit itself failed: {error}")
        print_error(traceback.format_exc())
        sys.exit(FAILED)
    finally:
        # At its end Python looks for cycles once more, in all that was made.
        gc.freeze()
    sys.exit(CLEAN)


def hear_interrupts() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, as Python has it; what is ignored stays ignored."""
    from _signal import (  # type: ignore[import-not-found]  # what `signal` itself is made of
        SIG_DFL,
        SIGINT,
        default_int_handler,
        getsignal,
        signal,
    )

    if getsignal(SIGINT) == SIG_DFL:
        signal(SIGINT, default_int_handler)


def is_check(words: Sequence[str]) -> bool:
    """Return whether an audit is asked for: whatever begins with no other command's name."""
    return not words or words[0] not in COMMANDS - {"check"}


def plain_words(words: Sequence[str]) -> dict[str, Any] | None:
    """Return what options of `check` some words give, where they are plain; None for all others.

    Those are for click, which says what is wrong with them.
    """
    if "_DAL_AUDIT_COMPLETE" in os.environ or os.name == "nt":
        return None  # A shell asks for completions; Windows leaves it to programs to expand `*`.
    if not is_check(words):
        return None
    from dal_audit.commands.plain_words import plain_options  # not for what was printed before

    return plain_options(words)
