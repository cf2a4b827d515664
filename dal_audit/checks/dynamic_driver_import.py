"""DAL102 dynamic-driver-import."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.project import Project
from dal_audit.catalogue.drivers import KIND_WORDS
from dal_audit.facts import OWN_MODULE, DynamicImport, FileFacts, Place
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check

_MEANS = {"builtins.exec": "exec", "builtins.eval": "eval", "builtins.__import__": "__import__"}


@check("DAL102")
def dynamic_driver_import(
    fact: DynamicImport, file: FileFacts, project: Project
) -> Iterator[Breach]:
    """Flag a driver that is loaded by a name made at run time, outside storage."""
    if project.in_storage(file.path):
        return
    if fact.by_helper and not project.is_import_helper(fact.how, file.path):
        return
    if not project.policy.counts_import(type_checking=fact.type_checking):
        return
    for name in fact.names:
        driver = project.driver_of(name, file.path)
        if driver is None:
            continue
        how = _MEANS.get(fact.how, fact.how.removeprefix(OWN_MODULE).lstrip("."))
        module = project.catalogue.module_of(name)
        verb = "reads" if how.startswith("sys.modules") else "loads"
        yield Breach(
            Place(file.path, fact.span),
            f"`{how}` {verb} `{module}`, a {KIND_WORDS[driver.kind]}; "
            f"only {project.storage_description} may import it",
            label=f"this names `{module}`",
            extent=(fact.statement.line, fact.statement.end_line),
            driver=driver.name,
        )
        return
