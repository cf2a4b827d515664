"""The commands of dal-audit and of its peers, each asked for the same drivers."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.policy import default_policy, load_policy

AUDIT: Final = (sys.executable, "-m", "dal_audit", "check", "--format", "concise")

LINT_IMPORTS: Final = """\
import sys
count = int(sys.argv[1])
sys.path[:0] = sys.argv[2 : 2 + count]
sys.argv[1 : 2 + count] = []
from importlinter.cli import lint_imports_command
lint_imports_command()
"""


def banned_modules(tree: Path, config: Path | None) -> list[str]:
    """Return the modules of the catalogue that is in force for a tree."""
    policy = (
        load_policy(config.resolve(), root=tree, known_rules=known_rules())
        if config
        else default_policy(tree)
    )
    return sorted(catalogue_in_force(only=policy.drivers, also=policy.extend_drivers).by_module)


def audit_command(config: Path | None) -> list[str]:
    """Return the command that audits with all rules about Python; it keeps facts in the project."""
    command = [*AUDIT, "--select", "DAL1,DAL2"]
    if config:
        command += ["--config", str(config.resolve())]
    return command


def ruff_command(modules: Sequence[str], folder: Path) -> list[str]:
    """Return the command by which ruff bans the modules; its files are kept in a folder."""
    banned = "\n".join(f'"{module}".msg = "banned"' for module in modules)
    settings = folder / "ruff.toml"
    settings.write_text(
        f'[lint]\nselect = ["TID251"]\n[lint.flake8-tidy-imports.banned-api]\n{banned}\n',
        encoding="utf-8",
    )
    return [
        *(_ruff_itself(), "check", "-q", "--config", str(settings)),
        *("--cache-dir", f"{folder}/theirs"),
    ]


def _ruff_itself() -> str:
    """Return ruff's own program: `python -m ruff` would time a Python as well."""
    beside = Path(sys.executable).with_name("ruff")
    return str(beside) if beside.exists() else shutil.which("ruff") or "ruff"


def ripgrep_command(modules: Sequence[str]) -> list[str]:
    """Return the command that counts any mention of a module; nothing where ripgrep is missing."""
    ripgrep = shutil.which("rg")
    if ripgrep is None:
        return []
    pattern = "|".join(module.replace(".", r"\.") for module in modules)
    return [ripgrep, "-c", "-w", "-g", "*.py", pattern, "."]


def linter_command(tree: Path, modules: Sequence[str], folder: Path) -> list[str]:
    """Return the command by which import-linter forbids all packages of a tree the modules.

    It sees the packages alone, where dal-audit sees every file, and of a driver its distribution's
    first name. Nothing where it is not installed, or where a run shows that it cannot read the tree.
    """
    packages = top_packages(tree)
    if importlib.util.find_spec("importlinter") is None or not packages:
        return []
    forbidden = sorted({module.partition(".")[0] for module in modules} - packages.keys())
    contract = folder / "importlinter.ini"
    contract.write_text(
        "[importlinter]\nroot_packages =\n"
        + _listed(packages)
        + "include_external_packages = True\n\n"
        + "[importlinter:contract:drivers]\nname = drivers\ntype = forbidden\n"
        + "allow_indirect_imports = True\nsource_modules =\n"
        + _listed(packages)
        + "forbidden_modules =\n"
        + _listed(forbidden),
        encoding="utf-8",
    )
    sources = sorted({str(path.parent) for path in packages.values()})
    command = [sys.executable, "-c", LINT_IMPORTS, str(len(sources)), *sources]
    command += ["--config", str(contract)]
    answer = subprocess.run(
        [*command, "--no-cache"], cwd=tree, capture_output=True, text=True, check=False
    )
    if "Contracts:" not in answer.stdout:
        print(f"import-linter is left out: {answer.stdout[-500:]}", file=sys.stderr)
        return []
    return command


def _listed(names: Sequence[str] | dict[str, Path]) -> str:
    return "".join(f"    {name}\n" for name in names)


def top_packages(tree: Path) -> dict[str, Path]:
    """Return the packages that lie in the tree, in an archive unpacked in it, or in their `src`.

    A name that two folders have is the first's: Python could import no other. What lies deeper is
    mostly the material of tests, on some of which import-linter ends with an error of its own.
    """
    found: dict[str, Path] = {}
    for pattern in ("*/__init__.py", "*/*/__init__.py", "*/src/*/__init__.py"):
        for marker in sorted(tree.glob(pattern)):
            package = marker.parent
            inside = (package.parent / "__init__.py").exists()
            if not inside and package.name.isidentifier():
                found.setdefault(package.name, package)
    return dict(sorted(found.items()))


def sql_commands(files: Sequence[str]) -> dict[str, Sequence[str]]:
    """Return the commands that read migrations, of the tools that are installed."""
    commands: dict[str, Sequence[str]] = {
        "dal-audit": [*AUDIT, "--no-cache", "--select", "DAL3", *files]
    }
    if squawk := shutil.which("squawk"):
        commands["squawk"] = [squawk, *files]
    if sqlfluff := shutil.which("sqlfluff"):
        commands["sqlfluff"] = [
            *(sqlfluff, "lint", "--dialect", "postgres", "--rules", "CP01", "--processes", "2"),
            *files,
        ]
    return commands
