"""Tables that a migration names by a model of the project: `op.drop_table(Model.__tablename__)`.

A file's own facts hold the model's name; the table's is put in its place once it is known where the
model is defined.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from dal_audit.extract.migrations.project_modules import (
    imported_origins,
    module_tree,
    path_of_module,
)
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.facts.sql import MODEL_TABLE, SqlFileName, SqlStatement

if TYPE_CHECKING:
    from typing import TypeAlias

    Found: TypeAlias = tuple[SqlStatement | SqlFileName, ...]


def with_model_tables(
    found: Mapping[str, Found], paths: Sequence[str], read: Callable[[str], str | None]
) -> dict[str, Found]:
    """Return the statements of files, by their paths, with the names of models' tables.

    `paths` are those of all Python files of the project; `read` returns the text of one, None where
    there is none to be had. A model that is not found keeps its name.
    """
    models = _Models(paths, read)
    return {path: models.named(path, own) for path, own in found.items()}


class _Models:
    """Looks up the tables of models, reading each module once."""

    def __init__(self, paths: Sequence[str], read: Callable[[str], str | None]) -> None:
        self._paths = paths
        self._read = read
        self._tables: dict[str, Mapping[str, str]] = {}

    def named(self, path: str, found: Found) -> Found:
        """Return the statements of a file with the names that its models' tables have."""
        encoded = msgspec.json.encode(found)
        if MODEL_TABLE.encode() not in encoded:
            return found
        data = encoded.decode()
        for spelled, table in self._tables_of(path, data):
            data = data.replace(spelled, table)
        read: Found = msgspec.json.decode(data, type=tuple[SqlStatement | SqlFileName, ...])
        return read

    def _tables_of(self, path: str, data: str) -> Iterator[tuple[str, str]]:
        """Yield models that a file imports, as names have them, each with the name of its table.

        A name may begin with other words; so the longest model is taken first.
        """
        tree = module_tree(self._read(path))
        origins = imported_origins(tree.body) if tree is not None else {}
        for model in sorted(origins, key=len, reverse=True):
            spelled = f"{model}.{MODEL_TABLE}"
            if spelled not in data:
                continue
            module, _, name = origins[model].rpartition(".")
            home = path_of_module(module, path, self._paths) if module else ""
            if home not in self._tables:
                self._tables[home] = dict(_tables_in(module_tree(self._read(home))))
            table = self._tables[home].get(name, "")
            if table.isidentifier():
                yield spelled, table


def _tables_in(tree: ast.Module | None) -> Iterator[tuple[str, str]]:
    """Yield the models of a module with the names of their tables."""
    body = tree.body if tree is not None else ()
    for definition in (own for own in body if isinstance(own, ast.ClassDef)):
        for own in definition.body:
            if not isinstance(own, ast.Assign) or not isinstance(own.value, ast.Constant):
                continue
            if MODEL_TABLE in map(last_name, own.targets) and isinstance(own.value.value, str):
                yield definition.name, own.value.value
