"""The functions of storage that hand SQL on, and who can call them."""

from __future__ import annotations

from dal_audit.assemble.memo import query
from dal_audit.assemble.module_names import longest_module
from dal_audit.assemble.project import Project
from dal_audit.assemble.symbols import SymbolId


@query(depends_on=(Project.symbols, Project.zones))
def sql_functions(project: Project) -> frozenset[SymbolId]:
    """Return the functions of storage that hand a parameter on to what executes SQL."""
    return frozenset(
        (module.name, function)
        for module in project.symbols.modules.values()
        if module.shape.executing and project.in_storage(module.path)
        for function in module.shape.executing
    )


@query(depends_on=(Project.symbols, sql_functions))
def importable_sql_functions(project: Project) -> frozenset[SymbolId]:
    """Return each module and name by which one of them can be imported."""
    return project.symbols.importable_as(sql_functions(project))


def hands_sql_on(name: str, path: str, project: Project) -> bool:
    """Return whether a dotted name in a file is one of them."""
    known = sql_functions(project)
    if not known:
        return False
    modules = project.symbols.modules
    leads = project.symbols.resolve(name, path)
    return any(longest_module(absolute, modules) in known for absolute in leads)
