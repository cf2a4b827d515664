"""Syntax that no reader knows is not understood, never nothing."""

from __future__ import annotations

import ast

import pytest

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.python.parse import (
    libcst_expressions,
    libcst_to_ast,
    parser,
    unknown_syntax,
)
from dal_audit.facts import NotUnderstood


def test_every_kind_of_node_of_the_running_python_is_known() -> None:
    assert unknown_syntax.UNKNOWN_KINDS == ()


def test_a_kind_that_a_newer_python_has_is_not_known() -> None:
    class Await(ast.stmt):  # A known name.
        pass

    class Defer(ast.stmt):
        pass

    kinds = unknown_syntax.unknown_kinds()
    assert [kind for kind in kinds if kind in {Await, Defer}] == [Defer]


@pytest.mark.parametrize(
    ("kind", "line", "column"), [(ast.Delete, 2, 3), (ast.Lambda, 3, 5), (ast.MatchStar, 5, 9)]
)
def test_an_unknown_node_is_a_finding_at_its_place(
    monkeypatch: pytest.MonkeyPatch, kind: type[ast.AST], line: int, column: int
) -> None:
    text = "if a:\n  del b\nc = lambda: d\nmatch e:\n  case [*f]: g\n"
    found = python_facts(text, Catalogue(()))
    assert not any(isinstance(fact, NotUnderstood) for fact in found)
    monkeypatch.setattr(parser, "UNKNOWN_KINDS", (kind,))
    (fact,) = python_facts(text, Catalogue(()))
    assert isinstance(fact, NotUnderstood)
    assert fact.gap == "unparsable"
    assert kind.__name__ in fact.detail
    assert (fact.span.line, fact.span.column) == (line, column)


@pytest.mark.parametrize("text", ["del a\n", "x = [await a]\n"])
def test_what_has_no_lowering_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    import libcst as cst

    libcst_to_ast.lower_module(text)
    monkeypatch.delitem(libcst_to_ast.STATEMENTS, cst.Del)
    monkeypatch.delitem(libcst_expressions.EXPRESSIONS, cst.Await)
    with pytest.raises(ValueError, match="no lowering"):
        libcst_to_ast.lower_module(text)
