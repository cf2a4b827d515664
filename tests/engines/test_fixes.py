"""What a safe respelling comes to does the same: each one is run before and after, on every engine.

A script in which a row is recognised is respelled as a fix would. Every engine that takes the old
text must answer alike to the new one, every other one must take the new one, and the audit of it
must find nothing that it did not find before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from dal_audit.catalogue.portability import Feature, feature_by_id, features
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.fix.model import Fix
from dal_audit.fix.rewrite import amended, compatible
from tests.engines.servers import Engine

TABLE = "CREATE TABLE t (id INTEGER, n INTEGER, v TEXT); "
ROWS = (
    TABLE
    + "INSERT INTO t (id, n, v) VALUES (1, NULL, ' a '), (2, 5, 'bb'), (3, 7, NULL), (4, 9, 'C'); "
)
ALL = "SELECT id, n, v FROM t ORDER BY id"
KEPT = (
    "INSERT INTO t (v) VALUES ('12'), ('a'), (1.5), (x'00'), (NULL), ('1e3'), (9223372036854775807),"
    " (' 7'), (''), (0.1), ('a longer text than twenty characters'); SELECT typeof(v), v FROM t"
)
"""What a column makes of values of every kind is its type's affinity (sqlite.org/datatype3.html)."""
STAMP = (
    "INSERT INTO t (id) VALUES (1); SELECT typeof(d), length(d),"
    " abs(julianday(d) - julianday('now')) < 0.001 FROM t"
)


@dataclass(frozen=True, slots=True)
class Proof:
    """A script in which a row is respelled, and a query whose answer must not change.

    The query is asked of the engines that take the old text, or of all (`everywhere`).
    """

    feature: str
    script: str
    query: str = ""
    everywhere: bool = False


def select(feature: str, condition: str) -> Proof:
    """Return the proof of an expression, by the rows for which it holds, on all engines."""
    return Proof(feature, ROWS + f"SELECT id FROM t WHERE {condition} ORDER BY id", everywhere=True)


def changed(feature: str, statement: str, setup: str = ROWS) -> Proof:
    """Return the proof of a statement, by what it leaves in the table, on all engines."""
    return Proof(feature, f"{setup}{statement};", ALL, everywhere=True)


PROOFS = (
    select("function-ifnull", "ifnull(n, 5) = 5"),
    select("function-ifnull", "IFNULL ( ifnull(n, id) , 1 ) < 6"),
    select("function-btrim", "btrim(v) = 'a'"),
    select("function-btrim", "btrim(v, ' b') = ''"),
    select("function-char-length", "char_length(v) = 3"),
    select("function-char-length", "CHARACTER_LENGTH(v) = 2"),
    select("function-trim-from", "TRIM(FROM v) = 'a'"),
    select("function-trim-from", "TRIM(BOTH FROM v) = 'a'"),
    select("function-trim-from", "TRIM(LEADING FROM v) = 'a '"),
    select("function-trim-from", "TRIM(TRAILING FROM v) = ' a'"),
    select("function-trim-both", "TRIM(BOTH FROM v) = 'a'"),
    select("function-trim-both", "TRIM(LEADING FROM v) = 'a '"),
    select("function-trim-both", "TRIM(TRAILING FROM v) = ' a'"),
    select("double-equals", "n == 5"),
    select("is-unknown", "(n = 5) IS UNKNOWN"),
    select("is-unknown", "(n = 5) IS NOT UNKNOWN"),
    select("escape-string", "v = E'bb' OR v = E'it''s'"),
    select("dollar-string", "v = $$bb$$ OR v = $q$it's$q$"),
    select("exists-empty-list", "EXISTS (SELECT FROM t WHERE n = 5)"),
    Proof("limit-comma", ROWS + "SELECT id FROM t ORDER BY id LIMIT 1, 2", everywhere=True),
    Proof(
        "fetch-first", ROWS + "SELECT id FROM t ORDER BY id FETCH NEXT 2 ROWS ONLY", everywhere=True
    ),
    Proof("table-command", ROWS + "TABLE t", everywhere=True),
    changed("delete-alias-bare", "DELETE FROM t x WHERE x.id = 1"),
    changed("update-alias-bare", "UPDATE t x SET v = 'z' WHERE x.id = 1"),
    changed(
        "upsert-of-select",
        "INSERT INTO t (id) SELECT id FROM p ON CONFLICT (id) DO NOTHING",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, v TEXT);"
        " CREATE TABLE p (id INTEGER); INSERT INTO t (id) VALUES (1);"
        " INSERT INTO p (id) VALUES (1), (2); ",
    ),
    Proof(
        "generated-short",
        "CREATE TABLE t (n INTEGER, m INTEGER AS (n + 1) STORED); INSERT INTO t (n) VALUES (1);",
        "SELECT m FROM t",
        everywhere=True,
    ),
    Proof(
        "primary-key-order",
        "CREATE TABLE t (id INTEGER PRIMARY KEY ASC, v TEXT); INSERT INTO t (id, v) VALUES (7, 'a');",
        "INSERT INTO t (v) VALUES ('b'); SELECT id, rowid, v FROM t",
    ),
    Proof(
        "default-function-bare",
        "CREATE TABLE t (id INTEGER, v TEXT DEFAULT lower('A')); INSERT INTO t (id) VALUES (1);",
        "SELECT v FROM t",
        everywhere=True,
    ),
    Proof(
        "default-function-bare",
        "CREATE TABLE t (id INTEGER, v DOUBLE PRECISION DEFAULT random());"
        " INSERT INTO t (id) VALUES (1);",
        "SELECT count(v) FROM t",
        everywhere=True,
    ),
    Proof("local-temporary", "CREATE LOCAL TEMPORARY TABLE t (id INTEGER);", "SELECT * FROM t"),
    Proof("local-temporary", "CREATE GLOBAL TEMP TABLE t (id INTEGER);", "SELECT * FROM t"),
    Proof("drop-cascade", TABLE + "DROP TABLE t RESTRICT;", "SELECT 1"),
    Proof(
        "drop-column-cascade",
        TABLE + "ALTER TABLE t DROP COLUMN v RESTRICT;",
        "SELECT * FROM t",
        everywhere=True,
    ),
    Proof(
        "index-using",
        TABLE + "CREATE INDEX i ON t USING btree (n);",
        "SELECT indexdef FROM pg_indexes WHERE indexname = 'i'",
    ),
    *(Proof("begin-work", f"BEGIN WORK; {end} WORK;") for end in ("COMMIT", "ROLLBACK", "END")),
    Proof("start-transaction", "START TRANSACTION; COMMIT;"),
    Proof("abort", "BEGIN; ABORT;"),
    Proof("transaction-chain", "BEGIN; COMMIT AND NO CHAIN;"),
    Proof("backtick-quotes", "CREATE TABLE `t` (`a``b` INTEGER);", "SELECT * FROM t", True),
    Proof("bracket-quotes", "CREATE TABLE [t] ([a b] INTEGER);", "SELECT * FROM t", True),
    Proof(
        "double-quoted-default",
        'CREATE TABLE t (id INTEGER, v TEXT DEFAULT "it\'s true", w TEXT DEFAULT "true");'
        " INSERT INTO t (id) VALUES (1);",
        "SELECT v, w FROM t",
        everywhere=True,
    ),
    Proof("single-quoted-name", "CREATE TABLE 't' (id INTEGER);", "SELECT * FROM t", True),
    Proof(
        "single-quoted-name",
        "CREATE TABLE IF NOT EXISTS 't' (id INTEGER);",
        "SELECT * FROM t",
        True,
    ),
    Proof("single-quoted-name", TABLE + "DROP TABLE IF EXISTS 't';", "SELECT 1"),
    changed("single-quoted-name", "INSERT INTO 't' (id) VALUES (9)"),
    changed("single-quoted-name", "UPDATE 't' SET n = 1"),
    Proof(
        "single-quoted-name", TABLE + "ALTER TABLE t ADD COLUMN 'w' TEXT;", "SELECT w FROM t", True
    ),
    Proof("single-quoted-name", TABLE + "CREATE INDEX 'i' ON t (n);", "SELECT 1"),
    Proof("single-quoted-name", TABLE + "CREATE INDEX IF NOT EXISTS 'i' ON t (n);", "SELECT 1"),
    Proof(
        "function-now",
        "CREATE TABLE t (id INTEGER, d TIMESTAMP DEFAULT now());"
        " BEGIN; INSERT INTO t (id) VALUES (1);",
        "SELECT d = CAST(now() AS TIMESTAMP) FROM t",
    ),
    Proof(
        "function-transaction-timestamp",
        "CREATE TABLE t (id INTEGER, d TIMESTAMPTZ DEFAULT transaction_timestamp());"
        " BEGIN; INSERT INTO t (id) VALUES (1);",
        "SELECT d = transaction_timestamp() FROM t",
    ),
    Proof(
        "default-unknown-function",
        "CREATE TABLE t (id INTEGER, d TIMESTAMP DEFAULT (now()));"
        " BEGIN; INSERT INTO t (id) VALUES (1);",
        "SELECT d = CAST(now() AS TIMESTAMP) FROM t",
    ),
    Proof("function-datetime", "SELECT datetime('now') = CURRENT_TIMESTAMP"),
    Proof("function-datetime", "SELECT datetime() = CURRENT_TIMESTAMP"),
    Proof("function-date-bare", "SELECT date() = CURRENT_DATE"),
    Proof(
        "default-datetime-now",
        "CREATE TABLE t (id INTEGER, d TIMESTAMP DEFAULT (datetime('now')));",
        STAMP,
    ),
    Proof(
        "default-datetime-now",
        "CREATE TABLE t (id INTEGER, d TIMESTAMP DEFAULT (datetime()));",
        STAMP,
    ),
)


def of_types() -> Iterator[Proof]:
    """Yield a column of each type that is respelled."""
    for one in features():
        for respelling in one.fixes:
            if one.kind != "types" or not respelling.safe:
                continue
            if "{1}" in respelling.of:
                yield Proof(one.id, one.example + ";", KEPT)
                continue
            arguments = "8 , 2" if one.id == "type-float-scale" else "20"
            for words in alternatives(respelling.of.replace("{n}", arguments)):
                yield Proof(one.id, f"CREATE TABLE t (id INTEGER, v {words});", KEPT)


def alternatives(text: str) -> list[str]:
    """Return a respelling's text with each of the words that may stand in a place."""
    found = [""]
    for word in text.split():
        found = [f"{before} {one}".strip() for before in found for one in word.split("|")]
    return found


ALL_PROOFS = (*PROOFS, *of_types())


def respelled(script: str, feature: str) -> tuple[str, set[int]]:
    """Return a script with a row's respellings applied until none is left, and which they were."""
    used: set[int] = set()
    while True:
        found = [
            one.rewriting
            for statement in statements_of(script)
            for one in statement.constructs
            if one.feature == feature and one.rewriting is not None
        ]
        if not found:
            return script, used
        used |= {one.respelling for one in found}
        fixes = compatible(Fix("", one.edits, "safe") for one in found)
        script = amended(script.encode(), fixes, is_script=True).decode()


@pytest.mark.parametrize("proof", ALL_PROOFS, ids=lambda one: f"{one.feature}: {one.script[-60:]}")
def test_the_new_text_does_what_the_old_one_did(proof: Proof, engines: tuple[Engine, ...]) -> None:
    after, used = respelled(proof.script, proof.feature)
    assert used
    assert after != proof.script
    taking = [one for one in engines if not one.error([proof.script])]
    assert taking, "no engine takes the old text"
    answers = []
    for engine in engines:
        assert not engine.error([after]), engine.label
        if engine in taking:
            answer = engine.rows(f"{proof.script} {proof.query}")
            assert not isinstance(answer, str), answer
            assert engine.rows(f"{after} {proof.query}") == answer
            answers.append(answer)
    if proof.everywhere:
        for engine in engines:
            assert engine.rows(f"{after} {proof.query}") in answers, engine.label


def test_every_safe_respelling_is_proved() -> None:
    proved = {
        (one.feature, number)
        for one in ALL_PROOFS
        for number in respelled(one.script, one.feature)[1]
    }
    safe = {
        (one.id, number)
        for one in features()
        for number, respelling in enumerate(one.fixes)
        if respelling.safe
    }
    assert safe - proved == set()


@pytest.mark.parametrize("proof", ALL_PROOFS, ids=lambda one: f"{one.feature}: {one.script[-60:]}")
def test_the_new_text_holds_nothing_new(proof: Proof) -> None:
    after, _ = respelled(proof.script, proof.feature)
    assert recognised(after) <= recognised(proof.script) - {proof.feature}


def recognised(script: str) -> set[str]:
    """Return the rows that draw a verdict of SQLite and PostgreSQL in a script."""
    found = {one.feature for statement in statements_of(script) for one in statement.constructs}
    return {one for one in found if is_judged(feature_by_id()[one])}


def is_judged(feature: Feature) -> bool:
    """Return whether one of the two engines rejects a row, or the two differ about it."""
    return feature.differs or bool(feature.fails_on({"sqlite": "", "postgresql": ""}))


def test_unsafe_respellings_are_texts_that_engines_take(engines: tuple[Engine, ...]) -> None:
    """An unsafe fix may mean something else; it is still SQL, wherever the example was or not."""
    tried = 0
    for one in features():
        if not one.fixes or any(respelling.safe for respelling in one.fixes):
            continue
        after, used = respelled(one.example, one.id)
        if not used or re.search(r"\bCONCURRENTLY\b", one.example):
            continue
        tried += 1
        setup = [one.setup] if one.setup else []
        assert any(not engine.error([*setup, after]) for engine in engines), (one.id, after)
    assert tried > 20
