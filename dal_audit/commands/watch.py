"""`check --watch`: the report, printed anew whenever files change, until somebody ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from dal_audit.commands.live_audit import LiveAudit
from dal_audit.commands.output import CLEAN, failure, print_error, write
from dal_audit.commands.terminal import is_terminal
from dal_audit.discover.errors import UsageError
from dal_audit.discover.git_listing import DiscoveryError
from dal_audit.policy import ConfigurationError
from dal_audit.policy.request import Request
from dal_audit.report.model import Report
from dal_audit.report.render import exit_code

PAUSE: Final = 100
"""Milliseconds for which nothing changes before what changed is read."""

_CLEAR: Final = "\x1b[2J\x1b[H"
_UNFIT: Final = ("outputs", "fix", "diff", "stdin_filename", "verbose")
_FORMATS: Final = frozenset({"text", "concise"})


def run_watch(
    request: Request, options: Mapping[str, Any], rendered: Callable[[Report], str]
) -> int:
    """Audit, print, and do so again after each change; return the last report's exit code.

    `rendered` makes a report's text. Raises UsageError for options that have no place here, or
    where the package is missing that watches files.
    """
    unfit = [name for name in _UNFIT if options[name]]
    if unfit or not _FORMATS.issuperset(options["formats"]) or len(options["formats"]) > 1:
        option = f"--{unfit[0].replace('_', '-').removesuffix('s')}" if unfit else "--format"
        raise UsageError(f"error: --watch prints text or concise reports: leave out {option}")
    live = LiveAudit(request)
    return follow(live, _changes(live.folders), options, rendered)


def follow(
    live: LiveAudit,
    changes: Iterable[set[Path]],
    options: Mapping[str, Any],
    rendered: Callable[[Report], str],
) -> int:
    """Print the report of an audit, and of each of its updates; return the last exit code.

    What cannot be audited (a configuration that is being written) is said, and watching goes on.
    """
    code = CLEAN
    try:
        for changed in _started(changes):
            try:
                report = live.read() if changed is None else live.update(changed)
            except (ConfigurationError, DiscoveryError, UsageError, OSError) as error:
                code = failure(error)
                continue
            if report is not None:
                code = exit_code(report, fail_on=options["fail_on"])
                write(f"{_CLEAR if is_terminal() else ''}{rendered(report)}", "-")
                print_error("Watching for changes; Ctrl-C ends it.")
    except KeyboardInterrupt:
        pass
    return CLEAN if options["exit_zero"] else code


def _started(changes: Iterable[set[Path]]) -> Iterator[set[Path] | None]:
    """Yield None once changes are told of, before which nothing is read, and then each change."""
    batches = iter(changes)
    first = next(batches, set())
    yield None
    if first:
        yield first
    yield from (batch for batch in batches if batch)


def _changes(folders: Iterable[Path]) -> Iterator[set[Path]]:
    """Yield the files that change in some folders, and an empty set while none does.

    Raises UsageError where the package is missing that tells of them.
    """
    try:
        from watchfiles import watch
    except ModuleNotFoundError as error:
        raise UsageError(f"error: {error.name} is missing: pip install 'dal-audit[lsp]'") from None
    batches = watch(
        *folders, debounce=PAUSE, rust_timeout=PAUSE, yield_on_timeout=True, raise_interrupt=True
    )
    return ({Path(path) for _, path in batch} for batch in batches)
