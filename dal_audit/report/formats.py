"""The names of the report formats, apart from the code of any: the command line lists them."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, get_args

Format: TypeAlias = Literal[
    "text",
    "concise",
    "json",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "rdjson",
    "markdown",
    "html",
]
FORMATS: Final[tuple[Format, ...]] = get_args(Format)
STATISTICS: Final[frozenset[Format]] = frozenset({"text", "concise", "json"})
"""The formats in which findings can be counted instead of listed."""
