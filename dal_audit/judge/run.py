"""Judge: the checks of the rules in force are applied to the project's facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from dal_audit.assemble.project import Project
from dal_audit.catalogue.rulebook import Rule
from dal_audit.facts import FileFacts
from dal_audit.judge.breach import AcceptanceUse, Breach, in_rust
from dal_audit.judge.check import Check, check_of

RUST_FILE: Final = ".rs"


class CheckError(RuntimeError):
    """A check raised: the audit is broken, and says on which rule and file."""


def judge(
    project: Project, rules: Iterable[Rule], *, only: str = ""
) -> Iterator[tuple[Rule, Breach]]:
    """Yield every breach of the rules in the project.

    With a path, `only` what rules that look at files say of that file. Raises CheckError when a
    check fails, whatever it fails with: a broken audit is never green.
    """
    for rule, breach in _judged(project, rules, only):
        yield rule, in_rust(breach) if breach.place.path.endswith(RUST_FILE) else breach


def _judged(project: Project, rules: Iterable[Rule], only: str) -> Iterator[tuple[Rule, Breach]]:
    """Yield every breach, with names as the symbol table has them."""
    by_subject: dict[type, list[tuple[Rule, Check]]] = {}
    for rule in in_question(project, rules):
        check = check_of(rule)
        for subject in check.subjects:
            by_subject.setdefault(subject, []).append((rule, check))
    for rule, check in () if only else by_subject.get(Project, ()):
        yield from _apply(rule, check, project, None, project)
    for file in project.files:
        if file.facts and only in {"", file.path}:
            yield from _of_file(file, by_subject, project)


def _of_file(
    file: FileFacts, by_subject: Mapping[type, Sequence[tuple[Rule, Check]]], project: Project
) -> Iterator[tuple[Rule, Breach]]:
    """Yield the breaches of a file's facts: of all of them together, and of each."""
    for rule, check in by_subject.get(FileFacts, ()):
        yield from _apply(rule, check, file, file, project)
    said: set[tuple[str, int, int, str]] = set()
    for fact in file.facts:
        checks = by_subject.get(type(fact))
        if checks:
            yield from _once(fact, _of_fact(fact, checks, file, project), said)


def _once(
    fact: object,
    breaches: Iterator[tuple[Rule, Breach]],
    said: set[tuple[str, int, int, str]],
) -> Iterator[tuple[Rule, Breach]]:
    """Yield breaches, of SQL in code each once: one text can be part of several statements."""
    if getattr(fact, "within", None) is None:
        yield from breaches
        return
    for rule, breach in breaches:
        at = breach.place.span
        key = (rule.id, at.line, at.column, breach.message)
        if key not in said:
            said.add(key)
            yield rule, breach


def _of_fact(
    fact: object, checks: Sequence[tuple[Rule, Check]], file: FileFacts, project: Project
) -> Iterator[tuple[Rule, Breach]]:
    """Yield the breaches of a fact by the functions themselves: most of the calls are here."""
    for rule, check in checks:
        try:
            breaches = tuple(check.function(fact, file, project))
        except Exception as error:
            raise _failed(rule, file, project, error) from error
        for breach in breaches:
            yield rule, breach


def in_question(project: Project, rules: Iterable[Rule]) -> Iterator[Rule]:
    """Yield the rules that a project can break: those about SQL only where there is some.

    Their checks are not even loaded where they have nothing to say.
    """
    absent = set() if project.has_sql else {"sql"}
    if not project.layout.sets:
        absent.add("python-migrations")
    if not project.ci.files and not project.ci.anchor:
        absent.add("ci")
    return (rule for rule in rules if not absent.issuperset(rule.languages))


def judge_suppressions(
    project: Project, rules: Iterable[Rule], uses: Iterable[tuple[FileFacts | None, AcceptanceUse]]
) -> Iterator[tuple[Rule, Breach]]:
    """Yield the breaches of the rules about suppressions, waivers and the baseline.

    Only triage can tell which of them were of use.
    """
    seen = list(uses)
    checks = [(rule, check_of(rule)) for rule in in_question(project, rules)] if seen else []
    for file, use in seen:
        for rule, check in checks:
            if type(use) in check.subjects:
                yield from _apply(rule, check, use, file, project)


def _apply(
    rule: Rule, check: Check, subject: object, file: FileFacts | None, project: Project
) -> Iterator[tuple[Rule, Breach]]:
    try:
        for breach in check(subject, file, project):
            yield rule, breach
    except Exception as error:
        raise _failed(rule, file, project, error) from error


def _failed(rule: Rule, file: FileFacts | None, project: Project, error: Exception) -> CheckError:
    """Return what is raised when a check fails on a file, or on the project."""
    where = file.path if file else project.policy.root
    return CheckError(f"{rule.id} {rule.name} failed on {where}: {type(error).__name__}: {error}")
