"""Texts made by a grammar; here that of SQL, of which SQLite itself says whether it is sound."""

from __future__ import annotations

import random
import re
from typing import Final, TypeAlias

Grammar: TypeAlias = dict[str, tuple[str, ...]]
"""What each rule may be written as; the first way is the shortest, and `<name>` another rule."""

SQL: Final[Grammar] = {
    "statement": ("<create>;", "<create>; <insert>;", "<create>; <index>;", "<create>; <alter>;",
                  "<create>; <select>;", "<create>; <update>;", "<create>; <view>;"),
    "create": ("CREATE TABLE <maybe>t (<columns>)", "CREATE TABLE t (<columns>, <constraint>)",
               "CREATE TABLE t (<columns>) STRICT", "create temp table t (<columns>)"),
    "maybe": ("", "IF NOT EXISTS "),
    "columns": ("a INTEGER PRIMARY KEY, b <type> <rest>", "a TEXT <rest>, b <type>", "a INT, b INT"),
    "type": ("TEXT", "INTEGER", "REAL", "BLOB", "ANY", '"text"', "/* c */ INT"),
    "rest": ("", "NOT NULL", "DEFAULT <value>", "DEFAULT (<expression>)", "CHECK (<condition>)",
             "UNIQUE", "COLLATE NOCASE", "REFERENCES t (a) ON DELETE CASCADE"),
    "constraint": ("UNIQUE (b)", "CHECK (<condition>)", "FOREIGN KEY (b) REFERENCES t (a)",
                   "CONSTRAINT c UNIQUE (a, b)"),
    "insert": ("INSERT INTO t (b) VALUES (<value>)", "INSERT OR IGNORE INTO t (a, b) VALUES (1, 2)",
               "INSERT INTO t (b) SELECT <value> WHERE <condition>"),
    "index": ("CREATE INDEX <maybe>i ON t (b)", "CREATE UNIQUE INDEX i ON t (b, a) WHERE b > <value>"),
    "alter": ("ALTER TABLE t RENAME TO u", "ALTER TABLE t ADD COLUMN c <type>",
              "ALTER TABLE t RENAME COLUMN b TO c"),
    "update": ("UPDATE t SET b = <expression> WHERE <condition>", "DELETE FROM t WHERE <condition>"),
    "view": ("CREATE VIEW <maybe>v AS <select>",),
    "select": ("SELECT <expression> FROM t WHERE <condition>", "SELECT a, b FROM t ORDER BY b LIMIT 3",
               "WITH w AS (SELECT a FROM t) SELECT <expression> FROM t",
               "SELECT count(*), max(b) FROM t GROUP BY a HAVING <condition>"),
    "expression": ("b", "<value>", "(<expression> + <expression>)", "coalesce(b, <value>)",
                   "CASE WHEN <condition> THEN <value> ELSE b END", "<expression> || <value>",
                   "CAST(b AS TEXT)", "-<value>", "abs(-1)"),
    "condition": ("b IS NOT NULL", "b = <value>", "b IN (<value>, <value>)", "b LIKE <value>",
                  "NOT (<condition>)", "<condition> AND <condition>", "b BETWEEN 1 AND 2"),
    "value": ("1", "'it''s'", "''", "x'00ff'", "NULL", "1.5e3", "'-- no comment'", "'/*'", "'ä😀'"),
}  # fmt: skip
_HOLE: Final = re.compile(r"<(\w+)>")
DEEPEST: Final = 6


def made(chance: random.Random, grammar: Grammar, rule: str, depth: int = 0) -> str:
    """Return a text that a grammar allows; deep down the first and shortest way is taken."""
    ways = grammar[rule]
    text = ways[0] if depth > DEEPEST else chance.choice(ways)
    return _HOLE.sub(lambda found: made(chance, grammar, found[1], depth + 1), text)
