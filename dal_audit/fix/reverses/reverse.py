"""The way back of an operation of Django's: the text of its argument, or of its function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from dal_audit.catalogue.engine_names import Engine
from dal_audit.extract.embedded.operation_source import FunctionSource, OperationSource
from dal_audit.extract.operations.revision_text import ModuleNames
from dal_audit.extract.source import Lines
from dal_audit.facts import Edit
from dal_audit.fix.downs.down import Down
from dal_audit.fix.reverses.argument_place import INDENT, edits_of

_TRIPLE: Final = '"""'


class Reverse(Struct, frozen=True):
    """What takes an operation back, by the engines that run it: no engine stands for all of them.

    `name` is what its function is called, where it is one. `is_of_rows` says that the operation
    changes rows alone.
    """

    operation: OperationSource
    downs: Mapping[tuple[Engine, ...], Down]
    name: str = ""
    is_of_rows: bool = False

    @property
    def has_statements(self) -> bool:
        """Whether any statement takes it back."""
        return any(down.statements for down in self.downs.values())

    @property
    def is_acting(self) -> bool:
        """Whether any statement takes it back, none needs to, or its rows alone are lost."""
        is_told = any(down.risks for down in self.downs.values())
        return self.has_statements or (not is_told and (self.is_of_rows or not self.remarks))

    @property
    def risks(self) -> tuple[str, ...]:
        """Clauses that say why a person must look at it."""
        risks = dict.fromkeys(risk for down in self.downs.values() for risk in down.risks)
        if not self.has_statements and self.remarks:
            risks["no statement takes back what it does to rows"] = None
        return tuple(risks)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What no statement brings back, a sentence each."""
        return tuple(
            line.text
            for down in self.downs.values()
            for line in down.lines
            if not line.is_statement
        )


def name_of(function: FunctionSource, taken: set[str]) -> str:
    """Return a name for what takes a function back, which is then one of those that are taken."""
    name = own = f"reverse_{function.name.lstrip('_')}"
    number = 2
    while own in taken:
        own, number = f"{name}_{number}", number + 1
    taken.add(own)
    return own


def reverse_edits(
    reverse: Reverse, text: str, names: ModuleNames, doubts: Sequence[str] = ()
) -> tuple[Edit, ...]:
    """Return the edits of a module with a text; `doubts` are sentences that stand before all."""
    operation, function = reverse.operation, reverse.operation.function
    if operation.lacks is None:
        return ()
    comments = [f"# {sentence}" for sentence in doubts]
    if operation.kind == "sql":
        value = [*_list(reverse, names.quote, comments)]
        return tuple(edits_of(operation.lacks, text, "reverse_sql", value)[0])
    if function is None or not reverse.has_statements:
        value = [*_noop(reverse, comments)]
        return tuple(edits_of(operation.lacks, text, "reverse_code", value)[0])
    edits, _ = edits_of(operation.lacks, text, "reverse_code", [reverse.name])
    lines = Lines(text)
    end = lines.starts[function.last_line - 1] + len(lines.line(function.last_line).rstrip("\r\n"))
    body = "\n".join(_function(reverse, function, names.quote, comments))
    return (Edit(lines.span(end, end), f"\n\n\n{body}"), *edits)


def _list(reverse: Reverse, quote: str, comments: Sequence[str]) -> Iterator[str]:
    """Yield the lines of what `RunSQL` is to run on its way back."""
    lines = [line for down in reverse.downs.values() for line in down.lines]
    written = [*comments]
    written += [
        f"{_member(line.text, quote)}," if line.is_statement else f"# {line.text}" for line in lines
    ]
    acting = [line.text for line in lines if line.is_statement]
    if not acting:
        yield from _noop(reverse, comments)
    elif len(written) == 1 and ";" not in acting[0]:
        yield written[0].removesuffix(",")
    else:
        yield "["
        yield from (f"{INDENT}{line}" for line in written)
        yield "]"


def _noop(reverse: Reverse, comments: Sequence[str]) -> Iterator[str]:
    """Yield the lines that say that nothing is run: never without what does not come back."""
    written = [*comments, *(f"# {remark}" for remark in reverse.remarks)]
    if not written:
        yield reverse.operation.noop
        return
    yield "("
    yield from (f"{INDENT}{line}" for line in (*written, reverse.operation.noop))
    yield ")"


def _member(text: str, quote: str) -> str:
    """Return a statement in a list; one that has delimiters in it is not to be split at them."""
    written = _string(text, quote)
    return f"({written}, None)" if ";" in text else written


def _string(text: str, quote: str) -> str:
    """Return a text as Python spells it: with its lines as they are, where that can be."""
    written = repr(text)
    if "\n" in text and "\\" not in text and _TRIPLE not in text and not text.endswith('"'):
        return f"{_TRIPLE}{text}{_TRIPLE}"
    is_plain = quote not in text and "\\" not in written and written[1:-1] == text
    return f"{quote}{text}{quote}" if is_plain else written


def _function(
    reverse: Reverse, function: FunctionSource, quote: str, comments: Sequence[str]
) -> Iterator[str]:
    """Yield the lines of a function that takes another one back."""
    editor = function.parameters[1]
    yield f"def {reverse.name}({function.parameters[0]}, {editor}):"
    yield from (f"{INDENT}{comment}" for comment in comments)
    for engines, down in reverse.downs.items():
        indent = INDENT
        if engines and down.statements:
            yield f"{INDENT}if {editor}.connection.vendor == {quote}{engines[0]}{quote}:"
            indent += INDENT
        for line in down.lines:
            written = _string(line.text, quote)
            unbound = ", params=None" if "%" in line.text else ""
            call = f"{editor}.execute({written}{unbound})"
            yield f"{indent}{call if line.is_statement else f'# {line.text}'}"
