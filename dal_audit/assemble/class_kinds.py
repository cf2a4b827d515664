"""The names by which a class says what kind it is: its bases and decorators."""

from __future__ import annotations

from typing import Final

ABSTRACT_BASES: Final = frozenset(
    {"typing.Protocol", "typing_extensions.Protocol", "abc.ABC", "zope.interface.Interface"}
)
"""Bases that make a class an interface (library reference, `abc` and `typing.Protocol`)."""

PROTOCOLS: Final = ABSTRACT_BASES - {"abc.ABC"}
"""Bases of classes that declare and do not implement."""

PLAIN_BASES: Final = ABSTRACT_BASES | {"typing.Generic", "typing_extensions.Generic"}
"""Bases that bring no members which a user would call."""

RECORDS: Final = frozenset(
    {"typing.NamedTuple", "typing.TypedDict", "typing_extensions.TypedDict"}
    | {"pydantic.BaseModel", "pydantic_settings.BaseSettings", "pydantic.BaseSettings"}
    | {"msgspec.Struct"}
)
"""Bases of classes that are nothing but their fields."""

RECORD_MAKERS: Final = frozenset(
    {"dataclasses.dataclass", "pydantic.dataclasses.dataclass", "attr.dataclass", "attr.s"}
    | {"attr.attrs", "attr.define", "attr.frozen", "attr.mutable"}
    | {"attrs.define", "attrs.frozen", "attrs.mutable"}
)
"""Decorators that make a class of its fields."""
