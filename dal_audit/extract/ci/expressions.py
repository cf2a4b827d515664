"""GitHub's expressions: read, and worked out in three values (true, false, not known).

The grammar and the functions are those of GitHub's page "Evaluate expressions in workflows and
actions". What is not known is `UNKNOWN`, also inside a longer text: a URL whose password is a
secret is still one of PostgreSQL.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

from msgspec import Struct

UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for what only a run can know."""

Value: TypeAlias = Any
"""None, a boolean, a number, a text, a list or a table of values."""

Contexts: TypeAlias = Mapping[str, Value]
"""What the names `github`, `matrix`, `env`, `inputs`, … stand for; others are not known."""

MAX_DEPTH: Final = 50
MAX_LENGTH: Final = 21_000
"""GitHub's own limit for an expression."""

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>[-+]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?))"
    r"|'(?P<text>(?:[^']|'')*)'"
    r"|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<symbol>&&|\|\||==|!=|<=|>=|[!<>()\[\].,*]))"
)
_EXPRESSION: Final = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_HOLE: Final = re.compile(r"\{(\d+)\}")

_LITERALS: Final[dict[str, Value]] = {"true": True, "false": False, "null": None}


class Tree(Struct, frozen=True):
    """A part of an expression: what it does, a name or value, and the parts that it works on."""

    does: str
    value: Value = None
    parts: tuple[Tree, ...] = ()


_NOTHING: Final = Tree("unknown")


class _Parser:
    """Reads an expression by recursive descent; what it cannot read is not known."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0
        self.depth = 0

    def read(self) -> Tree:
        tree = self._either()
        return tree if self.at == len(self.tokens) else _NOTHING

    def _next(self, *symbols: str) -> str:
        """Take the next token where it is one of these symbols."""
        if self.at < len(self.tokens):
            kind, value = self.tokens[self.at]
            if kind == "symbol" and value in symbols:
                self.at += 1
                return str(value)
        return ""

    def _chain(self, inner: Callable[[], Tree], *symbols: str) -> Tree:
        tree = inner()
        while symbol := self._next(*symbols):
            tree = Tree(symbol, None, (tree, inner()))
        return tree

    def _either(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.at = len(self.tokens) + 1
            return _NOTHING
        tree = self._chain(self._both, "||")
        self.depth -= 1
        return tree

    def _both(self) -> Tree:
        return self._chain(self._compared, "&&")

    def _compared(self) -> Tree:
        return self._chain(self._negated, "==", "!=", "<", ">", "<=", ">=")

    def _negated(self) -> Tree:
        count = 0
        while self._next("!"):
            count += 1
        tree = self._member()
        for _ in range(min(count, 2) if count % 2 == 0 else 1):
            tree = Tree("!", None, (tree,))
        return tree

    def _member(self) -> Tree:
        tree = self._primary()
        while symbol := self._next(".", "["):
            if symbol == "[":
                tree = Tree("member", None, (tree, self._either()))
                if not self._next("]"):
                    return _NOTHING
                continue
            kind, value = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
            self.at += 1
            tree = (
                Tree("member", None, (tree, Tree("literal", value))) if kind == "name" else _NOTHING
            )
        return tree

    def _primary(self) -> Tree:
        if self._next("("):
            tree = self._either()
            return tree if self._next(")") else _NOTHING
        kind, value = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if kind == "name":
            return self._named(str(value))
        return Tree("literal", value) if kind in {"text", "number"} else _NOTHING

    def _named(self, name: str) -> Tree:
        if self._next("("):
            return Tree("call", name.lower(), tuple(self._arguments()))
        if name.lower() in _LITERALS:
            return Tree("literal", _LITERALS[name.lower()])
        return Tree("context", name.lower())

    def _arguments(self) -> list[Tree]:
        found: list[Tree] = []
        if self._next(")"):
            return found
        found.append(self._either())
        while self._next(","):
            found.append(self._either())
        return found if self._next(")") else [_NOTHING]


def _tokens(text: str) -> list[tuple[str, Value]]:
    found: list[tuple[str, Value]] = []
    position, text = 0, text.strip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            return [("symbol", "")]
        kind = token.lastgroup or ""
        value: Value = token[kind]
        if kind == "number":
            value = float(int(value, 16)) if "x" in value else float(value)
        elif kind == "text":
            value = value.replace("''", "'")
        found.append((kind, value))
        position = token.end()
    return found


@lru_cache(maxsize=4096)
def parse(text: str) -> Tree:
    """Return the parts of an expression, as it stands between `${{` and `}}`."""
    return _NOTHING if len(text) > MAX_LENGTH else _Parser(text).read()


def evaluate(text: str, contexts: Contexts) -> Value:
    """Return what an expression comes to; UNKNOWN where only a run knows."""
    return _value(parse(text), contexts)


def interpolate(text: str, contexts: Contexts) -> str:
    """Return a text with its expressions worked out."""
    if "${{" not in text:
        return text
    return _EXPRESSION.sub(lambda found: as_text(evaluate(found[1], contexts)), text)


def value_of(text: str, contexts: Contexts) -> Value:
    """Return what a setting comes to: a value of any kind where it is one expression."""
    whole = _EXPRESSION.fullmatch(text.strip())
    return evaluate(whole[1], contexts) if whole else interpolate(text, contexts)


def truth_of(text: str, contexts: Contexts) -> bool | None:
    """Return whether a condition holds; None where that is not known.

    A condition may do without `${{` and `}}`; `true` and `false` are its plain values.
    """
    whole = _EXPRESSION.fullmatch(text.strip())
    if whole is None and "${{" in text:
        # A text with an expression inside is no empty text, and so true: GitHub's own trap.
        return truth(interpolate(text, contexts))
    return truth(evaluate(whole[1] if whole else text, contexts))


def truth(value: Value) -> bool | None:
    """Return whether a value counts as true; None where that is not known."""
    if isinstance(value, str) and UNKNOWN in value:
        return None if value.strip(UNKNOWN) == "" else True
    return bool(value)


def as_text(value: Value) -> str:
    """Return a value as GitHub writes it into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return value if isinstance(value, str) else json.dumps(value)


def _value(tree: Tree, contexts: Contexts) -> Value:
    match tree.does:
        case "literal":
            return tree.value
        case "context":
            return contexts.get(tree.value, UNKNOWN)
        case "member":
            return _member(_value(tree.parts[0], contexts), _value(tree.parts[1], contexts))
        case "!":
            known = truth(_value(tree.parts[0], contexts))
            return UNKNOWN if known is None else not known
        case "&&" | "||":
            return _joined(tree, contexts)
        case "==" | "!=" | "<" | ">" | "<=" | ">=":
            return _compared(tree, contexts)
        case "call":
            return _called(tree, contexts)
        case _:
            return UNKNOWN


def _member(value: Value, name: Value) -> Value:
    if isinstance(value, Mapping):
        wanted = as_text(name).lower()
        otherwise = UNKNOWN if UNKNOWN in value else None
        return next((value[key] for key in value if key.lower() == wanted), otherwise)
    if isinstance(value, list) and isinstance(name, float):
        return next(iter(value[int(name) : int(name) + 1]), None)
    return UNKNOWN if isinstance(value, str) and UNKNOWN in value else None


def _joined(tree: Tree, contexts: Contexts) -> Value:
    left = _value(tree.parts[0], contexts)
    known = truth(left)
    decided = tree.does == "||"
    if known is decided:
        return left
    right = _value(tree.parts[1], contexts)
    if known is not None:
        return right
    settled = truth(right) is decided and (right is True or not decided)
    return right if settled else UNKNOWN


def _compared(tree: Tree, contexts: Contexts) -> Value:
    left, right = (_value(part, contexts) for part in tree.parts)
    equal = _equal(left, right)
    if tree.does in {"==", "!="}:
        return UNKNOWN if equal is None else equal is (tree.does == "==")
    try:
        first, second = float(left), float(right)
    except (TypeError, ValueError):
        return UNKNOWN
    answers = {"<": first < second, ">": first > second, "<=": first <= second}
    return answers.get(tree.does, first >= second)


def _equal(left: Value, right: Value) -> bool | None:
    """Return whether two values are equal as GitHub compares them: texts without regard to case."""
    if isinstance(left, str) and isinstance(right, str):
        if UNKNOWN not in left + right:
            return left.lower() == right.lower()
        return None if _may_be(left, right) else False
    if any(isinstance(value, str) and UNKNOWN in value for value in (left, right)):
        return None
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return left is right
    return _number(left) == _number(right)


def _may_be(left: str, right: str) -> bool:
    """Return whether two texts can be the same, whatever stands in their holes."""
    pattern, text = (left, right) if UNKNOWN not in right else (right, left)
    if UNKNOWN in text:
        return True
    parts = [re.escape(part) for part in pattern.split(UNKNOWN)]
    return re.fullmatch(".*".join(parts), text, re.IGNORECASE | re.DOTALL) is not None


def _number(value: Value) -> float | None:
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _called(tree: Tree, contexts: Contexts) -> Value:
    name = tree.value
    if name in {"always", "success"}:
        return True
    if name in {"failure", "cancelled"}:
        return False
    arguments = [_value(part, contexts) for part in tree.parts]
    function = _FUNCTIONS.get(name)
    if function is None or not arguments:
        return UNKNOWN
    try:
        return function(*arguments)
    except (TypeError, ValueError, IndexError):
        return UNKNOWN


def _contains(where: Value, what: Value) -> Value:
    if isinstance(where, (list, tuple)):
        answers = [_equal(item, what) for item in where]
        return True if True in answers else (UNKNOWN if None in answers else False)
    return _in_text(where, what, lambda text, part: part in text)


def _in_text(where: Value, what: Value, test: Callable[[str, str], bool]) -> Value:
    text, part = as_text(where).lower(), as_text(what).lower()
    if UNKNOWN in part:
        return UNKNOWN
    if UNKNOWN not in text:
        return test(text, part)
    return True if test(text.replace(UNKNOWN, "\0"), part) else _unless_begun(text, part, test)


def _unless_begun(text: str, part: str, test: Callable[[str, str], bool]) -> Value:
    """Return False where what is known of a text already rules a beginning out."""
    known = text.partition(UNKNOWN)[0][: len(part)]
    is_beginning = test is str.startswith
    return False if is_beginning and not part.startswith(known) else UNKNOWN


def _format(text: Value, *arguments: Value) -> str:
    found = _HOLE.sub(lambda hole: as_text(arguments[int(hole[1])]), as_text(text))
    return found.replace("{{", "{").replace("}}", "}")


def _from_json(text: Value) -> Value:
    return UNKNOWN if UNKNOWN in as_text(text) else json.loads(as_text(text), parse_int=float)


def _join(values: Value, separator: Value = ",") -> Value:
    return as_text(separator).join(as_text(value) for value in values)


_FUNCTIONS: Final[dict[str, Callable[..., Value]]] = {
    "contains": _contains,
    "startswith": lambda where, what: _in_text(where, what, str.startswith),
    "endswith": lambda where, what: _in_text(where, what, str.endswith),
    "format": _format,
    "join": _join,
    "tojson": lambda value: value if value == UNKNOWN else json.dumps(value),
    "fromjson": _from_json,
}
