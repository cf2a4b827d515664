"""The command line run in a folder, inside the tests' own process."""

from __future__ import annotations

import os
from pathlib import Path

from click.testing import CliRunner, Result

from dal_audit.commands.parser import cli


def run(root: Path, *words: str) -> Result:
    """Run the command line in a folder."""
    before = Path.cwd()
    os.chdir(root)
    try:
        return CliRunner().invoke(cli, list(words))
    finally:
        os.chdir(before)
