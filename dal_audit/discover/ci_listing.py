"""Which of a project's files tell how it is tested, and which are tests."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from dal_audit.facts.ci_files import ci_kind_of, is_ci_configuration
from dal_audit.policy import Policy, compile_globs

SUITE: Final = re.compile(
    r"(?:.*/)?(?:(?:tests?/.*|test_[^/]*|[^/]*_test|conftest)\.py"
    r"|(?:tests/.*|tests?|test_[^/]*|[^/]*_tests?)\.rs)"
)
"""Files of tests, by the names that pytest collects, and by where Cargo looks for them."""


def ci_paths(policy: Policy, listed: Mapping[str, str]) -> list[str]:
    """Return the files that tell how a project is tested; none where no CI system tests it.

    Those that the configuration names are read wherever they lie.
    """
    configured = compile_globs(policy.ci.workflows or (), anchored=True)
    found = [
        path
        for path, flaw in listed.items()
        if not flaw and (ci_kind_of(path) is not None or (policy.ci.workflows and configured(path)))
    ]
    has_one = any(is_ci_configuration(path) or configured(path) for path in found)
    return found if has_one else []


def suite_paths(policy: Policy, listed: Mapping[str, str], audited: Collection[str]) -> list[str]:
    """Return the files of tests: those that are configured, else the audited ones by their names.

    What is left out of the audit is read only where the configuration names it as tests.
    """
    if policy.ci.storage_tests is None:
        return [path for path in audited if SUITE.fullmatch(path)]
    configured = compile_globs(policy.ci.storage_tests, anchored=True)
    further = [path for path in audited if SUITE.fullmatch(path)]
    return list(dict.fromkeys([*filter(configured, listed), *further]))


def anchor_of(root: Path) -> str:
    """Return the file that stands for a project which is a repository and has no CI."""
    if not (root / ".git").exists():
        return ""
    names = ("pyproject.toml", "Cargo.toml")
    return next((name for name in names if (root / name).is_file()), "")
