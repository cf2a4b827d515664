"""Lower the expressions of a LibCST tree to those of the standard library's `ast`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import libcst as cst

from dal_audit.extract.python.parse.libcst_places import Places, lowering_of, plain

Lowering: TypeAlias = Callable[["ExpressionLowerer", Any], Any]


class ExpressionLowerer(Places):
    """Lowers expressions; each method takes a LibCST node and gives an `ast` node."""

    def load(self, node: cst.CSTNode) -> ast.expr:
        """Lower an expression that is read."""
        return self.expression(node, ast.Load())

    def store(self, node: cst.CSTNode) -> Any:
        """Lower an expression that is assigned to; its kind is one that may be."""
        return self.expression(node, ast.Store())

    def expression(self, node: cst.CSTNode, context: ast.expr_context) -> ast.expr:
        """Lower an expression; raises ValueError for one of a kind that is not known."""
        if isinstance(node, cst.Name):
            made: ast.expr = (
                ast.Constant(value=CONSTANTS[node.value])
                if node.value in CONSTANTS
                else ast.Name(id=plain(node), ctx=context)
            )
        elif isinstance(node, cst.Attribute):
            made = ast.Attribute(value=self.load(node.value), attr=plain(node.attr), ctx=context)
        elif isinstance(node, (cst.Tuple, cst.List)):
            kind = ast.Tuple if isinstance(node, cst.Tuple) else ast.List
            made = kind(
                elts=[self.element(element, context) for element in node.elements], ctx=context
            )
        elif isinstance(node, cst.Subscript):
            made = ast.Subscript(value=self.load(node.value), slice=self.index(node), ctx=context)
        else:
            made = lowering_of(EXPRESSIONS, node)(self, node)
        return self.at(node, made)

    def element(self, node: cst.BaseElement, context: ast.expr_context) -> ast.expr:
        """Lower an element of a list, tuple or set."""
        value = self.expression(node.value, context)
        if isinstance(node, cst.StarredElement):
            return self.at(node, ast.Starred(value=value, ctx=context))
        return value

    def index(self, node: cst.Subscript) -> ast.expr:
        """Lower what stands between a subscript's brackets."""
        made = [self.slice(part.slice) for part in node.slice]
        if len(made) == 1 and not isinstance(node.slice[0].comma, cst.Comma):
            return made[0]
        return self.at(node, ast.Tuple(elts=made, ctx=ast.Load()))

    def slice(self, node: cst.BaseSlice) -> ast.expr:
        """Lower an index or a slice."""
        if isinstance(node, cst.Index):
            value = self.load(node.value)
            return self.at(node, ast.Starred(value=value, ctx=ast.Load())) if node.star else value
        lower, upper, step = (
            self.load(part) if (part := getattr(node, name)) else None
            for name in ("lower", "upper", "step")
        )
        return self.at(node, ast.Slice(lower=lower, upper=upper, step=step))

    def call(self, node: cst.Call) -> ast.expr:
        """Lower a call."""
        unnamed = [
            argument for argument in node.args if argument.keyword is None and argument.star != "**"
        ]
        named = [
            argument
            for argument in node.args
            if argument.keyword is not None or argument.star == "**"
        ]
        return ast.Call(
            func=self.load(node.func),
            args=[self.argument(argument) for argument in unnamed],
            keywords=[self.keyword(argument) for argument in named],
        )

    def argument(self, node: cst.Arg) -> ast.expr:
        """Lower a positional argument."""
        value = self.load(node.value)
        return self.at(node, ast.Starred(value=value, ctx=ast.Load())) if node.star else value

    def keyword(self, node: cst.Arg) -> ast.keyword:
        """Lower a keyword argument, or `**mapping`."""
        name = plain(node.keyword) if node.keyword else None
        return self.at(node, ast.keyword(arg=name, value=self.load(node.value)))

    def string(self, node: cst.SimpleString) -> ast.expr:
        """Lower a string or bytes literal."""
        return ast.Constant(value=node.evaluated_value)

    def joined(self, node: cst.ConcatenatedString) -> ast.expr:
        """Lower strings that stand side by side."""
        parts = [self.load(node.left), self.load(node.right)]
        texts = [part.value for part in parts if isinstance(part, ast.Constant)]
        if len(texts) == len(parts):
            return ast.Constant(value=texts[0] + texts[1])  # type: ignore[operator]
        values: list[ast.expr] = []
        for part in parts:
            values += part.values if isinstance(part, ast.JoinedStr) else [part]
        return ast.JoinedStr(values=values)

    def formatted(self, node: Any) -> ast.expr:
        """Lower an f-string or a t-string."""
        return ast.JoinedStr(values=[self.piece(node, part) for part in node.parts])

    def piece(self, string: Any, node: Any) -> ast.expr:
        """Lower a literal or a replaced part of an f-string."""
        if hasattr(node, "value"):
            raw = "r" in string.prefix.lower()
            text = node.value.replace("{{", "{").replace("}}", "}")
            value = text if raw else _unescape(text)
            return self.at(node, ast.Constant(value=value))
        specification = None
        if node.format_spec:
            specification = ast.JoinedStr([self.piece(string, part) for part in node.format_spec])
            self.at(node, specification)
        # `{x=}` shows the text of the expression and then its `repr`.
        conversion = node.conversion or ("r" if node.equal and not node.format_spec else "")
        return self.at(
            node,
            ast.FormattedValue(
                value=self.load(node.expression),
                conversion=ord(conversion) if conversion else -1,
                format_spec=specification,
            ),
        )

    def binary(self, node: cst.BinaryOperation) -> ast.expr:
        """Lower a binary operation; only `+`, `%` and `|` are told apart."""
        operator = BINARY.get(type(node.operator), ast.Sub)()
        return ast.BinOp(left=self.load(node.left), op=operator, right=self.load(node.right))

    def boolean(self, node: cst.BooleanOperation) -> ast.expr:
        """Lower `and` and `or`."""
        operator = ast.And() if isinstance(node.operator, cst.And) else ast.Or()
        return ast.BoolOp(op=operator, values=[self.load(node.left), self.load(node.right)])

    def unary(self, node: cst.UnaryOperation) -> ast.expr:
        """Lower a unary operation; only `not` and `-` are told apart."""
        operator = UNARY.get(type(node.operator), ast.UAdd)()
        return ast.UnaryOp(op=operator, operand=self.load(node.expression))

    def comparison(self, node: cst.Comparison) -> ast.expr:
        """Lower a comparison; only `in` and `is` are told apart from the rest."""
        return ast.Compare(
            left=self.load(node.left),
            ops=[
                COMPARISONS.get(type(comparison.operator), ast.Eq)()
                for comparison in node.comparisons
            ],
            comparators=[self.load(comparison.comparator) for comparison in node.comparisons],
        )

    def mapping(self, node: cst.Dict) -> ast.expr:
        """Lower a dictionary display."""
        keys = [
            self.load(element.key) if isinstance(element, cst.DictElement) else None
            for element in node.elements
        ]
        return ast.Dict(keys=keys, values=[self.load(element.value) for element in node.elements])

    def comprehension(self, node: Any) -> ast.expr:
        """Lower a comprehension or a generator expression."""
        kinds: dict[type, type[ast.ListComp | ast.SetComp | ast.GeneratorExp]] = {
            cst.ListComp: ast.ListComp,
            cst.SetComp: ast.SetComp,
        }
        made = kinds.get(type(node), ast.GeneratorExp)
        return made(elt=self.load(node.elt), generators=self.clauses(node.for_in))

    def dict_comprehension(self, node: cst.DictComp) -> ast.expr:
        """Lower a dictionary comprehension."""
        return ast.DictComp(
            key=self.load(node.key),
            value=self.load(node.value),
            generators=self.clauses(node.for_in),
        )

    def unpacking_comprehension(self, node: Any) -> ast.expr:
        """Lower `{**a for a in b}` (PEP 798), which has no value."""
        nothing: Any = None
        return ast.DictComp(
            key=self.load(node.value), value=nothing, generators=self.clauses(node.for_in)
        )

    def clauses(self, node: cst.CompFor | None) -> list[ast.comprehension]:
        """Lower the `for … if …` clauses of a comprehension, outermost first."""
        made = []
        while node is not None:
            made.append(
                ast.comprehension(
                    target=self.store(node.target),
                    iter=self.load(node.iter),
                    ifs=[self.load(condition.test) for condition in node.ifs],
                    is_async=int(node.asynchronous is not None),
                )
            )
            node = node.inner_for_in
        return made

    def anonymous(self, node: cst.Lambda) -> ast.expr:
        """Lower a lambda."""
        return ast.Lambda(args=self.parameters(node.params), body=self.load(node.body))

    def parameters(self, node: cst.Parameters) -> ast.arguments:
        """Lower a parameter list."""
        star = node.star_arg if isinstance(node.star_arg, cst.Param) else None
        positional = [*node.posonly_params, *node.params]
        return ast.arguments(
            posonlyargs=list(map(self.parameter, node.posonly_params)),
            args=list(map(self.parameter, node.params)),
            vararg=self.parameter(star) if star else None,
            kwonlyargs=list(map(self.parameter, node.kwonly_params)),
            kw_defaults=list(map(self.default, node.kwonly_params)),
            kwarg=self.parameter(node.star_kwarg) if node.star_kwarg else None,
            defaults=[default for default in map(self.default, positional) if default],
        )

    def default(self, node: cst.Param) -> ast.expr | None:
        """Lower what a parameter is by default."""
        return self.load(node.default) if node.default else None

    def parameter(self, node: cst.Param) -> ast.arg:
        """Lower one parameter."""
        annotation = self.load(node.annotation.annotation) if node.annotation else None
        return self.at(node, ast.arg(arg=plain(node.name), annotation=annotation))


def _whole_number(text: str) -> int:
    """Return a number's value; 0 for one with more digits than Python converts."""
    try:
        return int(text, 0)
    except ValueError:
        return 0


def _unescape(text: str) -> str:
    """Return the value of the literal part of an f-string."""
    if "\\" not in text:
        return text
    try:
        value = ast.literal_eval('"""' + text.replace('"', '\\"') + '"""')
    except (SyntaxError, ValueError):
        return text
    return str(value)


CONSTANTS: Final = {"None": None, "True": True, "False": False}
UNARY: Final[dict[type, type[ast.unaryop]]] = {cst.Not: ast.Not, cst.Minus: ast.USub}
BINARY: Final[dict[type, type[ast.operator]]] = {
    cst.Add: ast.Add,
    cst.Modulo: ast.Mod,
    cst.BitOr: ast.BitOr,
}
COMPARISONS: Final[dict[type, type[ast.cmpop]]] = {
    cst.In: ast.In,
    cst.NotIn: ast.NotIn,
    cst.Is: ast.Is,
    cst.IsNot: ast.IsNot,
}
EXPRESSIONS: Final[dict[type, Lowering]] = {
    cst.Call: ExpressionLowerer.call,
    cst.SimpleString: ExpressionLowerer.string,
    cst.ConcatenatedString: ExpressionLowerer.joined,
    cst.FormattedString: ExpressionLowerer.formatted,
    cst.BinaryOperation: ExpressionLowerer.binary,
    cst.BooleanOperation: ExpressionLowerer.boolean,
    cst.UnaryOperation: ExpressionLowerer.unary,
    cst.Comparison: ExpressionLowerer.comparison,
    cst.Dict: ExpressionLowerer.mapping,
    cst.Set: lambda low, node: ast.Set(elts=[low.element(e, ast.Load()) for e in node.elements]),
    cst.ListComp: ExpressionLowerer.comprehension,
    cst.SetComp: ExpressionLowerer.comprehension,
    cst.GeneratorExp: ExpressionLowerer.comprehension,
    cst.DictComp: ExpressionLowerer.dict_comprehension,
    cst.Lambda: ExpressionLowerer.anonymous,
    cst.StarredElement: lambda low, node: ast.Starred(value=low.load(node.value), ctx=ast.Load()),
    cst.IfExp: lambda low, node: ast.IfExp(
        test=low.load(node.test), body=low.load(node.body), orelse=low.load(node.orelse)
    ),
    cst.NamedExpr: lambda low, node: ast.NamedExpr(
        target=low.store(node.target), value=low.load(node.value)
    ),
    cst.Await: lambda low, node: ast.Await(value=low.load(node.expression)),
    cst.Yield: lambda low, node: ast.Yield(
        value=low.load(node.value.item if isinstance(node.value, cst.From) else node.value)
        if node.value
        else None
    ),
    cst.Integer: lambda _, node: ast.Constant(value=_whole_number(node.value)),
    cst.Float: lambda _, __: ast.Constant(value=0),
    cst.Imaginary: lambda _, __: ast.Constant(value=0),
    cst.Ellipsis: lambda _, __: ast.Constant(value=...),
}
if hasattr(cst, "TemplatedString"):  # LibCST 1.8.3 and newer: PEP 750
    EXPRESSIONS[cst.TemplatedString] = ExpressionLowerer.formatted
if hasattr(cst, "StarredDictComp"):  # LibCST 1.9 and newer: PEP 798
    EXPRESSIONS[cst.StarredDictComp] = ExpressionLowerer.unpacking_comprehension
