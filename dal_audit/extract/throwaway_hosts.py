"""Database URLs that lead nowhere but to this machine, to an example, or into memory."""

from __future__ import annotations

import re
from typing import Final

_MEMORY: Final = re.compile(r"/?(?:file:)?:memory:(?:[?&].*)?|/?file:.*[?&]mode=memory(?:&.*)?")
_HOST: Final = re.compile(
    r"|localhost|127(?:\.\d{1,3}){3}|0\.0\.0\.0|\[::1?\]"
    r"|(?:[\w-]+\.)*(?:example|example\.(?:com|net|org)|test|invalid|localhost)",
    re.IGNORECASE,
)
"""This machine, and the names that are reserved for tests and documents (RFC 2606, RFC 6761)."""
_FILES: Final = frozenset({"SQLite", "DuckDB"})
"""The stores whose URLs name files, and no hosts."""


def is_throwaway(rest: str, store: str) -> bool:
    """Return whether nobody keeps data where a URL leads, given what follows its scheme.

    A host that is not written there is no such one, nor is a file.
    """
    if store in _FILES:
        return _MEMORY.fullmatch(rest) is not None
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    hosts = authority.rpartition("@")[2].split(",")
    return all(_HOST.fullmatch(_without_port(host)) for host in hosts)


def _without_port(host: str) -> str:
    """Return a host without its port, whatever is known of that."""
    name, colon, port = host.rpartition(":")
    return name if colon and "]" not in port else host
