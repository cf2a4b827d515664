"""The front end for CI: the files of CI systems, and of what they call, as facts."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from dal_audit.extract.ci.declarations import declared_in
from dal_audit.extract.ci.targets import just_tool, make_tool, package_tool, shell_tool
from dal_audit.extract.ci.tox import nox_tool, project_tool, tox_tool
from dal_audit.extract.parser_warnings import unheard
from dal_audit.extract.secrets import secret_spans, text_for_facts
from dal_audit.extract.source import Lines, UndecodableError, decode, decode_script, not_decoded
from dal_audit.facts import NotUnderstood, Span, Suppression
from dal_audit.facts.ci import CiCompose, CiFact, CiSecrets
from dal_audit.facts.ci_files import DECLARING, SYSTEMS, CiKind, ci_kind_of

MAX_BYTES: Final = 4 << 20
"""Larger files are not read: no person wrote them."""

_YAML: Final = SYSTEMS | {"action", "compose"}


def ci_facts(path: str, data: bytes) -> tuple[CiFact, ...]:
    """Return the facts of a file that has to do with CI, by its path and bytes."""
    return facts_of_kind(ci_kind_of(path), data)


def facts_of_kind(kind: CiKind | None, data: bytes) -> tuple[CiFact, ...]:
    """Return the facts of a file of a kind that has to do with CI.

    What cannot be read is said of the files of CI systems alone: other tools have their own say
    about theirs.
    """
    if kind is None or kind == "foreign":
        return ()
    if len(data) > MAX_BYTES:
        detail = f"larger than {MAX_BYTES >> 20} MiB"
        return _unread(kind, NotUnderstood(Span(1, 1, 1, 1), "unreadable", detail))
    try:
        text = decode(data) if kind == "nox" else decode_script(data)
    except UndecodableError as error:
        return _unread(kind, not_decoded(data, error))
    if kind in DECLARING:
        return declared_in(kind, text)
    secrets = secret_spans(text, is_program=kind == "nox")
    hidden = (CiSecrets(Span(1, 1, 1, 1), secrets),) if secrets else ()
    if secrets:
        text = text_for_facts(text, is_program=kind == "nox")
    suppressions = tuple(_suppressions(text)) if "dal-audit:" in text else ()
    facts = _of_yaml(kind, text) if kind in _YAML else _of_tool(kind, text)
    return (*hidden, *suppressions, *facts)


def _unread(kind: CiKind, fact: NotUnderstood) -> tuple[CiFact, ...]:
    return (fact,) if kind in SYSTEMS else ()


def _of_yaml(kind: CiKind, text: str) -> tuple[CiFact, ...]:
    from dal_audit.extract.ci.circleci import with_expressions
    from dal_audit.extract.ci.yaml_tree import Document, Unreadable

    try:
        document = Document(text, with_expressions if kind == "circleci" else None)
    except Unreadable as error:
        return _unread(kind, error.fact)
    found = _readers()[kind](document)
    return () if found is None else (found,)


def _readers() -> Mapping[CiKind, Callable[[Any], CiFact | None]]:
    from dal_audit.extract.ci import azure, circleci, github, gitlab
    from dal_audit.extract.ci.yaml_tree import Document, entry

    def compose(document: Document) -> CiCompose:
        services = github.services_in(document, entry(document.root, "services"))
        return CiCompose(Span(1, 1, 1, 1), services)

    return {
        "github": github.workflow_in,
        "action": github.action_in,
        "gitlab": gitlab.workflow_in,
        "circleci": circleci.workflow_in,
        "azure": azure.workflow_in,
        "compose": compose,
    }


def _of_tool(kind: CiKind, text: str) -> tuple[CiFact, ...]:
    tools: Mapping[CiKind, Callable[[str], CiFact | None]] = {
        "tox": partial(tox_tool, prefix="tox:"),
        "project": project_tool,
        "nox": _sessions,
        "make": make_tool,
        "just": just_tool,
        "package": package_tool,
        "shell": shell_tool,
    }
    found = tools[kind](text)
    declared = declared_in(kind, text) if kind in {"project", "tox"} else ()
    return declared if found is None else (found, *declared)


def _sessions(text: str) -> CiFact | None:
    try:
        with unheard():
            return nox_tool(text, ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _suppressions(text: str) -> Iterator[Suppression]:
    """Yield the suppressions of a file, also those in the text of a shell script.

    A comment that stands alone is about the next line that is none.
    """
    from dal_audit.extract.suppressions import MARK, read_suppression

    lines = Lines(text)
    rows = [lines.line(number).strip() for number in range(1, len(lines) + 1)]
    code = [number for number, row in enumerate(rows, 1) if row and not row.startswith("#")]
    first = next(iter(code), None)
    for number, row in enumerate(rows, 1):
        found = MARK.search(row)
        if found is None or row[: found.start()].replace('\\"', "").endswith('"'):
            continue
        begin = lines.starts[number - 1] + lines.line(number).index(row) + found.start()
        about = number if found.start() else _next_of(code, number)
        comment = row[found.start() :]
        yield read_suppression(lines, begin, comment, MARK.search(comment), about, first)


def _next_of(code: Iterable[int], number: int) -> int:
    """Return the first line of code behind one; that line itself where there is none."""
    return next((line for line in code if line > number), number)


__all__ = ["expressions", "shell"]
