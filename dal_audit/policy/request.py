"""What one run asks for: paths, rules, what is kept and what is compared."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct, field

Watch: TypeAlias = Callable[[int, str], None]
"""Told of each stage that begins: its number, from 1 to STAGES, and what it does."""

Count: TypeAlias = Callable[[int, int], None]
"""Told how many files of how many are read, as far as this process knows."""


STAGES = 4


BASELINE = ".dal-audit-baseline.jsonl"
"""The baseline in a project's root, where none is configured."""


class Request(Struct, frozen=True):
    """What an audit is asked for; relative paths count from `folder`."""

    paths: tuple[str, ...] = (".",)
    folder: Path = field(default_factory=Path.cwd)
    config: Path | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    jobs: int | None = None
    shortcuts: bool = True
    cache: bool = False
    """Whether facts are kept for the next audit, and taken from an earlier one."""
    accept: bool = True
    """Whether the baseline is read; not so where it is written anew."""
    baseline: Path | None = None
    """The baseline (None: the configured one, or the usual one where there is such a file)."""
    since: str | None = None
    """The git revision since whose fork only changed lines are reported."""
    tests: bool = False
    """Whether it is looked at how the project is tested, although no rule asks for it."""
    cache_folder: Path | None = None
    """Where they are kept (None: in the project's root)."""
    facts: tuple[Path, ...] = ()
    """Files of facts that were made elsewhere."""
    instead: Mapping[str, Path] = field(default_factory=dict)
    """What is read instead of some files, by their paths: a buffer that is not saved yet."""
    today: datetime.date = field(default_factory=datetime.date.today)
    watch: Watch = lambda _stage, _doing: None
    count: Count = lambda _read, _of: None


def request_of(options: Mapping[str, Any], **further: Any) -> Request:
    """Return the request that options make which several commands have, with `further` fields."""
    return Request(
        paths=tuple(options["paths"]) or (".",),
        config=options["config"],
        select=tuple(options["select"]) or None,
        ignore=tuple(options["ignore"]),
        extend_select=tuple(options["extend_select"]),
        **further,
    )
