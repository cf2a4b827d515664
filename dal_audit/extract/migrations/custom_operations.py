"""Classes of operations that a Django project makes of `RunSQL` and `RunPython`.

One that hands on nothing to run backwards cannot be reversed, wherever it is used. Source: Django's
`db/migrations/operations/special.py`.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.scopes import imported_names
from dal_audit.facts.migrations import Half, Revision

_REVERSES: Final = {"RunSQL": "reverse_sql", "RunPython": "reverse_code"}
_OVERRIDES: Final = frozenset({"database_backwards", "reversible", "reverse_sql", "reverse_code"})
"""What a class says by itself of the way back."""
_BASES: Final = 5
"""How many classes of the project's own one may be derived from."""


def imported_origins(body: Sequence[ast.stmt]) -> dict[str, str]:
    """Return what the imported names of a module stand for; a relative one begins with its dots."""
    return {
        imported.name: imported.origin
        for statement in body
        if isinstance(statement, (ast.Import, ast.ImportFrom))
        for imported in imported_names(statement)
    }


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
        key = (_path_of(module, path, paths), name)
        if key not in known:
            text = text_of(key[0]) if key[0] else None
            known[key] = text is not None and _is_irreversible(text, name)
        if known[key]:
            return replace(revision, down=Half("raises", custom.span))
    return revision


def _path_of(module: str, path: str, paths: Sequence[str]) -> str:
    """Return the file of a module that a file imports; empty where that is not known."""
    bare = module.lstrip(".")
    dots = len(module) - len(bare)
    inner = bare.replace(".", "/")
    if dots:
        folder = path.split("/")[:-dots]
        wanted = "/".join([*folder, inner]) if inner else "/".join(folder)
        found = [own for own in paths if own in {f"{wanted}.py", f"{wanted}/__init__.py"}]
    else:
        ends = (f"/{inner}.py", f"/{inner}/__init__.py")
        found = [own for own in paths if f"/{own}".endswith(ends)]
    return found[0] if len(found) == 1 else ""


def _is_irreversible(text: str, name: str) -> bool:
    """Return whether a class of a module makes operations that cannot be reversed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    classes = {own.name: own for own in tree.body if isinstance(own, ast.ClassDef)}
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
