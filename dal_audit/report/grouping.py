"""Put findings that one cause makes together, so that a reader meets the cause once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from msgspec import Struct

from dal_audit.judge.breach import Finding, Origin, Related
from dal_audit.report.summary import plural

FOLDED_FROM: Final = 3
"""Findings alike, or files that one place reaches, from which they are told as one; two are told
before one has seen that."""

SPREAD_FROM: Final = 6
"""Files from which findings alike are told as one that have no place in common."""

NAMES_SHOWN: Final = 2
"""Names that one module hands on and that a headline tells."""

Key: TypeAlias = tuple[object, ...]


class Block(Struct, frozen=True):
    """Findings that are told under one headline: of one rule, of one severity, never none.

    A finding that nothing is like is a block as well, and so are those of one file that differ in
    nothing but their places. One that `is_spread` reaches several files by one `cause`, and of
    each file its lines say enough.
    """

    findings: tuple[Finding, ...]
    """In the order of reports: by path and place."""
    cause: str = ""
    """What the findings of several files have in common, as a message without a full stop."""
    origins: tuple[Origin, ...] = ()
    """Where the cause stands: a place, or the names that one module hands on; none where it has no
    place, as a driver that files import."""

    @property
    def first(self) -> Finding:
        """The finding that stands for all."""
        return self.findings[0]

    @property
    def is_spread(self) -> bool:
        """Whether findings of several files are told as one."""
        return bool(self.cause)

    @property
    def headline(self) -> str:
        """What is wrong, in a sentence without a full stop."""
        return self.cause or self.first.breach.message

    @property
    def origin(self) -> Origin | None:
        """Where the cause stands first."""
        return self.origins[0] if self.origins else None

    @property
    def way(self) -> tuple[Related, ...]:
        """The steps up to the origin, which is the last one; none where there are several."""
        if len(self.origins) != 1:
            return ()
        steps = self.first.breach.related[: self.first.breach.flow_length]
        places = [step.place for step in steps]
        return steps[: places.index(self.origins[0].place) + 1]

    @property
    def by_file(self) -> Mapping[str, Sequence[Finding]]:
        """The findings of each file, by its path, in their order."""
        files: dict[str, list[Finding]] = {}
        for finding in self.findings:
            files.setdefault(finding.place.path, []).append(finding)
        return files


def blocks(findings: Iterable[Finding]) -> list[Block]:
    """Return findings in blocks, each in one, in the order of where their causes stand.

    Only findings that count are put together.
    """
    left = list(findings)
    found: list[Block] = []
    for key_of, said_of, least in _CAUSES:
        several = [group for group in _alike(left, key_of) if _files(group) >= least]
        found += [Block(tuple(group), said_of(group), _origins(group)) for group in several]
        told = {id(finding) for group in several for finding in group}
        left = [finding for finding in left if id(finding) not in told]
    found += [Block(tuple(group)) for group in folded(left)]
    return sorted(found, key=_order)


def folded(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Return findings in groups, in the order of the first of each.

    Alike are open findings of one rule in one file that came by the same way, belong to the same
    places in other files, reach the same driver, fail on the same backends and have the same cure.
    """
    told: list[list[Finding]] = []
    for group in _alike(findings, _in_file):
        told += [group] if len(group) >= FOLDED_FROM else [[finding] for finding in group]
    return told


def _alike(
    findings: Iterable[Finding], key_of: Callable[[Finding], Key | None]
) -> Iterator[list[Finding]]:
    """Yield findings by a key; one that has none stands alone."""
    groups: dict[Key, list[Finding]] = {}
    for index, finding in enumerate(findings):
        key = key_of(finding) if finding.standing == "open" else None
        groups.setdefault(key or (index,), []).append(finding)
    yield from groups.values()


def _in_file(finding: Finding) -> Key:
    breach, path = finding.breach, finding.place.path
    way = breach.related[: breach.flow_length]
    elsewhere = tuple(
        relation for relation in breach.related[breach.flow_length :] if relation.place.path != path
    )
    return path, *_cure(finding), way, elsewhere


def _by_origin(finding: Finding) -> Key | None:
    return (finding.origin, *_cure(finding)) if finding.origin else None


def _by_module(finding: Finding) -> Key | None:
    return (finding.origin.place.path, *_cure(finding)) if finding.origin else None


def _by_driver(finding: Finding) -> Key | None:
    is_own = finding.breach.driver and not finding.breach.flow_length
    return (_limit(finding), *_cure(finding)) if is_own else None


def _by_message(finding: Finding) -> Key | None:
    return (finding.breach.message, *_cure(finding)) if not finding.breach.flow_length else None


def _cure(finding: Finding) -> Key:
    """Return what findings share that one headline and one remedy serve."""
    breach = finding.breach
    on = (breach.driver, breach.fails_on, breach.fails_later_on)
    return finding.rule.id, finding.severity, finding.remedy, *on


def _of_origin(group: Sequence[Finding]) -> str:
    origin = group[0].origin
    name = origin.name if origin else ""
    return f"`{name}` reaches {plural(_files(group), 'file')}{_limit(group[0])}"


def _of_module(group: Sequence[Finding]) -> str:
    names = [f"`{origin.name}`" for origin in _origins(group)]
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    reached = plural(_files(group), "file")
    return f"{', '.join(names[:NAMES_SHOWN])}{more} reach {reached}{_limit(group[0])}"


def _of_driver(group: Sequence[Finding]) -> str:
    return f"`{group[0].breach.driver}` comes up in {_extent(group)}{_limit(group[0])}"


def _of_message(group: Sequence[Finding]) -> str:
    return f"{group[0].breach.message} ({_extent(group)})"


def _extent(group: Sequence[Finding]) -> str:
    """Return in how many places findings are, and in how many files these."""
    places, files = plural(len(group), "place"), plural(_files(group), "file")
    return files if len(group) == _files(group) else f"{places} of {files}"


def _limit(finding: Finding) -> str:
    """Return how a message goes on with what is allowed, from its semicolon on."""
    _, semicolon, limit = finding.breach.message.partition("; ")
    return f"{semicolon}{limit}"


def _origins(group: Iterable[Finding]) -> tuple[Origin, ...]:
    """Return what findings come from, in the order of the places."""
    found = {finding.origin for finding in group if finding.origin}
    return tuple(sorted(found, key=lambda origin: (origin.place, origin.name)))


def _files(group: Iterable[Finding]) -> int:
    return len({finding.place.path for finding in group})


def _order(block: Block) -> Key:
    place = block.origin.place if block.origin else block.first.place
    return place.path, place.span, block.first.rule.id, block.headline


_CAUSES: Final = (
    (_by_origin, _of_origin, FOLDED_FROM),
    (_by_module, _of_module, FOLDED_FROM),
    (_by_driver, _of_driver, SPREAD_FROM),
    (_by_message, _of_message, SPREAD_FROM),
)
"""What findings of several files can have in common: the key, its words, the least of files."""
