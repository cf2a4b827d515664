"""What names evidently stand for, and the attributes that are read of them."""

from __future__ import annotations

from dal_audit.facts.source import FactRecord, Span, TaggedFact

CALL = "()"
"""The part of a dotted name that calls what stands before it (`create_engine.().connect`)."""

ITEM = "[]"
"""The part of a dotted name that takes an item of what stands before it."""

HEIRS_OF = "class "
"""Stands before the name of a class whose heirs read of themselves what it hands out."""

LOADER = "import_module"
"""Stands among the names that a file's bytes access where they may load a module by its name."""

OWN_MODULE = "self:"
"""Stands before a dotted name that begins with a name of the module itself."""


class AbstractValue(FactRecord, frozen=True):
    """What is known of a value: the dotted name that it begins with, and the steps from there.

    `origin` reads like an `Export`'s; `is_object` says that the value is an object of that type.
    Steps are the names of attributes, `CALL` and `ITEM`: `hs.get_datastores().main`, with `hs:
    HomeServer`, is an object of `HomeServer` and the steps `get_datastores`, `()`, `main`.
    """

    origin: str
    is_object: bool = False
    steps: tuple[str, ...] = ()


class AttributeRead(FactRecord, frozen=True):
    """An attribute that is read from a receiver, and all that the receiver can be.

    `span` is the narrowest text that shows it; `lines` are the first and the last of its statement.
    `sql` says what text does that the attribute is handed, as its only or first one that is SQL.
    `by_self` says that a method reads it of its own object, `caught` that an `except` names it.
    """

    span: Span
    lines: tuple[int, int]
    attribute: str
    shown: str
    receivers: tuple[AbstractValue, ...]
    sql: str = ""
    by_self: bool = False
    caught: bool = False


class ValueFacts(TaggedFact, frozen=True):
    """What the names of a module evidently stand for, and the accesses in it that matter.

    `values` are by the name of a module-level name (`store`), of a class's attribute or property
    (`App.store`), or of what a function or method returns (`make_store()`, `App.get_store()`).
    `classes` are their bases' origins by their names.
    """

    span: Span
    values: tuple[tuple[str, tuple[AbstractValue, ...]], ...]
    classes: tuple[tuple[str, tuple[str, ...]], ...]
    stars: tuple[str, ...] = ()
    accesses: tuple[AttributeRead, ...] = ()
    is_whole: bool = True
    """Whether all of that is known; else the accesses alone, until someone asks for the rest."""
