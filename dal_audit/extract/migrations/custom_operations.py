"""Classes of operations that a Django project makes of `RunSQL` and `RunPython`.

One that hands on nothing to run backwards cannot be reversed, wherever it is used. Source: Django's
`db/migrations/operations/special.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from dal_audit.extract.migrations.project_modules import module_tree, path_of_module
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.facts.migrations import Half, Revision

_REVERSES: Final = {"RunSQL": "reverse_sql", "RunPython": "reverse_code"}
_OVERRIDES: Final = frozenset({"database_backwards", "reversible", "reverse_sql", "reverse_code"})
"""What a class says by itself of the way back."""
_BASES: Final = 5
"""How many classes of the project's own one may be derived from."""


def with_customs(
    revisions: Mapping[str, Revision], text_of: Callable[[str], str | None], paths: Sequence[str]
) -> dict[str, Revision]:
    """Return revisions that know of their own operations whether they can be reversed.

    `text_of` gives the text of one of the project's Python files, whose `paths` are given.
    """
    known: dict[tuple[str, str], bool] = {}
    return {
        path: _checked(path, revision, known, text_of, paths) if revision.customs else revision
        for path, revision in revisions.items()
    }


def _checked(
    path: str,
    revision: Revision,
    known: dict[tuple[str, str], bool],
    text_of: Callable[[str], str | None],
    paths: Sequence[str],
) -> Revision:
    for custom in revision.customs:
        if custom.hands_reverse or revision.down.state == "raises":
            continue
        module, _, name = custom.origin.rpartition(".")
        key = (path_of_module(module, path, paths), name)
        if key not in known:
            text = text_of(key[0]) if key[0] else None
            known[key] = text is not None and _is_irreversible(text, name)
        if known[key]:
            return replace(revision, down=Half("raises", custom.span))
    return revision


def _is_irreversible(text: str, name: str) -> bool:
    """Return whether a class of a module makes operations that cannot be reversed."""
    tree = module_tree(text)
    body = tree.body if tree is not None else ()
    classes = {own.name: own for own in body if isinstance(own, ast.ClassDef)}
    for _base in range(_BASES):
        definition = classes.get(name)
        if definition is None or not _OVERRIDES.isdisjoint(_members(definition)):
            return False
        bases = [last_name(base) for base in definition.bases]
        initialiser = next((own for own in definition.body if _is_initialiser(own)), None)
        kind = next((base for base in bases if base in _REVERSES), "")
        if initialiser is not None:
            return bool(kind) and not _hands_reverse(initialiser)
        if kind or not bases:
            return bool(kind)
        name = bases[0]
    return False


def _members(definition: ast.ClassDef) -> Iterator[str]:
    for own in definition.body:
        if isinstance(own, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield own.name
        elif isinstance(own, ast.Assign):
            yield from (last_name(target) for target in own.targets)


def _is_initialiser(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.FunctionDef) and statement.name == "__init__"


def _hands_reverse(initialiser: ast.stmt) -> bool:
    """Return whether an `__init__` hands its base something to run backwards, or may do so."""
    for node in ast.walk(initialiser):
        if isinstance(node, ast.Call) and last_name(node.func) == "__init__":
            names = {keyword.arg for keyword in node.keywords}
            is_open = None in names or any(isinstance(own, ast.Starred) for own in node.args)
            return is_open or len(node.args) > 1 or not names.isdisjoint(_REVERSES.values())
    return True
