"""The texts that an editor shows and has not saved, each in a file of its own to be read from."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from dal_audit.disk.scratch_folder import own_prefix
from dal_audit.extract.source import UndecodableError, declared_encoding


class Buffers:
    """Unsaved texts by the absolute paths of their files, in a folder that `close` removes."""

    def __init__(self) -> None:
        """Make a folder that only this user can read."""
        self._folder = tempfile.TemporaryDirectory(prefix=own_prefix())
        self._files: dict[Path, Path] = {}

    def put(self, path: Path, text: str) -> Path:
        """Take a file's text as it is shown, and return the file that holds it."""
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = Path(self._folder.name) / f"{len(self._files)}"
        file.write_bytes(_encoded(path, text))
        return file

    def drop(self, path: Path) -> None:
        """Forget a file's text: what is saved counts again."""
        file = self._files.get(path)
        if file is not None and file.exists():
            file.unlink()

    def holds(self, path: Path) -> bool:
        """Return whether a file's text is not the saved one."""
        return path in self._files and self._files[path].exists()

    def below(self, folder: Path) -> Mapping[str, Path]:
        """Return the files that hold the texts of a folder's files, by their paths in it."""
        return {
            path.relative_to(folder).as_posix(): file
            for path, file in self._files.items()
            if path.is_relative_to(folder) and file.exists()
        }

    def close(self) -> None:
        """Remove all texts."""
        self._folder.cleanup()


def _encoded(path: Path, text: str) -> bytes:
    """Return a text in the encoding that its file is read in: Python's declare another one."""
    data = text.encode("utf-8", "surrogatepass")
    if path.suffix == ".sql":
        return data
    try:
        return text.encode(declared_encoding(data))
    except (UndecodableError, UnicodeEncodeError):
        return data  # As a saved file would, it says itself that it cannot be read.
