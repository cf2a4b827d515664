"""Lower a LibCST tree to the shape of the standard library's `ast`.

One analysis then serves both parsers: `ast` where speed counts and the running Python knows the
grammar, LibCST where it does not, or where every shortcut is off. Positions follow `ast`: 1-based
lines, 0-based columns in UTF-8 bytes. What no analysis reads (numbers, comments) is dropped.
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from dal_audit.extract.python.parse.newer_syntax import TryStar, TypeAlias, TypeParameter

Made = TypeVar("Made")
Lowering = Callable[["Lowerer", Any], Any]


def lower_module(text: str) -> ast.Module:
    """Parse a module with LibCST and lower it.

    Raises libcst.ParserSyntaxError for text outside LibCST's grammar, ValueError for text whose
    places LibCST loses.
    """
    shifts: dict[int, int] = {}
    if "\f" in text:
        text, shifts = _without_leading_feeds(text)
    # The tree is used once, so MetadataWrapper's protective deep copy would be waste.
    wrapper = MetadataWrapper(cst.parse_module(text), unsafe_skip_copy=True)
    if wrapper.module.code.rstrip("\r\n") != text.rstrip("\r\n"):
        # It drops a backslash that begins a logical line, and counts lines without it.
        message = "LibCST does not give the text back"
        raise ValueError(message)
    return Lowerer(wrapper.resolve(PositionProvider), text, shifts).module(wrapper.module)


def lower_expression(text: str) -> ast.expr:
    """Parse one expression with LibCST and lower it; its positions count from its own start."""
    statement = lower_module(f"({text})\n").body[0]
    if not isinstance(statement, ast.Expr):
        message = "not an expression"
        raise TypeError(message)
    return statement.value


class Lowerer:
    """Lowers nodes of one module; each method takes a LibCST node and gives an `ast` node."""

    def __init__(
        self, ranges: Mapping[cst.CSTNode, CodeRange], text: str, shifts: Mapping[int, int]
    ) -> None:
        """Take the places of the nodes; the text is needed to count columns in bytes.

        `shifts` says how many characters were taken off the front of a line.
        """
        self.ranges = ranges
        self.shifts = shifts
        self.lines = None if text.isascii() else _split(text)

    def module(self, node: cst.Module) -> ast.Module:
        """Lower a whole module."""
        return ast.Module(body=self.body(node), type_ignores=[])

    def _utf8(self, line: int, column: int) -> int:
        shift = self.shifts.get(line, 0)
        if self.lines is None or line > len(self.lines):
            return column + shift
        return len(self.lines[line - 1][:column].encode("utf-8")) + shift

    def at(self, node: cst.CSTNode, lowered: Made) -> Made:
        """Give a lowered node the place of the node that it was made from."""
        place = self.ranges[node]
        made: Any = lowered
        made.lineno = place.start.line
        made.col_offset = self._utf8(place.start.line, place.start.column)
        made.end_lineno = place.end.line
        made.end_col_offset = self._utf8(place.end.line, place.end.column)
        return lowered

    # Statements

    def body(self, node: cst.CSTNode) -> list[ast.stmt]:
        """Lower the statements of a module, a block or a one-line suite."""
        made: list[ast.stmt] = []
        for part in node.body:  # type: ignore[attr-defined]  # Module, IndentedBlock, suites
            if isinstance(part, cst.SimpleStatementLine):
                made += [self.statement(small) for small in part.body]
            else:
                made.append(self.statement(part))
        return made

    def statement(self, node: cst.CSTNode) -> ast.stmt:
        """Lower one statement; one that binds and uses no name becomes `pass`."""
        lowering = STATEMENTS.get(type(node))
        return self.at(node, lowering(self, node) if lowering else ast.Pass())

    def block(self, node: cst.CSTNode | None) -> list[ast.stmt]:
        """Lower an `else` or `finally` clause, which may be missing."""
        if node is None:
            return []
        return self.body(node.body)  # type: ignore[attr-defined]

    def function(self, node: cst.FunctionDef) -> ast.stmt:
        """Lower a function's definition."""
        made = ast.AsyncFunctionDef if node.asynchronous else ast.FunctionDef
        return self.typed(
            node,
            made(
                name=plain(node.name),
                args=self.parameters(node.params),
                body=self.body(node.body),
                decorator_list=[self.load(one.decorator) for one in node.decorators],
                returns=self.load(node.returns.annotation) if node.returns else None,
            ),
        )

    def classdef(self, node: cst.ClassDef) -> ast.stmt:
        """Lower a class's definition."""
        return self.typed(
            node,
            ast.ClassDef(
                name=plain(node.name),
                bases=[self.argument(base) for base in node.bases],
                keywords=[self.keyword(one) for one in node.keywords],
                body=self.body(node.body),
                decorator_list=[self.load(one.decorator) for one in node.decorators],
            ),
        )

    def typed(self, node: Any, lowered: Made) -> Made:
        """Add the type parameters of PEP 695."""
        parameters = node.type_parameters.params if node.type_parameters else ()
        made: Any = lowered
        made.type_params = [self.type_parameter(one) for one in parameters]
        return lowered

    def type_parameter(self, node: cst.TypeParam) -> Any:
        """Lower a type parameter, with its bound and default."""
        made: Any = TypeParameter()
        made.name = plain(node.param.name)
        bound = getattr(node.param, "bound", None)
        made.bound = self.load(bound) if bound else None
        made.default_value = self.load(node.default) if node.default else None
        return self.at(node, made)

    def parameters(self, node: cst.Parameters) -> ast.arguments:
        """Lower a parameter list."""
        star = node.star_arg if isinstance(node.star_arg, cst.Param) else None
        positional = [*node.posonly_params, *node.params]
        return ast.arguments(
            posonlyargs=[self.parameter(one) for one in node.posonly_params],
            args=[self.parameter(one) for one in node.params],
            vararg=self.parameter(star) if star else None,
            kwonlyargs=[self.parameter(one) for one in node.kwonly_params],
            kw_defaults=[self.load(p.default) if p.default else None for p in node.kwonly_params],
            kwarg=self.parameter(node.star_kwarg) if node.star_kwarg else None,
            defaults=[self.load(one.default) for one in positional if one.default],
        )

    def parameter(self, node: cst.Param) -> ast.arg:
        """Lower one parameter."""
        annotation = self.load(node.annotation.annotation) if node.annotation else None
        return self.at(node, ast.arg(arg=plain(node.name), annotation=annotation))

    def branch(self, node: cst.If) -> ast.stmt:
        """Lower `if`; an `elif` is an `if` alone in the `else`, as in `ast`."""
        if isinstance(node.orelse, cst.If):
            orelse = [self.statement(node.orelse)]
        else:
            orelse = self.block(node.orelse)
        return ast.If(test=self.load(node.test), body=self.body(node.body), orelse=orelse)

    def loop(self, node: cst.For) -> ast.stmt:
        """Lower `for`."""
        made = ast.AsyncFor if node.asynchronous else ast.For
        return made(
            target=self.store(node.target),
            iter=self.load(node.iter),
            body=self.body(node.body),
            orelse=self.block(node.orelse),
        )

    def attempt(self, node: cst.Try | cst.TryStar) -> ast.stmt:
        """Lower `try`."""
        made = TryStar if isinstance(node, cst.TryStar) else ast.Try
        return made(
            body=self.body(node.body),
            handlers=[self.handler(one) for one in node.handlers],
            orelse=self.block(node.orelse),
            finalbody=self.block(node.finalbody),
        )

    def handler(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> ast.ExceptHandler:
        """Lower an `except` clause."""
        name = plain(node.name.name) if node.name and isinstance(node.name.name, cst.Name) else None
        made = ast.ExceptHandler(
            type=self.load(node.type) if node.type else None, name=name, body=self.body(node.body)
        )
        return self.at(node, made)

    def context(self, node: cst.With) -> ast.stmt:
        """Lower `with`."""
        made = ast.AsyncWith if node.asynchronous else ast.With
        items = [
            ast.withitem(
                context_expr=self.load(item.item),
                optional_vars=self.store(item.asname.name) if item.asname else None,
            )
            for item in node.items
        ]
        return made(items=items, body=self.body(node.body))

    def assign(self, node: cst.Assign) -> ast.stmt:
        """Lower `a = b = value`."""
        targets = [self.store(one.target) for one in node.targets]
        return ast.Assign(targets=targets, value=self.load(node.value))

    def annotated(self, node: cst.AnnAssign) -> ast.stmt:
        """Lower `name: annotation = value`."""
        return ast.AnnAssign(
            target=self.store(node.target),
            annotation=self.load(node.annotation.annotation),
            value=self.load(node.value) if node.value else None,
            simple=int(isinstance(node.target, cst.Name) and not node.target.lpar),
        )

    def plain_import(self, node: cst.Import) -> ast.stmt:
        """Lower `import a.b as c`."""
        return ast.Import(names=[self.alias(one) for one in node.names])

    def from_import(self, node: cst.ImportFrom) -> ast.stmt:
        """Lower `from ..a import b as c`."""
        star = isinstance(node.names, cst.ImportStar)
        names = [] if isinstance(node.names, cst.ImportStar) else node.names
        aliases = [self.alias(one) for one in names]
        if star:
            aliases = [self.at(node.names, ast.alias(name="*", asname=None))]  # type: ignore[arg-type]
        module = dotted(node.module) if node.module else None
        return ast.ImportFrom(module=module, names=aliases, level=len(node.relative))

    def alias(self, node: cst.ImportAlias) -> ast.alias:
        """Lower one imported name."""
        asname = plain(node.asname.name) if node.asname else None  # type: ignore[arg-type]
        return self.at(node, ast.alias(name=dotted(node.name), asname=asname))

    def type_alias(self, node: cst.TypeAlias) -> Any:
        """Lower `type X[T] = …`."""
        made: Any = TypeAlias()
        made.name, made.value = self.store(node.name), self.load(node.value)
        return self.typed(node, made)

    def match(self, node: cst.Match) -> ast.stmt:
        """Lower `match`."""
        cases = [
            ast.match_case(
                pattern=self.pattern(case.pattern),
                guard=self.load(case.guard) if case.guard else None,
                body=self.body(case.body),
            )
            for case in node.cases
        ]
        return ast.Match(subject=self.load(node.subject), cases=cases)

    def pattern(self, node: cst.MatchPattern) -> ast.pattern:
        """Lower a pattern to the names that it binds and the expressions that it compares with."""
        made: ast.pattern
        if isinstance(node, cst.MatchValue):
            made = ast.MatchValue(value=self.load(node.value))
        elif isinstance(node, cst.MatchSingleton):
            made = ast.MatchSingleton(value=None)
        elif isinstance(node, cst.MatchAs):
            inner = self.pattern(node.pattern) if node.pattern else None
            made = ast.MatchAs(pattern=inner, name=plain(node.name) if node.name else None)
        elif isinstance(node, cst.MatchStar):
            made = ast.MatchStar(name=plain(node.name) if node.name else None)
        elif isinstance(node, cst.MatchOr):
            made = ast.MatchOr(patterns=[self.pattern(one.pattern) for one in node.patterns])
        elif isinstance(node, cst.MatchMapping):
            made = ast.MatchMapping(
                keys=[self.load(one.key) for one in node.elements],
                patterns=[self.pattern(one.pattern) for one in node.elements],
                rest=plain(node.rest) if node.rest else None,
            )
        elif isinstance(node, cst.MatchClass):
            made = ast.MatchClass(
                cls=self.load(node.cls),
                patterns=[self.pattern(one.value) for one in node.patterns],
                kwd_attrs=[plain(one.key) for one in node.kwds],
                kwd_patterns=[self.pattern(one.pattern) for one in node.kwds],
            )
        else:
            parts: list[Any] = [
                one if isinstance(one, cst.MatchStar) else one.value
                for one in node.patterns  # type: ignore[attr-defined]  # a list or a tuple
            ]
            made = ast.MatchSequence(patterns=[self.pattern(one) for one in parts])
        return self.at(node, made)

    # Expressions

    def load(self, node: cst.CSTNode) -> ast.expr:
        """Lower an expression that is read."""
        return self.expression(node, ast.Load())

    def store(self, node: cst.CSTNode) -> Any:
        """Lower an expression that is assigned to; its kind is one that may be."""
        return self.expression(node, ast.Store())

    def expression(self, node: cst.CSTNode, context: ast.expr_context) -> ast.expr:
        """Lower an expression; a kind with no lowering of its own keeps its parts as a tuple."""
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
            made = kind(elts=[self.element(one, context) for one in node.elements], ctx=context)
        elif isinstance(node, cst.Subscript):
            made = ast.Subscript(value=self.load(node.value), slice=self.index(node), ctx=context)
        else:
            lowering = EXPRESSIONS.get(type(node))
            made = (
                lowering(self, node)
                if lowering
                else ast.Tuple(elts=self.parts(node), ctx=ast.Load())
            )
        return self.at(node, made)

    def parts(self, node: cst.CSTNode) -> list[ast.expr]:
        """Lower the expressions directly below a node."""
        return [self.load(one) for one in node.children if isinstance(one, cst.BaseExpression)]

    def element(self, node: cst.BaseElement, context: ast.expr_context) -> ast.expr:
        """Lower an element of a list, tuple or set."""
        value = self.expression(node.value, context)
        if isinstance(node, cst.StarredElement):
            return self.at(node, ast.Starred(value=value, ctx=context))
        return value

    def index(self, node: cst.Subscript) -> ast.expr:
        """Lower what stands between a subscript's brackets."""
        made = [self.slice(one.slice) for one in node.slice]
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
        plain = [one for one in node.args if one.keyword is None and one.star != "**"]
        named = [one for one in node.args if one.keyword is not None or one.star == "**"]
        return ast.Call(
            func=self.load(node.func),
            args=[self.argument(one) for one in plain],
            keywords=[self.keyword(one) for one in named],
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
            specification = ast.JoinedStr([self.piece(string, one) for one in node.format_spec])
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
        """Lower a unary operation; only `not` is told apart."""
        operator = ast.Not() if isinstance(node.operator, cst.Not) else ast.UAdd()
        return ast.UnaryOp(op=operator, operand=self.load(node.expression))

    def comparison(self, node: cst.Comparison) -> ast.expr:
        """Lower a comparison; only `in` and `is` are told apart from the rest."""
        return ast.Compare(
            left=self.load(node.left),
            ops=[COMPARISONS.get(type(one.operator), ast.Eq)() for one in node.comparisons],
            comparators=[self.load(one.comparator) for one in node.comparisons],
        )

    def mapping(self, node: cst.Dict) -> ast.expr:
        """Lower a dictionary display."""
        keys = [
            self.load(one.key) if isinstance(one, cst.DictElement) else None
            for one in node.elements
        ]
        return ast.Dict(keys=keys, values=[self.load(one.value) for one in node.elements])

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

    def clauses(self, node: cst.CompFor | None) -> list[ast.comprehension]:
        """Lower the `for … if …` clauses of a comprehension, outermost first."""
        made = []
        while node is not None:
            made.append(
                ast.comprehension(
                    target=self.store(node.target),
                    iter=self.load(node.iter),
                    ifs=[self.load(one.test) for one in node.ifs],
                    is_async=int(node.asynchronous is not None),
                )
            )
            node = node.inner_for_in
        return made

    def anonymous(self, node: cst.Lambda) -> ast.expr:
        """Lower a lambda."""
        return ast.Lambda(args=self.parameters(node.params), body=self.load(node.body))


def dotted(node: cst.CSTNode) -> str:
    """Return the text of a dotted name, without white space."""
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{plain(node.attr)}"
    if isinstance(node, cst.Name):
        return plain(node)
    message = f"{type(node).__name__} is not a dotted name"
    raise TypeError(message)


def _without_leading_feeds(text: str) -> tuple[str, dict[int, int]]:
    """Take form feeds off the fronts of lines, with what stands before them there.

    To Python, indentation begins anew after a form feed; LibCST loses count of its columns.
    """
    shifts = {}
    lines = _LINE.findall(text)
    for index, line in enumerate(lines):
        found = _LEADING_FEED.match(line)
        if found:
            shifts[index + 1] = found.end()
            lines[index] = line[found.end() :]
    return "".join(lines), shifts


def plain(node: cst.Name) -> str:
    """Return an identifier as Python compares it: in NFKC (language reference, "Identifiers")."""
    name = node.value
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


def _whole_number(text: str) -> int:
    """Return a number's value; 0 for one with more digits than Python converts."""
    try:
        return int(text, 0)
    except ValueError:
        return 0


def _split(text: str) -> Sequence[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _unescape(text: str) -> str:
    """Return the value of the literal part of an f-string."""
    if "\\" not in text:
        return text
    try:
        value = ast.literal_eval('"""' + text.replace('"', '\\"') + '"""')
    except (SyntaxError, ValueError):
        return text
    return str(value)


def _names(node: Iterable[cst.NameItem]) -> list[str]:
    return [plain(one.name) for one in node]


_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LEADING_FEED: Final = re.compile(r"[ \t\f]*\f")
CONSTANTS: Final = {"None": None, "True": True, "False": False}
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
STATEMENTS: Final[dict[type, Lowering]] = {
    cst.FunctionDef: Lowerer.function,
    cst.ClassDef: Lowerer.classdef,
    cst.If: Lowerer.branch,
    cst.For: Lowerer.loop,
    cst.While: lambda low, node: ast.While(
        test=low.load(node.test), body=low.body(node.body), orelse=low.block(node.orelse)
    ),
    cst.Try: Lowerer.attempt,
    cst.TryStar: Lowerer.attempt,
    cst.With: Lowerer.context,
    cst.Match: Lowerer.match,
    cst.Assign: Lowerer.assign,
    cst.AnnAssign: Lowerer.annotated,
    cst.AugAssign: lambda low, node: ast.AugAssign(
        target=low.store(node.target), op=ast.Add(), value=low.load(node.value)
    ),
    cst.Import: Lowerer.plain_import,
    cst.ImportFrom: Lowerer.from_import,
    cst.TypeAlias: Lowerer.type_alias,
    cst.Expr: lambda low, node: ast.Expr(value=low.load(node.value)),
    cst.Return: lambda low, node: ast.Return(value=low.load(node.value) if node.value else None),
    cst.Raise: lambda low, node: ast.Raise(
        exc=low.load(node.exc) if node.exc else None,
        cause=low.load(node.cause.item) if node.cause else None,
    ),
    cst.Assert: lambda low, node: ast.Assert(
        test=low.load(node.test), msg=low.load(node.msg) if node.msg else None
    ),
    cst.Del: lambda low, node: ast.Delete(targets=[low.expression(node.target, ast.Del())]),
    cst.Global: lambda _, node: ast.Global(names=_names(node.names)),
    cst.Nonlocal: lambda _, node: ast.Nonlocal(names=_names(node.names)),
}
EXPRESSIONS: Final[dict[type, Lowering]] = {
    cst.Call: Lowerer.call,
    cst.SimpleString: Lowerer.string,
    cst.ConcatenatedString: Lowerer.joined,
    cst.FormattedString: Lowerer.formatted,
    cst.BinaryOperation: Lowerer.binary,
    cst.BooleanOperation: Lowerer.boolean,
    cst.UnaryOperation: Lowerer.unary,
    cst.Comparison: Lowerer.comparison,
    cst.Dict: Lowerer.mapping,
    cst.Set: lambda low, node: ast.Set(elts=[low.element(e, ast.Load()) for e in node.elements]),
    cst.ListComp: Lowerer.comprehension,
    cst.SetComp: Lowerer.comprehension,
    cst.GeneratorExp: Lowerer.comprehension,
    cst.DictComp: Lowerer.dict_comprehension,
    cst.Lambda: Lowerer.anonymous,
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
    EXPRESSIONS[cst.TemplatedString] = Lowerer.formatted
