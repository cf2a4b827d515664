"""What a check is, and what it says: the words shared by checks, judge and triage."""

from __future__ import annotations

import importlib
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from msgspec import Struct

from dal_audit.assemble.project import Project
from dal_audit.catalogue.rulebook import Rule
from dal_audit.facts import FileFacts
from dal_audit.judge.breach import Breach


class Check(Struct, frozen=True):
    """The code of a rule: a pure function of one subject, its file and the project.

    The type of the function's first parameter decides what it is handed: each fact of that type (of
    each of a union's types), the facts of each file that has any, or the project itself.
    """

    rule_id: str
    subjects: tuple[type, ...]
    function: Callable[..., Iterable[Breach]]

    def __call__(self, subject: Any, file: FileFacts | None, project: Project) -> Iterator[Breach]:
        """Yield the breaches that the check sees."""
        if self.subjects == (Project,):
            yield from self.function(project)
        elif self.subjects == (FileFacts,):
            yield from self.function(file, project)
        else:
            yield from self.function(subject, file, project)


Function = typing.TypeVar("Function", bound=Callable[..., Iterable[Breach]])


def check(rule_id: str) -> Callable[[Function], Function]:
    """Mark a function as the check of a rule."""

    def mark(function: Function) -> Function:
        function.__dict__["rule_id"] = rule_id
        return function

    return mark


@cache
def check_of(rule: Rule) -> Check:
    """Return the check of a rule: the function of the rule's stem in the module of that name.

    Raises LookupError for a rule whose document and code do not belong together.
    """
    module = importlib.import_module(f"dal_audit.checks.{rule.stem}")
    function = getattr(module, rule.stem)
    if getattr(function, "rule_id", None) != rule.id:
        raise LookupError(f"the check in {module.__name__} is not marked as {rule.id}")
    # The first annotation alone is of interest, and to evaluate one takes as long as to import.
    name, annotation = next(iter(function.__annotations__.items()))
    asked = types.SimpleNamespace(__annotations__={name: annotation})
    first = typing.get_type_hints(asked, function.__globals__)[name]
    return Check(rule.id, typing.get_args(first) or (first,), function)
