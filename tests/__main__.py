"""The test command, `python -m tests`: lints, types, import contracts and tests; all must pass.

With `--all` nothing is left out (tests/sampling.py says what is, by day). Further arguments go to
pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = Path(sysconfig.get_path("scripts"))

STEPS: tuple[tuple[str, ...], ...] = (
    (sys.executable, "-m", "ruff", "check", "."),
    (sys.executable, "-m", "ruff", "format", "--check", "."),
    (str(SCRIPTS / "lint-imports"), "--no-logo"),
    (sys.executable, "-m", "mypy"),
)


def main() -> int:
    """Run every step, also after one has failed, and say at the end which did.

    The tests show their progress; what the others say, which run beside them, follows.
    """
    arguments = [word for word in sys.argv[1:] if word != "--all"]
    tests = (sys.executable, "-m", "pytest", *arguments)
    print(f"== {name_of(tests)}", flush=True)
    with ThreadPoolExecutor(1) as beside:
        answers = beside.map(answer_of, STEPS)
        ended = subprocess.run(tests, cwd=ROOT, env=environment(), check=False)
        failed = [name_of(tests)] if ended.returncode else []
        for step, answer in zip(STEPS, answers, strict=True):
            print(f"== {name_of(step)}\n{answer.stdout}", end="", flush=True)
            failed += [name_of(step)] if answer.returncode else []
    for name in failed:
        print(f"FAILED: {name}", flush=True)
    return int(bool(failed))


def environment() -> dict[str, str]:
    """Return the environment of the tests.

    Some hundred of their processes import the package, and each would compile it anew where
    bytecode may not be written.
    """
    variables = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }
    return {**variables, "DAL_AUDIT_TESTS": "all"} if "--all" in sys.argv else variables


def answer_of(step: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run a step, and return how it ended with all that it said."""
    return subprocess.run(
        step, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def name_of(step: tuple[str, ...]) -> str:
    """Return a step as it is named to people."""
    words = [word for word in step if word not in {sys.executable, "-m"}]
    return " ".join([Path(words[0]).name, *words[1:]])


if __name__ == "__main__":
    sys.exit(main())
