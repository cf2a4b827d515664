"""The language server, spoken to by a real client in a process of its own; and session by session."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types
from pygls.lsp.client import LanguageClient

from dal_audit.audit import audit
from dal_audit.extract import extractor, frontier
from dal_audit.facts import SourceFile
from dal_audit.policy.request import BASELINE, Request
from dal_audit.server.actions import ACCEPT, actions_on
from dal_audit.server.buffers import Buffers
from dal_audit.server.diagnostics import range_of
from dal_audit.server.session import Session
from tests.sampling import runs
from tests.test_cache_edits import MODULES, PYTHON_FILES, SCRIPTS, SQL_FILES, put, start

INTERFACE: Final = (
    "from typing import Protocol\n\nclass Books(Protocol):\n"
    "    def find(self, name: str) -> str: ...\n    def drop(self, name: str) -> None: ...\n"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with a leak that starts in storage."""
    start(tmp_path)
    put(tmp_path / "app" / "storage" / "interface.py", INTERFACE)
    put(tmp_path / "app" / "leak.py", "import redis  # é\n")
    return tmp_path


class Client(LanguageClient):
    """An editor without a window: it keeps what it is told."""

    def __init__(self) -> None:
        """Listen to diagnostics and messages."""
        super().__init__("tests", "1")
        self.diagnostics: dict[str, Sequence[types.Diagnostic]] = {}
        self.messages: list[str] = []
        self.steps: list[Any] = []
        self.registered: list[types.Registration] = []
        self.news = asyncio.Event()

        @self.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)  # type: ignore[untyped-decorator]
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.diagnostics[params.uri] = params.diagnostics
            self.news.set()

        @self.feature(types.WINDOW_SHOW_MESSAGE)  # type: ignore[untyped-decorator]
        def said(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)
            self.news.set()

        @self.feature(types.PROGRESS)  # type: ignore[untyped-decorator]
        def progressed(params: types.ProgressParams) -> None:
            self.steps.append(params.value)
            self.news.set()

        @self.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)  # type: ignore[untyped-decorator]
        def agreed(_params: types.WorkDoneProgressCreateParams) -> None:
            """Agree to show how far the server is."""

        @self.feature(types.CLIENT_REGISTER_CAPABILITY)  # type: ignore[untyped-decorator]
        def asked(params: types.RegistrationParams) -> None:
            self.registered += params.registrations
            self.news.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until what the server told makes something so."""
        while not is_so():
            self.news.clear()
            await self.news.wait()


PLAIN: Final = types.ClientCapabilities()
FULL: Final = types.ClientCapabilities(
    window=types.WindowClientCapabilities(work_done_progress=True),
    workspace=types.WorkspaceClientCapabilities(
        workspace_folders=True,
        did_change_watched_files=types.DidChangeWatchedFilesClientCapabilities(
            dynamic_registration=True
        ),
    ),
)


def spoken(
    roots: Path | Sequence[Path],
    talk: Callable[[Client], Awaitable[None]],
    able: types.ClientCapabilities = PLAIN,
) -> Client:
    """Start a server on some folders, talk with it, and end it properly."""
    folders = [
        types.WorkspaceFolder(root.as_uri(), root.name)
        for root in ([roots] if isinstance(roots, Path) else roots)
    ]

    async def whole() -> Client:
        client = Client()
        await client.start_io(sys.executable, "-m", "dal_audit", "server")
        await client.initialize_async(
            types.InitializeParams(able, root_uri=folders[0].uri, workspace_folders=folders)
        )
        client.initialized(types.InitializedParams())
        await asyncio.wait_for(talk(client), 120)
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()  # type: ignore[no-untyped-call]
        return client

    return asyncio.run(whole())


async def told_of(client: Client, path: Path, code: str, *, there: bool = True) -> None:
    """Wait until a file has a finding of a rule, or has none."""

    def is_so() -> bool:
        return there == (
            code in {found.code for found in client.diagnostics.get(path.as_uri(), ())}
        )

    await client.until(is_so)


def session_of(root: Path, buffers: Buffers) -> Session:
    """Return the session of a project that was read."""
    session = Session(root, buffers, lambda _stage, _doing: None)
    session.read()
    return session


def edited(client: Client, path: Path, text: str, version: int) -> None:
    """Let the editor show another text of a file than is saved."""
    if version == 1:
        item = types.TextDocumentItem(path.as_uri(), "python", 0, path.read_text())
        client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    client.text_document_did_change(
        types.DidChangeTextDocumentParams(
            types.VersionedTextDocumentIdentifier(version, path.as_uri()),
            [types.TextDocumentContentChangeWholeDocument(text)],
        )
    )


def test_what_is_typed_is_audited_and_what_is_closed_is_as_it_was_saved(project: Path) -> None:
    leak, clean = project / "app" / "leak.py", project / "app" / "three.py"
    put(clean, "import json\n")

    async def talk(client: Client) -> None:
        await told_of(client, leak, "DAL101")
        edited(client, clean, "import sqlite3\n", 1)
        await told_of(client, clean, "DAL101")
        edited(client, clean, "import json\n", 2)
        await told_of(client, clean, "DAL101", there=False)
        edited(client, clean, "import sqlite3\n", 3)
        await told_of(client, clean, "DAL101")
        name = types.TextDocumentIdentifier(clean.as_uri())
        client.text_document_did_close(types.DidCloseTextDocumentParams(name))
        await told_of(client, clean, "DAL101", there=False)
        assert clean.read_text() == "import json\n"

    client = spoken(project, talk)
    assert not client.messages


def test_a_text_that_is_typed_changes_what_is_found_in_other_files(project: Path) -> None:
    carrier = project / "app" / "one.py"

    async def talk(client: Client) -> None:
        await told_of(client, carrier, "DAL103")
        edited(client, carrier, MODULES["plain"], 1)
        await told_of(client, carrier, "DAL103", there=False)
        put(project / "app" / "part" / "three.py", MODULES["carrier of a carrier"])
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([]))
        edited(client, carrier, MODULES["carrier"], 2)
        await told_of(client, project / "app" / "part" / "three.py", "DAL103")

    spoken(project, talk)


def test_it_offers_what_can_be_done_and_tells_why(project: Path) -> None:
    leak, carrier = project / "app" / "leak.py", project / "app" / "one.py"
    asked = types.TextDocumentIdentifier

    async def talk(client: Client) -> None:
        await told_of(client, leak, "DAL101")
        (finding,) = client.diagnostics[leak.as_uri()]
        assert finding.range == types.Range(types.Position(0, 7), types.Position(0, 12))
        assert finding.code_description is not None
        assert finding.code_description.href.endswith("/rules/driver-import.md")
        offered = await client.text_document_code_action_async(
            types.CodeActionParams(asked(leak.as_uri()), finding.range, types.CodeActionContext([]))
        )
        assert offered is not None
        *_, suppress, accept = offered
        assert isinstance(suppress, types.CodeAction)
        assert suppress.edit is not None
        assert suppress.edit.changes is not None
        ((edit,),) = suppress.edit.changes.values()
        assert edit.new_text == "  # dal-audit: allow[DAL101] reason"
        assert edit.range.start == types.Position(0, 17)
        # This client takes every action that has a command for a bare command.
        assert accept.title == "Accept this DAL101 in the baseline"
        hover = await client.text_document_hover_async(
            types.HoverParams(asked(leak.as_uri()), types.Position(0, 8))
        )
        assert hover is not None
        assert isinstance(hover.contents, types.MarkupContent)
        assert "# driver-import" in hover.contents.value
        assert not await client.text_document_hover_async(
            types.HoverParams(asked(leak.as_uri()), types.Position(5, 0))
        )
        await told_of(client, carrier, "DAL103")
        (finding,) = client.diagnostics[carrier.as_uri()]
        assert finding.related_information
        origin = await client.text_document_definition_async(
            types.DefinitionParams(asked(carrier.as_uri()), finding.range.start)
        )
        assert isinstance(origin, list)
        first = origin[0]
        assert isinstance(first, types.Location)
        assert first.uri == (project / "app" / "storage" / "store.py").as_uri()

    spoken(project, talk)


def test_all_files_of_several_folders_are_told_of_and_a_folder_can_come_and_go(
    tmp_path: Path,
) -> None:
    roots = [tmp_path / name for name in ("one", "two", "three")]
    for root in roots:
        start(root)
        put(root / "app" / "leak.py", "import redis\n")
    one, two, three = (root / "app" / "leak.py" for root in roots)

    async def talk(client: Client) -> None:
        for leak in (one, two):
            await told_of(client, leak, "DAL101")  # No text was opened.
        edited(client, two, "import json\n", 1)
        await told_of(client, two, "DAL101", there=False)
        assert client.diagnostics[one.as_uri()]
        change = types.WorkspaceFoldersChangeEvent(
            added=[types.WorkspaceFolder(roots[2].as_uri(), "three")],
            removed=[types.WorkspaceFolder(roots[0].as_uri(), "one")],
        )
        client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(change))
        await told_of(client, three, "DAL101")
        await told_of(client, one, "DAL101", there=False)

    client = spoken(roots[:2], talk, FULL)
    assert not client.messages


def test_it_tells_how_far_it_is_and_asks_to_be_told_of_files(project: Path) -> None:
    leak, clean = project / "app" / "leak.py", project / "app" / "three.py"
    put(clean, "import json\n")
    asked: list[types.Registration] = []

    async def talk(client: Client) -> None:
        await told_of(client, leak, "DAL101")
        await client.until(lambda: bool(client.registered))
        asked.extend(client.registered)
        put(clean, "import sqlite3\n")
        event = types.FileEvent(clean.as_uri(), types.FileChangeType.Changed)
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        await told_of(client, clean, "DAL101")
        clean.unlink()
        event = types.FileEvent(clean.as_uri(), types.FileChangeType.Deleted)
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        await told_of(client, clean, "DAL101", there=False)

    client = spoken(project, talk, FULL)
    assert [registration.method for registration in asked] == ["workspace/didChangeWatchedFiles"]
    begun, *reports, ended = client.steps
    assert [begun["kind"], ended["kind"]] == ["begin", "end"]
    assert any("file" in report["message"] for report in reports)


def test_a_suppression_that_is_of_no_use_is_drawn_pale(project: Path) -> None:
    clean = project / "app" / "three.py"
    put(clean, "import json\n")

    async def talk(client: Client) -> None:
        await told_of(client, project / "app" / "leak.py", "DAL101")
        edited(client, clean, "import json  # dal-audit: allow[DAL101] it is not\n", 1)
        await told_of(client, clean, "DAL903")
        (finding,) = client.diagnostics[clean.as_uri()]
        assert list(finding.tags or ()) == [types.DiagnosticTag.Unnecessary]
        name = types.TextDocumentIdentifier(clean.as_uri())
        clean.write_text("import redis\n")
        client.text_document_did_save(types.DidSaveTextDocumentParams(name))
        await told_of(client, clean, "DAL101")
        assert [found.code for found in client.diagnostics[clean.as_uri()]] == ["DAL101"]

    spoken(project, talk)


def test_a_text_that_says_nothing_else_of_storage_is_not_judged_again(project: Path) -> None:
    clean = project / "app" / "three.py"
    put(clean, "import json\n")
    session = session_of(project, buffers := Buffers())
    before, found = session.project, session.findings
    buffers.put(clean, "import json\n\n\ndef f():\n    return json.dumps(1)\n")
    session.edit(clean)
    assert session.project is before
    assert session.findings is found
    buffers.put(clean, "import json, sqlite3\n")
    session.edit(clean)
    assert session.project is not before
    assert any(finding.place.path == "app/three.py" for finding in session.findings)
    buffers.close()


def test_a_suppression_that_is_offered_suppresses(project: Path) -> None:
    session = session_of(project, buffers := Buffers())
    offered = 0
    for finding in list(session.findings):
        path = project / finding.place.path
        lines = path.read_text().splitlines()
        for action in actions_on(finding, project, lines, is_saved=False):
            if not action.title.startswith("Suppress"):
                continue
            assert action.edit is not None
            assert action.edit.changes is not None
            ((edit,),) = action.edit.changes.values()
            row, column = edit.range.start.line, edit.range.start.character
            lines[row] = lines[row][:column] + edit.new_text + lines[row][column:]
            offered += 1
        path.write_text("\n".join(lines) + "\n")
    session.read()
    assert offered > 2
    assert {finding.standing for finding in session.findings} == {"suppressed"}
    buffers.close()


def test_what_is_accepted_stays_accepted_while_text_above_it_is_typed(project: Path) -> None:
    leak = project / "app" / "leak.py"

    async def talk(client: Client) -> None:
        await told_of(client, leak, "DAL101")
        words = [leak.as_uri(), "DAL101", 1, 8]
        await client.workspace_execute_command_async(types.ExecuteCommandParams(ACCEPT, words))
        await told_of(client, leak, "DAL101", there=False)
        edited(client, leak, f"import json\n\n\n{leak.read_text()}", 1)
        edited(client, project / "app" / "three.py", "import sqlite3\n", 1)
        await told_of(client, project / "app" / "three.py", "DAL101")
        assert not client.diagnostics[leak.as_uri()]

    put(project / "app" / "three.py", "import json\n")
    client = spoken(project, talk)
    assert not client.messages
    assert audit(Request(folder=project)).findings
    assert "DAL101" in (project / BASELINE).read_text()


def test_above_an_interface_stand_its_backends_and_what_they_lack(project: Path) -> None:
    path = project / "app" / "storage" / "interface.py"

    async def talk(client: Client) -> None:
        await told_of(client, project / "app" / "leak.py", "DAL101")
        lenses = await client.text_document_code_lens_async(
            types.CodeLensParams(types.TextDocumentIdentifier(path.as_uri()))
        )
        assert lenses is not None
        (lens,) = lenses
        assert lens.command is not None
        assert lens.command.title == "1 backend: Store (lacks drop)"
        assert lens.range.start.line == 2

    spoken(project, talk)


def test_a_faulty_configuration_is_told_and_the_server_lives_on(project: Path) -> None:
    leak = project / "app" / "leak.py"
    configuration = project / "dal-audit.toml"
    before = configuration.read_text()

    async def talk(client: Client) -> None:
        await told_of(client, leak, "DAL101")
        configuration.write_text("storage = 1\n")
        event = types.FileEvent(configuration.as_uri(), types.FileChangeType.Changed)
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        await client.until(lambda: bool(client.messages))
        configuration.write_text(before)
        put(leak, "import json\n")
        client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([event]))
        await told_of(client, leak, "DAL101", there=False)

    client = spoken(project, talk)
    assert "`storage`" in client.messages[0]


typed = st.one_of(
    st.tuples(st.sampled_from(PYTHON_FILES), st.sampled_from(list(MODULES.values()))),
    st.tuples(st.sampled_from(SQL_FILES), st.sampled_from(list(SCRIPTS.values()))),
)


@settings(max_examples=runs(60))
@given(texts=st.lists(typed, min_size=1, max_size=6))
def test_edit_by_edit_it_finds_what_an_audit_of_the_same_texts_finds(
    texts: Sequence[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("session")
    start(root)
    session = session_of(root, buffers := Buffers())
    for name, text in texts:
        if not (root / name).exists():
            continue
        buffers.put(root / name, text)
        session.edit(root / name)
        session.settle()
        fresh = audit(Request(folder=root, instead=buffers.below(root), jobs=1))
        assert sorted(session.findings, key=repr) == sorted(fresh.findings, key=repr)
    buffers.close()


def test_an_edit_asks_only_the_files_that_it_leads_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    showing = frontier._showing

    def noted(files: Sequence[SourceFile], *rest: Any) -> list[str]:
        asked.extend(file.path for file in files)
        return showing(files, *rest)

    monkeypatch.setattr(extractor, "THOROUGH_BYTES", 0)  # Not all of it is read anyway.
    monkeypatch.setattr(frontier, "_showing", noted)
    for name, text in {
        "storage/db.py": "import sqlite3\n\nstore = sqlite3.connect('x')\n",
        "app/doubtful.py": "import storage\n\nstorage.other()\n",
        "app/plain.py": "import storage\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    session = session_of(tmp_path, buffers := Buffers())
    assert "app/doubtful.py" in asked
    for text, found in (("import storage.db\nstorage.db.store\n", 1), ("import storage\n", 0)):
        asked.clear()
        buffers.put(tmp_path / "app/plain.py", text)
        session.edit(tmp_path / "app/plain.py")
        assert "app/doubtful.py" not in asked
        assert len(session.findings) == found
    buffers.close()


def test_a_text_in_the_encoding_that_it_declares_is_read_as_shown(project: Path) -> None:
    path = project / "app" / "leak.py"
    session = session_of(project, buffers := Buffers())
    buffers.put(path, '# coding: latin-1\nx = "é"; import redis\n')
    session.edit(path)
    (finding,) = (found for found in session.findings if found.place.path == "app/leak.py")
    assert range_of(finding.place.span).start == types.Position(1, 16)
    buffers.drop(path)
    session.edit(path)
    assert any(found.place.path == "app/leak.py" for found in session.findings)
    buffers.close()


def test_without_its_extra_the_server_says_what_to_install(tmp_path: Path) -> None:
    hidden = (
        "import sys; sys.modules['pygls'] = None; from dal_audit.commands.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", hidden, "server"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "pip install 'dal-audit[lsp]'" in done.stderr


def test_an_edit_of_storage_asks_its_users_for_the_sql_that_they_hand_to_it(tmp_path: Path) -> None:
    connected = "import sqlite3\n\nconnection = sqlite3.connect('x')\n"
    for name, text in {
        "storage/db.py": connected,
        "app/user.py": "import sqlite3\nfrom storage.db import run\n\nrun('SELECT a FROM b')\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    session = session_of(tmp_path, buffers := Buffers())
    assert all(finding.rule.id != "DAL108" for finding in session.findings)
    buffers.put(
        tmp_path / "storage/db.py", f"{connected}\ndef run(sql):\n    connection.execute(sql)\n"
    )
    session.edit(tmp_path / "storage/db.py")
    session.settle()
    assert "DAL108" in {finding.rule.id for finding in session.findings}
    buffers.close()
