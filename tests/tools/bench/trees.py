"""Trees to time linters on: real packages, unpacked side by side in one git repository."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

PACKAGES: Final = {
    "small": ("datasette==0.65.1",),
    "medium": ("matrix-synapse==1.128.0",),
    "large": (
        "matrix-synapse==1.128.0",
        "prefect==3.3.4",
        "homeassistant==2025.4.4",
        "apache-airflow-core==3.3.2",
        "apache-superset==6.1.0",
        "django==6.1.3",
        "mlflow==3.18.0",
    ),
}
"""Which source distributions make a tree, tests and all, as a repository has them; one that the
index no longer has is an error, and not left out."""


def build(folder: Path, name: str) -> Path:
    """Download and unpack a tree, unless it is there, and return its folder.

    Raises CalledProcessError where pip or git fails.
    """
    root = folder / name
    if (root / ".git").is_dir():
        return root
    shutil.rmtree(root, ignore_errors=True)
    for package in PACKAGES[name]:
        print(f"fetching {package}", file=sys.stderr)
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"),
                *("--no-binary", ":all:", "--dest", str(folder / "archives" / package), package),
            ],
            check=True,
        )
        (archive,) = (folder / "archives" / package).glob("*.tar.gz")
        with tarfile.open(archive) as opened:
            opened.extractall(root, filter="data")
    return track(root)


def grown(folder: Path, source: Path, count: int) -> Path:
    """Return a tree of so many Python files, copied from another one as often as it takes."""
    root = folder / f"grown-{count}"
    if (root / ".git").is_dir():
        return root
    files = sorted(path.relative_to(source) for path in source.rglob("*.py"))
    for number in range(count):
        turn, index = divmod(number, len(files))
        target = root / f"copy_{turn}" / files[index]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / files[index], target)
    return track(root)


def python_files(root: Path) -> Sequence[str]:
    """Return the paths of a tree's Python files."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*.py"))


def track(root: Path) -> Path:
    """Make a tree a git repository that tracks all of it."""
    for command in (("init", "-q"), ("add", "-A", "-f")):
        subprocess.run(["git", *command], cwd=root, check=True, stdout=subprocess.DEVNULL)
    return root
