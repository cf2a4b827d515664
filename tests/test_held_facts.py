"""How much memory facts take, in objects and bytes of them: a guard that no machine can upset."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from msgspec import Raw
from msgspec.msgpack import Decoder, Encoder

from dal_audit.audit import projects_of, read_project
from dal_audit.commands.kept_audit import KeptAudit, pieces_of
from dal_audit.extract.cache_contents import NOTHING, Content, Payload, Stored, StoredFile
from dal_audit.extract.text_table import TextTable
from dal_audit.facts import (
    START,
    ClassDefinition,
    FileFacts,
    Import,
    Reference,
    Span,
    Target,
    packed,
)
from dal_audit.facts.record_bytes import Unpacking
from dal_audit.policy.request import Request

MODULE: Final = """\
from sqlalchemy.orm import Session
from app.names import Name

class Store_{number}(Name):
    kind: Name

    def run(self, session: Session) -> Session:
        return session
"""


def project(root: Path, *, files: int = 4, uses: int = 0) -> list[FileFacts]:
    """Return the facts of a project whose first file uses a name of a driver so often."""
    app = root / "app"
    app.mkdir(parents=True)
    for number in range(files):
        text = MODULE.format(number=number) + "Session\n" * (uses if number == 0 else 0)
        (app / f"module_{number}.py").write_text(text)
    (app / "names.py").write_text("class Name: ...\n")
    request = Request(folder=root, jobs=1)
    (scope,) = projects_of(request).scopes
    return list(read_project(scope, request).audited.project.files)


def within(value: Any) -> Iterator[Any]:
    """Yield an object and all that it holds, each once for each way to it."""
    yield value
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from within(getattr(value, name))
    elif isinstance(value, tuple):
        for part in value:
            yield from within(part)


def objects(facts: list[FileFacts]) -> list[Any]:
    """Return the objects that facts consist of, each once."""
    return list({id(part): part for part in within(tuple(facts))}.values())


def test_uses_and_members_take_no_objects(tmp_path: Path) -> None:
    few = objects(project(tmp_path / "few", uses=1))
    many = objects(project(tmp_path / "many", uses=1000))
    assert len(many) <= len(few) + 2  # A line's number more.
    size = sum(map(sys.getsizeof, many)) - sum(map(sys.getsizeof, few))
    assert size / 999 <= 64  # Bytes a use; as objects they are 250.


def test_equal_texts_are_one_object(tmp_path: Path) -> None:
    texts = [part for file in project(tmp_path) for part in objects([file]) if type(part) is str]
    paths = 5
    assert len({id(text) for text in texts}) <= len(set(texts)) + paths


def test_facts_that_are_read_back_hold_each_text_once() -> None:
    importing = ("import app.names", "import app.names")
    facts = (Import(START, (Target(START, "app.names", "app.names"),), "app.names"),)
    read = Decoder(tuple[tuple[Import, ...], tuple[str, ...]])
    table = TextTable()
    found = []
    for _ in range(3):
        again, statements = read.decode(Encoder().encode((facts, importing)))
        found.append(table.shared(again, "read", statements))
    assert [facts for facts, _, _ in found] == [facts] * 3
    texts = [part for part in within(tuple(found)) if type(part) is str]
    assert len({id(text) for text in texts}) == len(set(texts)) == 3


def test_what_is_held_as_bytes_is_read_as_it_was() -> None:
    span = Span(1, 2, 3, 4)
    uses = (Reference(span, "a.b", "call"), Reference(span, "a.c", "value", 5, "C", ""))
    assert Target(span, "a", "a", packed(uses)).uses == uses
    assert Target(span, "a", "a", uses).uses == uses
    assert Target(span, "a", "a").uses == ()
    assert packed([]) == b""
    assert Unpacking[Reference](Reference)(packed(uses)) == uses
    assert ClassDefinition("C", span, (1, 1), ()).members == ()


def test_what_no_encoding_holds_stays_as_it_is() -> None:
    """And then nobody can write it to a cache."""
    use = Reference(Span(1, 1, 1, 2), "a.\ud800", "value")
    target = Target(use.span, "a", "a", packed([use]))
    assert target.uses == (use,)
    with pytest.raises(UnicodeEncodeError):
        Encoder().encode(target)


def test_a_cache_is_written_piece_by_piece_as_it_would_be_at_once() -> None:
    contents = [Content(bytes([number])) for number in range(40)]
    contents[0].first = Raw(b"\x01")
    contents[1].suite = Raw(b"\x02")
    files = [StoredFile(f"f{number}", (number, 2, 3, 4), number) for number in range(40)]
    data = b"".join(Payload(b"words", contents, files))
    read = Decoder(Stored).decode(data)
    assert (read.words, read.files) == (b"words", files)
    assert read.contents == contents
    assert sum(content.whole is NOTHING for content in read.contents) == len(contents) - 1


def test_a_kept_audit_is_written_piece_by_piece_as_it_would_be_at_once() -> None:
    kept = KeptAudit(b"/", b"a", b"s", 0, 1, b"l", ("link",), Raw(b"\x90"), Raw(b"\x91\x01"))
    assert b"".join(pieces_of(kept)) == Encoder().encode(kept)
