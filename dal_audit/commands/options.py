"""Options that several commands share, and what a shell completes in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dal_audit.commands.plain_words import COLORS, FAILING
from dal_audit.report.formats import FORMATS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_Command = TypeVar("_Command", bound=Callable[..., Any])


def words(
    _context: click.Context, _option: click.Parameter, values: Sequence[str]
) -> tuple[str, ...]:
    """Split `--select DAL1,DAL2`; the option may also be repeated."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def complete_rules(
    _context: click.Context, _option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the ids and names of rules that begin so, of a list with commas its last word."""
    from click.shell_completion import CompletionItem

    from dal_audit.catalogue.rulebook import rules

    before, comma, word = incomplete.rpartition(",")
    items = [(rule.id, rule.name) for rule in rules()]
    items += [(rule.name, rule.id) for rule in rules()]
    return [
        CompletionItem(f"{before}{comma}{value}", help=text)
        for value, text in items
        if value.lower().startswith(word.lower())
    ]


CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), help="Use this configuration file."
)

FORMAT = click.option(
    "--format", "formats", type=click.Choice(FORMATS), multiple=True, help="Report format [text]."
)

OUTPUT = click.option(
    "--output",
    "outputs",
    type=click.Path(dir_okay=False, allow_dash=True),
    multiple=True,
    help="Write a report to FILE; pairs with --format, `-` is standard output.",
)

FAIL_ON = click.option(
    "--fail-on",
    type=click.Choice(FAILING),
    default="info",
    show_default=True,
    help="The least severity of a finding that makes the exit code 1.",
)

COLOR = click.option(
    "--color",
    type=click.Choice(COLORS),
    default="auto",
    show_default=True,
    help="Colour what is printed; NO_COLOR and FORCE_COLOR are obeyed.",
)

BASELINE = click.option(
    "--baseline",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="The baseline [the configured one, or .dal-audit-baseline.jsonl].",
)

SELECT = click.option(
    "--select",
    multiple=True,
    callback=words,
    shell_complete=complete_rules,
    help="Rules to run: ids, names, prefixes.",
)

IGNORE = click.option(
    "--ignore",
    multiple=True,
    callback=words,
    shell_complete=complete_rules,
    help="Rules not to run.",
)

EXTEND_SELECT = click.option(
    "--extend-select",
    multiple=True,
    callback=words,
    shell_complete=complete_rules,
    help="Further rules to run.",
)

JOBS = click.option(
    "--jobs", type=click.IntRange(min=1), metavar="N", help="The most processes to use."
)

WRITTEN_TO = click.option(
    "--output",
    type=click.Path(dir_okay=False, allow_dash=True),
    default="-",
    metavar="FILE",
    help="Write it to FILE.",
)

POSTGRES = click.option(
    "--postgres",
    metavar="URL",
    envvar="POSTGRES_TEST_URL",
    default="",
    help="A PostgreSQL server for scratch databases [POSTGRES_TEST_URL, or one of our own].",
)

NO_PROGRESS = click.option("-q", "--quiet", is_flag=True, help="Show no progress.")

VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Show tracebacks.")


def engines(text: str) -> Callable[[_Command], _Command]:
    """Return `--on`, the engines that something is run on; `text` says what for."""
    return click.option(
        "--on",
        multiple=True,
        callback=words,
        metavar="ENGINES",
        help=f"{text} [what each set is for].",
    )


def timeout(of: str) -> Callable[[_Command], _Command]:
    """Return `--timeout`, the most seconds that something may take."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0.1),
        default=30.0,
        show_default=True,
        metavar="SECONDS",
        help=f"The most that {of} may take.",
    )
