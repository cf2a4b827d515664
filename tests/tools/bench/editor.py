"""Time the language server: `python -m tests.tools.bench.editor TREE [--files FILE…] [--edits N]`.

A client of the protocol opens the tree twice, without and with what is kept of it, and then works in
each FILE as an editor does: it types a leak and takes it away again (told is from the keystroke to
the diagnostics), types what says nothing of storage (to the answer to a question that comes next),
and saves. Then it types N times and tells how much memory the server has. The times are this
client's, its own work among them; "processor" is what the server's threads took, whatever else the machine does. What is on the disk stays as it is, but for the cache.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from lsprotocol import types

from dal_audit.discover.cache_folder import CACHE
from dal_audit.extract.cache_file import remove_cache
from dal_audit.server.protocol import PAUSE
from tests.test_server import Client, edited
from tests.tools.bench.trees import python_files

DRIVER: Final = "psycopg2"
LEAK: Final = f"import {DRIVER}"
TURNS: Final = 12
"""Each edit is timed so often; the first two warm it and are left out."""


def main() -> None:
    """Measure a tree, and print a table in Markdown."""
    parser = argparse.ArgumentParser(prog="python -m tests.tools.bench.editor", description=__doc__)
    parser.add_argument("tree", type=Path)
    parser.add_argument("--files", nargs="*", default=(), help="in which is typed, from the tree")
    parser.add_argument("--edits", type=int, default=0, help="so many, for the memory")
    options = parser.parse_args()
    tree = options.tree.resolve()
    names = options.files or [python_files(tree)[0]]
    asyncio.run(measure(tree, names, options.edits))


async def measure(tree: Path, names: Sequence[str], edits: int) -> None:
    """Print the rows of one tree."""
    print(f"\n{tree.name}, {len(python_files(tree)):,} files\n")
    print("| file | case | median ms | slowest | processor ms | MiB |\n|---|---|---|---|---|---|")
    remove_cache(tree / CACHE)
    for case in ("open, nothing kept", "open"):
        client = Client()
        row("", case, [await timed(client, partial(opened, client, tree))], memory_of(client))
        if case != "open":
            await ended(client)
    for name in names:
        await type_in(client, tree / name, name)
    if edits:
        await type_on(client, tree / names[0], edits)
        row(names[0], f"after {edits:,} edits", [], memory_of(client))
    await ended(client)


async def opened(client: Client, tree: Path) -> None:
    """Start a server on a tree, and wait until it answers what needs an audit."""
    await client.start_io(sys.executable, "-m", "dal_audit", "server")
    folder = types.WorkspaceFolder(tree.as_uri(), tree.name)
    able = types.ClientCapabilities()
    await client.initialize_async(
        types.InitializeParams(able, root_uri=tree.as_uri(), workspace_folders=[folder])
    )
    client.initialized(types.InitializedParams())
    await answered(client, tree / "nothing.py")


async def ended(client: Client) -> None:
    """End a server properly."""
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()  # type: ignore[no-untyped-call]


async def answered(client: Client, path: Path) -> None:
    """Wait until all that the server was told is done."""
    name = types.TextDocumentIdentifier(path.as_uri())
    await client.text_document_hover_async(types.HoverParams(name, types.Position(0, 0)))


class Typist:
    """Whoever types in one file."""

    def __init__(self, client: Client, path: Path) -> None:
        """Take the editor, and the file as it is saved."""
        self.client = client
        self.path = path
        self._text = path.read_text(encoding="utf-8")
        self._version = 0

    def type(self, added: str) -> None:
        """Show the file's text with a line more."""
        self._version += 1
        edited(self.client, self.path, f"{self._text}\n{added}\n", self._version)

    async def leak(self) -> None:
        """Type a leak, and wait until it is told of."""
        self.type(LEAK)
        await self.client.until(lambda: DRIVER in said_of(self.client, self.path))

    async def mend(self) -> None:
        """Take it away, and wait until it is not told of any more."""
        self.type("")
        await self.client.until(lambda: DRIVER not in said_of(self.client, self.path))

    async def comment(self) -> None:
        """Type what says nothing of storage."""
        self.type(f"# {self._version}")
        await self.settle()

    async def save(self) -> None:
        """Say that the file is saved: what is on the disk counts again."""
        document = types.TextDocumentIdentifier(self.path.as_uri())
        self.client.text_document_did_save(types.DidSaveTextDocumentParams(document))
        await self.settle()

    async def settle(self) -> None:
        """Wait until all that was typed is read and judged."""
        await asyncio.sleep(PAUSE * 2)
        await answered(self.client, self.path)


async def type_in(client: Client, path: Path, name: str) -> None:
    """Print the rows of one file."""
    typist = Typist(client, path)
    cases = {
        "a leak is typed: told of in its file": typist.leak,
        "and all that hangs on it elsewhere": typist.settle,
        "it is taken away": typist.mend,
        "and all that hangs on it elsewhere, again": typist.settle,
        "a comment is typed": typist.comment,
        "save": typist.save,
    }
    times: dict[str, list[Taken]] = {case: [] for case in cases}
    for _ in range(TURNS):
        for case, work in cases.items():
            times[case].append(await timed(client, work))
    for case, taken in times.items():
        row(name, case, taken[2:], memory_of(client))


async def type_on(client: Client, path: Path, edits: int) -> None:
    """Type so often, each tenth time a leak."""
    typist = Typist(client, path)
    for number in range(edits):
        typist.type(LEAK if number % 10 == 0 else f"name_{number} = {number}")
        if number % 10 == 9:
            await typist.settle()


def said_of(client: Client, path: Path) -> str:
    """Return all that is told of a file."""
    found = client.diagnostics.get(path.as_uri(), ())
    return "\n".join(diagnostic.message for diagnostic in found)


class Taken(NamedTuple):
    """What something took: milliseconds, and those of the processor in the server's threads."""

    wall: float
    processor: float


async def timed(client: Client, work: Callable[[], Awaitable[None]]) -> Taken:
    """Return what some work takes."""
    start, before = time.perf_counter(), processor_of(client)
    await work()
    return Taken((time.perf_counter() - start) * 1_000, processor_of(client) - before)


def processor_of(client: Client) -> float:
    """Return the milliseconds that a server's threads have run; 0 where the system does not tell."""
    server = client._server
    tasks = Path(f"/proc/{server.pid}/task") if server is not None else Path()
    files = tasks.glob("*/schedstat") if tasks.is_absolute() else ()
    return sum(int(file.read_text(encoding="ascii").split()[0]) for file in files) / 1_000_000


def memory_of(client: Client) -> int:
    """Return how much memory a server has, in MiB; 0 where the system does not tell."""
    server = client._server
    status = Path(f"/proc/{server.pid}/status") if server is not None else Path()
    if not status.is_file():
        return 0
    lines = status.read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmRSS"))


def row(name: str, case: str, times: Sequence[Taken], memory: int) -> None:
    """Print a row: medians, and the slowest."""
    figures = " |  | "
    if times:
        walls = [taken.wall for taken in times]
        processor = statistics.median(taken.processor for taken in times)
        figures = f"{statistics.median(walls):.0f} | {max(walls):.0f} | {processor:.0f}"
    print(f"| {name} | {case} | {figures} | {memory} |", flush=True)


if __name__ == "__main__":
    main()
