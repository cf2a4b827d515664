"""Lower a LibCST tree to the shape of the standard library's `ast`.

One analysis then serves both parsers: `ast` where speed counts and the running Python knows the
grammar, LibCST where it does not, or where every shortcut is off. Positions follow `ast`: 1-based
lines, 0-based columns in UTF-8 bytes. What no analysis reads (numbers, comments) is dropped.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider

from dal_audit.extract.python.parse import newer_syntax
from dal_audit.extract.python.parse.libcst_patterns import PatternLowerer
from dal_audit.extract.python.parse.libcst_places import (
    Made,
    dotted,
    lowering_of,
    plain,
    without_leading_feeds,
)


def lower_module(text: str) -> ast.Module:
    """Parse a module with LibCST and lower it.

    Raises libcst.ParserSyntaxError for text outside LibCST's grammar, ValueError for text whose
    places LibCST loses.
    """
    shifts: dict[int, int] = {}
    # A blank line is a node to LibCST: above a part of a long module they cost more than the part.
    above = len(text) - len(text := text.lstrip("\n"))
    if "\f" in text:
        text, shifts = without_leading_feeds(text)
    try:
        module = _whole_tree(text)
    except ValueError:
        # It drops blanks behind an f-string's conversion; before it they mean the same.
        module = _whole_tree(text := _BLANKS_BEHIND.sub(r"\2\1", text))
    # The tree is used once, so MetadataWrapper's protective deep copy would be waste.
    wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
    return Lowerer(wrapper.resolve(PositionProvider), text, shifts, above).module(module)


_BLANKS_BEHIND: Final = re.compile(r"(![ars])([ \t]+)(?=[:}])")


def _whole_tree(text: str) -> cst.Module:
    """Return LibCST's tree of a text; raises ValueError where it has lost some of it."""
    module = cst.parse_module(text)
    if module.code.rstrip("\r\n") != text.rstrip("\r\n"):
        # It drops a backslash that begins a logical line, and counts lines without it.
        message = "LibCST does not give the text back"
        raise ValueError(message)
    return module


class Lowerer(PatternLowerer):
    """Lowers nodes of one module; each method takes a LibCST node and gives an `ast` node."""

    def module(self, node: cst.Module) -> ast.Module:
        """Lower a whole module."""
        return ast.Module(body=self.body(node), type_ignores=[])

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
        """Lower one statement.

        Raises ValueError for one of a kind that is not known: to pass over it would hide it.
        """
        made: ast.stmt = lowering_of(STATEMENTS, node)(self, node)
        return self.at(node, made)

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
                decorator_list=[self.load(decorator.decorator) for decorator in node.decorators],
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
                keywords=[self.keyword(keyword) for keyword in node.keywords],
                body=self.body(node.body),
                decorator_list=[self.load(decorator.decorator) for decorator in node.decorators],
            ),
        )

    def typed(self, node: Any, lowered: Made) -> Made:
        """Add the type parameters of PEP 695."""
        parameters = node.type_parameters.params if node.type_parameters else ()
        made: Any = lowered
        made.type_params = [self.type_parameter(parameter) for parameter in parameters]
        return lowered

    def type_parameter(self, node: cst.TypeParam) -> Any:
        """Lower a type parameter, with its bound and default."""
        made: Any = newer_syntax.TypeParameter()
        made.name = plain(node.param.name)
        bound = getattr(node.param, "bound", None)
        made.bound = self.load(bound) if bound else None
        made.default_value = self.load(node.default) if node.default else None
        return self.at(node, made)

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
        made = newer_syntax.TryStar if isinstance(node, cst.TryStar) else ast.Try
        return made(
            body=self.body(node.body),
            handlers=[self.handler(handler) for handler in node.handlers],
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
        targets = [self.store(target.target) for target in node.targets]
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
        """Lower `import a.b as c`, lazy or not (PEP 810)."""
        return ast.Import(names=[self.alias(alias) for alias in node.names])

    def from_import(self, node: cst.ImportFrom) -> ast.stmt:
        """Lower `from ..a import b as c`, lazy or not (PEP 810)."""
        star = isinstance(node.names, cst.ImportStar)
        names = [] if isinstance(node.names, cst.ImportStar) else node.names
        aliases = [self.alias(alias) for alias in names]
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
        made: Any = newer_syntax.TypeAlias()
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


def _names(node: Iterable[cst.NameItem]) -> list[str]:
    return [plain(item.name) for item in node]


_Lowering: TypeAlias = Callable[[Lowerer, Any], Any]

STATEMENTS: Final[dict[type, _Lowering]] = {
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
    cst.Pass: lambda _, __: ast.Pass(),
    cst.Break: lambda _, __: ast.Break(),
    cst.Continue: lambda _, __: ast.Continue(),
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
if hasattr(cst, "LazyImport"):  # LibCST 1.9 and newer: PEP 810
    STATEMENTS[cst.LazyImport] = Lowerer.plain_import
    STATEMENTS[cst.LazyImportFrom] = Lowerer.from_import
