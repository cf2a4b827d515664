"""Where a file takes a name of a module from: an import that is there, or one that is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from dal_audit.facts import Edit, Import, Span, Target


class NewImport(Struct, frozen=True):
    """What a file calls a name that it imports, and the edits by which it does so, if any."""

    bound: str
    edits: tuple[Edit, ...] = ()


def new_import(
    module: str, name: str, imports: Iterable[Import], absolute: Callable[[str], str]
) -> NewImport | None:
    """Return how a file imports a name of a module; None where no import shows the place.

    `absolute` reads a dotted name as the file means it. Only imports in the outermost block count,
    which run whatever happens: they begin their lines.
    """
    plain = [fact for fact in imports if fact.statement.column == 1 and not fact.type_checking]
    ordered = sorted(plain, key=lambda fact: fact.statement)
    for fact in ordered:
        for target in fact.targets:
            if absolute(target.name) == f"{module}.{name}" and target.bound:
                return NewImport(target.bound)
    for fact in ordered:
        beside = _beside(fact) if fact.module and absolute(fact.module) == module else None
        if beside is not None:
            return NewImport(name, (Edit(beside, f", {name}"),))
    edit = _statement(f"from {module} import {name}\n", module, ordered, absolute)
    return None if edit is None else NewImport(name, (edit,))


def _beside(fact: Import) -> Span | None:
    """Return the place behind the last name of an import that is not renamed, and is no star."""
    names = [target for target in fact.targets if _is_plain(target)]
    if not names:
        return None
    last = names[-1].span
    return Span(last.end_line, last.end_column, last.end_line, last.end_column)


def _is_plain(target: Target) -> bool:
    return bool(target.bound) and target.name.rpartition(".")[2] == target.bound


def _statement(
    text: str, module: str, imports: Sequence[Import], absolute: Callable[[str], str]
) -> Edit | None:
    """Return the edit that writes an import beside those of its package, in their order."""
    if not imports:
        return None
    package = module.partition(".")[0]
    siblings = [fact for fact in imports if _package(fact, absolute) == package]
    if not siblings:
        return Edit(_below(imports[-1]), f"\n{text}")
    later = (fact for fact in siblings if _module(fact, absolute) > module)
    following = next(later, None)
    if following is None:
        return Edit(_below(siblings[-1]), text)
    line = following.statement.line
    return Edit(Span(line, 1, line, 1), text)


def _below(fact: Import) -> Span:
    line = fact.statement.end_line + 1
    return Span(line, 1, line, 1)


def _module(fact: Import, absolute: Callable[[str], str]) -> str:
    return absolute(fact.module if fact.module is not None else fact.targets[0].name)


def _package(fact: Import, absolute: Callable[[str], str]) -> str:
    return _module(fact, absolute).partition(".")[0]
