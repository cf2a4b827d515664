"""Command lines that are read without click: paths, and the options that most runs name.

To load click takes a twentieth of a second, which is a quarter of a run on a few files. Whatever is
not as simple as this, or wrong in any way, is click's business, which says what is wrong.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:  # To import `typing` takes longer than to read the words.
    from collections.abc import Iterator, Sequence
    from typing import Any, Final

FLAGS: Final = {
    "--cache": ("cache", True),
    "--no-cache": ("cache", False),
    "--exit-zero": ("exit_zero", True),
    "--no-links": ("links", False),
    "--quiet": ("quiet", True),
    "-q": ("quiet", True),
    "--show-all": ("show_all", True),
    "--show-suppressed": ("show_suppressed", True),
}
RULES: Final = {"--select": "select", "--ignore": "ignore", "--extend-select": "extend_select"}
_FORMAT: Final = "--format"
COLORS: Final = ("auto", "always", "never")
FAILING: Final = ("error", "warning", "info")
CHOICES: Final = {"--color": ("color", COLORS), "--fail-on": ("fail_on", FAILING)}
_JOBS: Final = "--jobs"
_VALUED: Final = frozenset({*RULES, _FORMAT, *CHOICES, _JOBS})


def plain_options(words: Sequence[str]) -> dict[str, Any] | None:
    """Return the paths and options of `check` that some words give; None where click has to read.

    A word counts as a path where it is no option, and can be read.
    """
    if words[:1] == ["check"]:
        words = words[1:]
    options: dict[str, Any] = {"paths": ()}
    try:
        for name, value in _pairs(words):
            _take(options, name, value)
    except ValueError:
        return None
    return options


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield options with their values, and paths as values without a name.

    Raises ValueError for what is for click.
    """
    waiting = iter(words)
    for word in waiting:
        name, is_joined, value = word.partition("=")
        if not word.startswith("-"):
            yield "", word
        elif word in FLAGS:
            yield word, ""
        elif name in _VALUED:
            value = value if is_joined else next(waiting, "")
            if not value or value.startswith("-"):
                raise ValueError(word)
            yield name, value
        else:
            raise ValueError(word)


def _take(options: dict[str, Any], name: str, value: str) -> None:
    """Take one option or path; raises ValueError for a value that is not known to be right."""
    if name in FLAGS:
        own, truth = FLAGS[name]
        options[own] = truth
    elif name in RULES:
        listed = tuple(word.strip() for word in value.split(",") if word.strip())
        options[RULES[name]] = (*options.get(RULES[name], ()), *listed)
    elif name in CHOICES:
        own, known = CHOICES[name]
        options[own] = known[known.index(value)]
    elif name == _FORMAT:
        from dal_audit.report.formats import FORMATS

        options["formats"] = (*options.get("formats", ()), FORMATS[FORMATS.index(value)])
    elif name == _JOBS:
        if not (value.isascii() and value.isdigit() and value.strip("0")):
            raise ValueError(value)
        options["jobs"] = int(value)
    elif os.access(value, os.R_OK):
        options["paths"] = (*options["paths"], value)
    else:
        raise ValueError(value)
