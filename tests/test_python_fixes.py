"""No fix of a migration in Python makes a module that is none, or loses a comment."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter

import libcst
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dal_audit.extract.embedded.migration import statements_of_migration
from dal_audit.extract.operations.revision_source import revision_source
from dal_audit.extract.source import Lines
from dal_audit.facts import Edit
from dal_audit.fix.model import Fix
from dal_audit.fix.revisions.downgrade import downgrade_of, edits_of, undoings
from dal_audit.fix.revisions.inverse import Engines, Inverter
from dal_audit.fix.revisions.source_schema import SourceSchema
from dal_audit.fix.rewrite import amended, compatible
from tests.sampling import runs

TABLE = st.sampled_from(["t", "users", "über"])
COLUMN = st.sampled_from(["a", "b", "c d"])
TYPE = st.sampled_from(
    ["sa.Integer()", "postgresql.JSONB()", "postgresql.UUID(as_uuid=True)", "sa.Enum('x', name='e')",
     "postgresql.ARRAY(sa.Text)", "sa.String(length=3)", "Own()", "sa.DATETIME"]
)  # fmt: skip
COMMENT = st.sampled_from(["", "  # kept", "  # 'kept\""])


@st.composite
def arguments(draw: st.DrawFn, *fixed: str) -> str:
    """Return a call's arguments, on one line or one to a line, with comments."""
    if not draw(st.booleans()):
        return f"({', '.join(fixed)})"
    comma = draw(st.sampled_from(["", ","]))
    rows = [f"        {own}," for own in fixed[:-1]] + [f"        {fixed[-1]}{comma}"]
    return "(\n" + "\n".join(f"{row}{draw(COMMENT)}" for row in rows) + "\n    )"


@st.composite
def statements(draw: st.DrawFn) -> str:
    table, column, kind = draw(TABLE), draw(COLUMN), draw(TYPE)
    own = f'sa.Column("{column}", {kind}, nullable={draw(st.booleans())})'
    name, call = draw(
        st.sampled_from(
            [
                ("create_table", (f"'{table}'", own, f'sa.UniqueConstraint("{column}", name="u")')),
                ("drop_table", (f'"{table}"',)),
                ("add_column", (f'"{table}"', own)),
                ("drop_column", (f'"{table}"', f"'{column}'")),
                ("alter_column", (f'"{table}"', f'"{column}"', f"type_={kind}", "nullable=True")),
                ("alter_column", (f'table_name="{table}"', f'column_name="{column}"', "nullable=False")),
                ("create_index", ('op.f("ix")', f'"{table}"', f'["{column}"]', "unique=True",
                                  'postgresql_where=sa.text("a > 1")')),
                ("drop_index", ('"ix"', f'table_name="{table}"')),
                ("create_unique_constraint", ('"u"', f'"{table}"', f'["{column}"]')),
                ("create_foreign_key", ("None", f'"{table}"', '"t"', f'["{column}"]', '["a"]')),
                ("create_check_constraint", ('"k"', f'"{table}"', '"""a >\n 1"""')),
                ("drop_constraint", ('"u"', f'"{table}"', 'type_="unique"')),
                ("rename_table", (f'"{table}"', '"other"')),
                ("execute", ('"CREATE VIEW v AS SELECT \'é\'"',)),
            ]
        )
    )  # fmt: skip
    text = f"op.{name}{draw(arguments(*call))}{draw(COMMENT)}"
    return draw(
        st.sampled_from(
            [
                "{}",
                "if x:\n        {}",
                "if op.get_bind().dialect.name == 'mysql':\n        {}",
                "x = {}",
                "with op.batch_alter_table('t') as b:\n        {}",
            ]
        )
    ).format(text)


DOWNS = st.sampled_from(
    [
        "",
        "\n\ndef downgrade():\n    pass  # kept\n",
        "\n\ndef downgrade(): pass",
        '\n\ndef downgrade() -> None:\n    """Back."""\n    # kept\n',
        "\n\n# kept\ndef downgrade():\n\t...\n\n\nx = 1\n",
        "\n\ndef downgrade():\n    # kept\n    return None",
    ]
)
HEADS = st.sampled_from(
    [
        "import sqlalchemy as sa\nfrom alembic import op\nfrom sqlalchemy.dialects import postgresql\n",
        "'''Text.'''\nfrom alembic import op as op  # kept\nimport sqlalchemy\nsa = sqlalchemy\n",
        "# -*- coding: utf-8 -*-\nimport sqlalchemy as sa; from alembic import op\n",
    ]
)


@st.composite
def modules(draw: st.DrawFn) -> str:
    body = "\n    ".join(draw(st.lists(statements(), min_size=1, max_size=5)))
    text = f"{draw(HEADS)}revision = 'a'\ndown_revision = None\n\n\ndef upgrade():\n    {body}\n{draw(DOWNS)}"
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


REMARK_LAST = (
    "import sqlalchemy as sa\nfrom alembic import op\n\n\ndef upgrade():\n    if x:\n        pass\n"
    '    op.create_table("t")\n\n\ndef downgrade():\n    pass  # kept\n'
)
"""What is not taken back is said last, before the comment behind what made place for it."""


OF_OTHERS = (
    "from alembic import op\n\n\ndef upgrade():\n    if op.get_bind().dialect.name == 'mysql':\n"
    '        op.alter_column("t", "a", nullable=True)\n'
)
"""What no engine runs whose compilers are known."""


def comments(text: str) -> Counter[str]:
    tokens = tokenize.generate_tokens(io.StringIO(text, newline="").readline)
    return Counter(token.string for token in tokens if token.type == tokenize.COMMENT)


def check(before: str, fixes: list[Fix]) -> None:
    after = amended(before.encode(), fixes, is_script=False).decode()
    ast.parse(after)
    assert libcst.parse_module(after).code == after
    assert not comments(before) - comments(after)
    ends = after.count("\r\n")
    assert ends in {0, after.count("\n")}


@settings(max_examples=runs(25), deadline=None)
@given(modules())
@example(REMARK_LAST)
def test_a_written_down_keeps_its_module(text: str) -> None:
    source = revision_source(text)
    inverter = Inverter(SourceSchema(), Engines(sqlite=True, postgresql=True))
    every = undoings(inverter, source.up, lambda _number: None)
    downgrade = downgrade_of(source, {source.place.after: every})
    if downgrade.is_acting:
        check(text, [Fix("write the down", edits_of(downgrade, text, ("Look.",)), "safe")])


@settings(max_examples=runs(25), deadline=None)
@given(modules())
@example(OF_OTHERS)
def test_a_mended_operation_keeps_its_module(text: str) -> None:
    found: list[tuple[Edit, ...]] = []
    for statement in statements_of_migration(ast.parse(text), Lines(text), "alembic"):
        found += [own.rewriting.edits for own in statement.constructs if own.rewriting]
        guard = statement.within.guard if statement.within is not None else None
        found += [(guard,)] if guard is not None else []
    fixes = [Fix("mend", edits, "safe") for edits in dict.fromkeys(found)]
    for fix in fixes:
        check(text, [fix])
    check(text, compatible(fixes))
