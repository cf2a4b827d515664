"""Measure the code of a package: sizes, complexity, nesting, parameters, names.

    python -m tests.tools.figures [FOLDER] [--worst N]

FOLDER is a package or any folder with Python files; without it, dal_audit. Printed is a table in
Markdown; `--worst N` lists below it the N functions and files that are worst by each measure.

A function is a `def` at any depth, and the functions in it are counted by themselves. Its lines run
from the `def` to its last statement. Its complexity is 1, and 1 more for each `if`, `elif`, `for`,
`while`, `except`, `case`, conditional expression, for each `for` and `if` of a comprehension, and
for each operand of `and` and `or` behind the first. Its nesting is how many of `if for while with
try match` stand in one another, where an `elif` counts as an `if` in an `else`; without `elif`, it
is given beside.
"""

from __future__ import annotations

import argparse
import ast
import re
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

PACKAGE: Final = Path(__file__).resolve().parents[2] / "dal_audit"

Definition: TypeAlias = "ast.FunctionDef | ast.AsyncFunctionDef"

_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS: Final = (ast.For, ast.AsyncFor, ast.While)
_BRANCHES: Final = (*_LOOPS, ast.If, ast.IfExp, ast.ExceptHandler, ast.match_case)
_BLOCKS: Final = (*_LOOPS, ast.If, ast.With, ast.AsyncWith, ast.Try, ast.Match)
_MOST_LINES: Final = 50
_MOST_COMPLEX: Final = 10
_MOST_NESTED: Final = 3


@dataclass(frozen=True)
class Function:
    """A function, where it begins, and its measures; `depth` is nesting without `elif`."""

    place: str
    name: str
    lines: int
    complexity: int
    nesting: int
    depth: int
    parameters: int
    documented: bool


@dataclass(frozen=True)
class Module:
    """A file and its measures; `vague` counts what is bound to the name `one`."""

    place: str
    lines: int
    public: int
    vague: int
    words: int
    late_imports: int
    functions: tuple[Function, ...]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures of a folder."""
    parser = argparse.ArgumentParser(prog="tests.tools.figures", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=PACKAGE)
    parser.add_argument("--worst", type=int, default=0, help="how many of the worst to list")
    options = parser.parse_args(arguments)
    modules = read(options.folder)
    if not modules:
        parser.error(f"{options.folder} holds no Python file")
    print("| | " + options.folder.resolve().name + " |\n|---|---|")
    for title, figure in figures(options.folder, modules):
        print(f"| {title} | {figure} |")
    for line in worst(modules, options.worst):
        print(line)
    return 0


def read(folder: Path) -> list[Module]:
    """Measure the Python files of a folder, in the order of their paths."""
    return [
        measure(path.relative_to(folder.parent).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(folder.rglob("*.py"))
    ]


def measure(place: str, text: str) -> Module:
    """Measure a file's text."""
    tree = ast.parse(text)
    nodes = list(ast.walk(tree))
    definitions = [node for node in nodes if isinstance(node, _DEFINITIONS)]
    late = {
        inner.lineno
        for definition in definitions
        for inner in ast.walk(definition)
        if isinstance(inner, (ast.Import, ast.ImportFrom))
    }
    return Module(
        place,
        text.count("\n"),
        len({name for name in _top_names(tree) if not name.startswith("_")}),
        sum(name == "one" for node in nodes for name in _bound(node)),
        len(re.findall(r"\bone\b", text)),
        len(late),
        tuple(_function(place, definition) for definition in definitions),
    )


def _function(place: str, definition: Definition) -> Function:
    arguments = definition.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return Function(
        f"{place}:{definition.lineno}",
        definition.name,
        (definition.end_lineno or definition.lineno) - definition.lineno + 1,
        1 + sum(_branches(node) for node in _own_nodes(definition)),
        _nesting(definition.body),
        _depth(definition.body),
        len(named) + (arguments.vararg is not None) + (arguments.kwarg is not None),
        ast.get_docstring(definition) is not None,
    )


def _own_nodes(definition: Definition) -> Iterator[ast.AST]:
    """Yield what stands in a function, without the bodies of the functions in it."""
    waiting = list(ast.iter_child_nodes(definition))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _DEFINITIONS):
            waiting += ast.iter_child_nodes(node)


def _branches(node: ast.AST) -> int:
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    return int(isinstance(node, _BRANCHES))


def _nesting(nodes: Iterable[ast.AST]) -> int:
    return max(
        (
            isinstance(node, _BLOCKS) + _nesting(ast.iter_child_nodes(node))
            for node in nodes
            if not isinstance(node, _DEFINITIONS)
        ),
        default=0,
    )


def _depth(nodes: Iterable[ast.AST]) -> int:
    """Return the nesting where an `elif` lies as deep as its `if`."""
    return max(
        (
            isinstance(node, _BLOCKS) + _depth(_inner(node))
            for node in _with_elifs(nodes)
            if not isinstance(node, _DEFINITIONS)
        ),
        default=0,
    )


def _with_elifs(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield nodes, each `if` followed by its branches with `elif`."""
    for node in nodes:
        yield node
        if isinstance(node, ast.If) and _is_elif(node.orelse):
            yield from _with_elifs(node.orelse)


def _inner(node: ast.AST) -> Iterable[ast.AST]:
    """Return what stands in a node and not in a later branch with `elif`."""
    if isinstance(node, ast.If) and _is_elif(node.orelse):
        return [node.test, *node.body]
    return ast.iter_child_nodes(node)


def _is_elif(statements: Sequence[ast.stmt]) -> bool:
    return len(statements) == 1 and isinstance(statements[0], ast.If)


def _top_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names that a module's own statements define; those of imports are others'."""
    for statement in tree.body:
        if isinstance(statement, (*_DEFINITIONS, ast.ClassDef)):
            yield statement.name
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            for node in ast.walk(statement):
                yield from _bound(node)


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.arg):
        yield node.arg


def figures(folder: Path, modules: Sequence[Module]) -> Iterator[tuple[str, str]]:
    """Yield each row of the table: what is measured, and the figures."""
    files = sorted(module.lines for module in modules)
    public = sorted(module.public for module in modules)
    yield "files / lines", f"{len(files):,} / {sum(files):,}"
    yield (
        "file: median, 90 %, longest",
        f"{_middle(files)}, {_share(files, 0.9)}, {_longest_file(modules)}",
    )
    functions = [function for module in modules for function in module.functions]
    if functions:
        yield from _of_functions(functions)
    yield (
        "public names a module: median, most",
        f"{_middle(public)}, {public[-1]} `{max(modules, key=lambda module: module.public).place}`",
    )
    yield "entries at the top", _entries(folder)
    yield (
        "`one`: bound as a name, written as a word",
        f"{sum(module.vague for module in modules):,}, {sum(module.words for module in modules):,}",
    )
    yield "imports in functions", f"{sum(module.late_imports for module in modules):,}"


def _of_functions(functions: Sequence[Function]) -> Iterator[tuple[str, str]]:
    lines = sorted(function.lines for function in functions)
    complexity = sorted(function.complexity for function in functions)
    nesting = [function.nesting for function in functions]
    depths = [function.depth for function in functions]
    parameters = [function.parameters for function in functions]
    longest = max(functions, key=lambda function: function.lines)
    densest = max(functions, key=lambda function: function.complexity)
    documented = sum(function.documented for function in functions) / len(functions)
    yield "functions", f"{len(functions):,}"
    yield (
        "function: median, mean, 90 %, 99 %",
        f"{_middle(lines)}, {statistics.mean(lines):.1f}, {_share(lines, 0.9)}, {_share(lines, 0.99)}",
    )
    yield "longest function", f"{longest.lines} `{longest.name}`"
    yield f"functions over {_MOST_LINES} lines", _over(lines, _MOST_LINES)
    yield (
        "complexity: median, mean, 90 %",
        f"{_middle(complexity)}, {statistics.mean(complexity):.1f}, {_share(complexity, 0.9)}",
    )
    yield f"complexity over {_MOST_COMPLEX}", _over(complexity, _MOST_COMPLEX)
    yield "most complex", f"{densest.complexity} `{densest.name}`"
    yield (
        f"nesting: mean, over {_MOST_NESTED}",
        f"{statistics.mean(nesting):.2f}, {_over(nesting, _MOST_NESTED)}",
    )
    yield (
        f"the same without `elif`: mean, over {_MOST_NESTED}",
        f"{statistics.mean(depths):.2f}, {_over(depths, _MOST_NESTED)}",
    )
    yield "parameters: mean, most", f"{statistics.mean(parameters):.2f}, {max(parameters)}"
    yield "functions with a docstring", f"{documented:.0%}"


def _entries(folder: Path) -> str:
    packages = [path for path in folder.iterdir() if path.is_dir() and any(path.rglob("*.py"))]
    return f"{len(list(folder.glob('*.py')))} modules, {len(packages)} packages"


def _middle(values: Sequence[int]) -> str:
    return f"{statistics.median(values):g}"


def _share(values: Sequence[int], share: float) -> int:
    """Return the value of sorted values below which a share of them lies."""
    return values[int(share * len(values))]


def _over(values: Sequence[int], limit: int) -> str:
    count = sum(value > limit for value in values)
    return f"{count} ({count / len(values):.1%})"


def _longest_file(modules: Sequence[Module]) -> str:
    longest = max(modules, key=lambda module: module.lines)
    return f"{longest.lines} `{longest.place}`"


def worst(modules: Sequence[Module], count: int) -> Iterator[str]:
    """Yield lines that name the worst functions and files by each measure, the worst first."""
    if not count:
        return
    functions = [function for module in modules for function in module.functions]
    for measure_name in ("complexity", "nesting", "depth", "lines", "parameters"):
        yield f"\n{measure_name}:"
        ordered = sorted(functions, key=lambda function: -getattr(function, measure_name))
        for function in ordered[:count]:
            yield f"{getattr(function, measure_name):5} {function.place} {function.name}"
    for measure_name in ("lines", "public", "vague"):
        yield f"\nfiles by {measure_name}:"
        files = sorted(modules, key=lambda module: -getattr(module, measure_name))
        for module in files[:count]:
            yield f"{getattr(module, measure_name):5} {module.place}"


if __name__ == "__main__":
    raise SystemExit(main())
