"""Which classes outside storage keep what a program works with: its state, settings or context."""

from __future__ import annotations

import re
from typing import Final

from dal_audit.assemble.class_hierarchy import Class, Hierarchy
from dal_audit.catalogue.drivers import RUST

_WORDS: Final = frozenset(
    [
        "Config",
        "Configuration",
        "Container",
        "Context",
        "Dependencies",
        "Deps",
        "Globals",
        "Resources",
        "Services",
        "Settings",
        "State",
    ]
)
"""What such classes are called, by whole words of the name."""

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z0-9]*|[a-z0-9]+")


_RUST_WORDS: Final = _WORDS | {"App", "Application", "Ctx", "Env"}
"""What such structs are called in Rust, where no framework's base says what a type is."""


def is_state_name(name: str, *, is_rust: bool) -> bool:
    """Return whether a class is called as what keeps a program's state is."""
    words = _WORD.findall(name.rpartition(".")[2])
    return not (_RUST_WORDS if is_rust else _WORDS).isdisjoint(words)


def keeps_state(candidate: Class, hierarchy: Hierarchy) -> bool:
    """Return whether a class keeps what others work with, by its name or as a record of fields.

    A context manager is no context: it is about a `with` block.
    """
    words = _WORD.findall(candidate.shape.name.rpartition(".")[2])
    if words[-2:] == ["Context", "Manager"]:
        return False
    is_rust = candidate.name.startswith(RUST)
    if is_state_name(candidate.shape.name, is_rust=is_rust):
        return True
    return hierarchy.is_made_of_fields(candidate)
