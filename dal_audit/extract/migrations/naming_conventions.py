"""The naming convention of the metadata that an Alembic environment hands to its migrations.

Source: `target_metadata` in Alembic's `runtime/environment.py`, `MetaData(naming_convention=…)` in
SQLAlchemy's `sql/schema.py`. What is not followed to its end is not known.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from typing import Final

from dal_audit.catalogue.constraint_names import NO_CONVENTION, Convention
from dal_audit.extract.migrations.module_values import Foreign, Meaning, ModuleValues, Spelled
from dal_audit.extract.migrations.project_modules import module_tree
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.parse.walk import nodes_in

ENVIRONMENT: Final = "env.py"
_TARGET: Final = "target_metadata"
_CONVENTION: Final = "naming_convention"
_METADATA: Final = "metadata"
_MAKERS: Final = frozenset({"MetaData", "SQLAlchemy", "as_declarative", "automap_base",
                            "declarative_base", "generate_base", "registry"})  # fmt: skip
"""Calls that make a metadata, or what has one of its own: `metadata=` hands them another."""
_BARE_BASES: Final = frozenset({"ABC", "AsyncAttrs", "DeclarativeBase", "DeclarativeBaseNoMeta",
                                "Generic", "MappedAsDataclass", "object"})  # fmt: skip
_DEPTH: Final = 8


def environment_of(path: str, modules: Collection[str]) -> str:
    """Return the `env.py` that a revision is run by; empty where none lies above it."""
    folder = path.rpartition("/")[0]
    while folder:
        above = f"{folder}/{ENVIRONMENT}"
        if above in modules:
            return above
        folder = folder.rpartition("/")[0]
    return ENVIRONMENT if ENVIRONMENT in modules else ""


class NamingConventions:
    """Looks up the conventions of environments."""

    def __init__(self, values: ModuleValues, flask_modules: Callable[[], Sequence[str]]) -> None:
        """Take what follows names, and what tells the modules that import Flask-SQLAlchemy."""
        self._values = values
        self._flask_modules = flask_modules
        self._known: dict[str, Convention | None] = {}

    def of(self, environment: str) -> Convention | None:
        """Return the convention of an environment, by its path; None where it is not known."""
        if environment not in self._known:
            self._known[environment] = self._read(environment) if environment else None
        return self._known[environment]

    def _read(self, path: str) -> Convention | None:
        changed = self._values.assigned(path, f"{_TARGET}.{_CONVENTION}")
        if changed is not None:
            return self._templates(self._values.of(path, changed))
        tree = module_tree(self._values.text(path))
        calls = [node for node in nodes_in(tree) if isinstance(node, ast.Call)] if tree else []
        handed = [
            keyword.value for call in calls for keyword in call.keywords if keyword.arg == _TARGET
        ]
        given = handed[0] if handed else ast.Name(_TARGET)
        if any(last_name(own) != last_name(given) for own in handed):
            return None
        known = self._of_value(path, given)
        is_flask = known is None and "current_app" in self._values.text(path)
        return self._of_flask() if is_flask else known

    def _of_flask(self) -> Convention | None:
        """Return what the one `SQLAlchemy(…)` of a project that uses Flask-SQLAlchemy is given."""
        made = [
            (path, node)
            for path in self._flask_modules()
            for node in self._values.names(path).bound.values()
            if isinstance(node, ast.Call) and last_name(node.func) == "SQLAlchemy"
        ]
        return self._of_maker(*made[0]) if len(made) == 1 else None

    def _of_value(self, path: str, node: ast.expr, depth: int = 0) -> Convention | None:
        """Return the convention of a metadata."""
        return self._of_meaning(self._values.of(path, node), depth)

    def _of_meaning(self, meaning: Meaning, depth: int) -> Convention | None:
        node = meaning.node if isinstance(meaning, Spelled) else None
        if depth > _DEPTH or not isinstance(meaning, Spelled):
            return None
        if isinstance(node, (ast.List, ast.Tuple, ast.Constant)):
            return NO_CONVENTION  # Alembic asks a metadata alone, and no list of them.
        if isinstance(node, ast.Call):
            return self._of_maker(meaning.path, node, depth + 1)
        if isinstance(node, ast.Attribute) and node.attr in {_METADATA, "Model"}:
            return self._of_owner(self._values.of(meaning.path, node.value), depth + 1)
        return None

    def _of_maker(self, path: str, call: ast.Call, depth: int = 0) -> Convention | None:
        """Return the convention of what a call makes: a metadata, or what has one."""
        name = last_name(call.func)
        if name == "generate_base" and isinstance(call.func, ast.Attribute):
            return self._of_owner(self._values.of(path, call.func.value), depth)
        if name not in _MAKERS or any(keyword.arg is None for keyword in call.keywords):
            return None
        given = {keyword.arg: keyword.value for keyword in call.keywords}
        if name == "MetaData":
            own = given.get(_CONVENTION)
            return NO_CONVENTION if own is None else self._templates(self._values.of(path, own))
        if _METADATA in given:
            return self._of_value(path, given[_METADATA], depth)
        base = given.get("model_class") or given.get("cls")
        if base is not None:
            return self._of_owner(self._values.of(path, base), depth)
        return NO_CONVENTION

    def _of_owner(self, owner: Meaning, depth: int) -> Convention | None:
        """Return the convention of the metadata that a class, or what a call makes, has."""
        node = owner.node if isinstance(owner, Spelled) else None
        if depth > _DEPTH or not isinstance(owner, Spelled):
            return self._of_base(owner)
        if isinstance(node, ast.ClassDef):
            return self._of_class(owner.path, node, depth + 1)
        return self._of_meaning(owner, depth + 1)

    def _of_base(self, owner: Meaning) -> Convention | None:
        name = owner.name if isinstance(owner, Foreign) else ""
        return NO_CONVENTION if name.rpartition(".")[2] in _BARE_BASES else None

    def _of_class(self, path: str, definition: ast.ClassDef, depth: int) -> Convention | None:
        set_on = self._values.assigned(path, f"{definition.name}.{_METADATA}")
        own = [set_on] if set_on is not None else []
        own += [value for name, value in _members(definition) if name == _METADATA]
        if own:
            return self._of_value(path, own[0], depth)
        registries = [value for name, value in _members(definition) if name == "registry"]
        if registries:
            return self._of_owner(self._values.of(path, registries[0]), depth)
        makers = [own for own in definition.decorator_list if isinstance(own, ast.Call)]
        if makers:
            return self._of_maker(path, makers[0], depth)
        bases = [
            base.value if isinstance(base, ast.Subscript) else base for base in definition.bases
        ]
        meanings = [self._values.of(path, base) for base in bases]
        found = [self._of_owner(meaning, depth) for meaning in meanings]
        telling = [own for own in found if own != NO_CONVENTION]
        return telling[0] if telling else NO_CONVENTION

    def _templates(self, meaning: Meaning) -> Convention | None:
        """Return what a dictionary says; of what a function makes nothing is known."""
        node = meaning.node if isinstance(meaning, Spelled) else None
        pairs: list[tuple[object, ast.expr]] = []
        if isinstance(node, ast.Dict) and None not in node.keys:
            pairs = [
                (getattr(key, "value", None), value)
                for key, value in zip(node.keys, node.values, strict=True)
            ]
        elif isinstance(node, ast.Call) and last_name(node.func) == "dict" and not node.args:
            pairs = [(keyword.arg, keyword.value) for keyword in node.keywords]
        elif not isinstance(node, ast.Dict):
            return None
        if not isinstance(meaning, Spelled) or any(not isinstance(key, str) for key, _ in pairs):
            return None
        return {
            **NO_CONVENTION,
            **{str(key): self._text(meaning.path, value) for key, value in pairs},
        }

    def _text(self, path: str, node: ast.expr) -> str:
        """Return a template; one that is not known has a token that nothing is known of."""
        meaning = self._values.of(path, node)
        value = getattr(meaning.node, "value", None) if isinstance(meaning, Spelled) else None
        return value if isinstance(value, str) else "%(unknown)s"


def _members(definition: ast.ClassDef) -> list[tuple[str, ast.expr]]:
    """Return what a class binds in its body."""
    pairs: list[tuple[str, ast.expr]] = []
    for own in definition.body:
        if isinstance(own, ast.Assign):
            pairs += [(last_name(target), own.value) for target in own.targets]
        elif isinstance(own, ast.AnnAssign) and own.value is not None:
            pairs.append((last_name(own.target), own.value))
    return pairs
