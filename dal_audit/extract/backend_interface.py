"""What writing the interface of a backend needs of Python: its text, and the imports of a file."""

from __future__ import annotations

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.python.interface_text import ClassSource, InterfaceText, interface_text
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.source import decode
from dal_audit.facts import Fact

__all__ = ["ClassSource", "InterfaceText", "facts_in", "interface_text"]


def facts_in(data: bytes, catalogue: Catalogue) -> list[Fact]:
    """Return the facts of a module: its imports, with the uses of what they bind, and its classes.

    Raises UndecodableError.
    """
    return list(python_facts(decode(data), catalogue))
