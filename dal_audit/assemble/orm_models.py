"""ORM models: which classes are some, and what an import brings that only declares them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.driver_objects import CONNECTION_ROLES, DriverSource
from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import Driver
from dal_audit.facts import Import, Reference

_BASES: Final = frozenset(
    {
        *("AbstractUser", "AbstractBaseUser"),  # Django's own applications
        *("DeclarativeBase", "DeclarativeBaseNoMeta", "MappedAsDataclass"),  # SQLAlchemy
        *("Entity", "SQLObject", "Table"),  # Pony, SQLObject, Piccolo
    }
)
"""What models inherit from, beside what says so by its name."""
_MAKERS: Final = frozenset({"automap_base", "declarative_base", "generate_base"})
"""The functions that make such a class."""
_NO_MODELS: Final = frozenset({"pydantic.BaseModel", "pydantic.main.BaseModel"})


def model_origins(owner: Class, project: Project) -> Iterator[DriverSource]:
    """Yield the drivers' types that a class is made of."""
    for ancestor in hierarchy_of(project).ancestors(owner):
        for base in ancestor.shape.bases:
            source = project.driver_sources.resolve(base.origin, ancestor.path)
            if source is not None and source.kind == "type":
                yield source


def declares_model(use: Reference, driver: Driver, path: str, project: Project) -> bool:
    """Return whether a use of a driver's is part of a model's declaration, where it is allowed.

    A session or an engine is none, wherever it stands.
    """
    return _allows_imports(driver, project) and _is_declaration(use, driver, path, project)


def only_declares(fact: Import, name: str, path: str, project: Project) -> bool:
    """Return whether all that a file does with a driver that it imports is to declare models.

    Whether that is allowed is not asked.
    """
    uses = [
        _is_declaration(use, driver, path, project)
        for target in fact.targets
        for driver in (project.driver_of(target.name, path),)
        if driver is not None and driver.name == name
        for use in target.uses
    ]
    return bool(uses) and all(uses)


def _is_declaration(use: Reference, driver: Driver, path: str, project: Project) -> bool:
    """Return whether a use of a driver's is part of a model's declaration."""
    if not use.owner or driver.kind != "orm":
        return False
    source = project.driver_sources.resolve(use.name, path)
    if source is not None and _holds_on(source, project):
        return False
    classes, module = hierarchy_of(project).classes, project.module_name(path)
    parts = use.owner.split(".")
    names = (".".join((module, *parts[:count])) for count in range(1, len(parts) + 1))
    return any(name in classes and _is_model(classes[name], project) for name in names)


def _allows_imports(driver: Driver, project: Project) -> bool:
    setting = project.policy.orm_models
    return setting == "allow-imports" or (setting == "allow" and driver.models_per_app)


def _holds_on(source: DriverSource, project: Project) -> bool:
    """Return whether an object is a connection or the like, or what a driver raises."""
    kinds = project.driver_sources.kinds
    return source.kind == "exception" or kinds.role(source.name) in CONNECTION_ROLES


def _is_model(owner: Class, project: Project) -> bool:
    origins = list(model_origins(owner, project))
    if any(_holds_on(source, project) for source in origins):
        return False
    return any(_says_model(source.name) for source in origins) or any(
        _is_base(base.origin, ancestor.path, project)
        for ancestor in hierarchy_of(project).ancestors(owner)
        for base in ancestor.shape.bases
    )


def _is_base(name: str, path: str, project: Project) -> bool:
    """Return whether a class that nobody saw is what models inherit from."""
    return any(_leads_to_base(lead, project) for lead in project.symbols.resolve(name, path))


def _leads_to_base(name: str, project: Project) -> bool:
    """Return whether an absolute name is that of such a class.

    It is some library's, by its name; hangs on a toolkit's object (`db.Model`); or was made by a
    call (`Base = declarative_base()`).
    """
    parted = project.symbols.symbol_of(name)
    if parted is None:
        return _says_model(name)
    (module, own), rest = parted
    if rest:
        source = project.driver_sources.origin(module, own)
        return source is not None and source.driver.kind == "orm" and _says_model(name)
    return any(
        origin.rpartition(".")[2] in _MAKERS
        for export in project.symbols.modules[module].shape.exports
        if export.name == own and export.made == "call"
        for origin in export.origins
    )


def _says_model(name: str) -> bool:
    """Return whether a class of some library is a model by its name."""
    package, _, last = name.rpartition(".")
    return bool(package) and name not in _NO_MODELS and (last in _BASES or last.endswith("Model"))
