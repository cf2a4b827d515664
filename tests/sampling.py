"""What runs by day, and what only `python -m tests --all` runs.

By day the tests that audit every example once more (without shortcuts, with fixes), the slowest
of hypothesis, and those that start many processes, take a sample. It depends on what the examples hold and on git's view of the files, so
two runs of one tree take the same: of each file the example whose digest is the least, of all of
them one in 32, and all examples of a file that was changed since the commit before the last.
"""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import PurePosixPath
from typing import Final

from tests.examples import CHECKOUT, Example, all_examples

EVERYTHING: Final = os.environ.get("DAL_AUDIT_TESTS") == "all"
"""Whether nothing is left out; `python -m tests --all` says so."""

_SHARE: Final = 32
"""Of the examples one in so many is taken."""

_PART: Final = 16
"""What is drawn by hypothesis is by day so many times less."""


def runs(count: int) -> int:
    """Return how many inputs of so many to draw."""
    return count if EVERYTHING else count // _PART


def in_turn(*axes: Sequence[object]) -> list[tuple[object, ...]]:
    """Return which values to combine: by day each value once at least, else each with all others."""
    if EVERYTHING:
        return list(product(*axes))
    longest = max(map(len, axes))
    return [tuple(axis[turn % len(axis)] for axis in axes) for turn in range(longest)]


def examples() -> tuple[Example, ...]:
    """Return the examples to audit once more: a sample, or all."""
    return tuple(all_examples()) if EVERYTHING else sample(all_examples(), edited_documents())


def sample(every: Iterable[Example], edited: frozenset[str]) -> tuple[Example, ...]:
    """Return a sample of examples, with all of the documents that were edited, in their order."""
    digests = {digest(example): example for example in every}
    least: dict[str, str] = {}
    for key, example in digests.items():
        least[example.document] = min(key, least.get(example.document, key))
    return tuple(
        example
        for key, example in digests.items()
        if key == least[example.document]
        or int(key, 16) % _SHARE == 0
        or example.document in edited
    )


def digest(example: Example) -> str:
    """Return a number in hexadecimal for what an example holds, wherever it stands in its file."""
    held = (example.document, example.section, example.title, example.files, example.released)
    return hashlib.sha256(repr(held).encode()).hexdigest()


@functools.cache
def edited_documents() -> frozenset[str]:
    """Return the names of the documents that differ from the commit before the last.

    Without such a commit, they are those that differ from the last one; without git, none.
    """
    since = "HEAD^" if _git("rev-parse", "--verify", "--quiet", "HEAD^") else "HEAD"
    changed = _git("diff", "--name-only", since, "--", "rules", "tests/edge")
    new = _git("ls-files", "--others", "--exclude-standard", "--", "rules", "tests/edge")
    paths = [PurePosixPath(line) for line in (changed + new).splitlines()]
    return frozenset(
        f"edge/{path.name}" if path.parent.name == "edge" else path.name
        for path in paths
        if path.suffix == ".md"
    )


def _git(*words: str) -> str:
    try:
        done = subprocess.run(
            ("git", *words), cwd=CHECKOUT, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout
