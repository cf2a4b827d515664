"""What the modules around Alembic's revisions say of them: the naming convention, and types."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

from dal_audit.extract.migrations.module_values import ModuleValues
from dal_audit.extract.migrations.naming_conventions import NamingConventions, environment_of
from dal_audit.extract.migrations.project_modules import text_of
from dal_audit.extract.migrations.project_types import ProjectTypes
from dal_audit.extract.surroundings import ALONE, Surroundings

FLASK = "flask_sqlalchemy"


def surroundings_of(
    imports: Mapping[str, Sequence[str]],
    paths: Collection[str],
    read: Callable[[str], str | None],
    flask_modules: Callable[[], Sequence[str]],
) -> dict[str, Surroundings]:
    """Return what is known of each revision; of those of which nothing is, nothing.

    `imports` are the dotted names that revisions import, by their paths, `paths` those of all
    Python files of the project; `read` returns the text of one, None where there is none to be
    had. `flask_modules` returns the paths of those that import Flask-SQLAlchemy.
    """
    values = ModuleValues(tuple(paths), read)
    conventions = NamingConventions(values, flask_modules)
    types = ProjectTypes(values)
    found = {
        path: Surroundings(conventions.of(environment_of(path, paths)), types.of(path, origins))
        for path, origins in imports.items()
    }
    return {path: own for path, own in found.items() if own != ALONE}


def surroundings_below(
    root: Path, listed: Iterable[str], imports: Mapping[str, Sequence[str]]
) -> dict[str, Surroundings]:
    """Return what is known of each revision, by the paths of all files below a project's root."""
    paths = [path for path in listed if path.endswith(".py")]

    def read(path: str) -> str | None:
        return text_of(str(root / path))

    def flask_modules() -> list[str]:
        return [path for path in paths if FLASK in (read(path) or "")]

    return surroundings_of(imports, paths, read, flask_modules)
