"""The commands beside `check`: what dal-audit is, what a project configures and accepts."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from dal_audit.options import BASELINE, COLOR, CONFIG, EXTEND_SELECT, IGNORE, SELECT, complete_rules
from dal_audit.streams import CLEAN, USAGE, complain, failure, write


@click.command("explain")
@click.argument("words", metavar="RULE...", nargs=-1, required=True, shell_complete=complete_rules)
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text")
@COLOR
def explain(words: tuple[str, ...], form: str, color: str) -> NoReturn:
    """Print the document of each RULE: an id, a name, a prefix (DAL1), or a clause of the law."""
    from dal_audit.explain import explain_topics, topics
    from dal_audit.rulebook import did_you_mean
    from dal_audit.screen import look_of

    found = [(word, topics(word)) for word in words]
    unknown = [word for word, wanted in found if not wanted]
    for word in unknown:
        complain(f"error: there is no rule `{word}`{did_you_mean(word)}")
    if unknown:
        sys.exit(USAGE)
    wanted = [one for _, several in found for one in several]
    write(explain_topics(wanted, form, look_of(color)), "-")
    sys.exit(CLEAN)


@click.command("rules")
@click.option("--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text")
def rules(form: str) -> NoReturn:
    """List all rules."""
    from dal_audit.explain import list_rules
    from dal_audit.screen import look_of

    write(list_rules(form, room=look_of("never").columns), "-")
    sys.exit(CLEAN)


@click.command("config")
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path())
@CONFIG
@SELECT
@IGNORE
@EXTEND_SELECT
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of the configuration.")
def config(**options: Any) -> NoReturn:
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
    from dal_audit.audit import request_of
    from dal_audit.in_force import render_settings, settings_in_force

    request = request_of(
        options,
        cache=True,
    )
    return render_settings(settings_in_force(request), options["form"])


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path), default=".")
@click.option("--diff", is_flag=True, help="Show what would be written, and write nothing.")
def init(folder: Path, *, diff: bool) -> NoReturn:
    """Write down what an audit of FOLDER finds, as commented configuration.

    It goes to the end of pyproject.toml, or into a new dal-audit.toml. Nothing is overwritten:
    where there is a configuration, it is compared with what was found.
    """
    try:
        sys.exit(_init(folder, diff=diff))
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        sys.exit(failure(error))


def _init(folder: Path, *, diff: bool) -> int:
    from dal_audit.init import plan_init

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


@click.command("baseline")
@click.argument("paths", nargs=-1, type=click.Path())
@CONFIG
@BASELINE
@SELECT
@IGNORE
@EXTEND_SELECT
@click.option("--grow", is_flag=True, help="Accept new findings, too.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="The most processes to use.")
@click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")
def baseline(**options: Any) -> NoReturn:
    """Accept today's findings at PATHS (the current folder by default).

    Once there is a baseline it only shrinks, unless it is told to --grow. What it holds does not
    count any more; an entry whose finding is gone is a finding itself (DAL903).
    """
    from dal_audit.adoption import said, write_baselines
    from dal_audit.audit import request_of

    try:
        request = request_of(
            options,
            jobs=options["jobs"],
            baseline=options["baseline"],
        )
        for change in write_baselines(request, grow=options["grow"]):
            write(f"{said(change)}\n", "-")
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # each has its exit code
        sys.exit(failure(error, verbose=options["verbose"]))
    sys.exit(CLEAN)
