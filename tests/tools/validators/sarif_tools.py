"""Read SARIF files with Microsoft's sarif-tools, as a team that follows its findings would.

Usage: python -m tests.tools.validators.sarif_tools [--cache FOLDER] FILE.sarif...

Exits 1 where it counts other findings than the file holds, 2 where it does not run. It has an
environment of its own: it brings a plotting library and a word processor's format, which no test
of dal-audit needs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import venv
from collections import Counter
from pathlib import Path
from typing import Final

VERSION: Final = "3.0.5"
LEVELS: Final = {"error": "major", "warning": "minor", "note": "info"}
"""What sarif-tools calls a level where it writes Code Climate's JSON."""


class ValidatorError(RuntimeError):
    """The tool could not be installed, or broke."""


def find_or_install(cache: Path) -> Path:
    """Return the tool's program, installed into a folder where it is not there yet."""
    scripts = cache / ("Scripts" if sys.platform == "win32" else "bin")
    program = scripts / ("sarif.exe" if sys.platform == "win32" else "sarif")
    if not program.exists():
        venv.create(cache, with_pip=True)
        command = [
            str(scripts / "python"),
            *("-m", "pip", "install", "-q", f"sarif-tools=={VERSION}"),
        ]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode or not program.exists():
            raise ValidatorError(f"pip did not install sarif-tools: {run.stderr.strip()}")
    return program


def held(file: Path) -> Counter[str]:
    """Return how many results of each level a file holds."""
    try:
        log = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValidatorError(f"{file}: {error}") from error
    return Counter(one["level"] for run in log["runs"] for one in run["results"])


def counted(program: Path, file: Path) -> Counter[str]:
    """Return how many results of each level the tool sees, by its conversion to Code Climate."""
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, "issues.json")
        _run(program, "codeclimate", str(file), "--output", str(written))
        issues = json.loads(written.read_text(encoding="utf-8"))
    if any(not one["location"]["path"] or one["location"]["lines"]["begin"] < 1 for one in issues):
        raise ValidatorError(f"it finds a result of {file} without a place")
    names = {name: level for level, name in LEVELS.items()}
    return Counter(names.get(one["severity"], one["severity"]) for one in issues)


def checked(program: Path, file: Path) -> bool:
    """Return whether the tool's gate for errors lets a file pass."""
    command = [str(program), "--check", "error", "summary", str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _run(program: Path, *words: str) -> None:
    run = subprocess.run([str(program), *words], capture_output=True, text=True, check=False)
    if run.returncode:
        raise ValidatorError(f"{words[0]} broke: {run.stdout}{run.stderr}")


def main(arguments: list[str] | None = None) -> int:
    """Read the files that the command line names."""
    parser = argparse.ArgumentParser(description="Read SARIF files with sarif-tools.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.sarif")
    parser.add_argument("--cache", type=Path, help="where the tool is, or is to be, installed")
    options = parser.parse_args(arguments)
    bad = 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            program = find_or_install((options.cache or Path(folder)).resolve())
            for file in options.files:
                expected, seen = held(file), counted(program, file)
                passes = checked(program, file)
                is_right = seen == expected and passes == (not expected["error"])
                bad += not is_right
                verdict = "right" if is_right else f"it sees {dict(seen)}, and passes it: {passes}"
                print(f"{file}: {dict(expected)}: {verdict}")
    except ValidatorError as error:
        print(f"sarif-tools: {error}", file=sys.stderr)
        return 2
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
