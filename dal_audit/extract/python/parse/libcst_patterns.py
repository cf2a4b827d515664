"""Lower the patterns of `match` to those of the standard library's `ast`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import libcst as cst

from dal_audit.extract.python.parse.libcst_expressions import ExpressionLowerer
from dal_audit.extract.python.parse.libcst_places import plain


class PatternLowerer(ExpressionLowerer):
    """Lowers patterns to the names that they bind and the expressions that they compare with."""

    def pattern(self, node: cst.MatchPattern) -> ast.pattern:
        """Lower one pattern."""
        return self.at(node, _PATTERNS.get(type(node), PatternLowerer.sequence)(self, node))

    def alternative(self, node: cst.MatchOr) -> ast.pattern:
        """Lower `a | b`."""
        return ast.MatchOr(patterns=[self.pattern(element.pattern) for element in node.patterns])

    def capture(self, node: cst.MatchAs) -> ast.pattern:
        """Lower a name, a wildcard, or `pattern as name`."""
        inner = self.pattern(node.pattern) if node.pattern else None
        return ast.MatchAs(pattern=inner, name=plain(node.name) if node.name else None)

    def class_pattern(self, node: cst.MatchClass) -> ast.pattern:
        """Lower `Class(a, b=c)`."""
        return ast.MatchClass(
            cls=self.load(node.cls),
            patterns=[self.pattern(element.value) for element in node.patterns],
            kwd_attrs=[plain(element.key) for element in node.kwds],
            kwd_patterns=[self.pattern(element.pattern) for element in node.kwds],
        )

    def mapping_pattern(self, node: cst.MatchMapping) -> ast.pattern:
        """Lower `{key: pattern, **rest}`."""
        return ast.MatchMapping(
            keys=[self.load(element.key) for element in node.elements],
            patterns=[self.pattern(element.pattern) for element in node.elements],
            rest=plain(node.rest) if node.rest else None,
        )

    def sequence(self, node: Any) -> ast.pattern:
        """Lower a list or a tuple of patterns, in which one can be starred."""
        parts: list[Any] = [
            element if isinstance(element, cst.MatchStar) else element.value
            for element in node.patterns
        ]
        return ast.MatchSequence(patterns=[self.pattern(part) for part in parts])


_Lowering: TypeAlias = Callable[[PatternLowerer, Any], ast.pattern]

_PATTERNS: Final[dict[type, _Lowering]] = {
    cst.MatchValue: lambda low, node: ast.MatchValue(value=low.load(node.value)),
    cst.MatchSingleton: lambda _, __: ast.MatchSingleton(value=None),
    cst.MatchAs: PatternLowerer.capture,
    cst.MatchStar: lambda _, node: ast.MatchStar(name=plain(node.name) if node.name else None),
    cst.MatchOr: PatternLowerer.alternative,
    cst.MatchMapping: PatternLowerer.mapping_pattern,
    cst.MatchClass: PatternLowerer.class_pattern,
}
