"""What findings in Python rest on: claims about the text, which LibCST has the last word about."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.cache import Cache
from dal_audit.extract.notebook_bytes import NOTEBOOK
from dal_audit.extract.parallel import WORTH_A_PROCESS
from dal_audit.extract.second_reading import SecondReader, denied
from dal_audit.facts import (
    ClassDefinition,
    ConnectionUrl,
    DynamicImport,
    Fact,
    FileFacts,
    HandedSql,
    Import,
    Place,
    SourceFile,
    Span,
    SqlText,
    StringAnnotationName,
)
from dal_audit.facts.claims import Claim, Denial
from dal_audit.judge.breach import Finding
from dal_audit.policy.request import Request

STRICT: Final = "DAL_AUDIT_STRICT"
"""The environment variable by which the tests end an audit where a claim is not borne out."""

_PYTHON: Final = (".py", ".pyi", NOTEBOOK)
_RULES: Final = ("DAL1", "DAL2")
"""How the ids of the rules begin whose findings rest on a place in a program."""


class UnfoundedError(RuntimeError):
    """LibCST does not bear out what a finding rests on."""


def founded(
    findings: Sequence[Finding],
    facts: Iterable[FileFacts],
    files: Iterable[SourceFile],
    cache: Cache,
    request: Request,
    reader: SecondReader | None = None,
) -> list[Finding]:
    """Return the findings; one that LibCST does not bear out has the place of its statement.

    Raises UnfoundedError for such a one where the tests ask for that.
    """
    resting = [finding for finding in findings if _rests_on_text(finding)]
    if not resting:
        return list(findings)
    spans: dict[str, set[Span]] = {}
    for finding in resting:
        spans.setdefault(finding.place.path, set()).add(finding.place.span)
    claims = {
        file.path: tuple(claims_at(file.facts, spans[file.path]))
        for file in facts
        if file.path in spans
    }
    by_path = {file.path: file for file in files}
    reader = reader or SecondReader(request.jobs, shortcuts=request.shortcuts)
    found = denied(by_path, claims, cache, reader)
    refused = {
        Place(path, denial.claim.span): denial for path, own in found.items() for denial in own
    }
    if refused and os.environ.get(STRICT):
        raise UnfoundedError("; ".join(map(_said, refused, refused.values())))
    return [_at_statement(finding, refused) for finding in findings]


def are_expected(
    outside: Iterable[FileFacts], files: Iterable[SourceFile], catalogue: Catalogue
) -> bool:
    """Return whether findings will rest on texts, and are some way off.

    So it is in a large project of which a file outside storage names a driver in an import.
    """
    if sum(file.size for file in files) < WORTH_A_PROCESS:
        return False
    imports = (fact for file in outside for fact in file.facts if isinstance(fact, Import))
    return any(catalogue.driver_of(target.name) for fact in imports for target in fact.targets)


def claims_at(facts: Iterable[Fact], spans: set[Span]) -> Iterator[Claim]:
    """Yield what findings at some places of a file claim: by its facts there, else a node."""
    told = [claim for fact in facts for claim in _claims_of(fact) if claim.span in spans]
    yield from dict.fromkeys(told)
    for span in sorted(spans - {claim.span for claim in told}):
        yield Claim(span, "node")


def _rests_on_text(finding: Finding) -> bool:
    """Return whether a finding rests on a stretch of a Python file."""
    span = finding.place.span
    is_empty = (span.line, span.column) == (span.end_line, span.end_column)
    is_python = finding.place.path.endswith(_PYTHON)
    return is_python and not is_empty and finding.rule.id.startswith(_RULES)


def _claims_of(fact: Fact) -> Iterator[Claim]:
    """Yield what a fact says of the text."""
    if isinstance(fact, Import):
        yield from _imported(fact)
    elif isinstance(fact, ClassDefinition):
        yield Claim(fact.span, "class", fact.name)
    elif isinstance(fact, StringAnnotationName):
        yield Claim(fact.span, "string", fact.name)
    elif isinstance(fact, (SqlText, HandedSql)):
        yield Claim(fact.span, "argument")
    elif isinstance(fact, (DynamicImport, ConnectionUrl)):
        yield Claim(fact.span, "node")


def _imported(fact: Import) -> Iterator[Claim]:
    if fact.module is not None and fact.module_span is not None:
        yield Claim(fact.module_span, "module", fact.module)
    for target in fact.targets:
        if fact.is_call:
            yield Claim(target.span, "node")
        else:
            yield Claim(target.span, "import", target.name)
        for use in target.uses:
            # What is read of a module that is loaded by its name is spelled with another name.
            written = fact.written(target, use) if use.spelled is None else use.spelled
            yield Claim(use.span, use.role, "" if fact.is_call else written)


def _at_statement(finding: Finding, refused: Mapping[Place, Denial]) -> Finding:
    """Return a finding with the place of its statement, where its own is not borne out."""
    denial = refused.get(finding.place)
    if denial is None or not _rests_on_text(finding):
        return finding
    statement = denial.statement
    breach = replace(
        finding.breach,
        place=Place(finding.place.path, statement),
        extent=(statement.line, statement.end_line),
    )
    return replace(finding, breach=breach)


def _said(place: Place, denial: Denial) -> str:
    span, claim = place.span, denial.claim
    return f"{place.path}:{span.line}:{span.column}: no `{claim.part}` of `{claim.name}` there"
