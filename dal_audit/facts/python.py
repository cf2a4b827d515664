"""What a Python file says about storage: imports and names, classes, SQL, URLs.

What a file in another language can say as well is written in the same words.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from dal_audit.facts.any_language import NotebookCell, NotUnderstood, Suppression
from dal_audit.facts.exceptions import CaughtTuple, ErrorTranslation, HandlerTies
from dal_audit.facts.mentions import NameMentions
from dal_audit.facts.record_bytes import Unpacking
from dal_audit.facts.source import Edit, FactRecord, Span, TaggedFact
from dal_audit.facts.values import ValueFacts

UseKind: TypeAlias = Literal[
    "annotation",
    "base",
    "call",
    "except",
    "value",
    "isinstance",
    "issubclass",
    "cast",
    "pattern",
    "type",
    "dependency",
    "derive",
    "downcast",
]
"""The part that a reference plays where it stands; `isinstance` to `type` ask what an object's
class is (`pattern` in a `case`, `type` where `type(x)` is compared), or say it; a `dependency` is
called by a framework, which hands its result to a parameter (`Depends(get_session)`).
A type has a trait `derive`d, and is gone down to by a `downcast` (`downcast_ref::<T>()`)."""


class Reference(FactRecord, frozen=True):
    """A use of an imported name: where it stands, what it resolves to, and its part there.

    `name` is the dotted name that the text resolves to through the file's imports, for example
    `sqlalchemy.orm.Session` for `Session` after `from sqlalchemy.orm import Session`.
    """

    span: Span
    name: str
    role: UseKind
    together: int = 0
    """The first line of the patterns that it is caught together with; 0 where it is alone."""
    owner: str = ""
    """The class that it declares a part of: among its bases, or in its body outside of functions;
    dotted where it is nested, empty where there is none."""
    spelled: str | None = None
    """What stands there where that is another name for it; empty where that is no name."""


_USES: Final[Unpacking[Reference]] = Unpacking(Reference)


class Target(FactRecord, frozen=True):
    """One thing that an import statement names.

    `name` is its absolute dotted name (`a.b` for `import a.b`, `a.b.c` for `from a.b import c`, and
    `a.b.*` for a star); `bound` is the local name that it binds, empty for a star.
    """

    span: Span
    name: str
    bound: str
    packed_uses: bytes | tuple[Reference, ...] = b""
    """Its uses as they are held (`packed`)."""
    removal: tuple[Span, Span] | None = None
    """What goes with it, where nothing can miss it and other names of its statement stay: where one
    behind it stays, and where one before it does. None where something may miss it."""

    @property
    def uses(self) -> tuple[Reference, ...]:
        """The uses of what it binds, in the order of the text."""
        return _USES(self.packed_uses)


class Import(TaggedFact, frozen=True):
    """An import statement that names a catalogued module.

    `module` is the dotted name after `from`, and `module_span` its place; both are None for a plain
    `import`. `statement` spans the whole statement.
    """

    statement: Span
    targets: tuple[Target, ...]
    module: str | None = None
    module_span: Span | None = None
    type_checking: bool = False
    by_path: bool = False
    """Whether there is no statement, but paths that lead where an import would (Rust)."""
    is_offer: bool = False
    """Whether the statement offers to others what it imports, in so many words (`pub use`)."""
    is_covered: bool = False
    """Whether another rule says more of what stands at the first of these paths."""
    is_quoted: bool = False
    """Whether all these paths stand in code that a macro writes for others (`quote!` in Rust)."""
    removal: tuple[Edit, ...] = ()
    """What takes the whole statement out; empty where something may miss it, or its comment."""
    is_call: bool = False
    """Whether there is no statement, but a call or a look-up that loads the module by its name."""

    def binds_top(self, target: Target) -> bool:
        """Return whether a target binds its first component alone, as `import a.b` binds `a`."""
        return self.module is None and target.bound == target.name.partition(".")[0]

    def written(self, target: Target, use: Reference) -> str:
        """Return a use as the file spells it: `db.Row`, where that means `app.db.Row`."""
        origin = target.bound if self.binds_top(target) else target.name.removesuffix("*")
        return target.bound + use.name[len(origin) :]


class DynamicImport(TaggedFact, frozen=True):
    """A call or look-up that loads a module by a name made at run time.

    `span` is the narrowest text that gives the name, `statement` the statement around it, `how` the
    dotted name of what loads it, and `names` what the name can be, folded from constants.
    """

    span: Span
    statement: Span
    how: str
    names: tuple[str, ...]
    type_checking: bool = False
    by_helper: bool = False
    """Whether it loads modules only if it is one of the project's own import helpers."""


BindingKind: TypeAlias = Literal[
    "import", "alias", "type", "collection", "call", "annotation", "class", "function", "on-demand"
]
"""How a module came by a name: it imported it, named something else by it, put a type together
(`A | B`, `Annotated[A, …]`, `NewType`) or a collection, called something for it, annotated it,
defined it as a class or as a function, or gives it when its `__getattr__` is asked for it."""


class Export(FactRecord, frozen=True):
    """A module-level name, which other modules can import.

    `origins` are the dotted names that it stands for: what was imported or named, the function that
    was called, the annotated type, the class's bases, what a function gives. A relative import
    keeps its leading dots, a name of the same module is marked with `OWN_MODULE`; calls and
    items in a name are the parts `CALL` and `ITEM`.
    """

    name: str
    span: Span
    made: BindingKind
    origins: tuple[str, ...]
    used: bool = False
    """Whether the module itself uses what it imported under this name."""
    renamed: bool = False
    """Whether the import says `as`: `import x as x` offers `x` to others (PEP 484, stub files)."""
    reach: str = ""
    """The module in which, and below which, it is visible at all; empty where nothing limits it."""


class ModuleExports(TaggedFact, frozen=True):
    """What a module offers to others: a fact of that file alone."""

    span: Span
    exports: tuple[Export, ...]
    stars: tuple[str, ...] = ()
    """The modules of `from … import *`."""
    offered: tuple[str, ...] | None = None
    """The names in `__all__` that are written out; None where there is no `__all__`."""
    star_spans: tuple[Span, ...] = ()
    """Where each of the stars stands."""
    offers_more: bool = False
    """Whether `__all__` holds further names, which are not written out."""
    executing: tuple[str, ...] = ()
    """The functions that hand a parameter on, as it is, to a call that executes SQL."""
    is_dynamic: bool = False
    """Whether the module makes names on demand, by a `__getattr__` (PEP 562)."""
    offers_stars: bool = False
    """Whether what the stars bring is offered to others."""
    inner: str = ""
    """The dotted name of the module within the file's own, where a file holds several (Rust)."""
    reach: str = ""
    """The module beyond which nothing here is seen; empty where there is none."""
    removals: tuple[tuple[str, Span], ...] = ()
    """What goes with a name that was taken from others when it is taken out of `__all__`."""
    defines: bool = False
    """Whether the module defines a function or a class in its own block."""


class SqlText(TaggedFact, frozen=True):
    """SQL that is handed to a call which executes it, or to one that builds a statement of it.

    `span` is the narrowest text that shows it, `statement` the statement around it; `text` is the
    SQL as far as it is known, `does` says in a few words what it does, and `how` is the call as a
    message names it.
    """

    span: Span
    statement: Span
    text: str
    does: str
    how: str
    receivers: tuple[str, ...] = ()
    """The dotted names that the call's receiver comes from, where they matter: empty where it is
    not known, and where the call is a database's whoever receives it."""
    builds: bool = False
    written: Span | None = None
    """Where the text is written, if not in the call itself."""


class HandedSql(TaggedFact, frozen=True):
    """SQL that is handed to a function of another module, which may hand it on.

    `span` is the argument, `statement` what stands around the call; `function` is the dotted name
    of what is called, `shown` the same as the file writes it, and `does` says what the SQL does.
    """

    span: Span
    statement: Span
    function: str
    shown: str
    does: str


class ConnectionUrl(TaggedFact, frozen=True):
    """A database URL in a literal: where it stands, its scheme, and the store that this means.

    `secrets` are the places of the passwords in it; no fact holds a password. A throw-away one has
    none, and leads to this machine, to an example, or into memory; Rust tells of none.
    """

    span: Span
    statement: Span
    scheme: str
    store: str
    secrets: tuple[Span, ...] = ()
    is_throwaway: bool = False


class TypeName(FactRecord, frozen=True):
    """A type that an annotation names, and where; `origin` reads like an `Export`'s origins."""

    span: Span
    origin: str


ParameterKind: TypeAlias = Literal["positional-only", "plain", "list", "keyword-only", "mapping"]
"""How arguments reach a parameter: by position alone, by position or name, all further ones by
position (`*args`), by name alone, all further ones by name (`**kwargs`)."""


class Parameter(FactRecord, frozen=True):
    """A parameter of a method, without `self` and `cls`.

    `types` are those of its annotation and what its default names.
    """

    name: str
    kind: ParameterKind
    has_default: bool
    types: tuple[TypeName, ...] = ()


MemberKind: TypeAlias = Literal["method", "property", "attribute", "class"]


class Member(FactRecord, frozen=True):
    """A member of a class.

    `types` are the annotated types: what a method or property returns, what an attribute is, the
    bounds of a method's own type parameters; for what is no type of a module (`None`, a literal) it
    is the name that Python has for it. `decorators` are the last names of what decorates a method.
    `made_by` are the origins of what is called for an attribute's value (`self.x = connect(…)`), or
    for what a method returns; `gives` are the attributes of the object that it returns
    (`return self._pool`). `local` says that an attribute is only set in a method.
    """

    name: str
    span: Span
    kind: MemberKind
    types: tuple[TypeName, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    made_by: tuple[str, ...] = ()
    gives: tuple[str, ...] = ()
    is_async: bool = False
    """Whether what a call gives must be awaited; an asynchronous generator's must not."""
    is_abstract: bool = False
    is_bound: bool = True
    """Whether it is called on an object or the class, unlike a static method."""
    has_body: bool = False
    """Whether a method does anything but raise, pass, or say `...`; whether an attribute has a
    value."""
    refuses: bool = False
    """Whether a method raises, and does nothing else."""
    local: bool = False
    decorators: tuple[str, ...] = ()
    executed: tuple[str, ...] = ()
    """The parameters that a method hands on, as they are, to a call that executes SQL."""
    is_value: bool = False
    """Whether `types` are what an attribute was set to (`x = T`), and no annotation of it."""
    is_private: bool = False
    """Whether the language hides it from others; a name with `_` before it is private, too."""


_MEMBERS: Final[Unpacking[Member]] = Unpacking(Member)


class ClassDefinition(TaggedFact, frozen=True):
    """A class: its name (dotted where it is nested), its bases and members.

    `extent` are the first and the last line of its header, `decorators` the origins of what
    decorates it; `arguments` are the types that its bases take in brackets, and the bounds of its
    own type parameters.
    """

    name: str
    span: Span
    extent: tuple[int, int]
    bases: tuple[TypeName, ...]
    packed_members: bytes | tuple[Member, ...] = b""
    """Its members as they are held (`packed`)."""
    decorators: tuple[str, ...] = ()
    arguments: tuple[TypeName, ...] = ()
    is_trait: bool = False
    """Whether the language itself makes it an interface, which declares what others implement."""
    is_open: bool = False
    """Whether nobody in view implements it, so that somebody else must."""

    @property
    def members(self) -> tuple[Member, ...]:
        """Its members, in the order of the text."""
        return _MEMBERS(self.packed_members)


FORWARDING: Final = frozenset({"__getattr__", "__getattribute__", "__getitem__"})
"""Special methods that are asked for any attribute or item."""

TELLS_NOTHING: Final = frozenset(
    {"Any", "object", "Annotated", "ClassVar", "Final", "Optional", "Union", "type", "Type"}
    | {"Awaitable", "Coroutine", "Generator", "AsyncGenerator", "Iterator", "AsyncIterator"}
    | {"Iterable", "AsyncIterable", "ContextManager", "AsyncContextManager", "Callable"}
    | {"AbstractContextManager", "AbstractAsyncContextManager"}
)
"""The last names of types that say nothing of what is in them."""


class StringAnnotationName(TaggedFact, frozen=True):
    """A name of a driver in a string annotation, in a module that does not bind it otherwise."""

    span: Span
    name: str


class ClassNameTest(TaggedFact, frozen=True):
    """A comparison of the name of an object's class with texts: `type(x).__name__ == "Store"`.

    `span` is the comparison, or the pattern, and `names` are the texts.
    """

    span: Span
    names: tuple[str, ...]


PythonFact: TypeAlias = (
    Import
    | ClassNameTest
    | StringAnnotationName
    | ErrorTranslation
    | CaughtTuple
    | HandlerTies
    | DynamicImport
    | ModuleExports
    | NameMentions
    | ClassDefinition
    | ValueFacts
    | SqlText
    | HandedSql
    | ConnectionUrl
    | Suppression
    | NotUnderstood
    | NotebookCell
)
