"""How long the stages of an audit took: what `--verbose` tells."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from msgspec import Struct, field

from dal_audit.report.render import Report
from dal_audit.report.summary import plural


class Timings(Struct):
    """Takes note of when each stage begins, and tells whoever else is to be told of it."""

    told: Callable[[int, str], None]
    clock: Callable[[], float] = time.perf_counter
    _begun: list[tuple[str, float]] = field(default_factory=list)

    def __call__(self, stage: int, doing: str) -> None:
        """Take note of a stage that begins; several projects come one after the other."""
        self._begun.append((doing, self.clock()))
        self.told(stage, doing)

    def lines(self, report: Report) -> Iterator[str]:
        """Yield a line a stage, and one that says at how many files the audit looked."""
        now = self.clock()
        ends = [*(begun for _, begun in self._begun[1:]), now]
        longest = max((len(doing) for doing, _ in self._begun), default=0)
        for (doing, begun), end in zip(self._begun, ends, strict=True):
            yield f"{doing:<{longest}}  {(end - begun) * 1000:7.0f} ms"
        read = report.files - report.ruled_out
        files = plural(report.files, "file")
        yield f"{files}: {report.ruled_out} ruled out by their bytes, {read} read"
