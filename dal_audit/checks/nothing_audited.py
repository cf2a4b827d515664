"""DAL902 nothing-audited."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.class_hierarchy import hierarchy_of, is_meant
from dal_audit.assemble.module_names import is_named
from dal_audit.assemble.project import Project
from dal_audit.discover.files import is_script
from dal_audit.facts import START, Place
from dal_audit.judge.breach import Breach
from dal_audit.judge.check import check
from dal_audit.policy import Policy, compile_globs
from dal_audit.policy.problems import did_you_mean

NOTHING = "it holds no Python or Rust file and no SQL migration"

_LEFT_OUT = "Do not ask for it (pre-commit's hooks have an `exclude` of their own), or audit it."
_OTHER = "Do not ask for it, or give a script a first line that names `python`."


@check("DAL902")
def nothing_audited(project: Project) -> Iterator[Breach]:
    """Flag an audit that looked at nothing, and what it was told to look at that is missing."""
    for folder in project.empty:
        what = "nothing was audited" if folder == "." else f"nothing in `{folder}` was audited"
        below = "" if folder == "." else f"{folder}/"
        hidden = any(path.startswith(below) for path in project.modules)
        why = "`exclude` or `include` leaves all of it out" if hidden else NOTHING
        yield Breach(Place(folder, START), f"{what}: {why}")
    for path in project.unread:
        hidden = path in project.modules or is_script(path)
        why = "`exclude` or `include` leaves it out" if hidden else "it is no Python, Rust or SQL"
        remedy = _LEFT_OUT if hidden else _OTHER
        yield Breach(Place(path, START), f"`{path}` was not audited: {why}", remedy=remedy)
    if not project.files and not project.empty and not project.unread:
        yield Breach(project.place_of(()), f"nothing was audited: {NOTHING}")
    yield from _missing_storage(project)
    yield from _missing_includes(project)
    yield from _missing_interfaces(project)
    yield from _missing_modules(project)
    yield from _missing_workflows(project)


def _missing_storage(project: Project) -> Iterator[Breach]:
    for index, glob in enumerate(project.policy.storage or ()):
        if not any(map(compile_globs([glob], anchored=True), project.modules)):
            yield Breach(
                project.place_of(("storage", index)),
                f"the storage package `{glob}` does not exist: no file matches it",
                label="matches no file",
            )


def _missing_includes(project: Project) -> Iterator[Breach]:
    for index, glob in enumerate(project.policy.include or ()):
        if not project.matches_file(glob, anchored=False):
            yield Breach(
                project.place_of(("include", index)),
                f"`{glob}` of `include` matches no file",
                label="matches no file",
            )


def _missing_interfaces(project: Project) -> Iterator[Breach]:
    for index, interface in enumerate(project.policy.interfaces or ()):
        module, _, name = interface.partition(":")
        place = project.place_of(("interfaces", index))
        if not project.has_module(module):
            yield Breach(
                place,
                f"the interface `{interface}` does not exist: there is no module `{module}`",
                label="names no module",
            )
            continue
        classes = hierarchy_of(project).in_order
        if not any(is_meant(candidate, interface) for candidate in classes):
            beside = [
                candidate.shape.name
                for candidate in classes
                if is_named(candidate.name.removesuffix(f".{candidate.shape.name}"), module)
            ]
            yield Breach(
                place,
                f"the interface `{interface}` does not exist: there is no class `{name}` in "
                f"`{module}`{did_you_mean(name, beside)}",
                label="names no class",
            )


def _missing_modules(project: Project) -> Iterator[Breach]:
    """Flag what the configuration looks for in a module of the project that is not there."""
    for key, where, module in _named_modules(project.policy):
        if _is_missing(module, project):
            yield Breach(
                project.place_of((key, where)),
                f"this entry of `{key}` names nothing: there is no module `{module}`"
                f"{did_you_mean(module, project.names.files)}",
                label="names no module",
            )


def _named_modules(policy: Policy) -> Iterator[tuple[str, str | int, str]]:
    """Yield the modules that entries of the configuration name, with the places of these."""
    for index, name in enumerate(policy.driver_types):
        yield "driver-types", index, name.rpartition(".")[0]
    for index, helper in enumerate(policy.import_helpers):
        yield "import-helpers", index, helper.partition(":")[0]
    for caught, error in policy.error_map:
        yield "error-map", caught, error.partition(":")[0]


def _is_missing(module: str, project: Project) -> bool:
    """Return whether a name begins as one of the project's, and leads to none of its modules.

    What lies in a class has its module further up.
    """
    is_own = module.partition(".")[0] in project.names.tops
    while module and "." in module and not project.has_module(module):
        module = module.rpartition(".")[0]
    return is_own and not project.has_module(module)


def _missing_workflows(project: Project) -> Iterator[Breach]:
    globs = project.policy.ci.workflows or ()
    for index, glob in enumerate(globs if project.ci.is_known else ()):
        if not any(map(compile_globs([glob], anchored=True), project.ci.workflows)):
            yield Breach(
                project.place_of(("ci", "workflows", index)),
                f"the CI workflow `{glob}` does not exist: no file that matches it holds jobs",
                label="matches no workflow",
            )
