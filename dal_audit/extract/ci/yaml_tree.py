"""YAML with places: the nodes that PyYAML composes, read as the CI systems read them.

PyYAML's `compose` keeps the place of each key and value, and keeps keys that stand twice. Values
are not constructed: `on` stays the text that it is in YAML 1.2, and an alias shares its node, so
that no document can grow beyond its text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final, TypeAlias

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dal_audit.extract.source import Lines
from dal_audit.facts import NotUnderstood, Span
from dal_audit.facts.ci import CiData, CiSetting, CiText, DataKind

_PARSER: Final[Any] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""libyaml's parser where PyYAML has it: it takes a sixteenth of the time."""


class _Loader(_PARSER):  # type: ignore[misc]
    """A parser that asks for no tags: nothing reads them, and they take a third of the time."""

    def resolve(self, _kind: object, _value: object, _implicit: object) -> str:
        return ""

    def descend_resolver(self, _node: object, _index: object) -> None:
        pass

    def ascend_resolver(self) -> None:
        pass


MAX_DEPTH: Final = 100
"""How deep nodes are followed: PyYAML composes by recursion, and no CI file nests so deep."""

MAX_NODES: Final = 500_000
"""How many nodes a document may be once each alias stands for what it names."""

_BREAKS: Final = re.compile("[\x85\u2028\u2029]")
"""What YAML 1.1 takes for line ends, and no editor that shows line numbers does."""

_NESTED: Final = re.compile(r"^[ ]*(?:- )*", re.MULTILINE)
_ANCHOR: Final = re.compile(r"(?:^|[\s,\[{])&[^\s,\[\]{}&]")
_NUMBER: Final = re.compile(
    r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|0x[0-9a-fA-F]+|0o[0-7]+"
)
_PROBLEM: Final = re.compile(r"[\r\n]+")


class Unreadable(ValueError):  # noqa: N818  # it says what the text is
    """A text is no YAML; `fact` says where and why."""

    def __init__(self, fact: NotUnderstood) -> None:
        """Keep the fact."""
        super().__init__(fact.detail)
        self.fact = fact


Rewriting: TypeAlias = Callable[[str], str]


class Document:
    """A YAML text: its nodes, and where they stand."""

    def __init__(self, text: str, written: Rewriting | None = None) -> None:
        """Compose the first document of a text.

        `written` says scalars in other words of the same length. Raises Unreadable for a text that
        is no YAML, or is nested too deeply.
        """
        self.text = text if text.isascii() else _BREAKS.sub(" ", text)
        self.lines = Lines(text)
        self.root = _composed(self.text, self.lines)
        if written is not None:
            _rewrite(self.root, written)
            self.lines.text = written(text)
        if self.root is not None and _ANCHOR.search(text) is not None:
            _refuse_growth(self.root)

    def span(self, node: Node) -> Span:
        """Return where a node stands; of one over several lines, its first line alone."""
        start, end = node.start_mark, node.end_mark
        if start.line == end.line and self.lines.ascii:
            line = start.line + 1
            return Span(line, start.column + 1, line, end.column + 1)
        first = self._offset(start.line, start.column)
        if end.line != start.line:
            stop = first + len(self.lines.line(start.line + 1)[start.column :].rstrip())
        else:
            stop = self._offset(end.line, end.column)
        return self.lines.span(first, max(stop, first))

    def _offset(self, line: int, column: int) -> int:
        if line >= len(self.lines.starts):
            return len(self.text)
        return min(self.lines.starts[line] + column, len(self.text))

    def text_of(self, node: Node | None) -> CiText | None:
        """Return a scalar as a text; None for anything else."""
        if not isinstance(node, ScalarNode):
            return None
        return CiText(node.value, self.span(node))

    def settings(self, node: Node | None, *, names: str = "") -> tuple[CiSetting, ...]:
        """Return the pairs of a table of scalars; what is none of text is left out."""
        found = []
        for key, value in pairs(node):
            text = self.text_of(value)
            if text is not None:
                found.append(CiSetting(names + key.value, self.span(key), text))
        return tuple(found)

    def setting(self, node: Node | None, *names: str) -> CiSetting | None:
        """Return the first of a table's keys that is there, with its scalar."""
        for key, value in pairs(node):
            text = self.text_of(value) if key.value in names else None
            if text is not None:
                return CiSetting(key.value, self.span(key), text)
        return None

    def data(self, node: Node, depth: int = 0) -> CiData:
        """Return a node as a value of a matrix."""
        span = self.span(node)
        if isinstance(node, ScalarNode):
            return CiData(_kind(node), span, node.value)
        if depth > MAX_DEPTH:
            return CiData("null", span)
        if isinstance(node, MappingNode):
            entries = list(pairs(node))
            names = tuple(key.value for key, _ in entries)
            values = tuple(self.data(value, depth + 1) for _, value in entries)
            return CiData("table", span, "", names, values)
        items = tuple(self.data(item, depth + 1) for item in node.value)
        return CiData("list", span, "", (), items)


def _composed(text: str, lines: Lines) -> Node | None:
    if _block_depth(text, lines) > 20 * MAX_DEPTH or _flow_depth(text) > MAX_DEPTH:
        raise Unreadable(_flaw("nested too deeply to parse", 1, 1))
    try:
        loader = _Loader(text)
        try:
            return loader.get_node() if loader.check_node() else None
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        raise Unreadable(_flaw_of(error, lines)) from error
    except (RecursionError, ValueError) as error:
        raise Unreadable(_flaw("nested too deeply to parse", 1, 1)) from error


def tables_and_lists(root: Node | None) -> Iterator[MappingNode | SequenceNode]:
    """Yield what holds other nodes in a document, each once, however often an alias names it."""
    waiting = [root]
    seen: set[int] = set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, (MappingNode, SequenceNode)):
            continue
        seen.add(id(node))
        yield node
        waiting += inner_nodes(node)


def inner_nodes(node: MappingNode | SequenceNode) -> list[Node]:
    """Return what a list or table holds: its items, or its keys and values."""
    if isinstance(node, MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value)


def _rewrite(root: Node | None, written: Rewriting) -> None:
    """Say the scalars of a document in other words."""
    for holder in tables_and_lists(root):
        for node in inner_nodes(holder):
            if isinstance(node, ScalarNode):
                node.value = written(node.value)


def _refuse_growth(root: Node) -> None:
    """Raise Unreadable for a document that its aliases make too large."""
    if _expanded_size(root, {}) > MAX_NODES:
        raise Unreadable(_flaw(f"its aliases make more than {MAX_NODES} nodes of it", 1, 1))


def _expanded_size(node: Node, known: dict[int, int]) -> int:
    """Return how many nodes a node is with its aliases expanded; one that holds itself is too many.

    Each node is counted once, however often it is named.
    """
    size = known.get(id(node))
    if size is None:
        known[id(node)] = MAX_NODES + 1
        inner = node.value if not isinstance(node, ScalarNode) else ()
        parts = (part for item in inner for part in (item if isinstance(item, tuple) else (item,)))
        size = known[id(node)] = 1 + sum(_expanded_size(part, known) for part in parts)
    return size


def _block_depth(text: str, lines: Lines) -> int:
    """Return an upper bound for how deep blocks nest in a text, in columns."""
    longest = max((end - start for start, end in pairwise(lines.starts)), default=len(text))
    if max(longest, len(text) - lines.starts[-1]) <= 20 * MAX_DEPTH:
        return 0  # No line has room for more.
    return max((len(found[0]) for found in _NESTED.finditer(text)), default=0)


def _flow_depth(text: str) -> int:
    """Return an upper bound for how deep brackets nest in a text."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    deepest = depth = 0
    for found in re.finditer(r"[\[{]+|[\]}]", text):
        depth = depth + len(found[0]) if found[0][0] in "[{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def _flaw_of(error: yaml.YAMLError, lines: Lines) -> NotUnderstood:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    said = _PROBLEM.split(str(problem))[0]
    if mark is None:
        return _flaw(said, 1, 1)
    return _flaw(said, min(mark.line + 1, len(lines)), mark.column + 1)


def _flaw(detail: str, line: int, column: int) -> NotUnderstood:
    return NotUnderstood(Span(line, column, line, column + 1), "unparsable", detail)


def pairs(node: Node | None) -> Iterator[tuple[ScalarNode, Node]]:
    """Yield the keys and values of a table, in their order; nothing for any other node."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if isinstance(key, ScalarNode):
                yield key, value


def entry(node: Node | None, *names: str) -> Node | None:
    """Return the value of the first of a table's keys that has one of the names."""
    if isinstance(node, MappingNode):
        for key, value in node.value:
            # The key of another kind holds a list, which is no name.
            if key.value in names:
                return value  # type: ignore[no-any-return]  # PyYAML has no types here
    return None


def key_node(node: Node | None, name: str) -> ScalarNode | None:
    """Return the node of a key in a table."""
    return next((key for key, _ in pairs(node) if key.value == name), None)


def items(node: Node | None) -> list[Node]:
    """Return the items of a list; any other node is a list of its own, as CI systems take it."""
    if isinstance(node, SequenceNode):
        return list(node.value)
    return [] if node is None or (isinstance(node, ScalarNode) and not node.value) else [node]


def merged(node: Node | None, depth: int = 0) -> list[tuple[ScalarNode, Node]]:
    """Return the pairs of a table with those that its merge keys (`<<`) bring along.

    What stands in the table itself comes first, and wins where the first of a name is taken.
    """
    own = [(key, value) for key, value in pairs(node) if key.value != "<<"]
    brought = (value for key, value in pairs(node) if key.value == "<<" and depth < MAX_DEPTH)
    for source in (source for value in brought for source in items(value)):
        own += merged(source, depth + 1)
    known: dict[str, tuple[ScalarNode, Node]] = {}
    for key, value in own:
        known.setdefault(key.value, (key, value))
    return list(known.values())


def with_merges(node: Node | None) -> MappingNode:
    """Return a table into which its merge keys are taken."""
    mark = node.start_mark if node is not None else None
    end = node.end_mark if node is not None else None
    return MappingNode("tag:yaml.org,2002:map", list(merged(node)), mark, end)


def _kind(node: ScalarNode) -> DataKind:
    if node.style:
        return "text"
    value = node.value
    if value in {"", "~", "null", "Null", "NULL"}:
        return "null"
    if value in {"true", "True", "TRUE", "false", "False", "FALSE"}:
        return "boolean"
    return "number" if _NUMBER.fullmatch(value) else "text"
