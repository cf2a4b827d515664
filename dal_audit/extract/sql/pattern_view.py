"""A statement's tokens as the catalogue's patterns see them.

The classes of tokens that a pattern can name:

- `<any>`; `<name>`: a word, a quoted identifier, or a template that gives one; `<word>`: a word;
  `<operand>`: what can stand before an operator;
- `<string>` and of it `<plain-string>`, `<escape-string>`, `<dollar-string>`, `<hex-string>`,
  `<bit-string>`, `<national-string>`, `<unicode-string>`, `<empty-string>`, `<cased-string>` (a
  letter of ASCII in it), `<non-ascii>`, `<iso-t-string>`, `<bytea-string>`, `<now-string>`;
- `<number>` and of it `<decimal>`, `<exponent>`, `<hex-number>`, `<octal-number>`,
  `<binary-number>`, `<grouped-number>`, `<int4-edge>` (the last that 4 bytes hold);
- `<quoted>` and of it `<backticked>`, `<bracketed>`, `<bracketed-name>` (with a letter, or a hole),
  `<dquoted>`, `<dquoted-mixed>` (with a capital), `<dquoted-text>` (no name), `<unicode-name>`;
- `<parameter>` and of it `<qmark>`, `<qmark-number>`, `<colon-name>`, `<at-name>`,
  `<dollar-number>`, `<dollar-name>`, `<percent>`, `<percent-name>`; `<operator-qmark>`;
- words by their form: `<pragma-function>`, `<opclass>`, `<mysql-collation>`, `<key-name>` (as
  PostgreSQL names keys that are given no name), `<schema-name>` (any name but SQLite's own `main`
  and `temp`);
- by their places: `<untyped>`, the name of a column without a type; `<reserved-behind-point>` and
  `<reserved-behind-as>`, words that SQLite reserves, behind a point and as an alias;
  `<behind-point>`, a name with another before it; and of joins
  (`joins.py`) `<join-without-condition>`, `<condition-too-many>`, `<table-before-comma>`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Final

from dal_audit.catalogue.engine_names import SQLITE, engine_names
from dal_audit.extract.sql.joins import OUTSIDE, UNJOINED, UNPAIRED, join_marks
from dal_audit.extract.sql.tokens import Kind, Token, parenthesis_pairs
from dal_audit.extract.sql.type_places import TypePlaces, type_places

_LOOSE: Final = frozenset({"<any>", "<name>", "<word>", "<operand>", "<schema-name>", "<quoted>"})
"""Classes that hold too much to be searched for."""

_STRINGS: Final = (
    ("<escape-string>", re.compile(r"[eE]'")),
    ("<hex-string>", re.compile(r"[xX]'")),
    ("<bit-string>", re.compile(r"[bB]'")),
    ("<national-string>", re.compile(r"[nN]'")),
    ("<unicode-string>", re.compile(r"[uU]&'")),
    ("<dollar-string>", re.compile(r"\$")),
    ("<plain-string>", re.compile(r"'")),
)
_PLAIN: Final = (
    ("<empty-string>", re.compile(r"''\Z")),
    ("<cased-string>", re.compile(r".*[A-Za-z]", re.DOTALL)),
    ("<non-ascii>", re.compile(r".*[^\x00-\x7f]", re.DOTALL)),
    ("<iso-t-string>", re.compile(r"'\d{4}-\d\d-\d\dT\d\d:\d\d")),
    ("<bytea-string>", re.compile(r"'\\x[0-9a-fA-F]*'\Z")),
    ("<now-string>", re.compile(r"'now'\Z", re.IGNORECASE)),
)
_NUMBERS: Final = (
    ("<hex-number>", re.compile(r"0[xX]")),
    ("<octal-number>", re.compile(r"0[oO]")),
    ("<binary-number>", re.compile(r"0[bB]")),
    ("<grouped-number>", re.compile(r".*_")),
    ("<decimal>", re.compile(r"\d*\.\d*\Z")),
    ("<exponent>", re.compile(r"[\d.]+[eE]")),
)
_QUOTED: Final = (
    ("<backticked>", re.compile("`")),
    ("<bracketed>", re.compile(r"\[")),
    ("<bracketed-name>", re.compile(r"\[\s*(?:[^\W\d]|\N{REPLACEMENT CHARACTER})")),
    ("<dquoted>", re.compile('"')),
    ("<dquoted-mixed>", re.compile(r'"[^"]*[A-Z]')),
    ("<dquoted-text>", re.compile(r'"[^"]*[^\w"$.]')),
    ("<unicode-name>", re.compile("[uU]&")),
)
_PARAMETERS: Final = (
    ("<qmark>", re.compile(r"\?\Z")),
    ("<qmark-number>", re.compile(r"\?\d")),
    ("<colon-name>", re.compile(":")),
    ("<at-name>", re.compile("@")),
    ("<dollar-number>", re.compile(r"\$\d")),
    ("<dollar-name>", re.compile(r"\$\D")),
    ("<percent>", re.compile(r"%s\Z")),
    ("<percent-name>", re.compile(r"%\(")),
)
_WORDS: Final = (
    ("<pragma-function>", re.compile(r"pragma_\w", re.IGNORECASE)),
    ("<key-name>", re.compile(r"\w+_(?:pkey|fkey|key|excl)\Z", re.IGNORECASE)),
    ("<opclass>", re.compile(r"\w+_ops\Z", re.IGNORECASE)),
    ("<mysql-collation>", re.compile(r"(?:utf8(?:mb[34])?|latin1|ascii)_\w+\Z", re.IGNORECASE)),
)
_BY_KIND: Final = {
    Kind.STRING: ("<string>", _STRINGS),
    Kind.NUMBER: ("<number>", _NUMBERS),
    Kind.QUOTED: ("<quoted>", _QUOTED),
    Kind.PARAMETER: ("<parameter>", _PARAMETERS),
}
_BY_TEXT: Final = {
    (Kind.PUNCTUATION, ")"): frozenset({"<operand>"}),
    (Kind.OPERATOR, "?"): frozenset({"<operator-qmark>"}),
}
INDEXED_CLASSES: Final = frozenset(
    {"<string>", "<number>", "<parameter>", "<operator-qmark>", "<int4-edge>", "<untyped>"}
    | {UNJOINED, UNPAIRED, OUTSIDE, "<reserved-behind-point>", "<reserved-behind-as>"}
    | {
        name
        for table in (_STRINGS, _PLAIN, _NUMBERS, _QUOTED, _PARAMETERS, _WORDS)
        for name, _ in table
    }
)
"""The classes that a statement is searched for."""

_BEHIND_AS: Final = frozenset(
    {"DEFAULT", "DELETE", "INSERT", "NOT", "ON", "SELECT", "SET", "TABLE", "UPDATE", "VALUES",
     "WITH"}
)  # fmt: skip
"""Reserved words that begin a statement or a clause behind `AS`."""
_BEFORE_NAMES: Final = (
    (".", "<reserved-behind-point>", frozenset[str]()),
    ("AS", "<reserved-behind-as>", _BEHIND_AS),
)
"""What a name stands behind, the mark of a reserved word there, and the words that are none."""

_INT4_EDGE: Final = re.compile(r"2147483(?:[0-5]\d\d|6[0-3]\d|64[0-7])\Z")
_NOT_CALLED_AFTER: Final = frozenset(
    {
        "TABLE",
        "INTO",
        "REFERENCES",
        "EXISTS",
        "VIEW",
        "INDEX",
        "FUNCTION",
        "PROCEDURE",
        "AGGREGATE",
        "KEY",
        "CONSTRAINT",
        "TYPE",
        "COLUMN",
        "DOMAIN",
        "TRIGGER",
        "SEQUENCE",
        "ROUTINE",
        "UPDATE",
        "WITH",
        "RECURSIVE",
        "ONLY",
    }
)
_CREATES: Final = frozenset({"INDEX", "TRIGGER", "POLICY", "RULE", "STATISTICS"})


_KEYED: Final = frozenset({Kind.WORD, Kind.PUNCTUATION, Kind.OPERATOR})
"""What a pattern's words are compared with."""


@lru_cache(maxsize=8192)
def _classes_of(kind: Kind, text: str) -> frozenset[str]:
    """Return the classes that a token has by itself."""
    found = {"<any>"}
    if kind in {Kind.WORD, Kind.QUOTED, Kind.TEMPLATE}:
        found |= {"<name>", "<operand>"}
        if text.strip('"`[]').lower() not in {"main", "temp"}:
            found.add("<schema-name>")
    if kind is Kind.WORD:
        found |= {"<word>"} | _fitting(_WORDS, text)
    elif kind in _BY_KIND:
        general, forms = _BY_KIND[kind]
        found |= {general, "<operand>"} | _fitting(forms, text)
    else:
        found |= _BY_TEXT.get((kind, text), frozenset())
    if "<plain-string>" in found:
        found |= _fitting(_PLAIN, text)
    if kind is Kind.NUMBER and _INT4_EDGE.match(text):
        found.add("<int4-edge>")
    return frozenset(found)


def _fitting(forms: Sequence[tuple[str, re.Pattern[str]]], text: str) -> set[str]:
    """Return the classes whose form a text has."""
    return {name for name, form in forms if form.match(text)}


@cache
def _reserved() -> frozenset[str]:
    """Return the words that SQLite reserves, in capitals."""
    listed = engine_names(SQLITE)
    return (
        frozenset(word.upper() for word in listed.reserved) if listed is not None else frozenset()
    )


class View:
    """A statement's tokens, with what patterns ask of them worked out once and when asked."""

    def __init__(self, tokens: Sequence[Token], keys: frozenset[str]) -> None:
        """Look for `keys`; `where` says at which places each of them stands.

        The view's own `keys` are what a pattern's words are compared with: the tokens in capitals,
        and nothing for what is quoted.
        """
        self.tokens = tokens
        self.keys: list[str] = []
        self.where: dict[str, list[int]] = {}
        self._pairs: dict[int, int] | None = None
        self._types: TypePlaces | None = None
        self._marks: dict[int, frozenset[str]] = {}
        self._look_for(keys)
        where = self.where
        if (
            "<untyped>" in keys
            and not where.keys().isdisjoint({"CREATE", "ALTER"})
            and self._type_facts.untyped
        ):
            self._mark("<untyped>", sorted(self._type_facts.untyped))
        self._mark_reserved()
        if "." in where:
            self._mark("<behind-point>", [place + 1 for place in where["."]])
        if "JOIN" in where:
            for mark, places in join_marks(tokens).items():
                self._mark(mark, places)

    def _look_for(self, keys: frozenset[str]) -> None:
        """Go over the tokens once."""
        where, own = self.where, self.keys
        for place, (kind, text, _, _, _) in enumerate(self.tokens):
            if kind in _KEYED:
                key = text.upper()
                own.append(key)
                if key in keys:
                    where.setdefault(key, []).append(place)
                if key != "?" and "_" not in key:
                    continue
            else:
                own.append(text.upper() if kind is Kind.NUMBER else "")
            for name in _classes_of(kind, text):
                if name in keys:
                    where.setdefault(name, []).append(place)
            if kind is Kind.NUMBER and text in keys:
                where.setdefault(text, []).append(place)

    def _mark_reserved(self) -> None:
        """Mark the words that SQLite takes for no name, where a name stands."""
        for word, mark, allowed in _BEFORE_NAMES:
            names = [place + 1 for place in self.where.get(word, ())]
            found = [place for place in names if self.key(place) in _reserved()]
            found = [place for place in found if self.key(place) not in allowed]
            if found:
                self._mark(mark, found)

    def _mark(self, mark: str, places: list[int]) -> None:
        """Let tokens at some places be of one more class."""
        self.where[mark] = places
        for place in places:
            self._marks[place] = self._marks.get(place, frozenset()) | {mark}

    def key(self, place: int) -> str:
        """Return what a pattern's word is compared with; empty for quoted text and at the end."""
        return self.keys[place] if place < len(self.keys) else ""

    def classes(self, place: int) -> frozenset[str]:
        """Return the classes of the token at a place."""
        token = self.tokens[place]
        found = _classes_of(token.kind, token.text)
        return found | self._marks[place] if place in self._marks else found

    @property
    def _type_facts(self) -> TypePlaces:
        """Where types stand, worked out when it is first asked."""
        if self._types is None:
            self._types = type_places(self.tokens)
        return self._types

    @property
    def type_places(self) -> frozenset[int]:
        """The places at which a type begins."""
        return self._type_facts.types

    @property
    def pairs(self) -> dict[int, int]:
        """The closing parenthesis of each opening one that has any."""
        if self._pairs is None:
            self._pairs = parenthesis_pairs(self.tokens)
        return self._pairs

    def is_end(self, place: int) -> bool:
        """Return whether a statement has no more tokens from here on."""
        return place >= len(self.tokens) or self.tokens[place].text == ";"

    def following(self, place: int) -> int | None:
        """Return the next place at this depth; None at a closing parenthesis and at the end."""
        if place >= len(self.tokens) or self.key(place) == ")":
            return None
        if self.key(place) == "(":
            close = self.pairs.get(place)
            return None if close is None else close + 1
        return place + 1

    def after_group(self, place: int) -> int | None:
        """Return the place after the parentheses that open here."""
        close = self.pairs.get(place) if self.key(place) == "(" else None
        return None if close is None else close + 1

    def after_call(self, place: int, name: str, least: int, most: int) -> int | None:
        """Return the place after a call of a function with so many arguments that stands here."""
        if self.key(place) != name:
            return None
        end = self.after_group(place + 1)
        if end is None or not self._is_call(place):
            return None
        count = self._count_arguments(place + 2, end - 1)
        return end if least <= count and (most < 0 or count <= most) else None

    def _count_arguments(self, start: int, close: int) -> int:
        """Return how many arguments stand between two parentheses."""
        count = int(start != close)
        brackets = 0
        at: int | None = start
        while at is not None and at < close:
            key = self.key(at)
            brackets += (key == "[") - (key == "]")
            count += key == "," and not brackets
            at = self.following(at)
        return count

    def _is_call(self, place: int) -> bool:
        """Return whether a name with parentheses behind it is a call, and not a declaration.

        `INTO date (…)`, `REFERENCES position (id)`, `char(10)` as a type, `q (a) AS (…)` of a
        `WITH` and `CREATE INDEX … ON left (…)` are none.
        """
        if place in self.type_places:
            return False
        before = self.key(place - 1) if place else ""
        if before == "." and place > 1:
            if self.tokens[place - 2].text.strip('"').upper() not in {"PG_CATALOG", "PUBLIC"}:
                return False
            before = self.key(place - 3) if place > 2 else ""  # noqa: PLR2004  # a schema's name
        if before in _NOT_CALLED_AFTER:
            return False
        if before == "ON":
            return not _CREATES & {self.key(at) for at in range(min(4, place))}
        return True
