"""Memo: what is worked out of a project, kept as long as what it depends on stays as it is.

A *snapshot* is an immutable state of something that changes: a project between two edits. Its
*inputs* are what it is given: a policy, paths, the facts of files. Each has a revision, which grows
whenever two snapshots differ in it. A *query* is a function of a snapshot that says on which inputs
and other queries it depends; its answer is kept with the revisions that those had, and worked out
again when one of them is another. What later snapshots share with earlier ones is so shared, and
what an edit changed makes only that stale which depends on it.

Answers outlive the snapshot that they were worked out of, so none may refer to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeAlias, TypeVar, overload
from weakref import ref

from dal_audit.facts import Fact, FileFacts


class Snapshot(Protocol):
    """What queries are asked of: immutable, weakly referable, with the memo of its kind."""

    @property
    def memo(self) -> Memo:
        """What is known of this snapshot and of those before it."""

    @property
    def files(self) -> Sequence[FileFacts]:
        """The facts of its files, each path once."""


State = TypeVar("State", bound=Snapshot)
Result = TypeVar("Result")
OfFile = TypeVar("OfFile")


class Input:
    """A part of what a snapshot is given, by which two of them can differ."""

    def __init__(self, name: str, read: Callable[[Any], object]) -> None:
        """Take the input's name, and how it is read off a snapshot."""
        self.name = name
        self.read = read

    def __repr__(self) -> str:
        """Return the input's name."""
        return f"<input {self.name}>"

    def is_same(self, before: Any, after: Any, _edits: Edits) -> bool:
        """Return whether two snapshots have the same, by what was read off each."""
        return before is after or bool(before == after)


Edits: TypeAlias = "Sequence[tuple[FileFacts, FileFacts]] | None"
"""The files that are others in one snapshot than in the one before, as they were and as they are.

None where the snapshots do not have the same files in the same order.
"""


class FilesInput(Input):
    """Something of each file, of all files in their order."""

    def __init__(self, name: str, of: Callable[[FileFacts], object]) -> None:
        """Take the input's name, and what it is of a file."""
        super().__init__(name, attrgetter("files"))
        self.of = of

    def is_same(
        self, before: Sequence[FileFacts], after: Sequence[FileFacts], edits: Edits
    ) -> bool:
        """Return whether the files are the same, and what this is of each."""
        if before is after:
            return True
        return edits is not None and all(self.of(old) == self.of(new) for old, new in edits)


class FactsInput(FilesInput):
    """The facts of some types, of all files in their order."""

    def __init__(self, name: str, *types: type) -> None:
        """Take the input's name and the types of its facts."""
        self.types = frozenset(types)
        super().__init__(name, self.facts_of)

    def facts_of(self, file: FileFacts) -> tuple[Fact, ...]:
        """Return a file's facts of these types."""
        return tuple(fact for fact in file.facts if type(fact) in self.types)


def edits_between(before: Sequence[FileFacts], after: Sequence[FileFacts]) -> Edits:
    """Return which files are others; None where their paths, or their order, are."""
    if before is after:
        return ()
    edits = [pair for pair in zip(before, after, strict=False) if pair[0] is not pair[1]]
    is_alike = len(before) == len(after) and all(old.path == new.path for old, new in edits)
    return edits if is_alike else None


Dependency: TypeAlias = "Input | _Memoised"


class _Answer(NamedTuple):
    """What a query said, with the revisions of what it depends on, and its own."""

    value: Any
    seen: tuple[int, ...]
    revision: int


class _Memoised:
    """What a memo keeps answers of: the dependencies and the work of a query."""

    cuts_off = False
    """Whether answers are compared, so that an equal one leaves standing what depends on it."""

    def __init__(self, name: str, depends_on: Iterable[Dependency]) -> None:
        self.name = name
        self.depends_on = tuple(depends_on)
        self.inputs = frozenset[Input]().union(*map(_certain_inputs, self.depends_on))
        """Those inputs whose change makes an answer stale for certain: one behind a cut-off may."""

    def __repr__(self) -> str:
        return f"<query {self.name}>"

    def work(self, snapshot: Any, known: _Answer | None, seen: tuple[int, ...]) -> Any:
        """Work the answer out; `known` is an earlier one, `seen` what it would now depend on."""
        raise NotImplementedError

    def is_same(self, _known: Any, _value: Any) -> bool:
        """Return whether an answer is as good as the known one: what depends on it then stands."""
        return False

    def is_kept(self, _changed: AbstractSet[Input]) -> bool:
        """Return whether an answer is of use when inputs that it depends on have changed."""
        return False


class Query(_Memoised, Generic[State, Result]):
    """A function of a snapshot; in the body of the snapshot's class, a read-only attribute."""

    def __init__(
        self,
        function: Callable[[State], Result],
        depends_on: Iterable[Dependency],
        *,
        cuts_off: bool,
    ) -> None:
        """Take the function and what it depends on."""
        super().__init__(function.__qualname__, depends_on)
        self.__doc__ = function.__doc__
        self.function = function
        self.cuts_off = cuts_off

    def __call__(self, snapshot: State) -> Result:
        """Return what the function says of a snapshot."""
        return snapshot.memo.answer(self, snapshot)  # type: ignore[no-any-return]

    @overload
    def __get__(self, snapshot: None, owner: type) -> Query[State, Result]: ...
    @overload
    def __get__(self, snapshot: State, owner: type) -> Result: ...
    def __get__(self, snapshot: State | None, owner: type) -> Query[State, Result] | Result:
        """Return what the function says of a snapshot; the query itself from the class."""
        if snapshot is None:
            return self
        return snapshot.memo.answer(self, snapshot)  # type: ignore[no-any-return]

    def work(self, snapshot: State, _known: _Answer | None, _seen: tuple[int, ...]) -> Result:
        """Work the answer out."""
        return self.function(snapshot)

    def is_same(self, known: Result, value: Result) -> bool:
        """Return whether answers are equal, where these are worth a comparison."""
        return self.cuts_off and bool(known == value)

    def is_kept(self, _changed: AbstractSet[Input]) -> bool:
        """Return whether an answer whose inputs changed can still be found equal to the next."""
        return self.cuts_off


class ContinuedQuery(Query[State, Result]):
    """A function of a snapshot and of its own earlier answer, from which it can go on.

    It is handed None where there is none; whether one is of use it finds out itself.
    """

    def __init__(
        self,
        function: Callable[[State, Result | None], Result],
        depends_on: Iterable[Dependency],
    ) -> None:
        """Take the function and what it depends on."""
        super().__init__(lambda snapshot: function(snapshot, None), depends_on, cuts_off=False)
        self.name, self.__doc__ = function.__qualname__, function.__doc__
        self.going_on = function

    def work(self, snapshot: State, known: _Answer | None, _seen: tuple[int, ...]) -> Result:
        """Work the answer out, from the earlier one if there is one."""
        return self.going_on(snapshot, None if known is None else known.value)

    def is_kept(self, _changed: AbstractSet[Input]) -> bool:
        """Return that every earlier answer may be of use."""
        return True


def _certain_inputs(item: Dependency) -> frozenset[Input]:
    if isinstance(item, Input):
        return frozenset((item,))
    return frozenset() if item.cuts_off else item.inputs


class _OfFile(NamedTuple):
    """What a query said of one file, and of which facts of it."""

    file: FileFacts
    facts: tuple[Fact, ...]
    value: Any


class _OfFiles(NamedTuple):
    """What a query said of the files of a snapshot, in their order, and what of it is told."""

    of: Sequence[FileFacts]
    answers: Sequence[_OfFile | None]
    values: Mapping[str, Any]

    def known(self, files: Sequence[FileFacts]) -> Iterable[tuple[FileFacts, _OfFile | None]]:
        """Return files, each with what was said of the one with its path."""
        if edits_between(self.of, files) is not None:
            return zip(files, self.answers, strict=True)
        by_path = {answer.file.path: answer for answer in self.answers if answer is not None}
        return ((file, by_path.get(file.path)) for file in files)


_NOTHING: Final = _OfFiles((), (), {})


class FileQuery(_Memoised, Generic[State, OfFile]):
    """A function of some of a file's facts, its path, and a snapshot; answered file by file."""

    def __init__(
        self,
        function: Callable[[str, Sequence[Any], State], OfFile],
        of: Iterable[FactsInput],
        depends_on: Iterable[Dependency],
    ) -> None:
        """Take the function, the facts that it is handed, and what else it depends on."""
        self.of = tuple(of)
        self.others = tuple(depends_on)
        super().__init__(function.__qualname__, (*self.of, *self.others))
        self.__doc__ = function.__doc__
        self.function = function
        self.types = frozenset().union(*(item.types for item in self.of))
        self._shared: frozenset[Input] = _Memoised("", self.others).inputs

    def __call__(self, snapshot: State) -> Mapping[str, OfFile]:
        """Return what the function says, by the paths of the files that have such facts."""
        return snapshot.memo.answer(self, snapshot).values  # type: ignore[no-any-return]

    def work(self, snapshot: State, known: _Answer | None, seen: tuple[int, ...]) -> _OfFiles:
        """Work out the answers of the files whose facts are others than before."""
        count = len(self.of)
        is_shared = known is not None and known.seen[count:] == seen[count:]
        before: _OfFiles = known.value if known is not None and is_shared else _NOTHING
        answers = [
            # Most are what they were, and asked again at each edit.
            answer
            if answer is not None and answer.file is file
            else self._of_file(file, answer, snapshot)
            for file, answer in before.known(snapshot.files)
        ]
        told = {
            answer.file.path: answer.value
            for answer in answers
            if answer is not None and answer.facts
        }
        return _OfFiles(snapshot.files, answers, told)

    def _of_file(self, file: FileFacts, known: _OfFile | None, snapshot: State) -> _OfFile | None:
        """Return what is said of a file; None of one without facts."""
        if not file.facts:
            return None
        facts = tuple(fact for fact in file.facts if type(fact) in self.types)
        if known is not None and known.facts == facts:
            return _OfFile(file, known.facts, known.value)
        return _OfFile(file, facts, self.function(file.path, facts, snapshot) if facts else None)

    def is_kept(self, changed: AbstractSet[Input]) -> bool:
        """Return whether there can be files of which the answer stands."""
        return self._shared.isdisjoint(changed)


def query(
    *, depends_on: Iterable[Dependency], cuts_off: bool = False
) -> Callable[[Callable[[State], Result]], Query[State, Result]]:
    """Make a function of a snapshot a query, which is worked out again when it is stale alone.

    With `cuts_off` an answer that equals the one before leaves standing what depends on it; that is
    for small values.
    """

    def mark(function: Callable[[State], Result]) -> Query[State, Result]:
        return Query(function, depends_on, cuts_off=cuts_off)

    return mark


def continued_query(
    *, depends_on: Iterable[Dependency]
) -> Callable[[Callable[[State, Result | None], Result]], ContinuedQuery[State, Result]]:
    """Make a function of a snapshot and its earlier answer a query that goes on from that."""

    def mark(function: Callable[[State, Result | None], Result]) -> ContinuedQuery[State, Result]:
        return ContinuedQuery(function, depends_on)

    return mark


def file_query(
    *, of: Iterable[FactsInput], depends_on: Iterable[Dependency] = ()
) -> Callable[[Callable[[str, Sequence[Any], State], OfFile]], FileQuery[State, OfFile]]:
    """Make a function of a path, its file's facts and a snapshot a query about each file.

    It is handed the facts `of` these inputs alone, and asked where a file has any. It is worked out
    again for a file when these facts are others, and for all when something else is stale.
    """

    def mark(
        function: Callable[[str, Sequence[Any], State], OfFile],
    ) -> FileQuery[State, OfFile]:
        return FileQuery(function, of, depends_on)

    return mark


class Memo:
    """The answers that are known of the snapshots of one thing, and the inputs' revisions.

    It is about one snapshot at a time: the last that was asked. An answer is right whichever comes
    next, but two that take turns cost each the other's answers; they want a memo each.
    """

    def __init__(self) -> None:
        """Begin with nothing known."""
        self._now = 0
        self._snapshot: Callable[[], object] = lambda: None
        self._files: Sequence[FileFacts] = ()
        self._given: dict[Input, object] = {}
        self._revisions: dict[Input, int] = {}
        self._answers: dict[_Memoised, _Answer] = {}
        self._sound: dict[_Memoised, Any] = {}
        """The answers that are known to be right for this snapshot."""

    def answer(self, asked: _Memoised, snapshot: Snapshot) -> Any:
        """Return what a query says of a snapshot, worked out if it is not known or stale."""
        if self._snapshot() is not snapshot:
            self._turn_to(snapshot)
        try:
            return self._sound[asked]
        except KeyError:
            return self._checked(asked, snapshot)

    def forget(self, asked: _Memoised) -> None:
        """Let go of an answer that takes memory: it is worked out again if anybody asks."""
        self._answers.pop(asked, None)
        self._sound.pop(asked, None)

    def _checked(self, asked: _Memoised, snapshot: Snapshot) -> Any:
        """Return an answer of which it is not known whether it is right for this snapshot."""
        seen = tuple(self._revision(item, snapshot) for item in asked.depends_on)
        known = self._answers.get(asked)
        now = self._now
        if known is None or known.seen != seen:
            value = asked.work(snapshot, known, seen)
            if known is not None and asked.is_same(known.value, value):
                known = _Answer(known.value, seen, known.revision)
            else:
                known = _Answer(value, seen, now)
            if self._snapshot() is not snapshot:
                self._turn_to(snapshot)  # The work asked another one.
            self._answers[asked] = known
        if now == self._now:
            self._sound[asked] = known.value
        return known.value

    def _revision(self, item: Dependency, snapshot: Snapshot) -> int:
        if not isinstance(item, Input):
            self.answer(item, snapshot)
            return self._answers[item].revision
        if item not in self._revisions:
            self._given[item] = item.read(snapshot)
            self._revisions[item] = self._now
        return self._revisions[item]

    def _turn_to(self, snapshot: Snapshot) -> None:
        """Note in which inputs a snapshot differs from the last one; drop what is of no use now."""
        self._now += 1
        self._snapshot = ref(snapshot)
        self._sound.clear()
        changed = set()
        edits = edits_between(self._files, snapshot.files)
        self._files = snapshot.files
        for item, before in tuple(self._given.items()):
            after = self._given[item] = item.read(snapshot)
            if not item.is_same(before, after, edits):
                self._revisions[item] = self._now
                changed.add(item)
        for asked in tuple(self._answers):
            if not asked.inputs.isdisjoint(changed) and not asked.is_kept(changed):
                del self._answers[asked]
