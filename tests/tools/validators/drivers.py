"""Prove the catalogue's drivers that cannot share an environment, each in one of its own.

Usage: python -m tests.tools.validators.drivers [NAME...]

NAME is a driver's name in the catalogue; without one, all of `driver_environments.toml` are proved.
Exits 1 where a driver cannot be installed, or is not as the catalogue describes it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Final

from tests.test_drivers import APART, DRIVERS

ROOT: Final = Path(__file__).parents[3]
TOOLS: Final = [
    *("pytest", "pytest-xdist", "hypothesis", "msgspec", "sqlglot", "tomli"),
    "setuptools<81",
]
"""What the test itself needs; setuptools, because older drivers import `pkg_resources`."""

PACKAGES: Final = {driver["name"]: driver["packages"] for driver in DRIVERS}


def run(command: list[str], **variables: str) -> str:
    """Run a program in the checkout; return what it said where it failed, else nothing."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    return (done.stdout + done.stderr) if done.returncode else ""


def failure(name: str, folder: Path) -> str:
    """Install a driver into a new environment, prove it there; return what is wrong with it."""
    venv.create(folder, with_pip=True)
    python = str(folder / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    wanted = [*TOOLS, *PACKAGES[name], *APART.get(name, [])]
    test = ["tests/test_drivers.py", "-n0", "-k", "as_described"]
    return run([python, "-m", "pip", "install", "-q", "--no-compile", *wanted]) or run(
        [python, "-m", "pytest", *test], DAL_AUDIT_DRIVER=name
    )


def main() -> int:
    """Prove drivers, say of each whether it is as described, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*PACKAGES, []], default=[])
    names = parser.parse_args().names or sorted(APART)
    failed = 0
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            wrong = failure(name, Path(folder))
        print(f"{name}: {'FAILED' if wrong else 'as described'}\n{wrong}".rstrip(), flush=True)
        failed += bool(wrong)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
