"""Read what is nested deeply: once more, on a stack that has room for it.

A chain of a thousand `+`, method calls or `or` is sound Python, and generated source is full of
them; yet its tree is as deep as the chain is long, and whatever walks a tree recurses. Rather than
a walk without recursion for each reader, the rare file that exhausts the ordinary limit is read
again in a thread with a large stack. CPython's own limits (its parser's, and from Python 3.12 on
that of its C code) stay as they are: what exceeds them does not run either.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Final, TypeVar

Result = TypeVar("Result")

STACK_BYTES: Final = 512 << 20
"""Address space for the stack; memory is taken only as far as the stack grows."""

FRAMES: Final = 50_000
"""How deep calls may nest there: Python 3.10 takes about 1 KiB of stack for one, and its parser's
converter, which may go three times as deep, 0.5 KiB."""


def deeply(read: Callable[[], Result]) -> Result:
    """Return what a function without side effects returns, on a larger stack where it needs one.

    Raises RecursionError where that does not suffice or cannot be had, and whatever `read` raises.
    """
    try:
        return read()
    except RecursionError:
        pass  # Left first: the second attempt shall not keep the frames of the first.
    results: list[Result] = []
    errors: list[BaseException] = []

    def attempt() -> None:
        try:
            results.append(read())
        except BaseException as error:  # noqa: BLE001  # raised again by the thread that waits
            errors.append(error)

    limit = sys.getrecursionlimit()
    try:
        thread = _started(attempt)
        thread.join()
    finally:
        sys.setrecursionlimit(limit)
    if errors:
        raise errors[0]
    return results[0]


def _started(attempt: Callable[[], None]) -> threading.Thread:
    """Start a thread that may recurse deeply; RecursionError where there is none to be had."""
    usual = threading.stack_size()
    try:
        threading.stack_size(STACK_BYTES)
        sys.setrecursionlimit(max(FRAMES, sys.getrecursionlimit()))
        thread = threading.Thread(target=attempt, name="deeply nested source")
        thread.start()
    except (RuntimeError, ValueError) as error:
        message = "no larger stack to be had"
        raise RecursionError(message) from error
    finally:
        threading.stack_size(usual)
    return thread
