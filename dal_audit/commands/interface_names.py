"""Have annotations outside storage name the interface of a backend, with its import."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from msgspec import Struct

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.import_index import import_index_of
from dal_audit.assemble.project import Project
from dal_audit.extract.backend_interface import facts_in
from dal_audit.extract.source import Lines, decode
from dal_audit.facts import ClassDefinition, Edit, Fact, Import, ModuleExports, Reference, Span
from dal_audit.fix.model import Fix
from dal_audit.fix.new_imports import NewImport, new_import
from dal_audit.fix.rewrite import amended
from dal_audit.judge.breach import ROLE_WORDS
from dal_audit.judge.import_removal import removal_of

_INJECTED: Final = re.compile(
    r"[\]\s]*[=,]\s*(?:\w+\.)*(?:Depends|Security|Provide|Inject)\s*\(\s*\)"
)
"""What stands behind an annotation that a framework makes an object of (FastAPI and its like)."""
_SHOWN: Final = 5
"""So many lines are told on which something stays for one reason."""
_PLAIN_BASES: Final = frozenset({"ABC", "Generic", "NamedTuple", "Protocol", "TypedDict", "object"})
"""Bases that do nothing with the annotations of a class's fields."""


class _Use(Struct, frozen=True):
    """A use of the class: where, as what, by which name, and by which import it came.

    `bound` is what the import calls the class, or the module that it is read from.
    """

    reference: Reference
    name: str
    fact: Import
    bound: str


class Annotations:
    """Renames the annotations of a class outside storage; `named` is the interface's place."""

    def __init__(self, project: Project, backend: Class, named: tuple[str, str]) -> None:
        """Take the project, the class, and the interface's module and name."""
        self.project = project
        self.backend = backend
        self.hierarchy = hierarchy_of(project)
        self.named = named

    def importers(self) -> Iterator[str]:
        """Yield the files outside storage that may import the class.

        An audit reads those alone that matter to its rules.
        """
        module = self.project.module_name(self.backend.path)
        names = self.project.symbols.importable_as({(module, self.backend.shape.name)})
        index = import_index_of(self.project)
        for path in index.importers_of(names) | frozenset(index.unknown):
            if path.endswith((".py", ".pyi")) and not self.project.in_storage(path):
                yield path

    def renamed(self, path: str, shown: str, data: bytes) -> tuple[bytes, list[str]]:
        """Return a file's bytes with the interface in its annotations, and notes on what is left.

        Raises AmendError, UndecodableError.
        """
        facts = facts_in(data, self.project.catalogue)
        uses = list(self._uses(facts, path))
        lines = Lines(decode(data))
        reasons = {use: _reason(use, lines, facts) for use in uses}
        notes = list(self._kept(shown, reasons))
        annotated = [use for use, reason in reasons.items() if not reason]
        if not annotated:
            return data, notes
        new = self._import(path, facts, annotated)
        if new is None:
            notes.append(f"`{shown}` has no import beside which one could stand")
            return data, notes
        if new.edits and new.bound in _bound(facts):
            notes.append(f"`{shown}` is left: it has a `{new.bound}` of its own")
            return data, notes
        edits = dict.fromkeys(_edit(use, lines, new.bound) for use in annotated)
        after = amended(data, [Fix("", (*edits, *new.edits), "unsafe")], is_script=False)
        return self._without_import(path, after, {use.bound for use in annotated}), notes

    def _kept(self, shown: str, reasons: Mapping[_Use, str]) -> Iterator[str]:
        """Yield a note for each reason why uses of a file stay as they are."""
        kept: dict[str, list[int]] = {}
        for use, reason in reasons.items():
            if reason:
                kept.setdefault(reason, []).append(use.reference.span.line)
        for reason, numbers in kept.items():
            lines = ", ".join(map(str, numbers[:_SHOWN]))
            more = f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else ""
            yield (
                f"{shown}:{lines}{more} still names `{self.backend.shape.name}`, which is {reason} "
                "there"
            )

    def _uses(self, facts: Sequence[Fact], path: str) -> Iterator[_Use]:
        """Yield where a file uses the class."""
        for fact in (fact for fact in facts if isinstance(fact, Import)):
            for target in fact.targets:
                for use in target.uses:
                    if self.hierarchy.find(use.name, path) is self.backend:
                        yield _Use(use, fact.written(target, use), fact, target.bound)

    def _import(
        self, path: str, facts: Sequence[Fact], annotated: Sequence[_Use]
    ) -> NewImport | None:
        """Return how a file imports the interface: for type checkers alone where the class is."""
        module, name = self.named
        statements = {use.fact.statement: use.fact for use in annotated}
        first = statements[min(statements)]
        if all(fact.type_checking for fact in statements.values()):
            source = self.project.absolute(first.module or first.targets[0].name, path)
            edit = _beside(first.statement, module, name, is_below=source < module)
            return NewImport(name, (edit,))
        imports = [fact for fact in facts if isinstance(fact, Import)]
        return new_import(module, name, imports, lambda text: self.project.absolute(text, path))

    def _without_import(self, path: str, data: bytes, bound: AbstractSet[str]) -> bytes:
        """Return a file's bytes without the imports of some names that nothing uses any more."""
        facts = facts_in(data, self.project.catalogue)
        for fact in (fact for fact in facts if isinstance(fact, Import)):
            spans = [each.span for each in fact.targets if each.bound in bound and not each.uses]
            fix = removal_of(fact, spans, path, self.project) if spans else None
            if fix is not None:
                shorter = amended(data, [fix], is_script=False)
                return self._without_import(path, shorter, bound)
        return data


def _beside(statement: Span, module: str, name: str, *, is_below: bool) -> Edit:
    """Return the edit that writes an import beside a statement of its block."""
    text, indent = f"from {module} import {name}\n", " " * (statement.column - 1)
    if is_below:
        line = statement.end_line + 1
        return Edit(Span(line, 1, line, 1), indent + text)
    line, column = statement.line, statement.column
    return Edit(Span(line, column, line, column), text + indent)


def _reason(use: _Use, lines: Lines, facts: Sequence[Fact]) -> str:
    """Return why a use stays as it is; empty for an annotation that may name the interface."""
    reference = use.reference
    if reference.role != "annotation":
        return ROLE_WORDS[reference.role]
    end = lines.index(reference.span.end_line, reference.span.end_column)
    if _INJECTED.match(lines.text, end):
        return "what a framework is asked for"
    owners = (fact for fact in facts if isinstance(fact, ClassDefinition))
    for owner in owners:
        if owner.name == reference.owner and not all(map(_is_plain, owner.bases)):
            return "the type of a field that a base may check"
    return ""


def _is_plain(base: object) -> bool:
    return getattr(base, "origin", "").rpartition(".")[2] in _PLAIN_BASES


def _bound(facts: Sequence[Fact]) -> frozenset[str]:
    """Return the names of the module's outermost block that stand for something."""
    exports = (fact.exports for fact in facts if isinstance(fact, ModuleExports))
    return frozenset(export.name for group in exports for export in group)


def _edit(use: _Use, lines: Lines, bound: str) -> Edit:
    """Return how one annotation names the interface."""
    span = use.reference.span
    start = lines.index(span.line, span.column)
    text = lines.text[start : lines.index(span.end_line, span.end_column)]
    return Edit(span, re.sub(rf"(?<![\w.]){re.escape(use.name)}\b", bound, text))
