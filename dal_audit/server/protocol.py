"""The protocol: what an editor says becomes calls of `Editor`, and what is found goes back.

Audits run in one thread of their own, so that the editor is always answered; edits that come while
one is typed are put together.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import to_fs_path

from dal_audit import __version__
from dal_audit.server.actions import ACCEPT
from dal_audit.server.editor import Editor

PAUSE: Final = 0.05
"""Seconds for which nothing is typed before a text is read."""

_CONFIGURATION: Final = ("pyproject.toml", "dal-audit.toml")

Result = TypeVar("Result")


class AuditServer(LanguageServer):
    """A language server with the projects of its editor."""

    def __init__(self) -> None:
        """Begin without a project."""
        super().__init__("dal-audit", __version__, types.TextDocumentSyncKind.Incremental)
        self.editor = Editor(lambda _stage, _doing: None)
        self._thread = ThreadPoolExecutor(1, "audit")
        self._waiting: dict[Path, asyncio.TimerHandle] = {}

    async def answer(self, work: Callable[[], Result]) -> Result:
        """Return what the projects answer, when all that was asked before is done."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def update(self, work: Callable[[], None]) -> None:
        """Read what changed, and show what is found; say so where it cannot be read."""
        try:
            news = await self.answer(partial(self._worked, work))
        except Exception as error:  # noqa: BLE001  # a fault in one text must not end the server
            said = types.ShowMessageParams(types.MessageType.Error, f"dal-audit: {error}")
            self.window_show_message(said)
            return
        for uri, diagnostics in news.items():
            self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, diagnostics))

    def _worked(self, work: Callable[[], None]) -> dict[str, list[types.Diagnostic]]:
        work()
        return self.editor.news()

    def later(self, path: Path, work: Callable[[], None]) -> None:
        """Read a file's text when nothing more was typed for a moment."""
        self.at_once(path)
        loop = asyncio.get_running_loop()
        self._waiting[path] = loop.call_later(PAUSE, lambda: loop.create_task(self.update(work)))

    def at_once(self, path: Path) -> None:
        """Forget what waits to be read of a file, as it is read now."""
        waiting = self._waiting.pop(path, None)
        if waiting is not None:
            waiting.cancel()

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
        await _dropped(server, path_of(params.text_document.uri))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        await _dropped(server, path_of(params.text_document.uri))


async def _dropped(server: AuditServer, path: Path) -> None:
    server.at_once(path)
    await server.update(partial(server.editor.drop, path))


def _know_folders(server: AuditServer) -> None:
    async def opened() -> None:
        await server.update(partial(server.editor.open_folders, server.folders()))

    @server.feature(types.INITIALIZED)
    async def initialized(_params: types.InitializedParams) -> None:
        await opened()

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def folders(_params: types.DidChangeWorkspaceFoldersParams) -> None:
        await opened()

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def configured(_params: types.DidChangeConfigurationParams) -> None:
        await opened()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def watched(params: types.DidChangeWatchedFilesParams) -> None:
        names = {path_of(change.uri).name for change in params.changes}
        await (opened() if names & {*_CONFIGURATION} else server.update(server.editor.read))


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
