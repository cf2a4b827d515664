"""The test command, `python -m tests`: lints, types, import contracts and tests; all must pass.

Further arguments go to pytest.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sysconfig.get_path("scripts"))

STEPS: tuple[tuple[str, ...], ...] = (
    (sys.executable, "-m", "ruff", "check", "."),
    (sys.executable, "-m", "ruff", "format", "--check", "."),
    (sys.executable, "-m", "mypy"),
    (str(SCRIPTS / "lint-imports"), "--no-logo"),
)


def main() -> int:
    """Run every step, also after one has failed, and say at the end which did."""
    tests = (sys.executable, "-m", "pytest", *sys.argv[1:])
    failed = []
    for step in (*STEPS, tests):
        name = " ".join(part for part in step if part not in {sys.executable, "-m"})
        print(f"== {Path(name).name if step[0] != sys.executable else name}", flush=True)
        if subprocess.run(step, cwd=ROOT, check=False).returncode:
            failed.append(name)
    for name in failed:
        print(f"FAILED: {name}", flush=True)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
