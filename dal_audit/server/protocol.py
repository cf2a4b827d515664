"""The protocol: what an editor says becomes calls of `Editor`, and what is found goes back.

Audits run in one thread of their own, so that the editor is always answered. Texts that come while
it is at work wait for it, the last of each file alone; what they mean for other files is found when
none waits any more.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from dal_audit import __version__
from dal_audit.policy.request import BASELINE
from dal_audit.server.actions import ACCEPT
from dal_audit.server.editor import Editor

PAUSE: Final = 0.01
"""Seconds for which texts are gathered before they are read: an editor can send several at once."""

_CONFIGURATION: Final = ("pyproject.toml", "dal-audit.toml")
_WATCHED: Final = ("*.{py,pyi,pyw,ipynb,rs,sql,toml,yml,yaml,ini,cfg,mako}", ".gitignore", BASELINE)
"""The files on which an audit can hang."""
_STAGES: Final = 4
"""An audit tells of so many stages (`audit.read_project`)."""

Result = TypeVar("Result")


class AuditServer(LanguageServer):
    """A language server with the projects of its editor."""

    def __init__(self) -> None:
        """Begin without a project."""
        super().__init__("dal-audit", __version__, types.TextDocumentSyncKind.Incremental)
        self.editor = Editor(self._tell)
        self.told: types.ProgressToken | None = None
        """What the editor knows the reading by that goes on; None where it shows none."""
        self._thread = ThreadPoolExecutor(1, "audit")
        self._waiting: dict[Path, Callable[[], None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def answer(self, work: Callable[[], Result]) -> Result:
        """Return what the projects answer, when all that was asked before is done."""
        self._loop = asyncio.get_running_loop()
        return await self._loop.run_in_executor(self._thread, work)

    async def update(self, *works: Callable[[], None]) -> None:
        """Read what changed, and show what is found; say so where it cannot be read."""
        try:
            news = await self.answer(partial(self._worked, works))
        except Exception as error:  # noqa: BLE001  # a fault in one text must not end the server
            said = types.ShowMessageParams(types.MessageType.Error, f"dal-audit: {error}")
            self.window_show_message(said)
            return
        for uri, diagnostics in news.items():
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics))

    def _worked(self, works: Iterable[Callable[[], None]]) -> dict[str, list[types.Diagnostic]]:
        for work in works:
            work()
        return self.editor.news()

    def later(self, path: Path, work: Callable[[], None]) -> None:
        """Read a file, in place of what waits to be read of it."""
        self._waiting[path] = work
        if self._reading is None or self._reading.done():
            self._reading = asyncio.get_running_loop().create_task(self._read_waiting())

    async def _read_waiting(self) -> None:
        await asyncio.sleep(PAUSE)
        while self._waiting:
            works, self._waiting = tuple(self._waiting.values()), {}
            await self.update(*works)
            if not self._waiting:
                await self.update(self.editor.settle)

    def _tell(self, stage: int, doing: str) -> None:
        """Show what an audit does, if the editor shows it; audits are in another thread."""
        if self._loop is not None and self.told is not None:
            done = types.WorkDoneProgressReport(message=doing, percentage=100 * stage // _STAGES)
            self._loop.call_soon_threadsafe(self.work_done_progress.report, self.told, done)

    def folders(self) -> list[Path]:
        """Return the folders that the editor has open."""
        known = [folder.uri for folder in self.workspace.folders.values()]
        root = self.workspace.root_uri
        return [path_of(uri) for uri in known or ([root] if root else [])]

    def end(self) -> None:
        """Wait for the last audit, and remove what it read."""
        self._thread.shutdown()
        self.editor.close()


def path_of(uri: str) -> Path:
    """Return the file that a URI names; one that names none lies nowhere."""
    return Path(to_fs_path(uri) or "/nowhere")


def serve() -> None:
    """Speak with one editor on standard input and output, until it says goodbye."""
    gc.enable()  # A server lives long; what runs once does not need it.
    server = make_server()
    try:
        server.start_io()
    finally:
        server.end()


def make_server() -> AuditServer:
    """Return a server that knows what to do at each message."""
    server = AuditServer()
    _know_texts(server)
    _know_folders(server)
    _know_questions(server)
    return server


def _know_texts(server: AuditServer) -> None:
    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        path = path_of(params.text_document.uri)
        text = server.workspace.get_text_document(params.text_document.uri).source
        server.later(path, partial(server.editor.put, path, text))

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        _dropped(server, path_of(params.text_document.uri))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        _dropped(server, path_of(params.text_document.uri))


def _dropped(server: AuditServer, path: Path) -> None:
    server.later(path, partial(server.editor.drop, path))


def _know_folders(server: AuditServer) -> None:
    async def opened() -> None:
        async with _progress(server):
            await server.update(partial(server.editor.open_folders, server.folders()))

    @server.feature(types.INITIALIZED)
    async def initialized(_params: types.InitializedParams) -> None:
        await opened()
        await _ask_for_changes(server)

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(_params: types.DidChangeWorkspaceFoldersParams) -> None:
        await opened()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configured(_params: types.DidChangeConfigurationParams) -> None:
        await opened()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def watched(params: types.DidChangeWatchedFilesParams) -> None:
        paths = [path_of(change.uri) for change in params.changes]
        is_old = all(change.type == types.FileChangeType.Changed for change in params.changes)
        if any(path.name in _CONFIGURATION for path in paths):
            await opened()
        elif paths and is_old:
            for path in paths:
                server.later(path, partial(server.editor.changed, path))
        else:
            await server.update(server.editor.read)


@asynccontextmanager
async def _progress(server: AuditServer) -> AsyncIterator[None]:
    """Show what an audit does while it lasts, in an editor that can."""
    window = server.client_capabilities.window
    if window is None or not window.work_done_progress:
        yield
        return
    token = str(uuid4())
    await server.work_done_progress.create_async(token)
    begun = types.WorkDoneProgressBegin("dal-audit", percentage=0)
    server.work_done_progress.begin(token, begun)
    server.told = token
    try:
        yield
    finally:
        server.told = None
        server.work_done_progress.end(token, types.WorkDoneProgressEnd())


async def _ask_for_changes(server: AuditServer) -> None:
    """Ask the editor to tell of files that change on the disk, if it can be asked."""
    workspace = server.client_capabilities.workspace
    watching = None if workspace is None else workspace.did_change_watched_files
    if watching is None or not watching.dynamic_registration:
        return
    options = types.DidChangeWatchedFilesRegistrationOptions(
        [types.FileSystemWatcher(f"**/{glob}") for glob in _WATCHED]
    )
    method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
    asked = types.Registration("dal-audit-files", method, options)
    await server.client_register_capability_async(types.RegistrationParams([asked]))


def _know_questions(server: AuditServer) -> None:
    editor = server.editor

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix]),
    )
    async def actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        lines = server.workspace.get_text_document(params.text_document.uri).lines
        path = path_of(params.text_document.uri)
        return await server.answer(partial(editor.actions, path, params.range, list(lines)))

    @server.command(ACCEPT)
    async def accept(uri: str, rule_id: str, line: int, column: int) -> None:
        await server.update(partial(editor.accept, path_of(uri), rule_id, (line, column)))

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        path = path_of(params.text_document.uri)
        return await server.answer(partial(editor.hover, path, params.position))

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(params: types.DefinitionParams) -> list[types.Location]:
        path = path_of(params.text_document.uri)
        return await server.answer(partial(editor.origins, path, params.position))

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def lenses(params: types.CodeLensParams) -> list[types.CodeLens]:
        return await server.answer(partial(editor.lenses, path_of(params.text_document.uri)))
