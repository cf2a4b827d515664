"""Fixes of made-up modules and scripts: none makes them unsound, or loses a comment."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.extract.embedded.module import statements_of_file
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.source import Lines, UndecodableError, decode, decode_script
from dal_audit.extract.sql.scripts import statements_of
from dal_audit.facts import Import, ModuleExports
from dal_audit.facts.sql import SqlStatement
from dal_audit.fix.exports import unlisted
from dal_audit.fix.imports import without
from dal_audit.fix.model import Fix
from dal_audit.fix.new_imports import new_import
from dal_audit.fix.rewrite import AmendError, amended, compatible
from tests.tools.fuzz.grammar import Grammar

_ROUNDS: Final = 40
_MADE: Final = "app.errors", "NameTaken"
"""What a fix imports that has a clause catch storage's error."""

MODULE: Final[Grammar] = {
    "text": ("<imports><list><body>", "<mark><imports><more><list><body><end>"),
    "mark": ("", '"""Text."""\n', "# -*- coding: utf-8 -*-\n", "#!/usr/bin/env python\n", "\ufeff"),
    "imports": ("<import>", "<import><import><import>", "<import><blank><import>", "<guarded>"),
    "more": ("", "<import>", "<blank><import><import>", "<guarded><import>"),
    "blank": ("\n", "\n\n", "# é 🦆\n", "\x0c\n", "    \n"),
    "import": ("import <module><c>\n", "import <module>, <module><c>\n",
               "import <module>, \\\n    <module> as m\n", "from <from> import <name><c>\n",
               "from <from> import <name>, <name> as <name><c>\n", "from sqlite3 import *<c>\n",
               "from <from> import (<name>, <name>)<c>\n", "import <module>; import <module><c>\n",
               "from <from> import (<c>\n    <name>,<c>\n    <name>,<c>\n)<c>\n",
               "from <from> import (<c>\n    <name><c>\n    , <name> as r<c>\n)<c>\n",
               "from <from> import <name>, \\\n    <name>, <name><c>\n", "import <module> ; x = 1<c>\n",
               "x = 'ä🦆'; from <from> import <name>, <name><c>\n"),
    "guarded": ("try:\n    <import>except ImportError:\n    pass\n", "if x: import <module><c>\n",
                "if TYPE_CHECKING:<c>\n    from <from> import <name>, <name><c>\n",
                "def f():<c>\n    import <module><c>\n    import <module><c>\n",
                "def f():\n    import <module>; import <module><c>\n    return 1\n",
                "class C:\n    from <from> import <name><c>\n    <name> = <name>\n",
                "with x:\n    import <module><c>\n", "if x:\n\timport <module><c>\n\timport json<c>\n"),
    "module": ("sqlite3", "psycopg", "json", "sqlite3.dbapi2", "psycopg as p"),
    "c": ("", "", "", "  # why", "  # 'é🦆, x", "#", "  # noqa", "  # )"),
    "name": ("Row", "connect", "Error", "sqlite3", "IntegrityError", "Größe"),
    "from": ("sqlite3", "psycopg", "app.store", ".store", "psycopg.errors"),
    "list": ("", "__all__ = ['<name>', '<name>']<c>\n", "__all__ = (<c>\n    '<name>',<c>\n    'f',\n)\n",
             "__all__ = ['<name>',<c>\n  # alone\n  'f'<c>\n]\n", "__all__ = ['<name>']\n__all__ += ['f']\n",
             "__all__ = ['<name>', 'R' 'ow'<c>\n]\n"),
    "body": ("x = <use>\n", "<try>", "def f(a: <use> = <use>) -> '<use>':<c>\n    return <use>\n",
             "class C(<use>):\n    <name> = <use><c>\n", "c.execute(<sql>)<c>\n", "<body><body>",
             "d = sqlite3.connect('x')\nd.execute(<sql>)<c>\nd.execute(<sql>)\n"),
    "try": ("try:\n    f()\nexcept <use>:<c>\n    pass\n", "try: f()\nexcept (<use>, <use>) as e: x(e)\n"),
    "use": ("1", "<name>", "sqlite3.<name>", "m.x", "json", "psycopg.errors.<name>"),
    "sql": ("'SELECT ifnull(a, ?) FROM t'<c>", '"SELECT `a` FROM [t]"', "f'SELECT ifnull(a, {x}) FROM t'",
            '"""SELECT ifnull(a, b) -- é\n FROM t WHERE a == 1"""', "('SELECT if'<c>\n 'null(a, b)')",
            "r'''SELECT datetime('now'), ifnull(\\a, b) FROM t'''", "'INSERT OR IGNORE INTO t VALUES (?)'"),
    "end": ("", "x = 1", "import sqlite3", "# end", "\n\n", "import sqlite3; x = 1"),
}  # fmt: skip
"""Modules that import drivers at all kinds of places, offer and catch them, and hand them SQL."""


def fixes_of_modules(catalogue: Catalogue) -> Callable[[bytes], None]:
    """Return what mends a module in all ways and looks at what comes of it.

    It raises AssertionError where a fix breaks a sound module, or loses a comment of it.
    """

    def mend(data: bytes) -> None:
        try:
            before = _comments(decode(data))
        except (SyntaxError, ValueError, tokenize.TokenError, UndecodableError, RecursionError):
            return
        for _ in range(_ROUNDS):
            fixes = list(_offered(decode(data), catalogue))
            for chosen in (*([fix] for fix in fixes), compatible(fixes)):
                _sound(data, chosen, before)
            kept = compatible(fix for fix in fixes if fix.is_safe)
            if not kept:
                return
            data = _sound(data, kept, before)
        raise AssertionError("the fixes do not come to an end")

    return mend


def _offered(text: str, catalogue: Catalogue) -> Iterator[Fix]:
    """Yield the fixes of a module: those of imports are safe, and gone when they are applied."""
    facts = list(python_facts(text, catalogue))
    imports = [fact for fact in facts if isinstance(fact, Import)]
    for fact in imports:
        taken = without(fact, [each for each in fact.targets if catalogue.driver_of(each.name)])
        yield from [taken] if taken is not None else []
    for shape in (fact for fact in facts if isinstance(fact, ModuleExports)):
        shorter = (unlisted(shape, name, ()) for name in ("Row", "connect", "sqlite3"))
        yield from (fix for fix in shorter if fix is not None)
    new = new_import(*_MADE, imports, lambda name: name)
    if new is not None and new.edits:
        yield Fix("", new.edits, "unsafe")
    statements = statements_of_file(ast.parse(text), Lines(text), None, catalogue)
    yield from _respelled([fact for fact in statements if isinstance(fact, SqlStatement)])


def _respelled(statements: Sequence[SqlStatement]) -> Iterator[Fix]:
    for statement in statements:
        for construct in statement.constructs:
            if construct.rewriting is not None and construct.rewriting.edits:
                yield Fix("", construct.rewriting.edits, "unsafe")


def _sound(data: bytes, fixes: Sequence[Fix], before: Counter[str]) -> bytes:
    """Return a module with fixes applied."""
    try:
        new = amended(data, fixes, is_script=False)
    except AmendError:
        return data
    if before - _comments(decode(new)):
        raise AssertionError(f"{fixes} lose {before - _comments(decode(new))}")
    return new


def _comments(text: str) -> Counter[str]:
    """Return a sound module's comments. Raises SyntaxError and its like for another one."""
    ast.parse(text)
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    tokens = tokenize.generate_tokens(io.StringIO(plain, newline="").readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def fixed_script(data: bytes) -> None:
    """Mend a sound script in all ways.

    Raises AssertionError where a comment is lost, or a statement is not understood any more.
    """
    for before, after in _scripts(data):
        flaws = [
            [statement.flaw for statement in side if statement.flaw] for side in (before, after)
        ]
        if len(flaws[1]) > len(flaws[0]):
            raise AssertionError(f"{flaws[1]} for {flaws[0]}")


def spoilt_script(data: bytes) -> None:
    """Mend a script that no engine may take: raises AssertionError where a comment is lost.

    What was no statement before may be seen to be none only then; an audit of it finds that, and
    then nothing is written.
    """
    for _ in _scripts(data):
        pass


def _scripts(data: bytes) -> Iterator[tuple[Sequence[SqlStatement], Sequence[SqlStatement]]]:
    """Yield a script's statements before and after each fix, and after all at once."""
    try:
        before = statements_of(decode_script(data))
    except UndecodableError:
        return
    fixes = list(_respelled(before))
    said = _remarks(before)
    for chosen in (*([fix] for fix in fixes), compatible(fixes)):
        try:
            after = statements_of(decode_script(amended(data, chosen, is_script=True)))
        except AmendError:
            continue
        if said - _remarks(after):
            raise AssertionError(f"{chosen} lose {said - _remarks(after)}")
        yield before, after


def _remarks(statements: Sequence[SqlStatement]) -> Counter[str]:
    return Counter(comment for statement in statements for comment in statement.comments)
