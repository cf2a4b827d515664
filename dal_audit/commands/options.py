"""Options that several commands share, and what a shell completes in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dal_audit.report.formats import FORMATS

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


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
    type=click.Choice(["error", "warning", "info"]),
    default="info",
    show_default=True,
    help="The least severity of a finding that makes the exit code 1.",
)

COLOR = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
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
