"""Which files of CI are read: those of the systems, and what their commands lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from dal_audit.discover.files import ProjectFiles
from dal_audit.extract.cache import Cache
from dal_audit.extract.ci_sources import extract_ci, extract_suites
from dal_audit.facts import FileFacts, SourceFile
from dal_audit.facts.ci import (
    CiAction,
    CiCommand,
    CiFiles,
    CiJob,
    CiSecrets,
    CiStep,
    CiTool,
    CiWorkflow,
    DeclaredBackend,
    SuiteFile,
)
from dal_audit.facts.ci_files import DECLARING, SYSTEMS, ci_kind_of
from dal_audit.policy import Policy, compile_globs

_ABOUT_TESTS: Final = (CiTool, CiSecrets, DeclaredBackend)

MAX_ROUNDS: Final = 5
"""How far is followed what a command calls."""

_PATH: Final = re.compile(r"[\w.@+-]+(?:/[\w.@+-]+)*")


def read_ci(tree: ProjectFiles, policy: Policy, cache: Cache) -> CiFiles:
    """Return the facts of a project's CI.

    What the configuration names as a workflow is read as GitHub's where it is no other system's.
    """
    named = _named_workflows(tree, policy)
    waiting = {file.path: file for file in tree.ci if ci_kind_of(file.path) != "foreign"}
    foreign = tuple(file.path for file in tree.ci if file.path not in waiting)
    paths = [path for path in waiting if path in named or _is_read_first(path)]
    first = [waiting.pop(path) for path in paths]
    found = extract_ci(first, cache, named)
    read = (_bare(file, tree.modules) for file in (*found, *_called(found, waiting, cache)))
    suites = extract_suites(tree.suites, cache)
    return CiFiles(
        tuple(read), tuple(suites), foreign, is_known=True, features=_features(tree, suites)
    )


def _features(tree: ProjectFiles, suites: Sequence[FileFacts]) -> Mapping[str, tuple[str, ...]]:
    """Return the features that packages have by default, where tests hang on features."""
    guards = (
        guard
        for file in suites
        for fact in file.facts
        if isinstance(fact, SuiteFile)
        for guard in fact.guards
    )
    if not any(guard.feature for guard in guards):
        return {}
    from dal_audit.extract.rust_sources import read_manifests  # only where there is Rust

    found = read_manifests(tree.manifests)
    return {folder: manifest.defaults for folder, manifest in found.items()}


def _called(
    files: Sequence[FileFacts], waiting: dict[str, SourceFile], cache: Cache
) -> Iterator[FileFacts]:
    """Yield the facts of what files lead to, and of what that leads to."""
    latest = files
    for _ in range(MAX_ROUNDS):
        wanted = _wanted(latest, waiting)
        latest = extract_ci([waiting.pop(path) for path in wanted], cache) if wanted else []
        yield from latest


def _named_workflows(tree: ProjectFiles, policy: Policy) -> frozenset[str]:
    """Return the YAML files that are workflows only because the configuration says so."""
    configured = compile_globs(policy.ci.workflows or (), anchored=True)
    return frozenset(
        file.path
        for file in tree.ci
        if file.path.endswith((".yml", ".yaml"))
        and ci_kind_of(file.path) in {None, "shell"}
        and configured(file.path)
    )


def _bare(file: FileFacts, modules: frozenset[str]) -> FileFacts:
    """Return a file's facts; suppressions in Python files are read with the others of these."""
    if file.path not in modules or ci_kind_of(file.path) == "nox":
        return file
    facts = tuple(fact for fact in file.facts if isinstance(fact, _ABOUT_TESTS))
    return FileFacts(file.path, facts, file.attention)


def _is_read_first(path: str) -> bool:
    kind = ci_kind_of(path)
    return kind in SYSTEMS or kind == "action" or kind in DECLARING


def _wanted(files: Iterable[FileFacts], waiting: dict[str, SourceFile]) -> list[str]:
    """Return the files that the commands of others lead to, or may lead to."""
    words = {word for file in files for text in _texts(file) for word in _PATH.findall(text)}
    names = {word.rpartition("/")[2] for word in words}
    parts = {part for word in words for part in word.split("/")}
    return [path for path in sorted(waiting) if _is_wanted(path, names, parts)]


def _is_wanted(path: str, names: set[str], parts: set[str]) -> bool:
    folder, _, name = path.rpartition("/")
    if name in names:
        return True
    if ci_kind_of(path) == "shell":
        return False
    return not folder or folder.rpartition("/")[2] in parts


def _texts(file: FileFacts) -> Iterator[str]:
    for fact in file.facts:
        match fact:
            case CiWorkflow(directory=directory, jobs=jobs):
                yield directory
                yield from (text for job in jobs for text in _of_job(job))
            case CiAction(steps=steps):
                yield from _of_steps(steps)
            case CiTool(targets=targets):
                commands = (command for target in targets for command in target.commands)
                yield from _of_commands(commands)
            case _:
                pass


def _of_job(job: CiJob) -> Iterator[str]:
    yield job.directory
    yield from (setting.value.text for setting in (*job.env, *job.inputs))
    yield from _of_steps(job.steps)


def _of_steps(steps: Iterable[CiStep]) -> Iterator[str]:
    for step in steps:
        yield step.directory
        yield from (setting.value.text for setting in (*step.inputs, *step.env))
        yield from _of_commands(step.script)


def _of_commands(commands: Iterable[CiCommand]) -> Iterator[str]:
    for command in commands:
        yield from command.words
