"""Where the bytes of a notebook become the Python in its cells, before anything else reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec.structs import replace

from dal_audit.facts import FileFacts, NotUnderstood, Span

if TYPE_CHECKING:
    from dal_audit.extract.python.notebooks import Notebook

NOTEBOOK = ".ipynb"
"""What the names of Jupyter's notebooks end in."""


def python_bytes(path: str, data: bytes) -> tuple[bytes, Notebook | None]:
    """Return the Python in a file's bytes: all of them, but for a notebook, which comes with it.

    Raises UndecodableError for a notebook that is no text, ValueError for one that is none.
    """
    if not path.endswith(NOTEBOOK):
        return data, None
    from dal_audit.extract.python.notebooks import Notebook
    from dal_audit.extract.source import decode_script

    notebook = Notebook(decode_script(data))
    return notebook.text.encode("utf-8", "surrogatepass"), notebook


def facts_of_notebook(path: str, data: bytes, facts_of: Callable[[bytes], FileFacts]) -> FileFacts:
    """Return the facts of a notebook's code, at their places in its file."""
    from dal_audit.extract.source import UndecodableError, not_decoded

    try:
        code, notebook = python_bytes(path, data)
    except UndecodableError as error:
        return FileFacts(path, (not_decoded(data, error),), "read")
    except ValueError as error:
        span = Span(*[getattr(error, "lineno", 1), getattr(error, "colno", 1)] * 2)
        detail = getattr(error, "msg", str(error))
        return FileFacts(path, (NotUnderstood(span, "unparsable", detail),), "read")
    found = facts_of(code)
    return found if notebook is None else replace(found, facts=notebook.facts(found.facts))
