"""What values are, as far as a function's own text tells: by parameters, `let`, and calls of types.

What a method of another type returns is not known; wrappers that hand on what they hold are seen
through.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from dal_audit.extract.rust.paths import path_of, types_in
from dal_audit.extract.rust.syntax import called, owned
from dal_audit.facts.rust import RustValue

if TYPE_CHECKING:
    from tree_sitter import Node

    from dal_audit.extract.rust.syntax import RustSource
    from dal_audit.extract.rust.walk import Context

_THROUGH: Final = frozenset(
    {"clone", "as_ref", "as_mut", "borrow", "borrow_mut", "lock", "read", "write", "unwrap"}
    | {"expect", "to_owned", "deref", "as_deref", "get_ref", "into_inner", "unwrap_or_default"}
    | {"get_mut", "await", "cloned", "ok", "unwrap_or_else", "map_err", "context", "with_context"}
)
"""Methods that give the same object, or what a wrapper holds."""

_WRAPPERS: Final = frozenset(
    {"Arc::new", "Rc::new", "Box::new", "Some", "Ok", "Mutex::new", "RwLock::new", "Arc::clone"}
    | {"Rc::clone", "Data::new", "State", "Extension", "std::sync::Arc::new", "OnceCell::from"}
    | {"Json", "Path", "Query", "web::Data::new"}
)

_SEEN_THROUGH: Final = {
    "reference_expression": "value",
    "await_expression": "",
    "try_expression": "",
    "parenthesized_expression": "",
    "unary_expression": "",
    "type_cast_expression": "value",
}
"""Expressions that stand for what is in them, and the field that holds it (the first child)."""


MOST_PARTS: Final = 64
"""Of a longer chain nothing is known: each of its parts is asked for, and would walk all of it."""


def value_of(node: Node | None, context: Context, source: RustSource) -> RustValue | None:
    """Return what an expression is; None where that is not known."""
    steps: list[str] = []
    for _ in range(MOST_PARTS):
        if node is None:
            return None
        kind = node.type
        inner: Node | str | None
        if kind in _SEEN_THROUGH:
            field = _SEEN_THROUGH[kind]
            held = node.child_by_field_name(field) if field else None
            node = held or node.named_child(0)
        elif kind == "field_expression":
            node, field_node = owned(node)
            steps.append(_name(field_node, source))
        elif kind == "call_expression":
            inner, step = _called(node, source)
            if isinstance(inner, str):
                made = RustValue(context.scope, (inner,), (), is_made=True)
                return _after(made, steps)
            node = inner
            if step:
                steps.append(step)
        else:
            return _after(_simple(node, context, source), steps)
    return None


def _name(field: Node | None, source: RustSource) -> str:
    return source.text(field).removeprefix("r#") if field is not None else ""


_ROOT: Final = re.compile(rb"[&*(\s]*(?:mut\s+)?([a-z]\w*)\s*(?:[.?)]|\Z)")
"""What a chain begins with that begins with a variable, or is one."""


def is_of_unknown(node: Node, context: Context, source: RustSource) -> bool:
    """Return whether an expression begins with a variable of which nothing is known."""
    found = _ROOT.match(source.data, node.start_byte, node.end_byte)
    if found is None:
        return False
    name = found[1].decode()
    known = context.owner if name == "self" else context.known.get(name)
    return known is None or not known.types


def _called(node: Node, source: RustSource) -> tuple[Node | str | None, str]:
    """Return what a call is a step from, and the step; or the path of the function."""
    function, arguments = called(node)
    if function is not None and function.type == "generic_function":
        function = function.child_by_field_name("function")
    if function is None:
        return None, ""
    if function.type == "field_expression":
        inner, field = owned(function)
        name = _name(field, source)
        return inner, "" if name in _THROUGH else f"{name}()"
    path = path_of(function, source)
    if path in _WRAPPERS:
        return arguments.named_child(0) if arguments is not None else None, ""
    return path or None, ""


def _simple(node: Node, context: Context, source: RustSource) -> RustValue | None:
    match node.type:
        case "self":
            return context.owner
        case "identifier":
            name = source.text(node).removeprefix("r#")
            is_static = name.isupper()
            unknown = RustValue(context.scope, (f"={name}",)) if is_static else None
            return context.known.get(name) or unknown
        case "struct_expression":
            name_node = node.child_by_field_name("name")
            path = path_of(name_node, source) if name_node is not None else ""
            return RustValue(context.scope, (path,)) if path else None
        case "scoped_identifier":
            path = path_of(node, source)
            return RustValue(context.scope, (f"={path}",)) if path else None
        case _:
            return None


def _after(value: RustValue | None, steps: list[str]) -> RustValue | None:
    """Return a value after further steps, the last of them first."""
    if value is None or not all(steps):
        return None
    return RustValue(value.scope, value.types, (*value.steps, *reversed(steps)), value.is_made)


UNKNOWN_VALUE: Final = RustValue(0, ())
"""Hides what a name stood for outside."""


def bind(
    pattern: Node | None,
    value: RustValue | None,
    known: dict[str, RustValue],
    source: RustSource,
) -> None:
    """Note what a pattern binds: the only name of `x`, `mut x`, `State(x)`; others are unknown."""
    if pattern is not None and pattern.type == "identifier":
        known[_name(pattern, source)] = UNKNOWN_VALUE if value is None else value
        return
    names: list[str] = []
    waiting = [pattern] if pattern is not None else []
    while waiting:
        part = waiting.pop()
        kind = part.type
        if kind == "identifier":
            names.append(source.text(part).removeprefix("r#"))
        elif kind == "field_pattern":
            known.pop(_shorthand(part, source), None)
        elif kind not in _SCOPED:
            waiting += part.named_children[1 if kind == "tuple_struct_pattern" else 0 :]
    meant = value if len(names) == 1 and value is not None else UNKNOWN_VALUE
    known.update(dict.fromkeys(names, meant))


_SCOPED: Final = frozenset({"scoped_identifier", "scoped_type_identifier"})


def _shorthand(field: Node, source: RustSource) -> str:
    """Return the name that a field of a pattern binds by itself; empty where it has a pattern."""
    name = field.child_by_field_name("name")
    is_short = name is not None and name.type == "shorthand_field_identifier"
    return source.text(name) if name is not None and is_short else ""


def typed(node: Node | None, context: Context, source: RustSource) -> RustValue | None:
    """Return an object of a type, by the paths in it."""
    paths = tuple(found.path for found in types_in(node, source))
    if "Self" in paths and context.owner is not None:
        return context.owner
    return RustValue(context.scope, paths) if paths else None
