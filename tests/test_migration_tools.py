"""The table of migration tools: each has a row, and nothing but the row knows a tool by its name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import dal_audit
from dal_audit.extract.migrations.tool_settings import READERS
from dal_audit.facts import migrations as migration_facts
from dal_audit.facts.migrations import Tool
from dal_audit.migrations import tools
from dal_audit.migrations.listing import NEEDS_FILES, SETTINGS_FILES
from dal_audit.migrations.tools import PLAIN, TOOLS, MigrationTool

PACKAGE = Path(dal_audit.__file__).parent

MAY_NAME = (
    PACKAGE / "catalogue" / "operations.py",
    PACKAGE / "catalogue" / "placeholder_forms.py",
    PACKAGE / "extract",
    PACKAGE / "assemble" / "library_versions.py",
    PACKAGE / "assemble" / "workflows" / "commands.py",
    PACKAGE / "replay" / "programs",
    PACKAGE / "replay" / "project_process.py",
    PACKAGE / "assemble" / "workflows" / "programs.py",
    PACKAGE / "assemble" / "workflows" / "servers.py",
    PACKAGE / "fix" / "revisions",
    Path(str(migration_facts.__file__)),
    Path(str(tools.__file__)),
)
"""What reads a tool's directives and settings, the libraries that requirements name, which programs
CI starts (a word on a command line, none of a tool's traits), what runs in a tool's own environment,
the rows of its operations, what is written into its revisions, drivers that bear a tool's name, the
type of its name, and the table."""

NAMED = re.compile(rf"(?<![\w-])(?:{'|'.join(sorted(TOOLS.keys() - {PLAIN.name}))})(?![\w-])")


def test_each_tool_has_a_row_of_its_name() -> None:
    assert TOOLS.keys() == set(get_args(Tool))
    assert all(tool.name == name for name, tool in TOOLS.items())


def test_each_tool_but_none_has_a_version_table() -> None:
    assert [tool.name for tool in TOOLS.values() if not tool.version_table] == ["plain"]


def test_the_settings_in_the_table_are_those_that_are_read() -> None:
    assert READERS.keys() == SETTINGS_FILES
    for tool in TOOLS.values():
        assert NEEDS_FILES.issuperset(tool.named_in)
        assert tool.engine_file in {"", *tool.named_in}


@pytest.mark.parametrize("tool", TOOLS.values(), ids=TOOLS)
def test_traits_of_a_row_agree(tool: MigrationTool) -> None:
    assert bool(tool.prefixes) == (tool.name_form == "prefix")
    assert not tool.has_strict_sides or tool.name_form == "sides"
    assert tool.plan == "" or tool.sign is not None
    assert tool.runs_downs or not tool.missing_down
    assert not tool.is_seen_by_need or tool.named_in


def test_no_tool_is_named_outside_of_the_table_and_its_reader() -> None:
    found = [
        f"{path}:{node.lineno}: {node.value}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not any(path.is_relative_to(known) for known in MAY_NAME)
        for node in literals(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node.value, str) and NAMED.search(node.value)
    ]
    assert found == []


def test_a_name_in_a_literal_would_be_found() -> None:
    names = [node.value for node in literals(ast.parse("'''goose'''\nif tool == 'goose': pass\n"))]
    assert names == ["goose"]


def literals(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the constants of a module, without what only documents something."""
    documenting = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in documenting:
            yield node
