"""The command line: options in, reports on standard output, everything else on standard error."""

from __future__ import annotations

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dal_audit import __version__
from dal_audit.formats import FORMATS

if TYPE_CHECKING:
    from dal_audit.audit import Request
    from dal_audit.report import Report

CLEAN, FINDINGS, USAGE, FAILED = 0, 1, 2, 3
"""Exit codes, the same for every format."""

INTERRUPTED, UNREAD = 130, 141
"""128 + SIGINT or SIGPIPE, as a shell reports a program that ends so: not green, nothing failed."""


class _Commands(click.Group):
    """A group whose `check` needs no name: what is no command's name belongs to `check`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `check` in front unless a command, `--help` or `--version` comes first."""
        if not args or (
            args[0] not in self.commands and args[0] not in {"--help", "-h", "--version"}
        ):
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dal-audit")
def cli() -> None:
    """Prove that a program's storage layer is portable.

    `dal-audit [PATHS]` is short for `dal-audit check [PATHS]`; its options are listed by `dal-audit
    check --help`.
    """


def _words(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> list[str]:
    """Split `--select DAL1,DAL2`; the option may also be repeated."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


_COLOR = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour what is printed; NO_COLOR and FORCE_COLOR are obeyed.",
)


@cli.command()
@click.argument("paths", nargs=-1, type=click.Path())
@click.option(
    "--format", "formats", type=click.Choice(FORMATS), multiple=True, help="Report format [text]."
)
@click.option(
    "--output",
    "outputs",
    type=click.Path(dir_okay=False, allow_dash=True),
    multiple=True,
    help="Write a report to FILE; pairs with --format, `-` is standard output.",
)
@click.option("--config", type=click.Path(path_type=Path), help="Use this configuration file.")
@click.option(
    "--select", multiple=True, callback=_words, help="Rules to run: ids, names, prefixes."
)
@click.option("--ignore", multiple=True, callback=_words, help="Rules not to run.")
@click.option("--extend-select", multiple=True, callback=_words, help="Further rules to run.")
@click.option(
    "--fail-on",
    type=click.Choice(["error", "warning", "info"]),
    default="info",
    show_default=True,
    help="The least severity of a finding that makes the exit code 1.",
)
@click.option("--exit-zero", is_flag=True, help="Exit with 0 although there are findings.")
@click.option("--show-suppressed", is_flag=True, help="Report suppressed and waived findings, too.")
@click.option(
    "--statistics", is_flag=True, help="Count the findings of each rule, instead of listing them."
)
@_COLOR
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
@click.option("-q", "--quiet", is_flag=True, help="Print no report where there is no finding.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show tracebacks, and how long each stage took."
)
def check(**options: Any) -> NoReturn:
    """Audit PATHS (the current folder by default).

    Given files only limit what is reported: the whole project is always analysed.
    """
    _exit(_check(options))


def _check(options: dict[str, Any]) -> int:
    # Imported here, so that `--help` and `--version` do not pay for it.
    from dal_audit.audit import Request
    from dal_audit.report import exit_code, render
    from dal_audit.report.terminal import PLAIN
    from dal_audit.screen import look_of

    try:
        pairs = _pairs(options["formats"], options["outputs"], statistics=options["statistics"])
        report = _watched(
            Request(
                paths=tuple(options["paths"]) or (".",),
                config=options["config"],
                select=tuple(options["select"]) or None,
                ignore=tuple(options["ignore"]),
                extend_select=tuple(options["extend_select"]),
                jobs=options["jobs"],
                shortcuts=options["shortcuts"],
                cache=options["cache"],
                cache_folder=options["cache_dir"],
            ),
            options,
        )
        code = exit_code(report, fail_on=options["fail_on"])
        for form, output in pairs:
            if options["quiet"] and not report.open and form in {"text", "concise"}:
                continue
            look = look_of(options["color"]) if output == "-" else PLAIN
            if options["statistics"]:
                from dal_audit.report.statistics import render_statistics

                text = render_statistics(report, form, look=look)
            else:
                text = render(
                    report,
                    form,
                    look=look,
                    show_suppressed=options["show_suppressed"],
                    fail_on=options["fail_on"],
                )
            _write(text, output)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        return _failure(error, verbose=options["verbose"])
    return CLEAN if options["exit_zero"] else code


def _failure(error: BaseException, *, verbose: bool = False) -> int:
    """Say what went wrong, and return the exit code that it stands for; a gone reader is raised."""
    from dal_audit.discover import DiscoveryError
    from dal_audit.policy import ConfigurationError
    from dal_audit.scope import UsageError

    if isinstance(error, BrokenPipeError):
        raise error
    if isinstance(error, ConfigurationError | UsageError):
        _complain(str(error))
        return USAGE
    if isinstance(error, KeyboardInterrupt):
        _complain("error: interrupted")
        return INTERRUPTED
    if isinstance(error, DiscoveryError | OSError):
        _complain(f"error: {error}")
        return FAILED if isinstance(error, DiscoveryError) else USAGE
    _complain(f"error: dal-audit itself failed: {error}")
    _complain(
        "".join(traceback.format_exception(error))
        if verbose
        else "This is a bug. `--verbose` shows where; please report it."
    )
    return FAILED


def _watched(request: Request, options: dict[str, Any]) -> Report:
    """Audit, and tell on standard error how far it is, and how long it took."""
    from dataclasses import replace

    from dal_audit.audit import STAGES, audit
    from dal_audit.progress import Progress, shown
    from dal_audit.standard_input import with_standard_input

    with (
        with_standard_input(request, options["stdin_filename"]) as asked,
        shown(Progress(STAGES), quiet=options["quiet"]) as progress,
    ):
        if not options["verbose"]:
            return audit(replace(asked, watch=progress))
        from dal_audit.timings import Timings

        timings = Timings(progress)
        report = audit(replace(asked, watch=timings))
    for line in timings.lines(report):
        _complain(line)
    return report


def _pairs(
    formats: Sequence[str], outputs: Sequence[str], *, statistics: bool
) -> list[tuple[Any, str]]:
    """Pair formats with outputs in their order.

    Raises UsageError for more outputs than formats, two reports to one place, or statistics in a
    format that has none.
    """
    from dal_audit.formats import STATISTICS
    from dal_audit.scope import UsageError

    forms = list(formats) or ["text"]
    places = [*outputs, *["-"] * (len(forms) - len(outputs))]
    if len(places) > len(forms):
        raise UsageError("error: more --output than --format options")
    if len(set(places)) < len(places):
        raise UsageError("error: two reports cannot go to one place; give each an --output")
    if statistics and not STATISTICS.issuperset(forms):
        raise UsageError(f"error: --statistics are for {', '.join(sorted(STATISTICS))} alone")
    return list(zip(forms, places, strict=True))


def _write(text: str, output: str) -> None:
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


def _complain(message: str) -> None:
    """Say what is wrong; names and texts that are none of ours are shown and not obeyed."""
    from dal_audit.report.terminal import safe

    click.echo("\n".join(safe(line) for line in message.split("\n")), err=True)


@cli.command("clean")
@click.argument("paths", nargs=-1, type=click.Path())
@click.option("--config", type=click.Path(path_type=Path), help="Use this configuration file.")
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
    from dal_audit.policy import ConfigurationError
    from dal_audit.scope import UsageError

    try:
        remove(Request(paths=paths or (".",), config=config, cache_folder=cache_dir))
    except (ConfigurationError, UsageError) as error:
        _complain(str(error))
        _exit(USAGE)
    except OSError as error:
        _complain(f"error: {error}")
        _exit(FAILED)
    _exit(CLEAN)


@cli.command("explain")
@click.argument("words", metavar="RULE...", nargs=-1, required=True)
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text")
@_COLOR
def explain(words: tuple[str, ...], form: str, color: str) -> NoReturn:
    """Print the document of each RULE: an id, a name, a prefix (DAL1), or a clause of the law."""
    from dal_audit.explain import explain_topics, topics
    from dal_audit.rulebook import did_you_mean
    from dal_audit.screen import look_of

    found = [(word, topics(word)) for word in words]
    unknown = [word for word, wanted in found if not wanted]
    for word in unknown:
        _complain(f"error: there is no rule `{word}`{did_you_mean(word)}")
    if unknown:
        _exit(USAGE)
    wanted = [one for _, several in found for one in several]
    _write(explain_topics(wanted, form, look_of(color)), "-")
    _exit(CLEAN)


@cli.command("rules")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text")
def rules(form: str) -> NoReturn:
    """List all rules."""
    from dal_audit.explain import list_rules
    from dal_audit.screen import look_of

    _write(list_rules(form, room=look_of("never").columns), "-")
    _exit(CLEAN)


@cli.command("config")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path())
@click.option("--config", type=click.Path(path_type=Path), help="Use this configuration file.")
@click.option("--select", multiple=True, callback=_words, help="As of `check`.")
@click.option("--ignore", multiple=True, callback=_words, help="As of `check`.")
@click.option("--extend-select", multiple=True, callback=_words, help="As of `check`.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the configuration.")
def config(**options: Any) -> NoReturn:
    """Show what is in force for PATH, and where each value comes from.

    That is a line of the configuration file, the command line, what was found, or the default.
    """
    try:
        _write(_config(options), "-")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        _exit(_failure(error))
    _exit(CLEAN)


def _config(options: dict[str, Any]) -> str:
    if options["schema"]:
        import json

        from dal_audit.policy import json_schema

        return json.dumps(json_schema(), indent=2) + "\n"
    from dal_audit.audit import Request
    from dal_audit.in_force import render_settings, settings_in_force

    request = Request(
        paths=tuple(options["paths"]) or (".",),
        config=options["config"],
        select=tuple(options["select"]) or None,
        ignore=tuple(options["ignore"]),
        extend_select=tuple(options["extend_select"]),
    )
    return render_settings(settings_in_force(request), options["form"])


@cli.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--diff", is_flag=True, help="Show what would be written, and write nothing.")
def init(folder: Path, *, diff: bool) -> NoReturn:
    """Write down what an audit of FOLDER finds, as commented configuration.

    It goes to the end of pyproject.toml, or into a new dal-audit.toml. Nothing is overwritten:
    where there is a configuration, it is compared with what was found.
    """
    try:
        _exit(_init(folder, diff=diff))
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        _exit(_failure(error))


def _init(folder: Path, *, diff: bool) -> int:
    from dal_audit.init import plan_init

    plan = plan_init(Path(os.path.normpath(Path.cwd() / folder)))
    if diff and plan.addition:
        _write(plan.diff(Path.cwd()), "-")
        return CLEAN
    plan.write()
    name = Path(os.path.relpath(plan.file)).as_posix()
    head = (
        f"{'wrote' if plan.is_new else 'added [tool.dal-audit] to'} {name}:"
        if plan.addition
        else f"{name} configures dal-audit already; nothing was written."
    )
    _write("\n".join([head, *(f"  {line}" for line in plan.remarks)]) + "\n", "-")
    return CLEAN


def _exit(code: int) -> NoReturn:
    sys.exit(code)


def main() -> NoReturn:
    """Run the command line; a reader that goes away ends it quietly."""
    # Facts and syntax trees hold no cycles, and looking for some in all of them takes time.
    gc.disable()
    try:
        cli(prog_name="dal-audit")
    except BrokenPipeError:
        # `dal-audit | head`: nobody reads on. Python would complain once more at shutdown.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(UNREAD)
    except Exception as error:  # noqa: BLE001  # a module that fails to load must not look like a finding
        _complain(f"error: dal-audit itself failed: {error}")
        _complain(traceback.format_exc())
        sys.exit(FAILED)
    sys.exit(CLEAN)
