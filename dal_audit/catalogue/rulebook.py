"""The rule book: the documents in `rules/`, one a rule, and the clauses of the law.

A document's front matter is the only home of a rule's metadata; its sections are what `explain`
prints, what SARIF carries as help and what the tests run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

from msgspec import Struct

from dal_audit.catalogue.resources import rules_folder, table

Severity: TypeAlias = Literal["error", "warning", "info", "off"]
Fixes: TypeAlias = Literal["", "safe", "unsafe"]
"""Whether findings of a rule can be fixed by program: not, some of them safely, or never so."""

Confidence: TypeAlias = Literal["high", "medium", "low"]
Proof: TypeAlias = Literal["audit", "replay"]
"""What finds the breaches of a rule: an audit of the text, or only a run on real engines."""

SECTIONS: Final = (
    "What it flags",
    "Why",
    "Bad",
    "Good",
    "How to fix",
    "Configuration",
    "When to allow it",
    "Limits",
)
"""The headings of every document, in this order."""

_FIELDS: Final = ("id", "name", "severity", "confidence", "languages", "clauses", "since")
_FIX: Final = "fix"
"""A further field, of the rules whose findings a program can fix."""
_FRONT_BYTES: Final = 512
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s")


class RuleBookError(ValueError):
    """A document of the rule book breaks the rule book's own form."""


class Clause(Struct, frozen=True):
    """A clause of the law.

    `partly` says that the rules do not audit all of it yet; `needs` is what there must be in a
    project for them to look at: an import of a driver, an interface, migrations in a known order.
    """

    id: str
    title: str
    text: str
    partly: bool = False
    needs: Literal["", "driver", "interface", "order"] = ""


class Rule(Struct, frozen=True):
    """What a document's front matter says of a rule."""

    id: str
    name: str
    severity: Severity
    confidence: Confidence
    languages: tuple[str, ...]
    clauses: tuple[str, ...]
    since: str
    file: Path
    proof: Proof = "audit"
    fix: Fixes = ""

    @property
    def stem(self) -> str:
        """The rule's name as the name of a Python module."""
        return self.name.replace("-", "_")

    @property
    def about_project(self) -> bool:
        """Whether the rule judges the project as a whole, whatever files were asked for."""
        return self.name == "nothing-audited"

    @property
    def text(self) -> str:
        """The document without its front matter."""
        return _split(self.file)[1]

    @property
    def sections(self) -> Mapping[str, str]:
        """The text below each heading."""
        return _sections(self.text)

    @property
    def summary(self) -> str:
        """What the rule flags, in one sentence."""
        return first_sentence(self.sections["What it flags"])

    @property
    def remedy(self) -> str:
        """How to fix a finding, in one sentence."""
        return first_sentence(self.sections["How to fix"])


@cache
def rules() -> tuple[Rule, ...]:
    """Return all rules, by id.

    Raises RuleBookError for a document without sound front matter.
    """
    folder = rules_folder()
    names = {name for name in os.listdir(folder) if name.endswith(".md")}  # noqa: PTH208  # names alone
    documents = (folder / name for name in names - {"README.md"})
    return tuple(sorted(map(_rule, documents), key=lambda rule: rule.id))


@cache
def clauses() -> tuple[Clause, ...]:
    """Return the clauses of the law, in the law's order."""
    return table("clauses", tuple[Clause, ...], clause_in)


def clause_in(row: Mapping[str, Any]) -> Clause:
    """Return the clause of a table in `clauses.toml`."""
    return Clause(**row)


def find_rule(word: str) -> Rule | None:
    """Return the rule with an id or a name, whatever the case."""
    word = word.strip().lower()
    return next((rule for rule in rules() if word in {rule.id.lower(), rule.name}), None)


def did_you_mean(word: str) -> str:
    """Return `; did you mean …?` for a word that is close to a rule's id or name, else nothing."""
    found = nearest_rule(word)
    return f"; did you mean `{found}`?" if found else ""


def nearest_rule(word: str) -> str:
    """Return the rule's id or name that a word is close to; empty where there is none."""
    import difflib  # only where something is misspelt

    words = [text for rule in rules() for text in (rule.name, rule.id)]
    near = difflib.get_close_matches(word.lower(), [candidate.lower() for candidate in words], 1)
    return next(candidate for candidate in words if candidate.lower() == near[0]) if near else ""


ALWAYS: Final = frozenset({"unreadable-file", "nothing-audited"})
"""Rules that no selection leaves out, only an explicit `ignore`: without them an audit could be
green because it looked at nothing."""


def known_rules() -> tuple[tuple[str, str], ...]:
    """Return the id and the name of each rule."""
    return tuple((rule.id, rule.name) for rule in rules())


def first_sentence(text: str) -> str:
    """Return the first sentence of Markdown text, on one line."""
    paragraph = text.strip().partition("\n\n")[0]
    return _SENTENCE_END.split(" ".join(paragraph.split()))[0]


def _rule(path: Path) -> Rule:
    fields = dict(_front_matter(_front(path), path))
    proof = fields.pop("proof", "audit")
    fix = fields.pop(_FIX, "")
    if tuple(fields) != _FIELDS:
        raise RuleBookError(f"{path.name}: the front matter must hold {', '.join(_FIELDS)}")
    if fix not in get_args(Fixes):
        raise RuleBookError(f"{path.name}: `fix` is `safe` or `unsafe`, or is left out")
    severity, confidence = fields["severity"], fields["confidence"]
    if severity not in get_args(Severity) or confidence not in get_args(Confidence):
        raise RuleBookError(f"{path.name}: unknown severity or confidence")
    if proof not in get_args(Proof):
        raise RuleBookError(f"{path.name}: unknown proof `{proof}`")
    return Rule(
        id=fields["id"],
        name=fields["name"],
        severity=severity,  # type: ignore[arg-type]  # checked above
        confidence=confidence,  # type: ignore[arg-type]
        languages=_list(fields["languages"]),
        clauses=_list(fields["clauses"]),
        since=fields["since"],
        file=path,
        proof=proof,  # type: ignore[arg-type]
        fix=fix,  # type: ignore[arg-type]
    )


def _front(path: Path) -> str:
    """Return the front matter; of most documents, their first bytes tell it."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # every start waits for it
        head = file.read(_FRONT_BYTES).replace(b"\r\n", b"\n")
    opening, front, body = [*head.split(b"---\n", 2), b"", b""][:3]
    return front.decode() if body and not opening else _split(path)[0]


def _split(path: Path) -> tuple[str, str]:
    """Return a document's front matter and the rest; it is read again where it was written anew."""
    state = path.stat()
    return _parts(path, state.st_mtime_ns, state.st_size)


@cache
def _parts(path: Path, _changed: int, _size: int) -> tuple[str, str]:
    text = path.read_text(encoding="utf-8")
    opening, front, body = [*text.split("---\n", 2), "", ""][:3]
    if opening or not body:
        raise RuleBookError(f"{path.name}: no front matter between two lines of `---`")
    return front, body


def _front_matter(text: str, path: Path) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        key, colon, value = line.partition(": ")
        if not colon:
            raise RuleBookError(f"{path.name}: `{line}` is not `key: value`")
        yield key, value.strip()


def _list(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.strip("[]").split(",") if part.strip())


@cache
def _sections(text: str) -> Mapping[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return {
        title.strip(): body.strip() for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }
