r"""The small language of the catalogue's patterns, and what it is compiled to.

```
WORD, ::, 0      a word without quotes in any case, an operator, a number as spelled
(A | B)  [A]     one of several; what may be left out
…                anything up to what follows, at the same depth of parentheses
…!,  …!ORDER     the same, but not past a comma, or past a word
(…)              a pair of parentheses with anything between them
<string>         a token of a class; `pattern_view.py` lists the classes
name/1..2        a call of a function with so many arguments (`1..` is any number from one on)
!A  !(A | B)     what must not follow
^  $             the statement's beginning and end
@type            what follows stands where a type is written: in a column, after `::`, in a CAST
\(               a backslash makes a sign of the language a plain one
```
"""

from __future__ import annotations

import enum
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import takewhile
from typing import Final

from msgspec import Struct


class Op(enum.IntEnum):
    """What an instruction does."""

    WORD = 1
    CLASS = 2
    CALL = 3
    GROUP = 4
    SKIP = 5
    EITHER = 6
    JUMP = 7
    NOT = 8
    START = 9
    END = 10
    TYPE = 11
    DONE = 12


class Instruction(Struct, frozen=True, array_like=True, omit_defaults=True):
    """One step: its operation, the word or class that it takes, and where it leads.

    For a skip `text` is what it does not pass. `firsts` are the words of which one must stand where
    each target begins, and where a skip ends (an empty set: nothing is known of that). `least` and
    `most` bound the arguments of a call; `most` is -1 where nothing bounds them.
    """

    op: Op
    text: str = ""
    targets: tuple[int, ...] = ()
    least: int = 0
    most: int = -1
    firsts: tuple[frozenset[str], ...] = ()


class Program(Struct, frozen=True, array_like=True):
    """A compiled pattern.

    `gate` are the rarest words and classes of which a statement must hold one, `needs` are all
    other such sets of more than one, and `words` what it must hold in any case; `starts` pairs what
    stands near the pattern's beginning with its distance from there, and is empty where the pattern
    begins at a statement (`at_start`) or at any type. `head` are the words that a statement must
    begin with.
    """

    text: str
    instructions: tuple[Instruction, ...]
    gate: frozenset[str]
    words: frozenset[str]
    needs: tuple[frozenset[str], ...]
    starts: tuple[tuple[str, int], ...]
    at_start: bool
    head: tuple[str, ...] = ()


class _Node(Struct, frozen=True):
    """A piece of a pattern: an instruction, or what holds other pieces."""

    op: Op
    text: str = ""
    branches: tuple[tuple[_Node, ...], ...] = ()
    least: int = 0
    most: int = -1


_LEXEMES: Final = re.compile(
    r"\s*(?:(?P<escaped>\\[^\s\w][^\s()\[\]]*)|(?P<group>\(…\))|(?P<barred>…!(?:\w+|,))|(?P<class><[a-z][a-z0-9-]*>)"
    r"|(?P<call>[A-Za-z_]\w*/\d+(?:\.\.\d*)?)|(?P<type>@type\b)|(?P<word>\w+)"
    r"|(?P<operator>!=|!~~\*|!~~|!~\*|!~)|(?P<meta>[()\[\]|!^$…])|(?P<sign>[^\s\w()\[\]|!^$…]+))"
)
_META: Final = {"^": Op.START, "$": Op.END, "…": Op.SKIP}
_OCCURRENCES: Final[Mapping[str, int]] = {
    ",": 2300, "(": 1400, ")": 1400, "NOT": 940, "NULL": 930, "<string>": 530, "TABLE": 470,
    ".": 450, "<dquoted>": 440, "ON": 430, "CREATE": 400, "<number>": 370, "<cased-string>": 360,
    "TEXT": 320, "ALTER": 320, "DEFAULT": 280, "DROP": 270, "INDEX": 270, "=": 240, "COLUMN": 240,
    "<dquoted-mixed>": 240, "AS": 230, "EXISTS": 220, "IF": 220, "<backticked>": 210, "KEY": 190,
    "INTEGER": 160, "CONSTRAINT": 150, "ADD": 150, "FROM": 140, "VARCHAR": 130, "REFERENCES": 130,
    "SELECT": 120, "PRIMARY": 120, "DELETE": 120, "CASCADE": 120, "WHERE": 100, "<key-name>": 90,
    "UPDATE": 90, "BIGINT": 90, "AND": 90, "UNIQUE": 80, "0": 80, "INSERT": 70, "UUID": 70,
    "DESC": 70, "TIMESTAMP": 60, "<empty-string>": 60, "BOOLEAN": 60, "INTO": 60, "CHECK": 60,
    "FOREIGN": 60, "SET": 60, "OR": 60, "TO": 50, "RENAME": 50, "IS": 50, "::": 40,
    "TIMESTAMPTZ": 40, "FALSE": 40, "NAME": 40, "TRIGGER": 40, "TYPE": 40, "FUNCTION": 40, "*": 40,
    "USING": 40, "VALUES": 30, "INT": 30, "JOIN": 30, "VIEW": 30, "NOW": 30, "REPLACE": 30,
    "WHEN": 30, "IN": 20, "NO": 20, "WITH": 20, "DO": 20, "END": 20, "BY": 20, ";": 1000,
}  # fmt: skip
"""How often words stand in a thousand statements of migrations, counted in sixty projects' 20,000;
all others are rarer. Which word is looked for hangs on it, and nothing of what is found."""


def parse(text: str, indexed: Collection[str], *, is_context: bool = False) -> Program:
    """Compile a pattern; `indexed` are the classes that a statement is searched for.

    A context stands at a statement's beginning and is not searched for. Raises ValueError where
    the text is not of this language, or names nothing to search for.
    """
    nodes = _Parser(text).whole()
    instructions: list[Instruction] = []
    _emit(nodes, instructions)
    instructions.append(Instruction(Op.DONE))
    if is_context:
        return Program(text, tuple(instructions), frozenset(), frozenset(), (), (), at_start=True)
    gate = _gate(nodes, indexed)
    if not gate:
        raise ValueError("it names no word that must be there")
    at_start = nodes[0].op is Op.START
    starts = () if at_start else _starts(nodes, indexed)
    if not at_start and not starts and nodes[0].op is not Op.TYPE:
        raise ValueError("it says nowhere where it begins")
    required = [keys for node in nodes if (keys := _keys(node, indexed)) and keys != gate]
    words = frozenset[str]().union(*(keys for keys in required if len(keys) == 1))
    needs = tuple(keys for keys in required if len(keys) > 1)
    head = _head(nodes[1:]) if at_start else ()
    return Program(text, tuple(instructions), gate, words, needs, starts, at_start, head)


def _head(nodes: tuple[_Node, ...]) -> tuple[str, ...]:
    """Return the words that nodes in a row begin with."""
    return tuple(node.text for node in takewhile(lambda node: node.op is Op.WORD, nodes))


class _Parser:
    """Reads a pattern's text from left to right."""

    def __init__(self, text: str) -> None:
        self.lexemes: list[tuple[str, str]] = []
        position = 0
        while text[position:].strip():
            found = _LEXEMES.match(text, position)
            if found is None:
                raise ValueError(f"cannot read `{text[position:]}`")
            kind = found.lastgroup or ""
            self.lexemes.append((kind, found.group(kind)))
            position = found.end()
        self.place = 0

    def whole(self) -> tuple[_Node, ...]:
        """Return the nodes of the whole text."""
        branches = self._branches("")
        if self.place < len(self.lexemes):
            raise ValueError("a bracket too many")
        if len(branches) != 1:
            return (_Node(Op.EITHER, branches=branches),)
        if not branches[0]:
            raise ValueError("it is empty")
        return branches[0]

    def _branches(self, close: str) -> tuple[tuple[_Node, ...], ...]:
        """Read alternatives up to a closing bracket, which is taken too."""
        branches: list[tuple[_Node, ...]] = []
        nodes: list[_Node] = []
        while self.place < len(self.lexemes):
            kind, text = self.lexemes[self.place]
            if kind == "meta" and text in {")", "]"}:
                self.place += text == close
                return (*branches, tuple(nodes))
            if kind == "meta" and text == "|":
                branches.append(tuple(nodes))
                nodes = []
                self.place += 1
            else:
                nodes.append(self._node())
        if close:
            raise ValueError(f"`{close}` is missing")
        return (*branches, tuple(nodes))

    def _node(self) -> _Node:
        """Read one piece."""
        kind, text = self.lexemes[self.place]
        self.place += 1
        match kind:
            case "meta":
                return self._meta(text)
            case "call":
                return _call(text)
            case "group":
                return _Node(Op.GROUP)
            case "barred":
                return _Node(Op.SKIP, text[2:].upper())
            case "type":
                return _Node(Op.TYPE)
            case "class":
                return _Node(Op.CLASS, text)
            case "escaped":
                return _Node(Op.WORD, text[1:])
            case _:
                return _Node(Op.WORD, text.upper())

    def _meta(self, sign: str) -> _Node:
        """Return the node of a sign; what belongs to it is read."""
        if sign == "(":
            return _Node(Op.EITHER, branches=self._branches(")"))
        if sign == "[":
            return _Node(Op.EITHER, branches=(*self._branches("]"), ()))
        if sign == "!":
            return _Node(Op.NOT, branches=((self._node(),),))
        return _Node(_META[sign])


def _call(text: str) -> _Node:
    """Return the node of a call: `NAME/2`, `NAME/1..3`, `NAME/1..`."""
    name, _, arity = text.partition("/")
    least, dots, most = arity.partition("..")
    last = int(most) if most else -1 if dots else int(least)
    return _Node(Op.CALL, name.upper(), least=int(least), most=last)


def _emit(nodes: tuple[_Node, ...], out: list[Instruction]) -> None:
    """Append the instructions of nodes that follow one another."""
    for number, node in enumerate(nodes):
        line = len(out)
        if node.op not in {Op.EITHER, Op.NOT}:
            firsts: tuple[frozenset[str], ...]
            firsts = (_first(nodes[number + 1 :]),) if node.op is Op.SKIP else ()
            out.append(Instruction(node.op, node.text, (), node.least, node.most, firsts))
            continue
        out.append(Instruction(node.op))
        if node.op is Op.NOT:
            _emit(node.branches[0], out)
            out.append(Instruction(Op.DONE))
            out[line] = Instruction(Op.NOT, targets=(len(out),))
            continue
        targets = []
        jumps = []
        for branch in node.branches:
            targets.append(len(out))
            _emit(branch, out)
            jumps.append(len(out))
            out.append(Instruction(Op.JUMP))
        for jump in jumps:
            out[jump] = Instruction(Op.JUMP, targets=(len(out),))
        rest = nodes[number + 1 :]
        firsts = tuple(_first((*branch, *rest)) for branch in node.branches)
        out[line] = Instruction(Op.EITHER, targets=tuple(targets), firsts=firsts)


def _first(nodes: tuple[_Node, ...]) -> frozenset[str]:
    """Return the words of which one must stand first in nodes in a row; empty if not known."""
    if not nodes or nodes[0].op in {Op.CLASS, Op.SKIP, Op.END, Op.START}:
        return frozenset()
    if nodes[0].op in {Op.WORD, Op.CALL}:
        return frozenset({nodes[0].text})
    if nodes[0].op is Op.GROUP:
        return frozenset({"("})
    if nodes[0].op is not Op.EITHER:
        return _first(nodes[1:])
    each = [_first((*branch, *nodes[1:])) for branch in nodes[0].branches]
    return frozenset().union(*each) if all(each) else frozenset()


def _keys(node: _Node, indexed: Collection[str]) -> frozenset[str]:
    """Return words of which one must be there for a node to match; empty where none must."""
    if node.op in {Op.WORD, Op.CALL} or (node.op is Op.CLASS and node.text in indexed):
        return frozenset({node.text})
    if node.op is Op.EITHER:
        each = [_gate(branch, indexed) for branch in node.branches]
        return frozenset().union(*each) if all(each) else frozenset()
    return frozenset()


def _gate(nodes: tuple[_Node, ...], indexed: Collection[str]) -> frozenset[str]:
    """Return the rarest words of which one must be there for nodes in a row to match."""
    choices = [keys for node in nodes if (keys := _keys(node, indexed))]
    return min(choices, key=_commonness, default=frozenset())


def _commonness(keys: Iterable[str]) -> int:
    """Rank words by how often SQL holds them."""
    return sum(_OCCURRENCES.get(key, 1) for key in keys)


def _starts(nodes: tuple[_Node, ...], indexed: Collection[str]) -> tuple[tuple[str, int], ...]:
    """Return the rarest of what stands near the beginning, each with its distance from there.

    Looks past zero-width tests and past pieces of a known width; empty where that leads nowhere.
    """
    choices = list(_starting(nodes, indexed))
    rarest = min(choices, key=lambda near: _commonness({key for key, _ in near}), default=set())
    return tuple(sorted(rarest))


def _starting(nodes: tuple[_Node, ...], indexed: Collection[str]) -> Iterator[set[tuple[str, int]]]:
    """Yield for each node near the beginning what stands there, one of which must be there."""
    offsets = {0}
    for node in nodes:
        if node.op in {Op.NOT, Op.TYPE, Op.START, Op.END}:
            continue
        near = _near(node, indexed)
        if near:
            yield {(key, at + more) for key, at in near for more in offsets}
        widths = _widths((node,))
        if widths is None:
            return
        offsets = {at + width for at in offsets for width in widths}


def _near(node: _Node, indexed: Collection[str]) -> set[tuple[str, int]]:
    """Return what stands near the beginning of a node, one of which must be there."""
    if node.op is not Op.EITHER:
        return {(key, 0) for key in _keys(node, indexed)}
    each = [_starts(branch, indexed) for branch in node.branches]
    return set[tuple[str, int]]().union(*each) if all(each) else set()


def _widths(nodes: tuple[_Node, ...]) -> set[int] | None:
    """Return how many tokens nodes in a row can take; None where that is not bounded."""
    total = {0}
    for node in nodes:
        widths = _widths_of(node)
        if widths is None:
            return None
        total = {so_far + width for so_far in total for width in widths}
    return total


def _widths_of(node: _Node) -> set[int] | None:
    """Return how many tokens a node can take."""
    if node.op in {Op.GROUP, Op.SKIP, Op.CALL}:
        return None
    if node.op is not Op.EITHER:
        return {int(node.op in {Op.WORD, Op.CLASS})}
    each = [_widths(branch) for branch in node.branches]
    bounded = [widths for widths in each if widths is not None]
    return set[int]().union(*bounded) if len(bounded) == len(each) else None
