"""Options that several commands share, and what a shell completes in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


def words(_context: click.Context, _option: click.Parameter, values: Sequence[str]) -> list[str]:
    """Split `--select DAL1,DAL2`; the option may also be repeated."""
    return [word.strip() for value in values for word in value.split(",") if word.strip()]


def complete_rules(
    _context: click.Context, _option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the ids and names of rules that begin so, of a list with commas its last word."""
    from click.shell_completion import CompletionItem

    from dal_audit.rulebook import rules

    before, comma, word = incomplete.rpartition(",")
    items = [(rule.id, rule.name) for rule in rules()]
    items += [(rule.name, rule.id) for rule in rules()]
    return [
        CompletionItem(f"{before}{comma}{value}", help=text)
        for value, text in items
        if value.lower().startswith(word.lower())
    ]


def pairs_of(
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
