"""The command line as click reads it: the options of `check` and `clean`, and all commands."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dal_audit import __version__
from dal_audit.commands import baseline, config, explain, init, rules
from dal_audit.options import (
    BASELINE,
    COLOR,
    CONFIG,
    EXTEND_SELECT,
    FAIL_ON,
    FORMAT,
    IGNORE,
    OUTPUT,
    SELECT,
)
from dal_audit.replay_command import replay
from dal_audit.streams import CLEAN, FAILED, complain, failure

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class _Commands(click.Group):
    """A group whose `check` needs no name: what is no command's name belongs to `check`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front unless a command, `--help` or `--version` comes first."""
        # A shell that completes the first word has given none yet.
        is_first = ctx.resilient_parsing and not args
        known = {*self.commands, "--help", "-h", "--version"}
        if not is_first and (not args or args[0] not in known):
            args = ["check", *args]
        return super().parse_args(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete the first word: a command, an option of `check`, or a path to audit."""
        from click.shell_completion import CompletionItem

        check = self.commands["check"]
        with click.Context(check, parent=ctx, info_name="check") as inner:
            options = check.shell_complete(inner, incomplete)
        # A shell forgets what it was told before it is told to complete paths.
        paths = [] if incomplete.startswith("-") else [CompletionItem(incomplete, type="file")]
        return [*paths, *super().shell_complete(ctx, incomplete), *options]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dal-audit")
def cli() -> None:
    """Prove that a program's storage layer is portable.

    `dal-audit [PATHS]` is short for `dal-audit check [PATHS]`; its options are listed by `dal-audit
    check --help`.
    """


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path())
@FORMAT
@OUTPUT
@CONFIG
@SELECT
@IGNORE
@EXTEND_SELECT
@FAIL_ON
@BASELINE
@click.option(
    "--since", metavar="REV", help="Report only what lies on lines changed since REV branched off."
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 although there are findings.")
@click.option("--show-suppressed", is_flag=True, help="Report accepted findings, too.")
@click.option(
    "--statistics", is_flag=True, help="Count the findings of each rule, instead of listing them."
)
@COLOR
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="The most processes to use.")
@click.option(
    "--shortcuts/--no-shortcuts",
    default=True,
    help="Rule files out by their bytes (default), or read each one whole; same findings.",
)
@click.option(
    "--cache/--no-cache", default=True, help="Take facts from the last run, and keep them."
)
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep facts in DIR [.dal_audit_cache in the project's root].",
)
@click.option(
    "--stdin-filename",
    type=click.Path(dir_okay=False),
    metavar="PATH",
    help="With `-` as the path: audit what is on standard input, as the text of this file.",
)
@click.option("--fix", is_flag=True, help="Apply safe fixes, and report what is left.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="With --fix or --diff: also what may mean something else."
)
@click.option("-q", "--quiet", is_flag=True, help="Print no report where there is no finding.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show tracebacks, and how long each stage took."
)
def check(**options: Any) -> NoReturn:
    """Audit PATHS (the current folder by default).

    Given files only limit what is reported: the whole project is always analysed.
    """
    # Imported here, so that `--help` and `--version` do not pay for it.
    from dal_audit.check_command import run_check

    sys.exit(run_check(options))


@cli.command("clean")
@click.argument("paths", nargs=-1, type=click.Path())
@CONFIG
@click.option(
    "--cache-dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The folder that facts are kept in, if not the project's own.",
)
def clean(paths: tuple[str, ...], config: Path | None, cache_dir: Path | None) -> NoReturn:
    """Remove the cache of the projects at PATHS (the current folder by default)."""
    from dal_audit.audit import Request
    from dal_audit.audit import clean as remove

    try:
        remove(Request(paths=paths or (".",), config=config, cache_folder=cache_dir))
    except OSError as error:
        complain(f"error: {error}")
        sys.exit(FAILED)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        sys.exit(failure(error))
    sys.exit(CLEAN)


for command in (baseline, config, explain, init, replay, rules):
    cli.add_command(command)
