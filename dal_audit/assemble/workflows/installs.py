"""What the steps of a job install, as far as it is written out."""

from __future__ import annotations

from typing import Final

_INSTALLERS: Final = frozenset({"hatch", "pdm", "pip", "pip3", "pipenv", "poetry", "uv"})
_WHOLE: Final = frozenset({"-c", "-e", "-r", "--editable", "--group"})


def is_understood(words: tuple[str, ...]) -> bool:
    """Return whether a command installs packages that it names, and nothing else."""
    if words[:2] not in {("pip", "install"), ("pip3", "install"), ("apt-get", "install")}:
        return words[0] not in _INSTALLERS and "pip" not in words
    names = [word for word in words[2:] if not word.startswith("-")]
    plain = all("." not in name and "/" not in name and "[" not in name for name in names)
    return plain and not _WHOLE.intersection(words)
