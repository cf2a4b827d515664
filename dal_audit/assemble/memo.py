"""What follows from a project, worked out once and kept with it as long as it lives."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from dal_audit.assemble.project import Project

Result = TypeVar("Result")

_LINKED: Final[set[str]] = set()


def once(function: Callable[[Project], Result]) -> Callable[[Project], Result]:
    """Keep what a function says of a project, and say it again when it is asked again."""
    name = f"{function.__module__}.{function.__qualname__}"

    @wraps(function)
    def kept(project: Project) -> Result:
        memo = project.__dict__
        if name not in memo:
            memo[name] = function(project)
        return memo[name]  # type: ignore[no-any-return]

    return kept


def once_linked(function: Callable[[Project], Result]) -> Callable[[Project], Result]:
    """Do the same for what follows from imports, shapes and classes alone.

    It holds, too, for the project with further facts that are none of these.
    """
    _LINKED.add(f"{function.__module__}.{function.__qualname__}")
    return once(function)


def linked() -> frozenset[str]:
    """Return under which names a project keeps what was `once_linked`."""
    return frozenset(_LINKED)
