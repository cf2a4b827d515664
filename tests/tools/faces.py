"""A contract for import-linter: a package is entered by its face.

The face is what the package's `__init__.py` lists in `__all__`: names that it offers itself, and
modules that others may import. Who stands outside imports the package, or one of those modules;
and a module that is listed is imported from outside, or the face says too much.
"""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import grimp
from importlinter import Contract, ContractCheck, fields, output


class FaceContract(Contract):
    """Holds the packages below a root, at any depth, to their faces."""

    root = fields.StringField()

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        """Return whether each package is entered by its face, and by all of it."""
        root = str(self.root)
        inner = [module for module in graph.modules if module.startswith(f"{root}.")]
        faces = {module: face_of(module) for module in inner if graph.find_children(module)}
        used: set[tuple[str, str]] = set()
        broken: list[str] = []
        for package, face in faces.items():
            for module in graph.find_descendants(package):
                part = module.removeprefix(f"{package}.").partition(".")[0]
                for importer in graph.find_modules_that_directly_import(module):
                    if importer == package or importer.startswith(f"{package}."):
                        continue
                    used.add((package, part))
                    if part not in face:
                        broken.append(f"{importer} -> {module}: `{part}` is inside {package}")
        for package, face in faces.items():
            modules = {child.rpartition(".")[2] for child in graph.find_children(package)}
            idle = sorted(face & modules - {part for owner, part in used if owner == package})
            broken += [f"{package}: nobody outside imports `{name}`" for name in idle]
        return ContractCheck(kept=not broken, metadata={"broken": sorted(broken)})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print what enters a package elsewhere."""
        metadata: dict[str, Any] = check.metadata
        for line in metadata["broken"]:
            output.print_error(line)


def face_of(package: str) -> frozenset[str]:
    """Return the names in a package's `__all__`, which stands there once; none without a list."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    lists = [
        statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.List)
        if [ast.unparse(target) for target in statement.targets] == ["__all__"]
    ]
    assert len(lists) <= 1, f"{package}: several `__all__`"
    return frozenset(name for listed in lists for name in ast.literal_eval(listed))
