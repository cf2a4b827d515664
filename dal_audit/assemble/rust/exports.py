"""What the modules of a file offer to others."""

from __future__ import annotations

from collections.abc import Iterator

from dal_audit.assemble.driver_objects import CONNECTION_ROLES
from dal_audit.assemble.rust.module_tree import inner_name
from dal_audit.assemble.rust.names import RustNames
from dal_audit.assemble.rust.resolution import Resolution
from dal_audit.facts import CALL, START, BindingKind, Export, ModuleExports, Span
from dal_audit.facts.rust import RustFile, RustItem, RustType


def exports_of(
    path: str, read: RustFile, resolution: Resolution, names: RustNames
) -> Iterator[ModuleExports]:
    """Yield what each module of a file offers: the file's own, and the inline ones."""
    for number, scope in enumerate(read.scopes):
        if scope.kind != "module":
            continue
        offering = _Offering(path, number, resolution, names)
        taken = list(offering.taken(read))
        exports = (*taken, *offering.defined(read))
        stars = dict(offering.stars(read))
        yield ModuleExports(
            START,
            exports,
            stars=tuple(stars),
            offered=tuple(dict.fromkeys(export.name for export in exports if export.renamed)),
            star_spans=tuple(stars.values()),
            offers_stars=True,
            inner=inner_name(read, number),
            reach=offering.limit,
        )


class _Offering:
    """Reads the exports of a module; `renamed` is set for those that others can see."""

    def __init__(self, path: str, number: int, resolution: Resolution, names: RustNames) -> None:
        self.path = path
        self.number = number
        self.resolution = resolution
        self.names = names
        self.limit = resolution.limit_of(path, number)
        """The module beyond which nothing of this one is seen; empty where there is none."""

    def taken(self, read: RustFile) -> Iterator[Export]:
        """Yield what is taken by a `use`."""
        for use in read.uses:
            if use.scope != self.number or not use.bound or use.path.endswith("::*"):
                continue
            found = self.resolution.of_use(use, self.path)
            if found is not None and self.names.matters(found.near):
                yield Export(
                    use.bound,
                    use.span,
                    "import",
                    (found.near,),
                    reach=self._reach(use.reach),
                    renamed=bool(use.reach),
                )

    def stars(self, read: RustFile) -> Iterator[tuple[str, Span]]:
        """Yield the modules that are taken whole, with the places of the stars."""
        for use in read.uses:
            if use.scope == self.number and use.path.endswith("::*") and use.reach:
                found = self.resolution.of_use(use, self.path)
                if found is not None and self.names.matters(found.far):
                    yield found.far, use.span

    def defined(self, read: RustFile) -> Iterator[Export]:
        """Yield what is defined here."""
        for item in read.items:
            if item.scope != self.number:
                continue
            if item.kind in {"type", "trait"}:
                yield Export(item.name, item.span, "class", ())
            elif item.kind == "alias":
                yield from self._alias(item)
            elif item.kind == "value":
                origins = tuple(self._origins(item.types))
                if origins:
                    yield Export(item.name, item.span, "annotation", origins)
            elif item.kind == "function":
                yield from self._function(item)

    def _alias(self, item: RustItem) -> Iterator[Export]:
        origins = tuple(self._origins(item.types))
        head = item.types[0].path.rpartition("::")[2] if item.types else ""
        if origins:
            made: BindingKind = "type" if head == "Result" else "alias"
            is_named = self.resolution.is_handed_on(item.name, self.path, self.number)
            reach = "" if is_named else self._reach(item.reach)
            chosen = origins if made == "type" else origins[:1]
            yield Export(item.name, item.span, made, chosen, reach=reach, renamed=bool(item.reach))

    def _function(self, item: RustItem) -> Iterator[Export]:
        origins = tuple(
            f"{origin}.{CALL}"
            for origin in self._origins(item.types)
            if self.names.is_own(origin) or self.names.role(origin) in CONNECTION_ROLES
        )
        if origins:
            yield Export(item.name, item.span, "function", origins)

    def _origins(self, types: tuple[RustType, ...]) -> Iterator[str]:
        for part in types:
            found = self.resolution.meaning(part.path, self.path, self.number)
            if found is not None and self.names.matters(found.near):
                yield found.near

    def _reach(self, reach: str) -> str:
        """Return the module that a visibility ends at; empty where nothing limits it."""
        if reach in {"", "pub"}:
            return self.limit
        found = self.resolution.meaning(reach, self.path, self.number)
        return found.far if found is not None else ""
