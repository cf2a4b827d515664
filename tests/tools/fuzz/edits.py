"""Edits between audits with one cache: each says what an audit without a cache says."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path
from unittest import mock

import dal_audit.extract.cache as cache_module
from tests import test_cache_edits as project
from tests.tools.fuzz.mutations import mutated


def told_the_same(data: bytes) -> None:
    """Edit a project as a seed has it, and audit it after every few edits.

    Raises AssertionError where the cache is seen in what is said.
    """
    chance = random.Random(data)  # no secret
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(cache_module, "now_ns", _later):
        root = Path(folder)
        project.start(root)
        for _ in range(chance.randint(1, 4)):
            for _ in range(chance.randint(1, 4)):
                chance.choice((_write, _write, _spoil, _configure, _of_two, _of_one))(chance, root)
            warm = project.told(root, (".",), cache=True)
            if warm != project.told(root, (".",), cache=False):
                raise AssertionError("a warm audit says something else than a cold one")


def _later() -> int:
    """An hour from now: what was changed just before an audit is not kept."""
    return time.time_ns() + project.LATER_NS


def _write(chance: random.Random, root: Path) -> None:
    name = chance.choice(project.PYTHON_FILES + project.SQL_FILES)
    texts = project.SCRIPTS if name.endswith(".sql") else project.MODULES
    project.edit(root, "write", name, chance.choice(list(texts.values())))


def _spoil(chance: random.Random, root: Path) -> None:
    texts = [text.encode() for text in (*project.MODULES.values(), *project.SCRIPTS.values())]
    path = root / chance.choice(project.PYTHON_FILES + project.SQL_FILES)
    project.put(path, "")
    path.write_bytes(mutated(chance, texts))


def _configure(chance: random.Random, root: Path) -> None:
    text = chance.choice(list(project.CONFIGURATIONS.values()))
    project.edit(root, "write", "dal-audit.toml", text)


def _of_two(chance: random.Random, root: Path) -> None:
    names = project.PYTHON_FILES + project.SQL_FILES
    what = chance.choice(("move", "copy", "link"))
    project.edit(root, what, chance.choice(names), chance.choice(names))


def _of_one(chance: random.Random, root: Path) -> None:
    what = chance.choice(("delete", "touch", "append"))
    project.edit(root, what, chance.choice(project.PYTHON_FILES + project.SQL_FILES), "")
