"""Spread work over processes where it pays."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO, Final, Generic, Protocol, TypeAlias, TypeVar

from msgspec.msgpack import Decoder, Encoder


class Sized(Protocol):
    """What work is to be done on, and how much of it there is: a file, with its bytes."""

    @property
    def size(self) -> int:
        """How much work it is, in the unit of what is `worth` a process."""


Work = TypeVar("Work", bound=Sized)
Result = TypeVar("Result")

Batch: TypeAlias = Callable[[Sequence[Work]], Iterable[Result]]
"""What is made of some files, a result for each."""

WORTH_A_PROCESS = 4 << 20
"""Bytes of source from which on another process saves more than it costs, where most files are
ruled out by their bytes."""

PARSED_WORTH_A_PROCESS = 128 << 10
"""The same, where all files are parsed."""

HASHED_WORTH_A_PROCESS = 32 << 20
"""The same, where files are hashed."""

APART_BYTES = 64 << 20
"""Bytes of source from which on it pays in memory that other processes do all the work."""


class WorkerError(RuntimeError):
    """A process that was extracting facts died or failed."""


def available_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _as_it_is(result: Result) -> Result:
    return result


def spread(
    batch: Batch[Work, Result],
    files: Sequence[Work],
    *,
    jobs: int | None,
    worth: int,
    answer: Any = Any,
    apart: Callable[[], object] | None = None,
    taken: Callable[[Result], Result] = _as_it_is,
) -> list[Result]:
    """Apply `batch` to all files, in order; in forked processes where there is work for them.

    One process is forked for each `worth` of their sizes, and no more than `jobs`. `answer` is the
    type of a result, as a process sends it (`msgspec.msgpack`: much faster than `pickle` for
    records).
    Where work is forked, this process takes a share. With `apart` it does not, once there was much
    to do: what work leaves in memory, syntax trees above all, is then gone with its process. That
    loads what each process needs, before forking. What `taken` makes of each result as it comes in
    is returned.

    The order of the results does not depend on the number of processes. Raises WorkerError when a
    process ends before it has answered.
    """
    size = sum(file.size for file in files)
    wanted = min(jobs or available_cores(), size // worth + 1, len(files) or 1)
    with _uncollected():
        if wanted <= 1 or not _may_fork():
            return list(map(taken, batch(files)))
        hands = _dealt(files, wanted)
        own = 1
        if apart is not None and _APART.is_worth(size):
            apart()
            _APART.load()
            own = 0
        dealt = [[files[index] for index in hand] for hand in hands]
        answers = _answers(batch, dealt, answer, taken, own=own)
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


def _dealt(files: Sequence[Sized], count: int) -> list[list[int]]:
    """Return the files' places dealt like cards, largest first: each hand is about as much work."""
    order = sorted(range(len(files)), key=lambda index: (-files[index].size, index))
    return [order[start::count] for start in range(count)]


def _answers(
    batch: Batch[Work, Result],
    hands: Sequence[Sequence[Work]],
    answer: Any,
    taken: Callable[[Result], Result],
    *,
    own: int,
) -> list[list[Result]]:
    """Return the results of each hand: of the `own` first by this process, of each other by one."""
    workers: list[_Worker[Result]] = []
    try:
        # Nobody listens before this process has done its own share.
        workers.extend(_Worker(batch, hand, is_heard=not own) for hand in hands[own:])
        found = [list(map(taken, batch(hand))) for hand in hands[:own]]
        decode = Decoder(answer).decode
        _listen(workers, lambda data: taken(decode(data)))
        return [*found, *(worker.results for worker in workers)]
    finally:
        for worker in workers:
            worker.abandon()


class Ahead(Generic[Result]):
    """A process that loads what its work takes before it is told what that is.

    It is of use while this process does what cannot be spread. It must be left by `abandon`.
    """

    def __init__(
        self, load: Callable[[], object], work: Callable[[Any], Iterable[Result]], asked: Any
    ) -> None:
        """Fork and let the child `load`; what it is asked, of a type, is handed to its `work`."""
        reader, self._asking = os.pipe()

        def batch(_none: Sequence[Sized]) -> Iterable[Result]:
            os.close(self._asking)
            load()
            with os.fdopen(reader, "rb") as pipe:
                return work(Decoder(asked).decode(pipe.read()))

        self._worker: _Worker[Result] = _Worker(batch, (), is_heard=False)
        os.close(reader)
        self._is_asked = False

    def ask(self, question: object, answer: Any) -> list[Result]:
        """Return the results, each of a type, of what it is asked, which it can be once.

        Raises WorkerError as `spread` does, and UnicodeEncodeError for what cannot be sent.
        """
        said = Encoder().encode(question)
        self._is_asked = True
        try:
            with os.fdopen(self._asking, "wb") as pipe:
                pipe.write(said)
        except BrokenPipeError:
            pass  # It has failed, and says why.
        decode = Decoder(answer).decode
        _listen([self._worker], decode)
        return self._worker.results

    def abandon(self) -> None:
        """Let go of the process, whatever it does."""
        if not self._is_asked:
            os.close(self._asking)
        self._worker.abandon()


def may_work_ahead(jobs: int | None) -> bool:
    """Return whether another process may work while this one does."""
    return min(jobs or available_cores(), available_cores()) > 1 and _may_fork()


def _may_fork() -> bool:
    """Forking is safe with one thread; macOS's system libraries forbid it in practice."""
    import threading

    return hasattr(os, "fork") and sys.platform != "darwin" and threading.active_count() == 1


class _Apart:
    """What is known of work that other processes do: whether there is any, and what they loaded."""

    def __init__(self) -> None:
        self._is_begun = False
        self._modules: dict[str, None] = {}

    def is_worth(self, size: int) -> bool:
        """Return whether work on so many bytes is for others: what follows on much work is, too."""
        self._is_begun = self._is_begun or size >= APART_BYTES
        return self._is_begun

    def note(self, modules: Iterable[str]) -> None:
        """Take down what a process had to load."""
        self._modules.update(dict.fromkeys(modules))

    def load(self) -> None:
        """Load what earlier processes had to, so that the next ones have it."""
        while self._modules:
            name = next(iter(self._modules))
            del self._modules[name]
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


_APART: Final = _Apart()

_PACKED: Final = b"m"
_PICKLED: Final = b"p"
_LOADED: Final = b"l"
_ENDED: Final = b"e"
"""How a message begins: with a result, one in another form, which modules were loaded, or why there
is nothing further."""

_LENGTH: Final = 4
"""The bytes behind that, which say how long the rest is."""

_PIECE: Final = 1 << 18
"""So many bytes are read at once."""


def _message(result: object) -> tuple[bytes, bytes]:
    """Return a result as it is sent.

    A text with lone surrogates, as an escape in a string can make them, is no MessagePack.
    """
    try:
        return _PACKED, Encoder().encode(result)
    except UnicodeEncodeError:
        import pickle  # only for such a text

        return _PICKLED, pickle.dumps(result, protocol=pickle.HIGHEST_PROTOCOL)


class _Worker(Generic[Result]):
    """A forked process that sends result after result over a pipe.

    So neither side ever holds all of them as bytes, nor the process as objects.
    """

    def __init__(
        self, batch: Batch[Work, Result], files: Sequence[Work], *, is_heard: bool
    ) -> None:
        """Fork and let the child do its share; it waits with its words until it `is_heard`."""
        self.results: list[Result] = []
        self.is_done = False
        self._error: str | None = None
        self._received = bytearray()
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
            with os.fdopen(writer, "wb", buffering=_PIECE) as pipe:
                _send(batch, files, pipe, is_heard=is_heard)
            status = 0
        finally:
            # Not sys.exit: the parent's buffers and handlers are copied into the child.
            os._exit(status)

    def receive(self, read: Callable[[memoryview], Result]) -> None:
        """Take what the child has sent by now; raise WorkerError where it failed."""
        data = os.read(self.reader, _PIECE)
        if not data:
            self._end()
            return
        self._received += data
        begin = 0
        with memoryview(self._received) as view:
            while (end := _end_of_message(view, begin)) is not None:
                kind, content = bytes(view[begin : begin + 1]), view[begin + 1 + _LENGTH : end]
                self._take(kind, content, read)
                content.release()
                begin = end
        del self._received[:begin]

    def _take(self, kind: bytes, content: memoryview, read: Callable[[memoryview], Result]) -> None:
        if kind == _PACKED:
            self.results.append(read(content))
        elif kind == _LOADED:
            _APART.note(str(content, "utf-8").split("\0"))
        elif kind == _ENDED:
            self._error = str(content, "utf-8")
        else:
            import pickle  # only for a text with lone surrogates

            self.results.append(pickle.loads(content))  # noqa: S301  # our own child's words

    def _end(self) -> None:
        """Wait for the child's end."""
        _, status = os.waitpid(self.pid, 0)
        self.is_done = True
        if status or self._error is None:
            raise WorkerError(f"a worker process ended with status {status}")
        if self._error:
            raise WorkerError(self._error)

    def abandon(self) -> None:
        """Let go of the child; one that has not answered yet is ended, and its work is lost."""
        os.close(self.reader)
        if not self.is_done:
            import signal  # only where something went wrong

            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def _send(
    batch: Batch[Work, Result], files: Sequence[Work], pipe: BinaryIO, *, is_heard: bool
) -> None:
    """Send each result, and last that all is well, or what went wrong."""
    error = ""
    known = frozenset(sys.modules)
    try:
        messages = map(_message, batch(files))
        for kind, content in messages if is_heard else list(messages):
            _write(pipe, kind, content)
    except Exception as raised:  # noqa: BLE001  # the parent raises it again
        error = f"{type(raised).__name__}: {raised}"
    if loaded := [name for name in sys.modules if name not in known and is_heard]:
        _write(pipe, _LOADED, "\0".join(loaded).encode())
    _write(pipe, _ENDED, error.encode(errors="backslashreplace"))


def _write(pipe: BinaryIO, kind: bytes, content: bytes) -> None:
    pipe.write(kind + len(content).to_bytes(_LENGTH, "big"))
    pipe.write(content)


def _end_of_message(data: memoryview, begin: int) -> int | None:
    """Return where the message ends that begins at a place; None where it is not all there."""
    content = begin + 1 + _LENGTH
    end = content + int.from_bytes(data[begin + 1 : content], "big")
    return end if content <= len(data) and end <= len(data) else None


def _listen(workers: Sequence[_Worker[Result]], read: Callable[[memoryview], Result]) -> None:
    """Take what the children send until all are done, from whichever has something to say."""
    import select  # only where work is forked

    by_reader = {worker.reader: worker for worker in workers}
    open_pipes = select.poll()
    for reader in by_reader:
        open_pipes.register(reader, select.POLLIN)
    while by_reader:
        for reader, _ in open_pipes.poll():
            by_reader[reader].receive(read)
            if by_reader[reader].is_done:
                open_pipes.unregister(reader)
                del by_reader[reader]
