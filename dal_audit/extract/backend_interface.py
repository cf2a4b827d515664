"""What writing the interface of a backend needs of Python: its text, and the imports of a file."""

from __future__ import annotations

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.python.interface_text import ClassSource, InterfaceText, interface_text
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.source import decode
from dal_audit.facts import Import

__all__ = ["ClassSource", "InterfaceText", "imports_in", "interface_text"]


def imports_in(data: bytes, catalogue: Catalogue) -> list[Import]:
    """Return the import statements of a module, with the uses of what they bind.

    Raises UndecodableError.
    """
    return [fact for fact in python_facts(decode(data), catalogue) if isinstance(fact, Import)]
