"""Spread work over processes where it pays."""

from __future__ import annotations

import contextlib
import gc
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from msgspec.msgpack import Decoder, Encoder

from dal_audit.facts import SourceFile

Result = TypeVar("Result")

WORTH_A_PROCESS = 4 << 20
"""Bytes of source from which on another process saves more than it costs, where most files are
ruled out by their bytes."""

PARSED_WORTH_A_PROCESS = 128 << 10
"""The same, where all files are parsed."""

HASHED_WORTH_A_PROCESS = 32 << 20
"""The same, where files are hashed."""


class WorkerError(RuntimeError):
    """A process that was extracting facts died or failed."""


def available_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def spread(
    batch: Callable[[Sequence[SourceFile]], list[Result]],
    files: Sequence[SourceFile],
    *,
    jobs: int | None,
    worth: int,
    answer: Any = Any,
) -> list[Result]:
    """Apply `batch` to all files, in order; in forked processes where there is work for them.

    One process is forked for each `worth` bytes, and no more than `jobs`. `answer` is the type of a
    result, as a process sends it (`msgspec.msgpack`: much faster than `pickle` for records).

    The order of the results does not depend on the number of processes. Raises WorkerError when a
    process ends before it has answered.
    """
    size = sum(file.size for file in files)
    wanted = min(jobs or available_cores(), size // worth + 1, len(files) or 1)
    with _uncollected():
        if wanted <= 1 or not _may_fork():
            return batch(files)
        hands = _dealt(files, wanted)
        answers = _answers(batch, [[files[index] for index in hand] for hand in hands], answer)
    results: dict[int, Result] = {}
    for hand, found in zip(hands, answers, strict=True):
        results.update(zip(hand, found, strict=True))
    return [results[index] for index in range(len(files))]


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Let no garbage be collected: syntax trees hold no cycles worth it, and it takes 5 to 20 %."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _dealt(files: Sequence[SourceFile], count: int) -> list[list[int]]:
    """Return the files' places dealt like cards, largest first: each hand is about as much work."""
    order = sorted(range(len(files)), key=lambda index: (-files[index].size, index))
    return [order[start::count] for start in range(count)]


def _answers(
    batch: Callable[[Sequence[SourceFile]], list[Result]],
    hands: Sequence[Sequence[SourceFile]],
    answer: Any,
) -> list[list[Result]]:
    """Return the results of each hand: of the first by this process, of each other by its own."""
    workers = [_Worker(batch, hand) for hand in hands[1:]]
    try:
        first = batch(hands[0])
        decoder = Decoder(tuple[str, list[answer]])
        return [first, *(worker.answer(decoder) for worker in workers)]
    finally:
        for worker in workers:
            worker.abandon()


def _may_fork() -> bool:
    """Forking is safe with one thread; macOS's system libraries forbid it in practice."""
    import threading

    return hasattr(os, "fork") and sys.platform != "darwin" and threading.active_count() == 1


_PACKED: Final = b"m"
_PICKLED: Final = b"p"


def _packed(answer: object) -> bytes:
    """Return an answer as it is sent.

    A text with lone surrogates, as an escape in a string can make them, is no MessagePack.
    """
    try:
        return _PACKED + Encoder().encode(answer)
    except UnicodeEncodeError:
        import pickle  # only for such a text

        return _PICKLED + pickle.dumps(answer, protocol=pickle.HIGHEST_PROTOCOL)


class _Worker:
    """A forked process that answers once, over a pipe."""

    def __init__(
        self, batch: Callable[[Sequence[SourceFile]], list[Result]], files: Sequence[SourceFile]
    ) -> None:
        """Fork and let the child do its share."""
        self.is_done = False
        self.reader, writer = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid:
            os.close(writer)
            return
        status = 1
        try:
            os.close(self.reader)
            try:
                answer: tuple[str, list[Result]] = "", batch(files)
            except Exception as error:  # noqa: BLE001  # the parent raises it again
                answer = f"{type(error).__name__}: {error}", []
            with os.fdopen(writer, "wb") as pipe:
                pipe.write(_packed(answer))
            status = 0
        finally:
            # Not sys.exit: the parent's buffers and handlers are copied into the child.
            os._exit(status)

    def answer(self, decoder: Decoder[tuple[str, list[Result]]]) -> list[Result]:
        """Wait for the child's answer, and read it."""
        with os.fdopen(self.reader, "rb", closefd=False) as pipe:
            data = pipe.read()
        _, status = os.waitpid(self.pid, 0)
        self.is_done = True
        if status or not data:
            raise WorkerError(f"a worker process ended with status {status}")
        if data[:1] == _PACKED:
            error, results = decoder.decode(memoryview(data)[1:])
        else:
            import pickle  # only for a text with lone surrogates

            error, results = pickle.loads(memoryview(data)[1:])  # noqa: S301  # our own child's words
        if error:
            raise WorkerError(error)
        return results

    def abandon(self) -> None:
        """Let go of the child; one that has not answered yet is ended, and its work is lost."""
        os.close(self.reader)
        if not self.is_done:
            import signal  # only where something went wrong

            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
