"""SQL that calls are handed, and what is read from values of the project's types."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from msgspec import Struct

from dal_audit.assemble.driver_objects import CONNECTION_ROLES
from dal_audit.assemble.rust.names import RustNames
from dal_audit.assemble.rust.resolution import Resolution
from dal_audit.assemble.rust.values import Values
from dal_audit.assemble.state_classes import is_state_name
from dal_audit.catalogue.drivers import Driver
from dal_audit.facts import START, AbstractValue, AttributeRead, Span, SqlText, ValueFacts
from dal_audit.facts.rust import RustFile, RustRead, RustSql, RustText, RustValue

_DOES: Final = "SQL"

_TELLING: Final = frozenset(
    {"execute_batch", "batch_execute", "prepare_cached", "query_row", "simple_query", "query_opt"}
    | {"execute_unprepared", "query_one", "query_drop", "exec_drop", "query_map", "query_scalar"}
)
"""Methods that speak of a database whoever they are called on."""


class Handed(Struct, frozen=True):
    """SQL that a call is handed, and the driver that the call is one of, where that is known."""

    sql: SqlText
    driver: Driver | None


class Calls:
    """Tells which calls execute SQL, and which values belong to the project's types."""

    def __init__(self, resolution: Resolution, names: RustNames, values: Values) -> None:
        """Take what paths and values mean."""
        self.resolution = resolution
        self.names = names
        self.values = values
        self._texts: dict[str, tuple[RustText, str]] = {}
        for path, read in resolution.tree.files.items():
            for text in read.texts:
                found = resolution.meaning(text.name, path, text.scope)
                if found is not None and found.is_item:
                    self._texts.setdefault(found.far, (text, path))

    @cached_property
    def _executes(self) -> AbstractSet[str]:
        """The methods by which drivers execute SQL."""
        return frozenset(
            name
            for crate in self.names.crates
            for name in self.names.catalogue.by_module[crate].executes
            if "." not in name
        )

    def sql(self, path: str, read: RustFile) -> Iterator[SqlText]:
        """Yield the SQL of a file."""
        for call in read.calls:
            found = self.handed(call, path)
            if found is not None:
                yield found.sql

    def handed(self, call: RustSql, path: str) -> Handed | None:
        """Return the SQL that a call is handed; None where no driver is."""
        return self._of_method(call, path) if call.callee[0] == "." else self._of_path(call, path)

    def _of_path(self, call: RustSql, path: str) -> Handed | None:
        """Return the SQL that a driver's function or macro is handed."""
        found = self.resolution.meaning(call.callee, path, call.scope)
        driver = self.names.driver_of(found.far) if found is not None else None
        if found is None or driver is None:
            return None
        last = found.far.rpartition(".")[2]
        heads = {name.rpartition(".")[2] for name in driver.executes if "." in name}
        if last not in heads or (last == "new" and ".QueryBuilder." not in found.far):
            return None
        return self._made(call, path, call.callee, driver, ())

    def _of_method(self, call: RustSql, path: str) -> Handed | None:
        """Return the SQL that a method is handed that may be a driver's."""
        name = call.callee[1:]
        if name not in self._executes:
            return None
        owners: tuple[str, ...] = ()
        driver = None
        if call.receiver is not None:
            owners = tuple(self.values.of(call.receiver, path))
            driver = self._driver_of(call.receiver, path)
        if driver is None and not call.is_firm and (name not in _TELLING or owners):
            return None
        return self._made(call, path, name, driver, () if driver is not None else owners)

    def _driver_of(self, receiver: RustValue, path: str) -> Driver | None:
        """Return the driver whose object a receiver is, by its type alone."""
        for spelled in receiver.types if not receiver.steps else ():
            found = self.resolution.meaning(spelled.removeprefix("="), path, receiver.scope)
            driver = self.names.driver_of(found.far) if found is not None else None
            if driver is not None:
                return driver
        return None

    def _made(
        self,
        call: RustSql,
        path: str,
        how: str,
        driver: Driver | None,
        receivers: tuple[str, ...],
    ) -> Handed | None:
        text, written, does = call.text, call.written, call.does
        if call.constant:
            found = self._constant(call, path)
            if found is None:
                return None
            text, written, does = found
        if not does:
            return None
        sql = SqlText(call.span, call.statement, text, does, how, receivers, written=written)
        return Handed(sql, driver)

    def place(self, call: RustSql, path: str) -> tuple[str, Span] | None:
        """Return the file and the place of the text that a call is handed; None for a file's."""
        if not call.constant:
            return path, call.written or call.span
        known = self._known(call, path)
        return (known[1], known[0].span) if known is not None else None

    def _constant(self, call: RustSql, path: str) -> tuple[str, Span | None, str] | None:
        """Return the text of a constant, where it is written if that is here, and what it does."""
        if call.constant.startswith("file:"):
            return "", None, _DOES
        known = self._known(call, path)
        if known is None:
            return None
        text, file = known
        return text.text, text.span if file == path else None, text.does

    def _known(self, call: RustSql, path: str) -> tuple[RustText, str] | None:
        """Return the constant that a call is handed, and its file."""
        found = self.resolution.meaning(call.constant, path, call.scope)
        return self._texts.get(found.far) if found is not None else None

    def starts(self, facts: tuple[SqlText, ...]) -> AbstractSet[tuple[int, int]]:
        """Return where calls with SQL begin."""
        return frozenset((fact.statement.line, fact.statement.column) for fact in facts)

    def reads(self, path: str, read: RustFile, words: AbstractSet[str]) -> Iterator[ValueFacts]:
        """Yield what is read from values of the project's types, by these words."""
        accesses = []
        for access in read.reads:
            if access.attribute not in words:
                continue
            owners = [
                owner
                for owner in self.values.of(access.receiver, path)
                if self._is_fetched(owner, path, access)
            ]
            if owners:
                accesses.append(
                    AttributeRead(
                        access.span,
                        access.lines,
                        access.attribute,
                        access.shown,
                        tuple(AbstractValue(owner, is_object=True) for owner in owners),
                    )
                )
        shapes = tuple((shape.name, ()) for shape in read.shapes)
        if accesses or shapes:
            yield ValueFacts(START, (), shapes, (), tuple(accesses))

    def _is_fetched(self, owner: str, path: str, access: RustRead) -> bool:
        """Return whether a file fetches what a type has: from a state, or from another file's type.

        A type's own code, and for others than states all that stands beside it, reads what the
        type keeps; where it keeps it is reported.
        """
        if self.values.types[owner].path != path:
            return True
        is_state = is_state_name(owner.rpartition(".")[2], is_rust=True)
        return is_state and access.shown.partition(".")[0] != "self"

    def accessors(self) -> AbstractSet[str]:
        """Return the names of the members whose types are drivers', or may lead to one."""
        found = set()
        for known in self.values.types.values():
            for name, (path, scope, member) in known.members.items():
                if member.gives or any(
                    self._holds(part.path, path, scope) for part in member.types
                ):
                    found.add(name)
        return frozenset(found)

    def _holds(self, spelled: str, path: str, scope: int) -> bool:
        found = self.resolution.meaning(spelled, path, scope)
        if found is None:
            return False
        if self.names.driver_of(found.far) is not None:
            return self.names.role(found.far) in CONNECTION_ROLES
        return self.names.is_own(found.far) and found.far not in self.values.types
