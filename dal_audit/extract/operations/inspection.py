"""The condition under which an operation has still to be run, as its module would ask for it.

What stands SQLAlchemy's inspector tells, in any version that Alembic runs on. There is a condition
where the module can say it, and the call stands alone on its lines. Source: SQLAlchemy's manual,
"Reflecting Database Objects".
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Final

from dal_audit.extract.holes import UNKNOWN
from dal_audit.extract.operations.call_arguments import NAMING, origin_of
from dal_audit.extract.operations.effects import Operation
from dal_audit.extract.python.expression_uses import last_name
from dal_audit.extract.python.literal_places import LiteralPlaces
from dal_audit.extract.python.parse.walk import nodes_in
from dal_audit.extract.python.scopes import Scope
from dal_audit.facts import Edit

_LISTS: Final = {
    "check": ("get_check_constraints", "check"),
    "column": ("get_columns", "column"),
    "foreignkey": ("get_foreign_keys", "key"),
    "index": ("get_indexes", "index"),
    "unique": ("get_unique_constraints", "key"),
}
"""What lists the parts of a table, and a word for one of them, by what they are."""
_SAID: Final = ("schema", "if_exists", "if_not_exists")
"""Arguments of an operation that needs another condition, or none."""
_ODD: Final = frozenset("'\"\\\n\r")
"""What a name may not hold to be spelled as it is."""
_ROOTS: Final = {"sqlalchemy": ("sa", "sqlalchemy", "db"), "alembic.op": ("op",)}
"""What modules call what they need."""


def condition(operation: Operation, literals: LiteralPlaces) -> Edit | None:
    """Return the condition of an operation, with the place of its call; None where it has one."""
    write = _WRITERS.get(operation.name)
    arguments = operation.arguments
    if write is None or not arguments.is_whole or any(map(arguments.has, _SAID)):
        return None
    sqlalchemy, op = (_name_of(own, arguments.scope) for own in _ROOTS)
    if not sqlalchemy or not op or not _is_alone(arguments.call, literals):
        return None
    text = write(operation, f"{sqlalchemy}.inspect({op}.get_bind())")
    if UNKNOWN in text:
        return None
    source = literals.lines.text[slice(*literals.bounds(arguments.call))]
    quoted = text.replace('"', "'") if "'" in source and '"' not in source else text
    return Edit(literals.lines.span(*literals.bounds(arguments.call)), quoted)


def _name_of(module: str, scope: Scope) -> str:
    """Return what a module calls another one; empty where it does not import it as a whole."""
    names = (own for own in _ROOTS[module] if origin_of(ast.Name(own), scope) == module)
    return next(names, "")


def _is_alone(call: ast.Call, literals: LiteralPlaces) -> bool:
    """Return whether a call is all of its lines, and none of them belongs to a text."""
    lines, (start, end) = literals.lines, literals.bounds(call)
    before = lines.text[lines.starts[lines.line_of(start) - 1] : start]
    after = lines.text[end:].partition("\n")[0].strip()
    if before.strip(" ") or (after and not after.startswith("#")):
        return False
    texts = (node for node in nodes_in(call) if isinstance(node, (ast.Constant, ast.JoinedStr)))
    return all(node.lineno == node.end_lineno for node in texts)


def _argument(operation: Operation, name: str) -> str:
    """Return an argument that is a name as Python spells it, what is not known for any other."""
    return _spelled(operation.arguments.values.get(name))


def _spelled(node: ast.expr | None) -> str:
    """Return an expression as it can be written once more beside its call.

    A name in the module's code stays one: in a loop it is another one each time.
    """
    if isinstance(node, ast.Call) and last_name(node.func) in NAMING and len(node.args) == 1:
        return _spelled(node.args[0])
    if isinstance(node, (ast.Name, ast.Attribute)):
        return ast.unparse(node) if all(map(_is_dotted, ast.walk(node))) else UNKNOWN
    text = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(text, str) or not text or _ODD & {*text}:
        return UNKNOWN
    return f'"{text}"'


def _is_dotted(node: ast.AST) -> bool:
    return isinstance(node, (ast.Name, ast.Attribute, ast.expr_context))


def _table(operation: Operation, inspector: str) -> str:
    return f"{inspector}.has_table({_argument(operation, 'table_name')})"


def _no_table(operation: Operation, inspector: str) -> str:
    return f"not {_table(operation, inspector)}"


def _new_table(operation: Operation, inspector: str) -> str:
    """Return whether a table has not its new name: another of the old one may stand again."""
    return f"not {inspector}.has_table({_argument(operation, 'new_table_name')})"


def _part(kind: str, name: str, is_there: str, operation: Operation, inspector: str) -> str:
    """Return whether a table has a part of a name, or has none of it."""
    listing, word = _LISTS[kind]
    every = f"{inspector}.{listing}({_argument(operation, 'table_name')})"
    return f'{name} {is_there} {{{word}["name"] for {word} in {every}}}'


def _named(kind: str, parameter: str, is_there: str) -> Callable[[Operation, str], str]:
    def write(operation: Operation, inspector: str) -> str:
        return _part(kind, _argument(operation, parameter), is_there, operation, inspector)

    return write


def _new_column(operation: Operation, inspector: str) -> str:
    column = operation.arguments.values.get("column")
    first = column.args[0] if isinstance(column, ast.Call) and column.args else None
    return _part("column", _spelled(first), "not in", operation, inspector)


def _constraint(operation: Operation, inspector: str) -> str:
    kind = operation.arguments.text("type_")
    if kind not in _LISTS:
        return UNKNOWN
    return _named(kind, "constraint_name", "in")(operation, inspector)


_WRITERS: Final[Mapping[str, Callable[[Operation, str], str]]] = {
    "add_column": _new_column,
    "alter_column": _named("column", "new_column_name", "not in"),
    "create_check_constraint": _named("check", "constraint_name", "not in"),
    "create_foreign_key": _named("foreignkey", "constraint_name", "not in"),
    "create_index": _named("index", "index_name", "not in"),
    "create_table": _no_table,
    "create_unique_constraint": _named("unique", "constraint_name", "not in"),
    "drop_column": _named("column", "column_name", "in"),
    "drop_constraint": _constraint,
    "drop_index": _named("index", "index_name", "in"),
    "drop_table": _table,
    "rename_table": _new_table,
}
