"""Addresses of the rule book on the web."""

from __future__ import annotations

from typing import Final

from dal_audit.catalogue.rulebook import Rule

HOME: Final = "https://github.com/dal-audit/dal-audit"
"""The repository of dal-audit itself."""


def document_of(rule: Rule) -> str:
    """Return the address of a rule's document."""
    return f"{HOME}/blob/main/rules/{rule.name}.md"
