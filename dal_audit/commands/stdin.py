"""A file whose text comes on standard input: what an editor holds and has not saved.

The text is kept in a file of its own for as long as the audit runs, so that all stages read it as
they read any other.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from msgspec.structs import replace

from dal_audit.discover.errors import UsageError
from dal_audit.policy.request import Request

STANDARD_INPUT: Final = "-"


@contextmanager
def with_standard_input(request: Request, name: str | None) -> Iterator[Request]:
    """Yield the request; where a name is given, with that file read from standard input.

    Raises UsageError where only one of `-` and a name is given, or other paths besides, or lines
    that changed are asked for: git knows of saved ones alone.
    """
    if name is None:
        if STANDARD_INPUT in request.paths:
            raise UsageError("error: `-` needs --stdin-filename, which says which file it is")
        yield request
        return
    if request.paths != (STANDARD_INPUT,):
        raise UsageError("error: --stdin-filename needs `-` as the one path")
    if request.since is not None:
        raise UsageError("error: --since compares saved files, and --stdin-filename is for a text")
    if sys.stdin is None:
        raise UsageError("error: standard input is closed")
    # Only here: it loads what compresses and what draws lots.
    from dal_audit.disk.scratch_folder import scratch_folder

    with scratch_folder() as folder:
        file = folder / "text"
        file.write_bytes(sys.stdin.buffer.read())
        yield replace(request, paths=(name,), instead={name: file})
