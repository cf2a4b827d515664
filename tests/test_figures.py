"""The figures of a package's code, on code whose figures can be counted by hand."""

from __future__ import annotations

from tests.tools.figures import Function, measure

CODE = '''\
import ast
from pathlib import Path

LIMIT: int = 3
_hidden = public, other = 1, 2

class Reader:
    def read(self, *rest, key=None):
        """Read."""
        import json
        if rest and key or self:
            pass
        elif key:
            for one in [x for x in rest if x]:
                with one:
                    return json
        def inner():
            while True:
                pass
        return None if key else inner
'''


def test_a_file_is_measured() -> None:
    module = measure("reader.py", CODE)
    assert (module.lines, module.public, module.late_imports) == (20, 4, 1)
    assert (module.vague, module.words) == (1, 2)
    assert module.functions == (
        Function("reader.py:8", "read", 13, 9, nesting=4, depth=3, parameters=3, documented=True),
        Function("reader.py:17", "inner", 3, 2, nesting=1, depth=1, parameters=0, documented=False),
    )
