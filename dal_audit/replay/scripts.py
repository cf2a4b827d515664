"""From the files of a migration to the statements that are run, each with its place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct, field

from dal_audit.extract.source import decode_script
from dal_audit.extract.sql.places import Places
from dal_audit.extract.sql.statements import Statement, split
from dal_audit.extract.sql.tokens import Kind, Token
from dal_audit.facts import Place
from dal_audit.migrations.model import Migration, Part
from dal_audit.replay.model import Command, Step

Read = Callable[[str], bytes]
"""Returns the bytes of a file by its path. Raises OSError."""


class Scripts(Struct):
    """Reads the files of migrations, each once; `skipped` says what of them is not run, and why."""

    read: Read
    skipped: dict[str, list[Place]] = field(default_factory=dict)
    _texts: dict[str, tuple[tuple[Statement, Place], ...]] = field(default_factory=dict)
    _full: dict[str, str] = field(default_factory=dict)

    def steps(self, migrations: Iterable[Migration]) -> Iterator[Step]:
        """Yield migrations as they are run.

        Raises OSError for a file that cannot be read, UndecodableError for one that is not UTF-8.
        """
        for migration in migrations:
            down = tuple(self.commands(migration.down)) if migration.down else None
            yield Step(migration.path, tuple(self.commands(migration.up)), down)

    def commands(self, parts: Sequence[Part]) -> Iterator[Command]:
        """Yield the statements of one direction, without those that a tool has to fill in."""
        for part in parts:
            for statement, place in self._statements(part.path):
                if not part.takes(place.span.line, statement.part):
                    continue
                if any(map(_is_filled_in, statement.tokens)):
                    self.note("a placeholder that a tool fills in", place)
                else:
                    text = self._full[part.path][statement.start : statement.end]
                    yield Command(place, text)

    def note(self, why: str, place: Place) -> None:
        """Note what is not run."""
        places = self.skipped.setdefault(why, [])
        if place not in places:
            places.append(place)

    def _statements(self, path: str) -> tuple[tuple[Statement, Place], ...]:
        if path not in self._texts:
            text = decode_script(self.read(path))
            script = split(text)
            places = Places(text)
            self._full[path] = text
            self._texts[path] = tuple(
                (statement, Place(path, places.span(statement.start, statement.end)))
                for statement in script.statements
            )
            for line in script.lines:
                if line.text.startswith(("\\", ".")):
                    where = Place(path, places.span(line.start, line.end))
                    self.note("a line for a client program", where)
                elif not line.text:
                    where = Place(path, places.span(line.start, line.end))
                    self.note("data for a client program to copy", where)
        return self._texts[path]


def _is_filled_in(token: Token) -> bool:
    """Return whether a tool replaces a token, or something in the body of a routine."""
    is_body = token.kind is Kind.STRING and token.text.startswith("$")
    return token.kind is Kind.TEMPLATE or (is_body and "{{" in token.text)
