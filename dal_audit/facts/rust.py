"""What a Rust file says, as it spells it: scopes, names, types and calls, none of them resolved.

What a path means depends on `Cargo.toml` and on other files. So these are the facts of a file
alone; where all files are known, they become the facts that every language has.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from dal_audit.facts.any_language import NotUnderstood, Suppression
from dal_audit.facts.python import ConnectionUrl, UseKind
from dal_audit.facts.source import FactRecord, Span, TaggedFact

ScopeKind: TypeAlias = Literal["module", "block", "macro"]
"""A module, the file's own or an inline one; a block with items of its own; the body of a macro,
whose paths resolve where it is used. One with a name is what `quote!` and its like are handed."""

NameSpace: TypeAlias = Literal["type", "value", "macro", "both"]
"""Rust has three spaces of names; a tuple struct is a type and a function."""


class RustScope(FactRecord, frozen=True):
    """A part of a file with names of its own; `parent` is the number of the one around it."""

    kind: ScopeKind
    name: str
    parent: int


class RustType(FactRecord, frozen=True):
    """A path in a type: `sqlx::PgPool` in `Arc<sqlx::PgPool>`."""

    path: str
    span: Span


class RustUse(FactRecord, frozen=True):
    """A leaf of a `use` tree, or an `extern crate`: its whole path, and the name that it binds.

    A glob's path ends in `::*`, and it binds none, as `as _` does. `reach` is what stands in
    `pub(…)`: `pub` for all, empty for private.
    """

    scope: int
    path: str
    bound: str
    span: Span
    statement: Span
    reach: str
    is_extern: bool = False


ItemKind: TypeAlias = Literal["type", "alias", "trait", "function", "value", "module", "macro"]


class RustItem(FactRecord, frozen=True):
    """What a scope defines: `types` are those of an alias, a static, or a function's result.

    `file` is what `#[path]` says of a module, `is_here` whether its body is in this file.
    """

    scope: int
    name: str
    kind: ItemKind
    space: NameSpace
    span: Span
    reach: str
    types: tuple[RustType, ...] = ()
    file: str = ""
    is_here: bool = True


class RustPath(FactRecord, frozen=True):
    """A path where it is used, and its part there.

    `together` is the first line of the `match` that several patterns belong to, 0 for none.
    """

    scope: int
    path: str
    span: Span
    role: UseKind
    together: int = 0


class RustParameter(FactRecord, frozen=True):
    """A parameter without `self`."""

    name: str
    types: tuple[RustType, ...]


class RustMember(FactRecord, frozen=True):
    """A field, a method or an associated type.

    `types` are a field's, a method's result and its own bounds; `gives` are the names of the fields
    and methods of the object itself that a method returns.
    """

    name: str
    span: Span
    kind: Literal["field", "method", "type"]
    reach: str
    types: tuple[RustType, ...] = ()
    parameters: tuple[RustParameter, ...] = ()
    has_body: bool = False
    takes_self: bool = False
    is_async: bool = False
    gives: tuple[str, ...] = ()


class RustShape(FactRecord, frozen=True):
    """A struct, an enum, a union or a trait; `bases` are a trait's supertraits."""

    scope: int
    name: str
    span: Span
    extent: tuple[int, int]
    is_trait: bool
    members: tuple[RustMember, ...]
    bases: tuple[RustType, ...] = ()
    bounds: tuple[RustType, ...] = ()
    reach: str = ""


class RustImpl(FactRecord, frozen=True):
    """An `impl` block: the paths of its trait, those of its type, and what it defines.

    The trait comes first, its arguments behind it; there is none for an inherent block.
    """

    scope: int
    span: Span
    extent: tuple[int, int]
    trait: tuple[RustType, ...]
    owner: tuple[RustType, ...]
    members: tuple[RustMember, ...]


class RustValue(FactRecord, frozen=True):
    """What is known of a value: the paths of its type, or of the call that made it, and the steps.

    Steps are the names of fields, and of methods with `()` behind them.
    """

    scope: int
    types: tuple[str, ...]
    steps: tuple[str, ...] = ()
    is_made: bool = False
    """Whether the path is that of a function which is called for the value."""


class RustRead(FactRecord, frozen=True):
    """A field or a method of a value whose type is known."""

    receiver: RustValue
    attribute: str
    shown: str
    span: Span
    lines: tuple[int, int]
    is_call: bool


class RustSql(FactRecord, frozen=True):
    """A call or a macro that is handed a text, or a constant that may hold one.

    `callee` is the path of what is called, or the method's name after a dot; `text` is what is
    known, with holes. `constant` is the path of what holds it, if it is none of the function's own,
    or `file:` and a path; `written` is where the text stands, if not in the call.
    """

    scope: int
    callee: str
    receiver: RustValue | None
    text: str
    constant: str
    span: Span
    statement: Span
    is_macro: bool = False
    written: Span | None = None
    does: str = ""
    """What the text does as SQL, in a few words; empty where it is none."""
    is_firm: bool = False
    """Whether the text is SQL whatever it is handed to."""
    engines: tuple[str, ...] | None = None
    """The engines that run the code around it, as far as that tells; None for all."""
    is_open: bool = False
    """Whether the text may be only how a longer one begins that is put together step by step."""


class RustText(FactRecord, frozen=True):
    """A constant's text; `engines` are those that run the code around it, None for all."""

    scope: int
    name: str
    text: str
    span: Span
    does: str
    engines: tuple[str, ...] | None = None


class RustFile(TaggedFact, frozen=True):
    """All that a file spells: the first scope is its own module."""

    scopes: tuple[RustScope, ...]
    uses: tuple[RustUse, ...]
    items: tuple[RustItem, ...]
    paths: tuple[RustPath, ...]
    shapes: tuple[RustShape, ...]
    impls: tuple[RustImpl, ...]
    reads: tuple[RustRead, ...]
    calls: tuple[RustSql, ...]
    texts: tuple[RustText, ...]


RustFact: TypeAlias = RustFile | ConnectionUrl | Suppression | NotUnderstood


class CrateDependency(FactRecord, frozen=True):
    """A dependency by the name that the code has for it, and the package's own.

    `features` are those that the manifest asks of it, on whatever condition.
    """

    name: str
    package: str
    is_workspace: bool = False
    features: tuple[str, ...] = ()


class CargoManifest(FactRecord, frozen=True):
    """What a `Cargo.toml` says: `targets` are the paths of crate roots, `library` is its name.

    A manifest without a package has no `package`; `inherited` are `[workspace.dependencies]`.
    """

    package: str = ""
    library: str = ""
    library_path: str = ""
    edition: str = "2015"
    targets: tuple[str, ...] = ()
    dependencies: tuple[CrateDependency, ...] = ()
    inherited: tuple[CrateDependency, ...] = ()
    defaults: tuple[str, ...] = ()
    """The package's own features that are on where nobody says otherwise."""
