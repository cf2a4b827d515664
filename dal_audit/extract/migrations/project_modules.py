"""What a migration's own names stand for in the project's other modules, and these modules."""

from __future__ import annotations

import ast
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from dal_audit.extract.cache import Cache
from dal_audit.extract.extractor import read_bytes
from dal_audit.extract.parser_warnings import unheard
from dal_audit.extract.python.scopes import imported_names
from dal_audit.extract.source import UndecodableError, decode
from dal_audit.facts import SourceFile

MAX_BYTES: Final = 16 << 20
"""Larger files are no migrations and no settings; a dump of a database can be."""


def imported_origins(body: Sequence[ast.stmt]) -> dict[str, str]:
    """Return what the imported names of a module stand for; a relative one begins with its dots."""
    return {
        imported.name: imported.origin
        for statement in body
        if isinstance(statement, (ast.Import, ast.ImportFrom))
        for imported in imported_names(statement)
    }


def path_of_module(module: str, path: str, paths: Sequence[str]) -> str:
    """Return the file of a module that a file imports; empty where that is not known.

    What lies in a package is no outermost module: `app/sqlalchemy.py` is none that
    `import sqlalchemy` finds, where `app` is a package.
    """
    bare = module.lstrip(".")
    dots = len(module) - len(bare)
    inner = bare.replace(".", "/")
    if dots:
        folder = path.split("/")[:-dots]
        wanted = "/".join([*folder, inner]) if inner else "/".join(folder)
        found = [own for own in paths if own in {f"{wanted}.py", f"{wanted}/__init__.py"}]
    else:
        ends = (f"/{inner}.py", f"/{inner}/__init__.py")
        namesakes = _by_name(tuple(paths)).get(inner.rpartition("/")[2], ())
        found = [own for own in namesakes if f"/{own}".endswith(ends)]
        found = [own for own in found if _is_outermost(own, inner, paths)]
    return found[0] if len(found) == 1 else ""


@lru_cache(maxsize=2)
def _by_name(paths: tuple[str, ...]) -> Mapping[str, Sequence[str]]:
    """Return the files of modules by the last parts of the modules' names."""
    found: dict[str, list[str]] = {}
    for path in paths:
        module = path.removesuffix(".py").removesuffix("/__init__")
        found.setdefault(module.rpartition("/")[2], []).append(path)
    return found


def _is_outermost(path: str, module: str, paths: Sequence[str]) -> bool:
    """Return whether the folder that a module's dotted name begins in is no package."""
    folder = f"/{path}".removesuffix("/__init__.py").removesuffix(".py").removesuffix(f"/{module}")
    return not folder or f"{folder[1:]}/__init__.py" not in paths


def module_tree(text: str | None) -> ast.Module | None:
    """Return the tree of a module's text; None where there is none to be had."""
    try:
        with unheard():
            return None if text is None else ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def text_reader(
    modules: Mapping[str, SourceFile], cache: Cache | None
) -> Callable[[str], str | None]:
    """Return what reads the text of a module by its path; None where there is none to be had.

    What is read so is in no file's own facts: a kept audit hangs on every byte of it.
    """

    def read(path: str) -> str | None:
        if cache:
            cache.inquiry.bar([path])
        file = modules.get(path)
        return None if file is None else text_of(file.absolute, file.size)

    return read


def text_of(path: str, size: int = 0) -> str | None:
    """Return the text of a file, whose size is 0 where it is not known; None for what is none."""
    data = read_file(path, size)
    try:
        return None if data is None else decode(data)
    except UndecodableError:
        return None


def read_file(path: str, size: int) -> bytes | None:
    """Return a regular file's bytes; None where there are none to be had, or far too many."""
    try:
        status = os.stat(path)  # noqa: PTH116  # each file of a set is asked for
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            return None
        return read_bytes(path, size or status.st_size)
    except OSError:
        return None  # The look at its statements reports it, where it is one of SQL.
