"""What Python says of a program while it parses it: of escapes that are none, above all."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unheard() -> Iterator[None]:
    """Let warnings about the audited code go by: they are no business of ours.

    Nor may they end its reading, as they do where the environment turns them into errors.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
