"""What some work costs, in steps instead of seconds: a guard that no busy machine can upset.

A step is a line of dal-audit's code that is run, or a step of one of its regular expressions
(`tests.backtracking`). What other functions in C do by themselves (`str.find`, `sorted`) is not seen.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import BuiltinMethodType, CodeType, FrameType, ModuleType
from typing import Any, Final
from unittest import mock

import dal_audit
from tests.backtracking import Expression, compiled

_PACKAGE: Final = str(Path(dal_audit.__file__).parent)
_ALLOWANCE: Final = 1.25
_SLACK: Final = 200


class Counted(Expression):
    """A pattern that says what `re` says, and counts what that takes."""

    def __getattr__(self, name: str) -> Any:
        """Be the pattern in all that takes no steps."""
        return getattr(self.real, name)

    def match(self, text: Any, start: int = 0, limit: int = sys.maxsize) -> re.Match[Any] | None:
        found = self.real.match(text, start, limit)
        end = next(self.ends(text, start, min(limit, len(text))), None)
        assert end == (found.end() if found else None), self.real
        return found

    def fullmatch(self, text: Any, start: int = 0, limit: int = sys.maxsize) -> Any:
        found = self.real.fullmatch(text, start, limit)
        last = min(limit, len(text))
        assert (last in self.ends(text, start, last)) == (found is not None), self.real
        return found

    def search(self, text: Any, start: int = 0, limit: int = sys.maxsize) -> Any:
        found = self.real.search(text, start, limit)
        span = self.first(text, start, min(limit, len(text)))
        assert span == (found.span() if found else None), self.real
        return found

    def finditer(self, text: Any, start: int = 0, limit: int = sys.maxsize) -> Iterator[Any]:
        place = start
        for found in self.real.finditer(text, start, limit):
            self.first(text, place, min(limit, len(text)))
            place = found.end() + (found.end() == found.start())
            yield found
        self.first(text, place, min(limit, len(text)))

    def findall(self, text: Any, start: int = 0, limit: int = sys.maxsize) -> list[Any]:
        list(self.finditer(text, start, limit))
        return self.real.findall(text, start, limit)

    def split(self, text: Any, most: int = 0) -> list[Any]:
        list(self.finditer(text))
        return self.real.split(text, most)

    def sub(self, new: Any, text: Any, count: int = 0) -> Any:
        list(self.finditer(text))
        return self.real.sub(new, text, count)

    def subn(self, new: Any, text: Any, count: int = 0) -> Any:
        list(self.finditer(text))
        return self.real.subn(new, text, count)


def steps(work: Callable[[], object]) -> int:
    """Return how many steps some work takes."""
    lines = 0

    def count(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return count

    def enter(frame: FrameType, _event: str, _argument: object) -> Any:
        code: CodeType = frame.f_code
        return count if code.co_filename.startswith(_PACKAGE) else None

    with counted_expressions() as expressions:
        before = sys.gettrace()
        sys.settrace(enter)
        try:
            work()
        finally:
            sys.settrace(before)
    return lines + sum(expression.steps for expression in expressions.values())


@contextlib.contextmanager
def counted_expressions() -> Iterator[dict[re.Pattern[Any], Counted]]:
    """Let every expression of dal-audit count for a while, also those that are made meanwhile."""
    expressions: dict[re.Pattern[Any], Counted] = {}

    def counted(value: Any) -> Any:
        """Return a value with its expressions replaced, and the same one where it holds none."""
        if isinstance(value, re.Pattern):
            return expressions.setdefault(value, Counted(value))
        if isinstance(value, BuiltinMethodType) and isinstance(value.__self__, re.Pattern):
            return getattr(counted(value.__self__), value.__name__)
        if isinstance(value, (tuple, list)) and any(isinstance(part, re.Pattern) for part in value):
            return type(value)(map(counted, value))
        if isinstance(value, dict) and any(isinstance(x, re.Pattern) for x in value.values()):
            return {key: counted(part) for key, part in value.items()}
        return value

    def made(pattern: Any, flags: Any = 0) -> Any:
        return pattern if isinstance(pattern, Counted) else counted(compiled(pattern, flags))

    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(re, "_compile", made))
        for module in package_modules():
            for name, value in list(vars(module).items()):
                if counted(value) is not value:
                    stack.enter_context(mock.patch.object(module, name, counted(value)))
                if hasattr(value, "cache_clear"):
                    value.cache_clear()
                    stack.callback(value.cache_clear)
        yield expressions


def package_modules() -> list[ModuleType]:
    """Return the modules of dal-audit that are loaded."""
    return [
        module for name, module in sorted(sys.modules.items()) if name.split(".")[0] == "dal_audit"
    ]


def assert_linear(work: Callable[[int], Callable[[], object]], size: int) -> None:
    """Fail where work on inputs of doubled sizes takes more than twice the further steps.

    `work` prepares an input of a size, and returns what is to be done with it.
    """
    work(size)()  # What is loaded and compiled by a first time is none of the growth.
    once, twice, fourfold = (steps(work(size * factor)) for factor in (1, 2, 4))
    assert once > size, "what is counted is not what works"
    assert fourfold - twice <= 2 * _ALLOWANCE * (twice - once) + _SLACK, (once, twice, fourfold)
