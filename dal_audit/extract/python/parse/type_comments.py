"""Type comments, read as the annotations that they stand for (PEP 484, "Type comments").

`x = []  # type: List[Row]` is read as `x: List[Row] = []`, and a function's `# type: (Row) -> None`
as annotations of its parameters and of what it returns. All readers of annotations see them so.
Only `ast` knows them; where it does not take the text, they stay what they are, comments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from dal_audit.extract.python.parse.walk import FUNCTIONS, Function, nodes_in

_COMMENT: Final = re.compile(r"#[ \t]*type:(?![ \t]*ignore(?:[\x00-/:-@\[-`{-\x7f]|\Z))[ \t]*")
"""As CPython's tokenizer tells them from `type: ignore`, which is a comment on a type checker."""
_BLOCKS: Final = ("body", "orelse", "finalbody")

Key: TypeAlias = tuple[str, int, int]
"""A node by its class, line and column: the tree that knows comments is another one."""


def annotate(tree: ast.Module, text: str) -> ast.Module:
    """Put annotations where a module's text has type comments instead, and return the tree."""
    if not _COMMENT.search(text):
        return tree
    try:
        read = ast.parse(text, type_comments=True)
    except (SyntaxError, ValueError, MemoryError):
        return tree  # A type comment where none may stand; or grammar that only LibCST knows.
    comments = {
        _key(node): node.type_comment
        for node in nodes_in(read)
        if isinstance(node, (ast.Assign, *FUNCTIONS, ast.arg)) and node.type_comment
    }
    if comments:
        _Annotator(comments, text).block(tree)
    return tree


class _Annotator:
    def __init__(self, comments: Mapping[Key, str], text: str) -> None:
        self.comments = comments
        self.lines = re.split(r"\r\n|\r|\n", text)

    def block(self, tree: ast.AST) -> None:
        """Annotate all statements below a node."""
        for node in nodes_in(tree):
            for name in _BLOCKS:
                statements = getattr(node, name, None)
                if isinstance(statements, list):
                    statements[:] = [self.statement(statement) for statement in statements]

    def statement(self, node: ast.stmt) -> ast.stmt:
        if isinstance(node, FUNCTIONS):
            self.function(node)
            return node
        comment = self.comments.get(_key(node))
        if comment is None or not isinstance(node, ast.Assign) or len(node.targets) != 1:
            return node
        target = node.targets[0]
        annotation = _expression(comment)
        if annotation is None or not isinstance(target, (ast.Name, ast.Attribute)):
            return node
        self.place(annotation, comment, node.lineno, node.end_lineno or node.lineno)
        made = ast.AnnAssign(target, annotation, node.value, int(isinstance(target, ast.Name)))
        return ast.copy_location(made, node)

    def function(self, node: Function) -> None:
        arguments = node.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        parameters += [rest for rest in (arguments.vararg, arguments.kwarg) if rest is not None]
        last = node.body[0].lineno
        for parameter in parameters:
            self.parameter(parameter, last)
        comment = self.comments.get(_key(node))
        read = _signature(comment) if comment is not None else None
        if comment is not None and read is not None:
            for part in (*read.argtypes, read.returns):
                self.place(part, comment, node.lineno, last)
            _fill(parameters, read.argtypes)
            node.returns = node.returns or read.returns

    def parameter(self, node: ast.arg, last: int) -> None:
        """Annotate a parameter by its own comment, up to a last line."""
        comment = self.comments.get(_key(node))
        if not comment or node.annotation is not None:
            return
        annotation = _expression(comment)
        if annotation is not None:
            self.place(annotation, comment, node.lineno, last)
            node.annotation = annotation

    def place(self, node: ast.expr, comment: str, first: int, last: int) -> None:
        """Give an expression, and all in it, the place of the comment that it was read from."""
        for line, start, end in self.found(comment, first, last):
            for part in ast.walk(node):
                if isinstance(part, ast.expr):
                    part.lineno = part.end_lineno = line
                    part.col_offset, part.end_col_offset = start, end
            return

    def found(self, comment: str, first: int, last: int) -> Iterator[tuple[int, int, int]]:
        """Yield where a comment's type stands in these lines: its line, and columns in bytes."""
        for number in range(first, min(last, len(self.lines)) + 1):
            line = self.lines[number - 1]
            for mark in _COMMENT.finditer(line):
                if line[mark.end() :].strip() == comment.strip():
                    start = len(line[: mark.end()].encode())
                    yield number, start, start + len(comment.strip().encode())


def _key(node: ast.AST) -> Key:
    return type(node).__name__, getattr(node, "lineno", 0), getattr(node, "col_offset", 0)


def _fill(parameters: Sequence[ast.arg], types: Sequence[ast.expr]) -> None:
    """Annotate parameters: `self` and `cls` may be left out, and `...` leaves all of them out."""
    for parameter, part in zip(reversed(parameters), reversed(types), strict=False):
        is_open = isinstance(part, ast.Constant) and part.value is Ellipsis
        if parameter.annotation is None and not is_open:
            parameter.annotation = part


def _signature(comment: str) -> ast.FunctionType | None:
    try:
        return ast.parse(comment, mode="func_type")
    except (SyntaxError, ValueError, MemoryError):
        return None


def _expression(comment: str) -> ast.expr | None:
    try:
        return ast.parse(comment, mode="eval").body
    except (SyntaxError, ValueError, MemoryError):
        return None
