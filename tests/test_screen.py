"""What may be written to standard output, by what it is and what the environment says."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dal_audit.commands.terminal import CONTEXT, terminal_style
from dal_audit.report.terminal import TerminalStyle

Looking = Callable[[str, dict[str, str]], TerminalStyle]


class Terminal(io.StringIO):
    """A standard output that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(params=[True, False], ids=["terminal", "pipe"])
def look(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Looking:
    """The function under test, with standard output a terminal or a pipe."""

    def looked(choice: str, environment: dict[str, str]) -> TerminalStyle:
        with monkeypatch.context() as context:
            # Here and not in the fixture: pytest sets its own output when a test begins.
            context.setattr(sys, "stdout", Terminal() if request.param else io.StringIO())
            return terminal_style(choice, environment)

    return looked


@pytest.fixture
def terminal(request: pytest.FixtureRequest) -> bool:
    """Whether standard output is a terminal."""
    return "terminal" in request.node.callspec.id.split("-")


@pytest.mark.parametrize("name", ["KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION"])
def test_links_need_a_terminal_that_makes_them(look: Looking, terminal: bool, name: str) -> None:
    assert look("auto", {name: "1"}).links is terminal
    assert look("auto", {name: "1", "NO_COLOR": "1"}).links is False
    assert look("auto", {}).links is False


def test_links_can_be_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", Terminal())
    environment = {"WT_SESSION": "1"}
    assert terminal_style("auto", environment).links is True
    assert terminal_style("auto", environment, links=False).links is False


@pytest.mark.parametrize(
    ("environment", "links"),
    [
        ({"TERM_PROGRAM": "WezTerm"}, True),
        ({"TERM_PROGRAM": "Apple_Terminal"}, False),
        ({"VTE_VERSION": "7600"}, True),
        ({"VTE_VERSION": "4205"}, False),
        ({"VTE_VERSION": "new"}, False),
        ({"TERM": "alacritty"}, True),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "dumb", "WT_SESSION": "1"}, False),
    ],
)
def test_terminals_are_known_by_what_they_set(
    look: Looking, terminal: bool, environment: dict[str, str], links: bool
) -> None:
    assert look("auto", environment).links is (links and terminal)


def test_only_a_terminal_has_a_width(look: Looking, terminal: bool) -> None:
    assert look("auto", {"COLUMNS": "77"}).columns == (77 if terminal else 0)
    # What is no file has no size to ask for.
    assert look("auto", {"COLUMNS": "wide"}).columns == 0
    assert look("auto", {}).context == (CONTEXT if terminal else 0)
    assert look("auto", {}).folder == (str(Path.cwd()) if terminal else "")
    assert look("always", {"TERM": "dumb"}) == TerminalStyle(color=True)
    assert look("never", {}).color is False


def test_a_closed_output_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    assert terminal_style("auto", {}) == TerminalStyle()
