"""Trees of source to audit: folders, and packages of PyPI as their wheels hold them.

A wheel is unpacked and nothing of it is run; a package without one is passed over.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path


class NoTreeError(RuntimeError):
    """There is no such folder, and no package of this name with a wheel."""


def tree_of(name: str, kept: Path) -> Path:
    """Return the folder of a tree: the one that is named, or a package's, unpacked into `kept`.

    `name` may hold a version (`flask==3.1.0`). Raises NoTreeError.
    """
    folder = Path(name)
    if folder.is_dir():
        return folder.resolve()
    place = kept / name.replace("==", "-")
    if not place.is_dir():
        _unpack(_wheel(name, kept / "wheels"), place)
    return place


def _wheel(name: str, kept: Path) -> Path:
    """Download a package's wheel, without what it needs."""
    target = kept / name.replace("==", "-")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run(
        [*command, "--dest", str(target), name], capture_output=True, text=True, check=False
    )
    wheels = sorted(target.glob("*.whl"))
    if done.returncode or not wheels:
        raise NoTreeError(f"{name}: {done.stderr.strip().splitlines()[-1:] or 'no wheel'}")
    return wheels[0]


def _unpack(wheel: Path, place: Path) -> None:
    place.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as packed:
        for entry in packed.infolist():
            # `extract` keeps within the place whatever the entry is called.
            packed.extract(entry, place)


def sources(tree: Path) -> Iterator[Path]:
    """Yield the files of Python and SQL in a tree."""
    for path in sorted(tree.rglob("*")):
        if path.suffix in {".py", ".pyi", ".sql"} and path.is_file():
            yield path
