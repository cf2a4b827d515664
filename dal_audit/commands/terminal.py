"""What standard output is, and what may be written to it besides plain text."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import Final

from dal_audit.report.terminal import TerminalStyle

_LINKING: Final = ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "GHOSTTY_RESOURCES_DIR")
"""Variables that terminals set which are known to make links of what OSC 8 marks."""

_LINKING_PROGRAMS: Final = frozenset(
    {"iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby"}
)
_LINKING_TERMS: Final = ("alacritty", "foot", "xterm-kitty", "xterm-ghostty")
_VTE_WITH_LINKS: Final = 5000
"""The version of VTE, on which GNOME's and other terminals are built, that learnt them."""


CONTEXT: Final = 2
"""Lines that a terminal is shown above and below a marked one."""


def terminal_style(
    choice: str, environment: Mapping[str, str] = os.environ, *, links: bool = True
) -> TerminalStyle:
    """Return how a report on standard output may look; `choice` is the option `--color`."""
    color = _wants_color(choice, environment)
    if not is_terminal(environment):
        return TerminalStyle(color=color)
    return TerminalStyle(
        color=color,
        links=links and color and _makes_links(environment),
        columns=_columns(environment),
        context=CONTEXT,
        folder=os.getcwd(),  # noqa: PTH109  # no pathlib at the start
    )


def is_terminal(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether standard output is a terminal that understands more than lines."""
    return sys.stdout is not None and sys.stdout.isatty() and environment.get("TERM") != "dumb"


def _columns(environment: Mapping[str, str]) -> int:
    """Return the terminal's width, or 0 where nobody tells it; `COLUMNS` wins, as in a shell."""
    told = environment.get("COLUMNS", "")
    if told.isdecimal() and int(told):
        return int(told)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):
        return 0


def _wants_color(choice: str, environment: Mapping[str, str]) -> bool:
    """Decide as no-color.org and force-color.org ask; an explicit option wins."""
    if choice != "auto":
        return choice == "always"
    if environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return is_terminal(environment)


def _makes_links(environment: Mapping[str, str]) -> bool:
    """Return whether a terminal is known to make links; others could print what marks them."""
    if environment.get("TERM_PROGRAM") in _LINKING_PROGRAMS:
        return True
    if environment.get("TERM", "").startswith(_LINKING_TERMS):
        return True
    version = environment.get("VTE_VERSION", "")
    if version.isdecimal() and int(version) >= _VTE_WITH_LINKS:
        return True
    return any(environment.get(name) for name in _LINKING)
