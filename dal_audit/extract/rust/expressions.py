"""Expressions: paths, calls, reads of fields, patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dal_audit.extract.rust.engines import named, narrowed
from dal_audit.extract.rust.paths import PATHS, path_of
from dal_audit.extract.rust.sql_callees import is_builder, may_be_sql, may_take_constant
from dal_audit.extract.rust.syntax import called, owned
from dal_audit.extract.rust.texts import text_of
from dal_audit.extract.rust.values import bind, is_of_unknown, typed, value_of
from dal_audit.extract.rust.walk import Context, KnownText, Walk, begins_name
from dal_audit.extract.sql_detection import read_sql
from dal_audit.facts import UseKind
from dal_audit.facts.rust import RustRead, RustSql

if TYPE_CHECKING:
    from tree_sitter import Node

_DOWNCASTS: Final = frozenset(
    {"downcast", "downcast_ref", "downcast_mut", "is", "downcast_unchecked", "type_id"}
)
_TALKING_METHODS: Final = frozenset(
    {"starts_with", "ends_with", "strip_prefix", "strip_suffix", "contains", "replace", "split"}
    | {"expect", "context", "trim_start_matches", "trim_end_matches", "find", "rfind", "eq"}
)


def path(walk: Walk, node: Node, context: Context) -> None:
    """Take down a path; a name in small letters alone is a variable's."""
    if node.type == "identifier" and not begins_name(walk.source.data[node.start_byte]):
        return
    walk.path(node, context)


def type_name(walk: Walk, node: Node, context: Context) -> None:
    """Take down a path of a type."""
    role: UseKind = "annotation" if context.role in {"value", "call"} else context.role
    walk.path(node, context, role)


def generic(walk: Walk, node: Node, context: Context) -> None:
    """Walk into what a generic type or function takes; it is an annotation, but in `From<…>`."""
    arguments = node.child_by_field_name("type_arguments")
    inner = context if context.role == "except" else replace(context, role="annotation")
    walk.later(arguments, inner)
    head = node.child_by_field_name("type") or node.child_by_field_name("function")
    walk.later(head, context)


def call(walk: Walk, node: Node, context: Context) -> None:
    """Take down a call, with the text that it is handed."""
    function, arguments = called(node)
    context = _as_value(context)
    if function is None or arguments is None:
        walk.children(node, context)
        return
    types = None
    kind = function.type
    if kind == "generic_function":
        types = function.child_by_field_name("type_arguments")
        function = function.child_by_field_name("function") or function
        kind = function.type
    if kind == "field_expression":
        _method(walk, node, function, types, arguments, context)
    else:
        _function(walk, node, function, types, arguments, context)


def _as_value(context: Context) -> Context:
    return context if context.role == "value" else replace(context, role="value")


def _method(
    walk: Walk,
    node: Node,
    function: Node,
    types: Node | None,
    arguments: Node,
    context: Context,
) -> None:
    receiver, field = owned(function)
    name = walk.source.text(field) if field is not None else ""
    if arguments.named_child_count:
        if name:
            _sql(walk, node, f".{name}", receiver, arguments, context)
        is_talk = name in _TALKING_METHODS
        walk.children(arguments, context, but=_literals(arguments.children) if is_talk else ())
    elif field is not None:
        _read(walk, function, receiver, field, context, is_call=True)
    if types is not None:
        role: UseKind = "downcast" if name in _DOWNCASTS else "annotation"
        walk.later(types, replace(context, role=role))
    walk.later(receiver, context)


def _function(
    walk: Walk,
    node: Node,
    function: Node,
    types: Node | None,
    arguments: Node,
    context: Context,
) -> None:
    spelled = path_of(function, walk.source)
    if spelled:
        _sql(walk, node, spelled, None, arguments, context)
    walk.children(arguments, context)
    if types is not None:
        role: UseKind = "downcast" if spelled.endswith("TypeId::of") else "annotation"
        walk.later(types, replace(context, role=role))
    if function.type in PATHS:
        walk.path(function, context, "call")
        if function.type == "scoped_identifier":
            walk.later(_inner(function), context)
    else:
        walk.later(function, context)


def _inner(node: Node) -> Node | None:
    """Return the generic part of a path (`Pool::<Postgres>::connect`)."""
    before = node.child_by_field_name("path")
    is_generic = before is not None and before.type not in PATHS
    return before if is_generic else None


_LITERALS: Final = frozenset({"string_literal", "raw_string_literal"})


def _literals(nodes: Sequence[Node]) -> list[Node]:
    return [child for child in nodes if child.type in _LITERALS]


def _sql(
    walk: Walk,
    node: Node,
    callee: str,
    receiver: Node | None,
    arguments: Node,
    context: Context,
) -> None:
    """Take down the first text that a call is handed: a method's first, a function's first two."""
    source = walk.source
    if not context.texts and not may_take_constant(callee) and not source.quotes(arguments):
        return
    listed = [child for child in arguments.named_children if "comment" not in child.type]
    for argument in listed[: 1 if receiver is not None else 2]:
        found = text_of(argument, context, walk)
        if found is not None and may_be_sql(callee, found.text, found.constant):
            walk.calls.append(_handed(walk, node, callee, receiver, found, context))
            return


def _handed(
    walk: Walk, node: Node, callee: str, receiver: Node | None, found: KnownText, context: Context
) -> RustSql:
    """Return the call of a function or a method that is handed a text."""
    source = walk.source
    whole = source.span(node)
    written = source.span(found.node) if found.node is not None else whole
    span = written if whole <= written and written.end_line <= whole.end_line else whole
    does = read_sql(found.text, certain=True)
    return RustSql(
        context.scope,
        callee,
        value_of(receiver, context, source),
        found.text,
        found.constant,
        span,
        whole,
        written=None if span == written else written,
        does=does,
        is_firm=receiver is not None and does != "" and _is_firm(found.text),
        engines=context.engines,
        is_open=found.is_open or is_builder(callee),
    )


def _is_firm(text: str) -> bool:
    return read_sql(text, certain=False) != ""


def field(walk: Walk, node: Node, context: Context) -> None:
    """Take down a field that is read."""
    inner, name = owned(node)
    if name is not None:
        _read(walk, node, inner, name, context, is_call=False)
    walk.later(inner, _as_value(context))


def _read(
    walk: Walk, node: Node, inner: Node | None, name: Node, context: Context, *, is_call: bool
) -> None:
    source = walk.source
    if inner is None or is_of_unknown(inner, context, source) or name.type != "field_identifier":
        return
    receiver = value_of(inner, context, source)
    if receiver is None or not receiver.types:
        return
    span = source.span(name)
    walk.reads.append(
        RustRead(
            receiver,
            source.text(name).removeprefix("r#"),
            " ".join(source.text(inner).split()),
            span,
            (source.line(node), span.end_line),
            is_call,
        )
    )


def let(walk: Walk, node: Node, context: Context) -> None:
    """Walk into a `let`, and note what its name stands for from here on."""
    source = walk.source
    annotated = node.child_by_field_name("type")
    written = node.child_by_field_name("value")
    if annotated is not None:
        value = typed(annotated, context, source)
    else:
        value = value_of(written, context, source) if written is not None else None
    pattern = node.child_by_field_name("pattern")
    text = text_of(written, context, walk) if written is not None else None
    bind(pattern, value, context.known, source)
    if pattern is not None and pattern.type == "identifier":
        context.texts.pop(source.text(pattern), None)
        if text is not None and text.text:
            context.texts[source.text(pattern)] = replace(text, is_open=_is_mutable(node))
    inner = replace(context, role="except", together=source.line(node))
    walk.later(node.child_by_field_name("alternative"), context)
    walk.later(written, replace(context, statement=node, role="value"))
    walk.later(annotated, replace(context, role="annotation"))
    walk.later(pattern, inner)


def _is_mutable(node: Node) -> bool:
    return any(child.type == "mutable_specifier" for child in node.named_children)


def condition(walk: Walk, node: Node, context: Context) -> None:
    """Walk into the pattern and the value of an `if let`."""
    source = walk.source
    pattern, written = node.child_by_field_name("pattern"), node.child_by_field_name("value")
    value = value_of(written, context, source) if written is not None else None
    bind(pattern, value, context.known, source)
    walk.later(written, replace(context, role="value"))
    walk.later(pattern, replace(context, role="except", together=source.line(_chain(node))))


_CHAINED: Final = frozenset({"let_chain", "if_expression", "else_clause"})


def _chain(condition: Node) -> Node:
    """Return the first `if` of those that a condition is one of: `else if let` is another arm."""
    node, around = condition, condition.parent
    while around is not None and around.type in _CHAINED:
        node, around = around, around.parent
    return node


def match(walk: Walk, node: Node, context: Context) -> None:
    """Walk into a `match`, whose patterns belong together."""
    walk.children(node, replace(context, together=walk.source.line(node), role="value"))


def arm(walk: Walk, node: Node, context: Context) -> None:
    """Walk into an arm: its pattern catches, its value is read."""
    pattern = node.child_by_field_name("pattern")
    inner = replace(context, known=dict(context.known))
    if pattern is not None:
        bind(pattern, None, inner.known, walk.source)
        engines = named([walk.source.text(pattern)])
        inner = replace(inner, engines=narrowed(context.engines, engines))
    walk.children(node, replace(inner, role="value", together=0), but=[pattern])
    walk.later(pattern, replace(inner, role="except"))


def first(walk: Walk, node: Node, context: Context) -> None:
    """Walk into what an operator stands behind (`?`, `.await`)."""
    walk.later(node.child(0), context)


def structure(walk: Walk, node: Node, context: Context) -> None:
    """Take down a literal of a struct."""
    name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    walk.later(body, replace(context, role="value"))
    if name is not None and name.type in PATHS:
        walk.path(name, context, "call")
    else:
        walk.later(name, context)


def literal(walk: Walk, node: Node, context: Context) -> None:
    """Note a text, which may be a URL."""
    walk.literal(node.start_byte, node.end_byte, context.statement)


def comparison(walk: Walk, node: Node, context: Context) -> None:
    """Walk into a binary expression; a text that is compared opens nothing."""
    operator = node.child_by_field_name("operator")
    is_compared = operator is not None and operator.type in {"==", "!="}
    walk.children(node, context, but=_literals(node.children) if is_compared else ())


def closure(walk: Walk, node: Node, context: Context) -> None:
    """Walk into a closure, whose parameters hide what is outside."""
    known = dict(context.known)
    parameters = node.child_by_field_name("parameters")
    for child in parameters.named_children if parameters is not None else ():
        if child.type == "parameter":
            value = typed(child.child_by_field_name("type"), context, walk.source)
            bind(child.child_by_field_name("pattern"), value, known, walk.source)
        else:
            bind(child, None, known, walk.source)
    walk.children(node, replace(context, known=known, role="value"), but=[parameters])
    walk.later(parameters, replace(context, role="annotation"))


def types(walk: Walk, node: Node, context: Context) -> None:
    """Take down the bounds of a where clause or of type parameters."""
    walk.children(node, replace(context, role="annotation"))
