"""Which of a module's names its definitions mention: what works with a driver, and what does not.

Told by the words of the text, which is quick and leaves nothing out; a word in a comment counts.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from dal_audit.extract.python.definitions import assignments
from dal_audit.extract.python.parse.import_places import own_statements
from dal_audit.extract.python.parse.walk import FUNCTIONS
from dal_audit.extract.python.scopes import Scope
from dal_audit.extract.source import Lines
from dal_audit.facts import START, NameMentions, packed

_WORD: Final = re.compile(r"[^\W\d]\w*")
_PLAIN_WORDS: Final = "".join(
    chr(code) if chr(code).isalnum() or chr(code) == "_" else " " for code in range(128)
)
"""What ASCII becomes so that splitting it yields the same, in a quarter of the time."""


def name_mentions(
    tree: ast.Module, lines: Lines, imported: AbstractSet[str], module: Scope
) -> Iterator[NameMentions]:
    """Yield what a module's definitions mention, if one of its classes inherits anything.

    `imported` are the names that imports bind in any of its blocks.
    """
    statements = list(own_statements(tree))
    if not any(isinstance(statement, ast.ClassDef) and statement.bases for statement in statements):
        return
    names = imported | module.bindings.keys()
    found: dict[str, set[str]] = {}
    for statement in statements:
        defined = list(_defined(statement))
        words = names.intersection(_words(statement, lines)) if defined else ()
        for name in defined:
            found.setdefault(name, set()).update(words)
    for name in module.bindings.keys() - imported - found.keys():
        found[name] = set(names)  # A loop's target, for one: what it is may be anything's.
    yield NameMentions(
        START, packed((name, tuple(sorted(found[name] - {name}))) for name in sorted(found))
    )


def _defined(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement defines."""
    if isinstance(statement, (*FUNCTIONS, ast.ClassDef)):
        yield statement.name
    for targets, _, _ in assignments(statement):
        for target in targets:
            yield from (part.id for part in ast.walk(target) if isinstance(part, ast.Name))


def _words(statement: ast.stmt, lines: Lines) -> Iterable[str]:
    """Return the words in the lines of a statement, and of what decorates it."""
    decorators = getattr(statement, "decorator_list", ())
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    last = statement.end_lineno or first
    end = lines.starts[last] if last < len(lines.starts) else None
    text = lines.text[lines.starts[first - 1] : end]
    if lines.ascii:
        return text.translate(_PLAIN_WORDS).split()
    return _WORD.findall(unicodedata.normalize("NFKC", text))
