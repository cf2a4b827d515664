"""What the command line says of itself: help in groups, and errors that say what may be meant."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import click

from dal_audit.commands.output import UNREAD, USAGE, interrupted, print_error, silence_stdout

GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "What is looked for": ("config", "select", "ignore", "extend_select", "since", "baseline"),
    "What is printed": (
        *(
            "formats",
            "outputs",
            "show_suppressed",
            "show_all",
            "statistics",
            "color",
            "links",
            "source_url",
        ),
        *("report_date", "quiet", "verbose"),
    ),
    "What fails": ("fail_on", "exit_zero"),
    "What is mended": ("fix", "diff", "unsafe_fixes"),
    "How it is read": (
        "jobs",
        "shortcuts",
        "cache",
        "cache_dir",
        "stdin_filename",
        "watch",
        "facts",
    ),
}
"""The options of `check` by what they are about; a test holds them against the command line."""

COMMAND_GROUPS: Final[Mapping[str, Sequence[str]]] = {
    "Audit": ("check", "fix", "replay", "server"),
    "See what stands in the way": ("graph", "port"),
    "Adopt": ("init", "baseline", "config"),
    "Read": ("explain", "rules", "facts", "help"),
    "Tidy": ("clean",),
}
"""All commands by what they are for."""

EXIT_CODES: Final = (
    ("0", "nothing that fails was found"),
    ("1", "there are findings"),
    ("2", "the command line, the configuration or a file is not as it must be"),
    ("3", "dal-audit itself failed"),
    ("130", "interrupted (128 + SIGINT)"),
    ("141", "nobody read what was printed (128 + SIGPIPE)"),
)

_CLOSE: Final = 0.75
"""How alike a word must be to a command's name to be taken for it, and not for a path."""


class GroupedCommand(click.Command):
    """A command whose options are listed by what they are about."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each group, and one for what is in none."""
        records = {
            option.name: record
            for option in self.get_params(ctx)
            if isinstance(option, click.Option)
            if (record := option.get_help_record(ctx)) is not None
        }
        for title, names in GROUPS.items():
            _section(formatter, title, [records.pop(name) for name in names if name in records])
        _section(formatter, "Other", [*records.values()])
        _section(formatter, "Exit codes", EXIT_CODES)


def format_commands(commands: Mapping[str, click.Command], formatter: click.HelpFormatter) -> None:
    """Write a section for each group of commands."""
    limit = formatter.width - 6 - max(map(len, commands))
    for title, names in COMMAND_GROUPS.items():
        rows = [(name, commands[name].get_short_help_str(limit)) for name in names]
        _section(formatter, title, rows)
    _section(formatter, "Exit codes", EXIT_CODES)


def _section(formatter: click.HelpFormatter, title: str, rows: Sequence[tuple[str, str]]) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)


@contextmanager
def ended() -> Iterator[None]:
    """Give what ends a run the exit codes of every command, and an error of usage its one form.

    Click itself would say 1 of a reader that goes away and of a signal, which stands for findings.
    """
    try:
        yield
    except BrokenPipeError:
        silence_stdout()
        sys.exit(UNREAD)
    except KeyboardInterrupt as error:
        sys.exit(interrupted(error))
    except click.UsageError as error:
        print_error(f"error: {said_of(error)}")
        if error.ctx is not None:
            print_error(f"  = help: {error.ctx.command_path} --help")
        sys.exit(USAGE)


def said_of(error: click.UsageError) -> str:
    """Return what is wrong with a command line, and what may be meant."""
    if isinstance(error, click.NoSuchOption):
        known = [name for option in _options(error.ctx) for name in option.opts]
        return f"no such option: `{error.option_name}`{_meant(error.option_name, known)}"
    if isinstance(error, click.BadParameter) and isinstance(error.param, click.Option):
        return _bad_value(error, error.param)
    text = error.format_message().rstrip(".").replace("'", "`")
    return f"{text[:1].lower()}{text[1:]}"


def _bad_value(error: click.BadParameter, option: click.Option) -> str:
    text = error.message.rstrip(".")
    choices = option.type.choices if isinstance(option.type, click.Choice) else ()
    word = text.split("'")[1] if text.startswith("'") and text.count("'") > 1 else ""
    if not choices or not word:
        return f"`{option.opts[0]}`: {text.replace(chr(39), '`')}"
    known = ", ".join(map(str, choices))
    hint = _meant(word, map(str, choices))
    return f"`{option.opts[0]}` does not know `{word}`: it takes {known}{hint}"


def _meant(word: str, known: Iterable[str]) -> str:
    from dal_audit.policy.problems import did_you_mean  # only where a word is not known

    return did_you_mean(word, known)


def _options(context: click.Context | None) -> Iterable[click.Parameter]:
    return context.command.get_params(context) if context is not None else ()


def misspelt_command(paths: Sequence[str], commands: Iterable[str]) -> str:
    """Return the command that the first of some paths was meant for; empty where it is a path."""
    if not paths or os.path.lexists(paths[0]):
        return ""
    from difflib import get_close_matches  # only where the first word is no path

    return next(iter(get_close_matches(paths[0], [*commands], 1, _CLOSE)), "")
