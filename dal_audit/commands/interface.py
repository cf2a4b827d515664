"""Write the interface of a concrete backend, and have annotations outside storage name it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from dal_audit.assemble.class_hierarchy import Class, hierarchy_of
from dal_audit.assemble.project import Project
from dal_audit.audit import audit, projects_of, read_project
from dal_audit.catalogue.engine_words import ENGINE_WORDS
from dal_audit.commands.fix import Change
from dal_audit.commands.fix_search import worse
from dal_audit.commands.interface_names import Annotations
from dal_audit.discover.errors import UsageError
from dal_audit.discover.links import check_within, leads_out
from dal_audit.disk.scratch_folder import scratch_folder
from dal_audit.extract.backend_interface import (
    ClassSource,
    InterfaceText,
    interface_text,
)
from dal_audit.extract.source import UndecodableError, decode
from dal_audit.fix.rewrite import AmendError
from dal_audit.policy.request import Request

_SPECIAL: Final = re.compile(
    r"__(?:a?enter|a?exit|a?iter|a?next|call|await|len|contains|getitem|setitem|delitem|bool)__"
)
"""The special methods that callers use; the others are Python's."""
_SHOWN: Final = 5
"""So many members are named that are alike."""
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|\d+|_")


class Extraction(Struct, frozen=True):
    """What writing an interface comes to; `notes` say what still leaks, without a full stop."""

    changes: tuple[Change, ...]
    notes: tuple[str, ...]


class _Interface(Struct, frozen=True):
    """The interface to write: its module, its file, and its name."""

    module: str
    path: str
    name: str


def extraction(request: Request, named: str) -> Extraction:
    """Return the interface of a class, `module:Class`, and what then names it.

    Raises UsageError where there is no such class, where it has an interface, and where the file
    to be written is there already.
    """
    for scope in projects_of(request).scopes:
        project = read_project(scope, request).audited.project
        backend = hierarchy_of(project).classes.get(named.replace(":", "."))
        if backend is not None:
            return _Extractor(project, backend, request).extraction()
    raise UsageError(f"error: there is no class `{named}`; it is named `module:Class`")


class _Extractor:
    """Writes the interface of one class of a project."""

    def __init__(self, project: Project, backend: Class, request: Request) -> None:
        self.project = project
        self.backend = backend
        self.request = request
        self.hierarchy = hierarchy_of(project)
        known = self.hierarchy.backend_of.get(backend.name)
        if known is not None:
            name = f"`{known[1].name}`"
            raise UsageError(f"error: `{backend.shape.name}` implements {name} already")
        self.interface = _interface_of(project, backend)
        check_within(self._file(self.interface.path), project.policy.root)
        if os.path.lexists(self._file(self.interface.path)):
            shown = self._shown(self.interface.path)
            raise UsageError(
                f"error: `{shown}` is there already; name another module with `interfaces`"
            )
        self.notes: list[str] = []

    def extraction(self) -> Extraction:
        """Return the changes, and what they leave."""
        found = interface_text(list(self._sources()), self.interface.name, self._is_own)
        if found is None or not found.members:
            raise UsageError(
                f"error: `{self.backend.shape.name}` has no public members that can be read"
            )
        new = self._change(self.interface.path, b"", found.text.encode(), is_new=True)
        self._note(found)
        others = self._without_worse(list(self._renamed()))
        self.notes.append(
            f"`{self.backend.shape.name}` does not inherit `{self.interface.name}`: have it do so, "
            f'or configure `interfaces = ["{self.interface.module}:{self.interface.name}"]`'
        )
        return Extraction((new, *others), tuple(self.notes))

    def _file(self, path: str) -> Path:
        return self.project.policy.root / path

    def _shown(self, path: str) -> str:
        return Path(os.path.relpath(self._file(path), self.request.folder.absolute())).as_posix()

    def _change(self, path: str, before: bytes, after: bytes, *, is_new: bool = False) -> Change:
        return Change(self._shown(path), self._file(path), before, after, is_new=is_new)

    # The interface

    def _sources(self) -> Iterator[ClassSource]:
        """Yield the class and those that it inherits from, each with what is taken from it."""
        taken: dict[str, set[str]] = {self.backend.name: set()}
        owners = {self.backend.name: self.backend}
        for name, (owner, members) in self.hierarchy.all_definitions(self.backend).items():
            is_method = any(member.kind != "class" for member in members)
            if is_method and (_SPECIAL.fullmatch(name) or not name.startswith("_")):
                taken.setdefault(owner.name, set()).add(name)
                owners[owner.name] = owner
        known = frozenset(self.hierarchy.all_definitions(self.backend))
        for name, names in taken.items():
            yield self._source(owners[name], frozenset(names), known)

    def _source(self, owner: Class, names: frozenset[str], known: frozenset[str]) -> ClassSource:
        return ClassSource(
            self.project.module_name(owner.path),
            decode(self._file(owner.path).read_bytes()),
            owner.shape.name,
            names,
            known,
            lambda origin: self._driver_name(origin, owner.path),
            lambda module: self.project.absolute(module, owner.path),
        )

    def _driver_name(self, origin: str, path: str) -> str:
        """Return what a driver's name in a file really is; empty for another name."""
        found = self.project.driver_sources.resolve(origin, path)
        return "" if found is None else found.name

    def _is_own(self, name: str) -> bool:
        return name.partition(".")[0] in self.project.names.tops

    def _note(self, found: InterfaceText) -> None:
        for member in found.members:
            name = f"{self.interface.name}.{member.name}"
            if member.leaks:
                leaks = ", ".join(f"`{leak}`" for leak in member.leaks)
                self.notes.append(
                    f"`{name}` still leaks {leaks}: give callers a record, or a method"
                )
        undeclared = dict.fromkeys(each.name for each in found.members if not each.is_declared)
        if undeclared:
            shown = ", ".join(f"`{name}`" for name in list(undeclared)[:_SHOWN])
            more = f" and {len(undeclared) - _SHOWN} more" if len(undeclared) > _SHOWN else ""
            verb = "declares" if len(undeclared) == 1 else "declare"
            self.notes.append(
                f"{shown}{more} of `{self.interface.name}` {verb} no type: a driver's object may "
                "come by it unseen"
            )
        for base in self._unread_bases():
            self.notes.append(
                f"`{self.backend.shape.name}` inherits `{base}` of another package: what callers "
                "use of that is to be declared, too"
            )
        for own in found.own:
            module, _, name = own.rpartition(".")
            self.notes.append(
                f"`{name}` of the interface is defined in `{module}`: move it to a module without "
                "a driver"
            )

    def _unread_bases(self) -> Iterator[str]:
        """Yield the classes of other packages that the class inherits, if by way of others."""
        for owner in self.hierarchy.ancestors(self.backend):
            for base in owner.shape.bases:
                package = base.origin.partition(".")[0]
                is_known = self.hierarchy.find(base.origin, owner.path) is not None
                is_plain = package in sys.stdlib_module_names or ":" in package  # a builtin's
                if not is_known and not is_plain:
                    yield base.origin

    # Who names the class

    def _renamed(self) -> Iterator[Change]:
        """Yield the files outside storage whose annotations then name the interface."""
        named = self.interface.module, self.interface.name
        annotations = Annotations(self.project, self.backend, named)
        for path in sorted(annotations.importers()):
            try:
                data = self._read(path)
                after, notes = annotations.renamed(path, self._shown(path), data)
            except (AmendError, UndecodableError) as error:
                self.notes.append(f"`{self._shown(path)}` cannot be changed: {error}")
                continue
            self.notes.extend(notes)
            if after != data:
                yield self._change(path, data, after)

    def _read(self, path: str) -> bytes:
        """Return a file's bytes. Raises AmendError for one that lies outside the project."""
        file = self._file(path)
        if leads_out(file, self.project.policy.root):
            raise AmendError("it is a link that leads out of the project")
        return file.read_bytes()

    def _without_worse(self, changes: Sequence[Change]) -> list[Change]:
        """Return the changes of files in which an audit then finds no more than before."""
        if not changes:
            return []
        with scratch_folder() as folder:
            instead = {}
            for number, change in enumerate(changes):
                copy = folder / str(number)
                copy.write_bytes(change.after)
                instead[str(change.file)] = copy
            before = audit(self.request)
            after = audit(replace(self.request, instead=instead))
        base = self.request.folder / before.there
        broken = {Path(os.path.normpath(base / path)) for path in worse(before, after, {})}
        for change in changes:
            if change.file in broken:
                self.notes.append(f"`{change.path}` is left: an audit would then find more in it")
        return [change for change in changes if change.file not in broken]


def _interface_of(project: Project, backend: Class) -> _Interface:
    """Return the interface to write: one that is configured and not there yet, or one beside."""
    module = backend.name.removesuffix(f".{backend.shape.name}")
    place = PurePosixPath(backend.path)
    parts = module.split(".")
    is_package = place.stem == "__init__"
    root = place.parents[len(parts) if is_package else len(parts) - 1]
    for configured in project.policy.interfaces or ():
        named, _, name = configured.partition(":")
        if not set(configured) & set("*?[") and not project.has_module(named):
            return _Interface(named, str(root.joinpath(*named.split(".")).with_suffix(".py")), name)
    package = module if is_package else module.rpartition(".")[0]
    own = f"{package}.interface" if package else f"{module}_interface"
    path = place.parent / f"{own.rpartition('.')[2]}.py"
    return _Interface(own, str(path), _name_of(backend.shape.name))


def _name_of(name: str) -> str:
    """Return what an interface is called: its class's name without the words of an engine."""
    parts = [part for part in _WORDS.findall(name) if part.lower() not in ENGINE_WORDS]
    found = "".join(parts).strip("_")
    return found if found and found != name else f"{name}Protocol"
