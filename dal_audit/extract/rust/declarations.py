"""Declarations: modules, types, traits, `impl` blocks, functions, constants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dal_audit.extract.rust.engines import named, narrowed
from dal_audit.extract.rust.paths import leaves, types_in
from dal_audit.extract.rust.texts import text_of
from dal_audit.extract.rust.tokens import unquoted
from dal_audit.extract.rust.values import bind, typed
from dal_audit.extract.rust.walk import Context, Walk, outermost
from dal_audit.extract.sql_detection import read_sql
from dal_audit.facts import Span
from dal_audit.facts.rust import (
    ItemKind,
    NameSpace,
    RustImpl,
    RustItem,
    RustMember,
    RustParameter,
    RustShape,
    RustText,
    RustType,
    RustUse,
    RustValue,
)

if TYPE_CHECKING:
    from tree_sitter import Node

    from dal_audit.extract.rust.syntax import RustSource

_REACH: Final = {"pub": "pub", "pub(crate)": "crate", "crate": "crate", "pub(super)": "super"}


def reach_of(node: Node, source: RustSource) -> str:
    """Return how far an item is visible: as it stands in `pub(…)`, `pub`, or empty."""
    for child in node.named_children[:3]:
        if child.type == "visibility_modifier":
            text = source.text(child).replace(" ", "")
            inner = text.removeprefix("pub(in").removeprefix("pub(").removesuffix(")")
            return _REACH.get(text, inner)
    return ""


def use(walk: Walk, node: Node, context: Context) -> None:
    """Take down the leaves of a `use` statement."""
    source = walk.source
    argument = node.child_by_field_name("argument")
    statement, reach = source.span(node), reach_of(node, source)
    for leaf in leaves(argument, source) if argument is not None else ():
        span = source.span(leaf.node)
        walk.uses.append(RustUse(context.scope, leaf.path, leaf.bound, span, statement, reach))


def extern_crate(walk: Walk, node: Node, context: Context) -> None:
    """Take down an `extern crate`."""
    source = walk.source
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    if name is None:
        return
    crate = source.text(name).removeprefix("r#")
    bound = source.text(alias) if alias is not None else crate
    reach = reach_of(node, source)
    span, statement = source.span(name), source.span(node)
    is_self = crate == "self"
    path = "crate" if is_self else f"::{crate}"
    walk.uses.append(
        RustUse(context.scope, path, bound, span, statement, reach, is_extern=not is_self)
    )


def module(walk: Walk, node: Node, context: Context) -> None:
    """Take down a module, and walk into one that is written here."""
    name, body = _name(node, walk.source), node.child_by_field_name("body")
    _item(walk, node, context, "module", "type", file=_path_attribute(node, walk.source))
    if body is not None:
        inner = walk.scope("module", name, context.scope)
        engines = narrowed(context.engines, named([name]))
        walk.children(body, replace(outermost(inner), engines=engines))


def _path_attribute(node: Node, source: RustSource) -> str:
    """Return what `#[path = "…"]` before a module says; empty where there is none."""
    before = node.prev_named_sibling
    while before is not None and before.type in {"attribute_item", "line_comment"}:
        attribute = before.named_children[0] if before.named_children else None
        value = attribute.child_by_field_name("value") if attribute is not None else None
        if value is not None and attribute is not None:
            is_path = source.text(attribute).partition("=")[0].strip() == "path"
            if is_path:
                return unquoted(source.data[value.start_byte : value.end_byte])
        before = before.prev_named_sibling
    return ""


def _name(node: Node, source: RustSource) -> str:
    name = node.child_by_field_name("name")
    return source.text(name).removeprefix("r#") if name is not None else ""


def _item(
    walk: Walk,
    node: Node,
    context: Context,
    kind: ItemKind,
    space: NameSpace,
    *,
    types: tuple[RustType, ...] = (),
    file: str = "",
) -> None:
    name = node.child_by_field_name("name")
    if name is not None and not context.is_member:
        source = walk.source
        is_here = kind != "module" or node.child_by_field_name("body") is not None
        walk.items.append(
            RustItem(
                context.scope,
                source.text(name).removeprefix("r#"),
                kind,
                space,
                source.span(name),
                reach_of(node, source),
                types,
                file,
                is_here,
            )
        )


def structure(walk: Walk, node: Node, context: Context) -> None:
    """Take down a struct, a union or an enum."""
    source = walk.source
    body = node.child_by_field_name("body")
    is_tuple = body is None or body.type == "ordered_field_declaration_list"
    is_called = node.type == "struct_item" and is_tuple
    _item(walk, node, context, "type", "both" if is_called else "type")
    members = tuple(_fields(body, source)) if body is not None else ()
    walk.shapes.append(_shape(node, context, source, members))
    role = replace(context, role="annotation")
    walk.children(node, role, but=[node.child_by_field_name("name")])


def _shape(
    node: Node, context: Context, source: RustSource, members: tuple[RustMember, ...]
) -> RustShape:
    name = node.child_by_field_name("name") or node
    bounds = node.child_by_field_name("type_parameters")
    is_trait = node.type == "trait_item"
    line = source.line(node)
    return RustShape(
        context.scope,
        _name(node, source),
        source.span(name),
        (line, source.span(name).end_line),
        is_trait,
        members,
        types_in(node.child_by_field_name("bounds"), source) if is_trait else (),
        (*_bounds(bounds, source), *_where(node, source)),
        reach_of(node, source),
    )


def _bounds(parameters: Node | None, source: RustSource) -> Iterator[RustType]:
    """Yield the bounds of type parameters."""
    for parameter in parameters.named_children if parameters is not None else ():
        yield from types_in(parameter.child_by_field_name("bounds"), source)
        yield from types_in(parameter.child_by_field_name("default_type"), source)


def _where(node: Node, source: RustSource) -> Iterator[RustType]:
    for child in node.named_children:
        if child.type == "where_clause":
            for predicate in child.named_children:
                yield from types_in(predicate.child_by_field_name("bounds"), source)


def _fields(body: Node, source: RustSource) -> Iterator[RustMember]:
    if body.type == "ordered_field_declaration_list":
        index = 0
        reach = ""
        for child in body.named_children:
            if child.type == "visibility_modifier":
                reach = "pub"
            elif child.type not in {"attribute_item", "line_comment", "block_comment"}:
                span = source.span(child)
                yield RustMember(str(index), span, "field", reach, types_in(child, source))
                index, reach = index + 1, ""
        return
    for child in body.named_children:
        if child.type == "field_declaration":
            name = child.child_by_field_name("name")
            yield RustMember(
                _name(child, source),
                source.span(name if name is not None else child),
                "field",
                reach_of(child, source),
                types_in(child.child_by_field_name("type"), source),
            )


def variant(walk: Walk, node: Node, context: Context) -> None:
    """Walk into a variant of an enum: a driver's error in one is an error that is handed on."""
    role = replace(context, role="except")
    walk.children(node, role, but=[node.child_by_field_name("name")])


def trait(walk: Walk, node: Node, context: Context) -> None:
    """Take down a trait with its members."""
    source = walk.source
    _item(walk, node, context, "trait", "type")
    body = node.child_by_field_name("body")
    members = tuple(_members(body, source)) if body is not None else ()
    walk.shapes.append(_shape(node, context, source, members))
    owner = RustValue(context.scope, (_name(node, source),))
    inner = replace(context, role="annotation", owner=owner, is_member=True)
    walk.children(node, inner, but=[node.child_by_field_name("name")])


def implementation(walk: Walk, node: Node, context: Context) -> None:
    """Take down an `impl` block with its members."""
    source = walk.source
    owner, of = node.child_by_field_name("type"), node.child_by_field_name("trait")
    body = node.child_by_field_name("body")
    line = source.line(node)
    parts = types_in(owner, source)
    implemented = types_in(of, source)
    walk.impls.append(
        RustImpl(
            context.scope,
            source.span(node),
            (line, line),
            implemented,
            parts,
            tuple(_members(body, source)) if body is not None else (),
        )
    )
    owned = _self(parts, context)
    engines = narrowed(context.engines, named(part.path for part in parts))
    inner = replace(context, role="annotation", owner=owned, is_member=True, engines=engines)
    walk.children(node, inner, but=[of])
    is_from = bool(implemented) and implemented[0].path.rpartition("::")[2] == "From"
    walk.later(of, replace(inner, role="except" if is_from else "base"))


def _self(parts: tuple[RustType, ...], context: Context) -> RustValue | None:
    return RustValue(context.scope, (parts[0].path,)) if parts else None


def _members(body: Node, source: RustSource) -> Iterator[RustMember]:
    for child in body.named_children:
        if child.type in {"function_item", "function_signature_item"}:
            yield _method(child, source)
        elif child.type in {"associated_type", "type_item"}:
            types = (
                *types_in(child.child_by_field_name("bounds"), source),
                *types_in(child.child_by_field_name("type"), source),
            )
            yield RustMember(_name(child, source), _name_span(child, source), "type", "", types)


def _name_span(node: Node, source: RustSource) -> Span:
    name = node.child_by_field_name("name")
    return source.span(name if name is not None else node)


def _method(node: Node, source: RustSource) -> RustMember:
    parameters = node.child_by_field_name("parameters")
    body = node.child_by_field_name("body")
    listed = parameters.named_children if parameters is not None else ()
    modifiers = (child for child in node.named_children if child.type == "function_modifiers")
    return RustMember(
        _name(node, source),
        _name_span(node, source),
        "method",
        reach_of(node, source),
        (
            *types_in(node.child_by_field_name("return_type"), source),
            *_bounds(node.child_by_field_name("type_parameters"), source),
            *_where(node, source),
        ),
        tuple(_parameter(child, source) for child in listed if _is_parameter(child, source)),
        has_body=body is not None,
        takes_self=any(_is_self(child, source) for child in listed),
        is_async=any("async" in source.text(modifier) for modifier in modifiers),
        gives=_given(body, source),
    )


def _is_self(node: Node, source: RustSource) -> bool:
    if node.type == "self_parameter":
        return True
    pattern = node.child_by_field_name("pattern") if node.type == "parameter" else None
    return pattern is not None and source.text(pattern) in {"self", "mut self"}


def _is_parameter(node: Node, source: RustSource) -> bool:
    return node.type == "parameter" and not _is_self(node, source)


def _parameter(node: Node, source: RustSource) -> RustParameter:
    pattern = node.child_by_field_name("pattern")
    name = source.text(pattern) if pattern is not None else "_"
    return RustParameter(name, types_in(node.child_by_field_name("type"), source))


def _given(body: Node | None, source: RustSource) -> tuple[str, ...]:
    """Return the field or method of the object itself that a body's last expression gives."""
    last = body.named_children[-1] if body is not None and body.named_children else None
    while last is not None and last.type in {"reference_expression", "call_expression"}:
        last = last.child_by_field_name("value") or last.child_by_field_name("function")
    if last is None or last.type != "field_expression":
        return ()
    value, field = last.child_by_field_name("value"), last.child_by_field_name("field")
    if field is not None and source.text(field) in {"clone", "as_ref"} and value is not None:
        return _given_by(value, source)
    return _given_by(last, source)


def _given_by(node: Node, source: RustSource) -> tuple[str, ...]:
    value, field = node.child_by_field_name("value"), node.child_by_field_name("field")
    if value is not None and field is not None and value.type == "self":
        return (source.text(field),)
    return ()


def function(walk: Walk, node: Node, context: Context) -> None:
    """Take down a function, and walk into it with what its parameters are."""
    source = walk.source
    if not context.is_member:
        _item(walk, node, context, "function", "value", types=_result(node, source))
    body = node.child_by_field_name("body")
    known: dict[str, RustValue] = dict(context.known)
    parameters = node.child_by_field_name("parameters")
    about = [_name(node, source)]
    for child in parameters.named_children if parameters is not None else ():
        if _is_parameter(child, source):
            value = typed(child.child_by_field_name("type"), context, source)
            bind(child.child_by_field_name("pattern"), value, known, source)
            about += value.types if value is not None else ()
    engines = narrowed(context.engines, named(about))
    inner = replace(context, role="value", known=known, texts=dict(context.texts), engines=engines)
    walk.later(body, replace(inner, is_member=False))
    role = replace(context, role="annotation")
    for child in reversed(node.children):
        if child.type in {"type_parameters", "where_clause", "parameters"}:
            walk.later(child, role)
    walk.later(node.child_by_field_name("return_type"), role)


def _result(node: Node, source: RustSource) -> tuple[RustType, ...]:
    return types_in(node.child_by_field_name("return_type"), source)


def alias(walk: Walk, node: Node, context: Context) -> None:
    """Take down a type alias."""
    types = types_in(node.child_by_field_name("type"), walk.source)
    _item(walk, node, context, "alias", "type", types=types)
    role = replace(context, role="annotation")
    walk.children(node, role, but=[node.child_by_field_name("name")])


def value(walk: Walk, node: Node, context: Context) -> None:
    """Take down a constant or a static, with its text."""
    types = types_in(node.child_by_field_name("type"), walk.source)
    _item(walk, node, context, "value", "value", types=types)
    written = node.child_by_field_name("value")
    text = text_of(written, context, walk) if written is not None else None
    does = read_sql(text.text, certain=True) if text is not None and text.text else ""
    if text is not None and does and text.node is not None:
        name, place = _name(node, walk.source), walk.source.span(text.node)
        engines = narrowed(context.engines, named([name]))
        walk.texts.append(RustText(context.scope, name, text.text, place, does, engines))
    walk.children(node, context, but=[node.child_by_field_name("name")])


def block(walk: Walk, node: Node, context: Context) -> None:
    """Walk into a block; one that holds items has a scope of its own."""
    scope = context.scope
    if walk.holds(node, _OWN):
        scope = walk.scope("block", "", scope)
    known, texts = dict(context.known), dict(context.texts)
    walk.children(node, replace(context, scope=scope, known=known, texts=texts))


_OWN: Final = frozenset(
    {"use_declaration", "extern_crate_declaration", "function_item", "struct_item", "enum_item"}
    | {"const_item", "static_item", "type_item", "trait_item", "macro_definition", "mod_item"}
)
