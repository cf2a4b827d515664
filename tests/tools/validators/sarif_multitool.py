"""Validate SARIF files with Microsoft's sarif-multitool, GitHub's rules included.

Usage: python -m tests.tools.validators.sarif_multitool [--cache FOLDER] FILE.sarif...

Exits 1 on any error or warning, 2 where the validator itself does not run. It does not look at the
JSON schema, nor at most of GitHub's limits: tests/test_sarif.py does.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Final, NamedTuple

VERSION: Final = "5.7.0"
"""Of the npm package: findings are comparable only for one version."""

_FINDING: Final = re.compile(
    r"^(?P<file>.+?)(?:\((?P<line>\d+)(?:,\d+)?\))? ?: "
    r"(?P<level>error|warning|note) (?P<rule>[\w.]+) ?: (?P<text>.*)$"
)


class ValidatorError(RuntimeError):
    """The validator could not be installed, or broke."""


class Remark(NamedTuple):
    """What the validator says of a file."""

    file: str
    line: int
    level: str
    rule: str
    text: str


def find_or_install(cache: Path) -> Path:
    """Return the validator's executable, installed into a folder where it is not there yet.

    The npm package's own command is a shell wrapper that splits `;` in arguments, so that only the
    first kind of rules would run.
    """
    system = sys.platform
    folder = cache / "node_modules" / "@microsoft" / f"sarif-multitool-{system}"
    binary = folder / ("Sarif.Multitool.exe" if system == "win32" else "Sarif.Multitool")
    if not binary.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise ValidatorError("npm is not installed")
        package = f"@microsoft/sarif-multitool@{VERSION}"
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(cache), package]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode or not binary.exists():
            raise ValidatorError(f"npm did not install {package}: {run.stderr.strip()}")
    # npm may be set not to run the package's install script, which does this.
    binary.chmod(0o755)
    return binary


def validate(binary: Path, file: Path) -> list[Remark]:
    """Return what the validator says of a file; its exit code says nothing."""
    if not file.is_file():
        raise ValidatorError(f"{file} is not a file")
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(str(binary), "validate", str(file)),
            *("--rule-kind", "Sarif;Ghas"),
            *("--level", "Error;Warning;Note"),
            *("--output", str(Path(folder, "remarks.sarif"))),
        ]
        run = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
    if run.returncode or "Analysis completed successfully." not in run.stdout:
        raise ValidatorError(f"it broke on {file}:\n{run.stdout}{run.stderr}")
    remarks = []
    for line in run.stdout.splitlines():
        found = _FINDING.match(line)
        if found:
            level, rule, text = found["level"], found["rule"], found["text"]
            remarks.append(Remark(str(file), int(found["line"] or 1), level, rule, text))
    if not remarks:
        # It has notes on every log; it is silent, and calls that a success, where it cannot read
        # one, for example because of an unknown `columnKind`.
        raise ValidatorError(f"it did not look at {file}")
    return remarks


def table(files: list[Path], remarks: list[Remark]) -> str:
    """Return a row a file: its errors, warnings and notes, and the rules behind them."""
    rows = [f"{'errors':>6} {'warnings':>8} {'notes':>6}  file"]
    for file in files:
        own = [one for one in remarks if one.file == str(file)]
        levels = Counter(one.level for one in own)
        rules = Counter(one.rule for one in own)
        named = ", ".join(f"{rule} x {count}" for rule, count in sorted(rules.items()))
        counts = f"{levels['error']:>6} {levels['warning']:>8} {levels['note']:>6}"
        rows.append(f"{counts}  {file}  {named}".rstrip())
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> int:
    """Validate the files that the command line names."""
    parser = argparse.ArgumentParser(description="Validate SARIF files with sarif-multitool.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.sarif")
    parser.add_argument("--cache", type=Path, help="where the tool is, or is to be, installed")
    options = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as folder:
            binary = find_or_install((options.cache or Path(folder)).resolve())
            remarks = [one for file in options.files for one in validate(binary, file)]
    except ValidatorError as error:
        print(f"sarif-multitool: {error}", file=sys.stderr)
        return 2
    bad = [one for one in remarks if one.level != "note"]
    for one in bad:
        print(f"{one.file}:{one.line}: {one.level} {one.rule}: {one.text}")
    print(table(options.files, remarks))
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
