"""Addresses of the rule book on the web, and of the audited files."""

from __future__ import annotations

import os
import posixpath
from typing import Final
from urllib.parse import quote

from dal_audit.catalogue.rulebook import Rule
from dal_audit.report.model import Report

HOME: Final = "https://github.com/dal-audit/dal-audit"
"""The repository of dal-audit itself."""


def document_of(rule: Rule) -> str:
    """Return the address of a rule's document."""
    return f"{HOME}/blob/main/rules/{rule.name}.md"


def file_address(path: str, report: Report, folder: str) -> str:
    """Return the address of an audited file, seen from the current folder (RFC 8089).

    Whatever the path is made of is written as its bytes, so that nothing in it ends a link.
    """
    place = posixpath.normpath(posixpath.join(folder, report.there, path))
    return f"file://{quote(os.fsencode(place))}"
