"""Reading again on a larger stack."""

from __future__ import annotations

import sys
import threading

import pytest

from dal_audit.extract.python.parse.deep_stack import FRAMES, deeply


def depth_of(levels: int) -> int:
    """Recurse so many levels deep."""
    return 1 + depth_of(levels - 1) if levels else 0


def test_what_is_shallow_stays_in_its_thread() -> None:
    assert deeply(threading.get_ident) == threading.get_ident()


def test_what_is_deep_is_done_again_and_the_limits_are_as_they_were() -> None:
    limits = sys.getrecursionlimit(), threading.stack_size()
    levels = FRAMES // 2
    with pytest.raises(RecursionError):
        depth_of(levels)
    assert deeply(lambda: depth_of(levels)) == levels
    assert (sys.getrecursionlimit(), threading.stack_size()) == limits


def test_what_is_deeper_still_is_refused() -> None:
    limits = sys.getrecursionlimit(), threading.stack_size()
    with pytest.raises(RecursionError):
        deeply(lambda: depth_of(2 * FRAMES))
    assert (sys.getrecursionlimit(), threading.stack_size()) == limits


def test_errors_come_through_from_either_stack() -> None:
    def fail(levels: int) -> int:
        if not levels:
            raise KeyError(levels)
        return fail(levels - 1)

    for levels in (1, FRAMES // 2):
        with pytest.raises(KeyError):
            deeply(lambda levels=levels: fail(levels))  # type: ignore[misc]


def test_without_threads_there_is_no_larger_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    limits = sys.getrecursionlimit(), threading.stack_size()
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RecursionError, match="no larger stack"):
        deeply(lambda: depth_of(FRAMES // 2))
    assert (sys.getrecursionlimit(), threading.stack_size()) == limits
