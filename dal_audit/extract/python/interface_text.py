"""The text of a module with the interface of a class: a Protocol of its public members.

LibCST reads the class: signatures and docstrings are written as they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final

import libcst as cst
from libcst.helpers import get_full_name_for_node
from msgspec import Struct

from dal_audit.extract.python.import_block import Needed, import_groups
from dal_audit.extract.python.interface_members import InterfaceMember, MemberReader
from dal_audit.extract.python.interface_types import TypeWriter

_MAKERS: Final = frozenset({"TypeVar", "ParamSpec", "TypeVarTuple"})
_BOUNDS: Final = frozenset({"", "bound", "default"})
_PROTOCOL: Final = Needed("typing", "Protocol")
_CHECKING: Final = Needed("typing", "TYPE_CHECKING")


class ClassSource(Struct, frozen=True):
    """A class whose members an interface takes: its module's text, its name, and these.

    `known` are the members that this or another class of them is known to have; an attribute beside
    these, which methods set among others, is taken, too. `driver_name` returns what a dotted name
    in the module really is of a driver, and an empty text for what is none's; `absolute` reads
    another module's name as the module means it.
    """

    module: str
    text: str
    name: str
    members: frozenset[str]
    known: frozenset[str]
    driver_name: Callable[[str], str]
    absolute: Callable[[str], str]


class InterfaceText(Struct, frozen=True):
    """A module that holds an interface, and what its members are in the class.

    `own` are the modules' own names that the interface takes from where the class is.
    """

    text: str
    members: tuple[InterfaceMember, ...]
    own: tuple[str, ...]


def interface_text(
    sources: Sequence[ClassSource], name: str, is_own: Callable[[str], bool]
) -> InterfaceText | None:
    """Return the interface of a class, and of those that it inherits from, the class first.

    `is_own` tells the project's modules, which are imported for the type checker alone. None where
    a class does not stand in the outermost block of its module.
    """
    parsed = [(source, cst.parse_module(source.text)) for source in sources]
    nodes = [_class_of(module, source.name) for source, module in parsed]
    read = [
        _Source(source, module, node, name)
        for (source, module), node in zip(parsed, nodes, strict=True)
        if node is not None
    ]
    if not read or None in nodes:
        return None
    taken = [each for source in read for each in source.members()]
    protocol = cst.Module([_protocol(read[0], name, taken)]).code
    variables = "".join(line for source in read for line in source.variables())
    needed = {each for source in read for each in source.needed()}
    own = sorted({each for source in read for each in source.own()})
    for_checks = {each for source in read for each in source.for_checks()}
    checked = {*own, *for_checks, *(each for each in needed if is_own(each.origin))}
    runtime = {_PROTOCOL, *(needed - checked)}
    if checked:
        runtime.add(_CHECKING)
    parts = (
        '"""What storage does for its callers."""\n',
        "from __future__ import annotations\n",
        import_groups(runtime, is_own),
        f"if TYPE_CHECKING:\n{import_groups(checked, is_own, '    ')}" if checked else "",
        variables,
        f"\n{protocol}",
    )
    return InterfaceText(
        "\n".join(part for part in parts if part),
        tuple(taken),
        tuple(f"{each.module}.{each.name}" for each in own),
    )


def _class_of(module: cst.Module, name: str) -> cst.ClassDef | None:
    """Return a class of a module's outermost block."""
    classes = (part for part in _statements(module.body) if isinstance(part, cst.ClassDef))
    return next((part for part in classes if part.name.value == name), None)


class _Source:
    """A class's module, read."""

    def __init__(
        self, source: ClassSource, module: cst.Module, node: cst.ClassDef, name: str
    ) -> None:
        self.source = source
        self.module = module
        self.node = node
        statements = list(_statements(module.body))
        self.assigned = dict(_assigned(statements))
        imported = dict(_imported(statements))
        self.for_types = frozenset(dict(_imported(_type_checking(statements))).values())
        defined = {
            part.name.value
            for part in statements
            if isinstance(part, (cst.ClassDef, cst.FunctionDef))
        }
        self.writer = TypeWriter(
            imported, defined | self.assigned.keys(), {source.name: name}, source.driver_name
        )

    def members(self) -> list[InterfaceMember]:
        reader = MemberReader(self.node, self.writer)
        return list(reader.members(self.source.members, self.source.known))

    def needed(self) -> Iterator[Needed]:
        return map(self._absolute, self.writer.needed)

    def for_checks(self) -> Iterator[Needed]:
        """Yield what the module itself imports for type checkers alone."""
        return map(self._absolute, self.writer.needed & self.for_types)

    def _absolute(self, needed: Needed) -> Needed:
        module = self.source.absolute(needed.module) if needed.module else ""
        return needed._replace(module=module)

    def own(self) -> Iterator[Needed]:
        for name in self.writer.own - self._variables.keys():
            yield Needed(self.source.module, name)

    @property
    def _variables(self) -> Mapping[str, cst.Call]:
        """The type variables that the module makes."""
        calls = {name: call for name, call in self.assigned.items() if isinstance(call, cst.Call)}
        return {
            name: call
            for name, call in calls.items()
            if (get_full_name_for_node(call.func) or "").rpartition(".")[2] in _MAKERS
        }

    def variables(self) -> Iterator[str]:
        """Yield the lines that make the type variables which the interface takes."""
        for name in sorted(self.writer.own & self._variables.keys()):
            call = self._variables[name]
            self.writer.named(call.func)
            args = [*call.args[:1], *map(self._quoted, call.args[1:])]
            yield f"{name} = {self.module.code_for_node(call.with_changes(args=args))}\n"

    def _quoted(self, arg: cst.Arg) -> cst.Arg:
        """Return a bound of a type variable as a text: its type may be there for checks alone."""
        if isinstance(arg.value, cst.SimpleString) or _keyword(arg) not in _BOUNDS:
            return arg
        text = self.module.code_for_node(self.writer.written(arg.value))
        return arg.with_changes(value=cst.SimpleString(f'"{text}"'))

    def bases(self) -> list[cst.Arg]:
        """Return the Protocol that the interface is, generic as the class is."""
        for base in self.node.bases:
            node = base.value
            if not isinstance(node, cst.Subscript) or self.node.type_parameters is not None:
                continue
            if (get_full_name_for_node(node.value) or "").rpartition(".")[2] in {
                "Generic",
                "Protocol",
            }:
                for element in node.slice:
                    if isinstance(element.slice, cst.Index):
                        self.writer.written(element.slice.value)
                return [cst.Arg(node.with_changes(value=cst.Name("Protocol")))]
        return [cst.Arg(cst.Name("Protocol"))]


def _protocol(source: _Source, name: str, members: Sequence[InterfaceMember]) -> cst.ClassDef:
    """Return the class that declares the members."""
    body: list[cst.BaseStatement] = []
    doc = source.node.body.body[0] if source.node.get_docstring(clean=False) is not None else None
    if isinstance(doc, cst.SimpleStatementLine):
        body.append(doc.with_changes(leading_lines=()))
    for member in members:
        body.append(_spaced(member, body[-1] if body else None))
    if not body:
        body.append(cst.SimpleStatementLine([cst.Expr(cst.Ellipsis())]))
    return cst.ClassDef(
        cst.Name(name),
        cst.IndentedBlock(body),
        bases=source.bases(),
        lpar=cst.LeftParen(),
        rpar=cst.RightParen(),
        type_parameters=source.writer.bounded(source.node.type_parameters),
    )


def _spaced(member: InterfaceMember, above: cst.BaseStatement | None) -> cst.BaseStatement:
    """Return a member below what is to be said of it, and a blank line unless two fields meet."""
    is_field = _is_field(member.node)
    is_close = above is None or (is_field and _is_field(above))
    lines = [] if is_close else [cst.EmptyLine(indent=False)]
    said = (
        [f"# gives away {', '.join(f'`{leak}`' for leak in member.leaks)}"] if member.leaks else []
    )
    if not member.is_declared and is_field:
        said.append("# its type is not declared")
    lines += [cst.EmptyLine(comment=cst.Comment(text)) for text in said]
    return member.node.with_changes(leading_lines=lines)


def _is_field(node: cst.BaseStatement) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and isinstance(node.body[0], cst.AnnAssign)


def _statements(body: Iterable[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield the statements of a module's outermost block, also below `if` and `try`."""
    for part in body:
        yield part
        if isinstance(part, (cst.If, cst.Try, cst.Else, cst.ExceptHandler)):
            yield from _statements(part.body.body)
        for name in ("orelse", "handlers"):
            below = getattr(part, name, None)
            for inner in below if isinstance(below, Sequence) else [below] if below else []:
                yield from _statements([inner])


def _type_checking(statements: Iterable[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    """Yield the statements that only type checkers read."""
    for part in statements:
        if isinstance(part, cst.If):
            name = get_full_name_for_node(part.test) or ""
            if name.rpartition(".")[2] == "TYPE_CHECKING":
                yield from _statements(part.body.body)


def _assigned(statements: Iterable[cst.CSTNode]) -> Iterator[tuple[str, cst.BaseExpression]]:
    """Yield the names that a module sets, with their values."""
    for line in statements:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(small, cst.Assign):
                for target in small.targets:
                    if isinstance(target.target, cst.Name):
                        yield target.target.value, small.value
            elif isinstance(small, cst.AnnAssign) and isinstance(small.target, cst.Name):
                yield small.target.value, small.value or small.annotation.annotation


def _imported(statements: Iterable[cst.CSTNode]) -> Iterator[tuple[str, Needed]]:
    """Yield the names that a module imports."""
    for line in statements:
        for small in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(small, (cst.Import, cst.ImportFrom)):
                yield from _named(small)


def _named(node: cst.Import | cst.ImportFrom) -> Iterator[tuple[str, Needed]]:
    module = ""
    if isinstance(node, cst.ImportFrom):
        dots = "." * len(node.relative)
        module = dots + ((get_full_name_for_node(node.module) or "") if node.module else "")
    for alias in () if isinstance(node.names, cst.ImportStar) else node.names:
        name = get_full_name_for_node(alias.name) or ""
        renamed = alias.evaluated_alias or ""
        bound = renamed or (name if module else name.partition(".")[0])
        yield bound, Needed(module, name, renamed)


def _keyword(arg: cst.Arg) -> str:
    return arg.keyword.value if arg.keyword is not None else ""
