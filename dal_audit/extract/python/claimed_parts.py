"""Which part a node of LibCST's tree plays, by what stands around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import libcst as cst

from dal_audit.extract.python.parse.libcst_places import plain
from dal_audit.facts.claims import Claim, ClaimedPart

Test: TypeAlias = Callable[[cst.CSTNode, Sequence[cst.CSTNode]], bool]
"""Whether a node plays a part, by the nodes around it, outermost first."""

_TEXTS: Final[tuple[type[cst.CSTNode], ...]] = (
    cst.SimpleString,
    cst.ConcatenatedString,
    cst.FormattedString,
    cst.TemplatedString,
    cst.Comment,
)
"""What may hold names that stand, for whoever reports them, where it stands itself."""

SHOWN_IN_PART: Final = (cst.Comment, cst.BaseExpression)
"""What may be longer than what is claimed of it."""

_NEVER_TEXTS: Final = frozenset({"import", "module", "class"})

_GROUPS: Final = (cst.BaseExpression, cst.BaseElement, cst.Index, cst.SubscriptElement)
"""What plays the part of what holds it."""

_TYPED: Final[tuple[type[cst.CSTNode], ...]] = (
    cst.Annotation,
    cst.AnnAssign,
    cst.TypeAlias,
    cst.TypeParam,
)


def plays(node: cst.CSTNode, around: Sequence[cst.CSTNode], claim: Claim) -> bool:
    """Return whether a node at a claim's place bears the claim out."""
    if isinstance(node, _TEXTS):
        return claim.part not in _NEVER_TEXTS
    return _spells(node, claim.name) and _TESTS[claim.part](node, around)


def may_be_part(node: cst.CSTNode, claim: Claim, *, begins: bool) -> bool:
    """Return whether a claim may be about a part of a node, at whose place it lies or `begins`.

    A type stands in a comment; of SQL that takes several lines, one is shown.
    """
    if isinstance(node, cst.Comment):
        return True
    return claim.part == "argument" and (begins or isinstance(node, _TEXTS))


def _spells(node: cst.CSTNode, name: str) -> bool:
    """Return whether a node spells a dotted name, or its end; an empty one is not looked for."""
    if not name or isinstance(node, cst.ImportStar):
        return not name or name.endswith("*")
    own = _dotted_name(node)
    return bool(own) and (name == own or name.endswith(f".{own}"))


def _dotted_name(node: cst.CSTNode) -> str:
    """Return the dotted name that a node spells; empty for another one.

    `getattr(a.b, "c")` spells `a.b.c`, and so does `(b := a.b).c`.
    """
    parts: list[str] = []
    while not isinstance(node, cst.Name):
        match node:
            case cst.Attribute(value=owner, attr=name):
                parts.append(plain(name))
            case cst.Call(
                func=cst.Name(value="getattr") | cst.Attribute(attr=cst.Name(value="getattr")),
                args=[cst.Arg(value=owner), cst.Arg(value=cst.SimpleString() as text), *_],
            ):
                parts.append(str(text.evaluated_value))
            case cst.NamedExpr(value=owner) if parts:
                pass
            case _:
                return ""
        node = owner
    return ".".join([plain(node), *reversed(parts)])


def _parent(around: Sequence[cst.CSTNode]) -> cst.CSTNode | None:
    return around[-1] if around else None


def _holders(around: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield what holds a node, from the first that is more than a group of expressions."""
    is_group = True
    for node in reversed(around):
        is_group = is_group and isinstance(node, _GROUPS)
        if not is_group:
            yield node


def _is_below(*kinds: type[cst.CSTNode]) -> Test:
    """Return the test whether a node stands anywhere below one of these kinds."""

    def test(_node: cst.CSTNode, around: Sequence[cst.CSTNode]) -> bool:
        return any(isinstance(outer, kinds) for outer in around)

    return test


def _is_imported(node: cst.CSTNode, around: Sequence[cst.CSTNode]) -> bool:
    parent = _parent(around)
    is_star = isinstance(node, cst.ImportStar)
    return is_star or (isinstance(parent, cst.ImportAlias) and parent.name is node)


def _is_module(node: cst.CSTNode, around: Sequence[cst.CSTNode]) -> bool:
    parent = _parent(around)
    return isinstance(parent, (cst.ImportFrom, cst.LazyImportFrom)) and parent.module is node


def _is_called(node: cst.CSTNode, around: Sequence[cst.CSTNode]) -> bool:
    parent = _parent(around)
    return isinstance(parent, cst.Call) and parent.func is node


def _is_caught(_node: cst.CSTNode, around: Sequence[cst.CSTNode]) -> bool:
    """Return whether a node stands in what an `except` names, be it in a call (`tuple(NAMES)`)."""
    groups = (*_GROUPS, cst.Arg)
    outer = next((holder for holder in _holders(around) if not isinstance(holder, groups)), None)
    return isinstance(outer, (cst.ExceptHandler, cst.ExceptStarHandler))


def _is_base(_node: cst.CSTNode, around: Sequence[cst.CSTNode]) -> bool:
    holders = list(_holders(around))[:2]
    return len(holders) > 1 and isinstance(holders[1], cst.ClassDef)


def _is_class(node: cst.CSTNode, around: Sequence[cst.CSTNode]) -> bool:
    parent = _parent(around)
    return isinstance(parent, cst.ClassDef) and parent.name is node


def _is_any(_node: cst.CSTNode, _around: Sequence[cst.CSTNode]) -> bool:
    return True


def _is_none(_node: cst.CSTNode, _around: Sequence[cst.CSTNode]) -> bool:
    return False


_IN_CALL: Final = _is_below(cst.Call)

_TESTS: Final[Mapping[ClaimedPart, Test]] = {
    "annotation": _is_below(*_TYPED),
    "argument": _IN_CALL,
    "base": _is_base,
    "call": _is_called,
    "cast": _IN_CALL,
    "class": _is_class,
    "dependency": _IN_CALL,
    "derive": _is_none,
    "downcast": _is_none,
    "except": _is_caught,
    "import": _is_imported,
    "isinstance": _IN_CALL,
    "issubclass": _IN_CALL,
    "module": _is_module,
    "node": _is_any,
    "pattern": _is_below(cst.MatchClass),
    "string": _is_none,
    "type": _is_below(cst.Comparison),
    "value": _is_any,
}
