"""Which rule a failure proves, and where the cause of what is found stands."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from dal_audit.catalogue.engine_names import MAX_NAME
from dal_audit.replay.model import Command, Failure, Refusal, Step

_WORD: Final = re.compile(r"\w+")
_QUOTED: Final = re.compile(r"[\"`']([^\"`']+)[\"`']")
_COMMENT: Final = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_ADMIN: Final = re.compile(
    r"PRAGMA|ATTACH|DETACH|SET|RESET|VACUUM|ANALYZE|REINDEX|GRANT|REVOKE|COMMENT|COPY|LOCK|LISTEN"
    r"|NOTIFY|LOAD|CLUSTER|SECURITY|USE"
)
_EXTENSION: Final = re.compile(r"\s*(?:CREATE|DROP|ALTER)\s+EXTENSION\b", re.IGNORECASE)
_TRIGGER: Final = re.compile(r"\bTRIGGER\b", re.IGNORECASE)
_DML: Final = frozenset({"INSERT", "UPDATE", "DELETE", "SELECT", "WITH", "REPLACE", "MERGE"})
_ABSENT: Final = re.compile(
    r"no such (?:table|column|index|view|trigger)|(?:relation|column|type|function|table|index"
    r"|constraint|sequence|schema|trigger|policy|view).* does not exist|has no column named"
)


def head_of(text: str) -> str:
    """Return the first word of a statement in capitals."""
    found = _WORD.match(text, _COMMENT.match(text).end())  # type: ignore[union-attr]  # matches ""
    return found[0].upper() if found else ""


def is_forbidden(failure: Failure) -> bool:
    """Return whether a statement needs powers that only a replay lacks: a tool's role has them.

    Extensions are what migrations install with the powers of an administrator.
    """
    text = failure.command.text
    bare = text[_COMMENT.match(text).end() :]  # type: ignore[union-attr]  # matches ""
    return failure.refusal.code == NOT_ALLOWED and _EXTENSION.match(bare) is not None


def judged(failures: Sequence[Failure]) -> Sequence[Failure]:
    """Return the failures up to one that is forbidden: what fails after it may want for it."""
    return list(itertools.takewhile(lambda failure: not is_forbidden(failure), failures))


NOT_ALLOWED: Final = "42501"
"""PostgreSQL's SQLSTATE "insufficient privilege"."""


def rule_of(failure: Failure, *, everywhere: bool) -> str:
    """Return the rule that a statement's failure on an engine proves.

    What no engine takes is no matter of portability: it is what unparsed-sql is about.
    """
    text, refusal = failure.command.text, failure.refusal
    head = head_of(text)
    if everywhere:
        return "DAL311"
    if head == "CREATE" and _TRIGGER.search(text[:200]):
        return "DAL303"
    if _ADMIN.fullmatch(head) or _EXTENSION.match(text):
        return "DAL307"
    return _rule_of_refusal(refusal) or ("DAL306" if head in _DML else "DAL305")


def _rule_of_refusal(refusal: Refusal) -> str:
    """Return the rule that an engine's answer proves by itself; empty for most."""
    if refusal.code == "42883" or "no such function" in refusal.message:
        return "DAL302"
    if refusal.code == "42704" and refusal.message.startswith("type "):
        return "DAL304"
    return ""


def named_in(words: str) -> list[str]:
    """Return the name in an object's, or in backticks, without the arguments of a function."""
    name = words.split("`")[1] if "`" in words else words.partition(" ")[2]
    return [name.partition("(")[0]]


def root_causes(failures: Sequence[Failure]) -> Iterator[tuple[Failure, list[Failure]]]:
    """Yield the failures that stand for themselves, each with those that only follow from it.

    What fails for want of something follows from an earlier statement that failed and names it.
    """
    found: list[tuple[Failure, set[str], list[Failure]]] = []
    for failure in failures:
        named = absent(failure)
        cause = next((entry for entry in found if named and named <= entry[1]), None)
        if cause is None:
            words = {word.lower() for word in _WORD.findall(failure.command.text)}
            found.append((failure, words, []))
        else:
            cause[2].append(failure)
    for first, _, after in found:
        yield first, after


def absent(failure: Failure) -> set[str]:
    """Return the words of the name of what an engine misses; empty where it objects to more."""
    message = failure.refusal.message
    if _ABSENT.search(message) is None:
        # After a failure in a transaction, PostgreSQL takes nothing.
        return set()
    quoted = _QUOTED.findall(message)
    name = quoted[0] if quoted else message.rpartition(": ")[2].rpartition("named ")[2]
    return {word.lower() for word in _WORD.findall(name)[-1:]}


def causing_statement(steps: Iterable[Step], names: Iterable[str]) -> Command | None:
    """Return the statement that first makes, or else last speaks of, what bears all the names."""
    wanted = {word.lower() for name in names for word in _WORD.findall(name)}
    last = None
    for command in itertools.chain.from_iterable(step.up for step in steps):
        words = [word.lower() for word in _WORD.findall(command.text)]
        if wanted <= {*words, *(word[:MAX_NAME] for word in words)}:
            if words[0] in {"create", "alter"}:
                return command
            last = command
    return last
