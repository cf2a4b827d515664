"""The command line as click reads it: the options of `check` and `clean`, and all commands."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from dal_audit import __version__
from dal_audit.commands.clean_command import clean_command
from dal_audit.commands.facts_command import facts_command
from dal_audit.commands.fix_command import fix_command
from dal_audit.commands.graph import graph
from dal_audit.commands.options import (
    BASELINE,
    COLOR,
    CONFIG,
    EXTEND_SELECT,
    FAIL_ON,
    FORMAT,
    IGNORE,
    JOBS,
    OUTPUT,
    SELECT,
    VERBOSE,
    complete_rules,
)
from dal_audit.commands.output import (
    CLEAN,
    USAGE,
    failure,
    print_error,
    write,
)
from dal_audit.commands.port import port
from dal_audit.commands.replay import replay
from dal_audit.commands.usage import GroupedCommand, ended, format_commands, misspelt_command

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from dal_audit.commands.last_report import Rerun


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

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Read the words; `--help` is printed here."""
        with ended():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with ended():
            return super().invoke(ctx)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by what they are for."""
        format_commands(self.commands, formatter)

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


@cli.command(cls=GroupedCommand)
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
    "--show-all", is_flag=True, help="Name all files that one cause reaches, not the first ten."
)
@click.option(
    "--statistics", is_flag=True, help="Count the findings of each rule, instead of listing them."
)
@COLOR
@click.option(
    "--no-links",
    "links",
    flag_value=False,
    default=True,
    help="Make no links of files and rules, on terminals that have them.",
)
@JOBS
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
    "--facts",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Take facts that `dal-audit facts` wrote, on any machine; can be repeated.",
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
@click.option(
    "--source-url",
    metavar="URL",
    help="Where an HTML report finds sources: an address with {path} and {line} "
    "[the commit on GitHub or GitLab].",
)
@click.option(
    "--report-date",
    metavar="DAY",
    help="The day that an HTML report names, or `today` [SOURCE_DATE_EPOCH, or none].",
)
@click.option(
    "--watch", is_flag=True, help="Audit again whenever files change; needs dal-audit[lsp]."
)
@click.option("-q", "--quiet", is_flag=True, help="Print no report where there is no finding.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Show tracebacks, and how long each stage took."
)
@click.pass_obj
def check(rerun: Rerun | None, /, **options: Any) -> NoReturn:
    """Audit PATHS (the current folder by default).

    Given files only limit what is reported: the whole project is always analysed.
    """
    if meant := misspelt_command(options["paths"], cli.commands):
        print_error(f"error: no such file, folder or command: `{options['paths'][0]}`")
        print_error(f"  = help: did you mean `dal-audit {meant}`?")
        sys.exit(USAGE)
    # Imported here, so that `--help` and `--version` do not pay for it.
    from dal_audit.commands.check import run_check

    sys.exit(run_check(options, rerun))


@cli.command("explain")
@click.argument("words", metavar="RULE...", nargs=-1, required=True, shell_complete=complete_rules)
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text")
@COLOR
def explain_command(words: tuple[str, ...], form: str, color: str) -> NoReturn:
    """Print the document of each RULE: an id, a name, a prefix (DAL1), or a clause of the law."""
    from dal_audit.catalogue.rulebook import did_you_mean
    from dal_audit.commands.explain import explain_topics, topics
    from dal_audit.commands.terminal import terminal_style

    found = [(word, topics(word)) for word in words]
    unknown = [word for word, wanted in found if not wanted]
    for word in unknown:
        print_error(f"error: there is no rule `{word}`{did_you_mean(word)}")
    if unknown:
        sys.exit(USAGE)
    wanted = [topic for _, several in found for topic in several]
    write(explain_topics(wanted, form, terminal_style(color)), "-")
    sys.exit(CLEAN)


@cli.command("rules")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text")
def rules_command(form: str) -> NoReturn:
    """List all rules."""
    from dal_audit.commands.explain import list_rules
    from dal_audit.commands.terminal import terminal_style

    write(list_rules(form, room=terminal_style("never").columns), "-")
    sys.exit(CLEAN)


@cli.command("config")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path())
@CONFIG
@SELECT
@IGNORE
@EXTEND_SELECT
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the configuration.")
def config_command(**options: Any) -> NoReturn:
    """Show what is in force for PATH, and where each value comes from.

    That is a line of the configuration file, the command line, what was found, or the default.
    """
    try:
        write(_config(options), "-")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        sys.exit(failure(error))
    sys.exit(CLEAN)


def _config(options: dict[str, Any]) -> str:
    if options["schema"]:
        import json

        from dal_audit.policy.schema import json_schema

        return json.dumps(json_schema(), indent=2) + "\n"
    from dal_audit.commands.config import render_settings, settings_in_force
    from dal_audit.extract.quotations import starred
    from dal_audit.policy.request import request_of

    request = request_of(
        options,
        cache=True,
    )
    shown = render_settings(settings_in_force(request), options["form"])
    return starred(shown, is_program=True)


@cli.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--diff", is_flag=True, help="Show what would be written, and write nothing.")
def init_command(folder: Path, *, diff: bool) -> NoReturn:
    """Write down what an audit of FOLDER finds, as commented configuration.

    It goes to the end of pyproject.toml, or into a new dal-audit.toml. Nothing is overwritten:
    where there is a configuration, it is compared with what was found.
    """
    try:
        sys.exit(_init(folder, diff=diff))
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        sys.exit(failure(error))


def _init(folder: Path, *, diff: bool) -> int:
    from dal_audit.commands.init import plan_init

    plan = plan_init(Path(os.path.normpath(Path.cwd() / folder)))
    if diff and plan.addition:
        write(plan.diff(Path.cwd()), "-")
        return CLEAN
    plan.write()
    name = Path(os.path.relpath(plan.file)).as_posix()
    head = (
        f"{'wrote' if plan.is_new else 'added [tool.dal-audit] to'} {name}:"
        if plan.addition
        else f"{name} configures dal-audit already; nothing was written."
    )
    write("\n".join([head, *(f"  {line}" for line in plan.remarks)]) + "\n", "-")
    return CLEAN


@cli.command("baseline")
@click.argument("paths", nargs=-1, type=click.Path())
@CONFIG
@BASELINE
@SELECT
@IGNORE
@EXTEND_SELECT
@click.option("--grow", is_flag=True, help="Accept new findings, too.")
@JOBS
@VERBOSE
def baseline_command(**options: Any) -> NoReturn:
    """Accept today's findings at PATHS (the current folder by default).

    Once there is a baseline it only shrinks, unless it is told to --grow. What it holds does not
    count any more; an entry whose finding is gone is a finding itself (DAL903).
    """
    from dal_audit.commands.baseline import describe, write_baselines
    from dal_audit.policy.request import request_of

    try:
        request = request_of(
            options,
            jobs=options["jobs"],
            baseline=options["baseline"],
            cache=True,
        )
        for change in write_baselines(request, grow=options["grow"]):
            write("".join(f"{line}\n" for line in describe(change)), "-")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        sys.exit(failure(error, verbose=options["verbose"]))
    sys.exit(CLEAN)


@cli.command("help")
@click.argument("command", required=False)
def help_command(command: str | None) -> NoReturn:
    """Print what COMMAND is for, and its options; without one, what there is."""
    if command is not None and command not in cli.commands:
        from dal_audit.policy.problems import did_you_mean  # only where it is misspelt

        hint = did_you_mean(command, cli.commands)
        print_error(f"error: there is no command `{command}`{hint}")
        sys.exit(USAGE)
    with click.Context(cli, info_name="dal-audit", **cli.context_settings) as context:
        text = cli.get_help(context)
        if command is not None:
            asked = cli.commands[command]
            with click.Context(asked, info_name=command, parent=context) as inner:
                text = asked.get_help(inner)
    write(f"{text}\n", "-")
    sys.exit(CLEAN)


@cli.command("server")
def server_command() -> NoReturn:
    """Audit in an editor, which speaks the Language Server Protocol on standard input and output.

    It needs the extra `dal-audit[lsp]`.
    """
    try:
        from dal_audit.server.protocol import serve
    except ModuleNotFoundError as error:
        print_error(f"error: {error.name} is missing: pip install 'dal-audit[lsp]'")
        sys.exit(USAGE)
    serve()
    sys.exit(CLEAN)


for command in (clean_command, facts_command, fix_command, graph, port, replay):
    cli.add_command(command)
