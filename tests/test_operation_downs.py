"""Downs for operations of Django's: what they are handed to go back, proved by what they run."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.extract.embedded.operation_source import migration_source
from dal_audit.facts import START
from dal_audit.facts.models import ModelOperation
from dal_audit.fix.downs.down import Down, Line
from dal_audit.fix.model import Fix
from dal_audit.fix.reverses.reverse import Reverse, reverse_edits
from dal_audit.fix.rewrite import amended
from dal_audit.schema import ModelReplay, texts_of
from tests.invocation import run
from tests.trial_runs import begin, put, run_in_process

HEAD = "from django.db import migrations, models\n\n\n"
GOODS = (
    'migrations.CreateModel("Goods", fields=[("id", models.BigAutoField(primary_key=True)), '
    '("name", models.CharField(max_length=9, unique=True)), '
    '("note", models.TextField(null=True)), '
    '("owner", models.ForeignKey("users.User", models.CASCADE)), '
    '("size", models.PositiveIntegerField(default=1))])'
)
FILE = "shop/migrations/0001_initial.py"


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    run_in_process(monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository without a commit: nothing in it was released."""
    begin(tmp_path, 'backends = ["sqlite"]\nstorage = ["**"]\n')
    return tmp_path


def module(*operations: str, head: str = "") -> str:
    """Return a migration."""
    rows = "".join(f"        {own},\n" for own in operations)
    return (
        f"{HEAD}{head}class Migration(migrations.Migration):\n    dependencies = []\n"
        f"    operations = [\n{rows}    ]\n"
    )


def function(*statements: str) -> str:
    """Return a function that a migration runs."""
    body = "".join(f"    {own}\n" for own in statements)
    return f"def forwards(apps, schema_editor):\n{body}\n\n"


def written(root: Path, text: str, *options: str) -> tuple[str, str]:
    """Write the downs of a migration; return its text then, and what was said."""
    file = put(root, FILE, text)
    answer = run(root, "fix", "--downs", *options)
    ast.parse(file.read_text())
    return file.read_text(), answer.stderr


MADE = 'RunSQL("CREATE TABLE t (a)"'
CALLS = {
    f"migrations.{MADE})": f'migrations.{MADE}, reverse_sql="DROP TABLE IF EXISTS t")',
    f"migrations.{MADE}, None)": f'migrations.{MADE}, "DROP TABLE IF EXISTS t")',
    f"migrations.{MADE}, reverse_sql=None, elidable=True)": (
        f'migrations.{MADE}, reverse_sql="DROP TABLE IF EXISTS t", elidable=True)'
    ),
    'migrations.RunSQL(\n            """\n            CREATE TABLE t (a)\n            """\n'
    "        )": (
        'migrations.RunSQL(\n            """\n            CREATE TABLE t (a)\n'
        '            """,\n            reverse_sql="DROP TABLE IF EXISTS t",\n        )'
    ),
    'migrations.RunSQL(\n            ("CREATE TABLE t "  # a\n             "(a integer)")  # )\n'
    "        )": (
        'migrations.RunSQL(\n            ("CREATE TABLE t "  # a\n             "(a integer)"),  # )\n'
        '            reverse_sql="DROP TABLE IF EXISTS t",\n        )'
    ),
    'migrations.RunSQL(sql=[("CREATE TABLE t (a)", None)], state_operations=[], hints={})': (
        "migrations.RunSQL(\n"
        '            sql=[("CREATE TABLE t (a)", None)], state_operations=[], hints={},\n'
        '            reverse_sql="DROP TABLE IF EXISTS t",\n        )'
    ),
    'migrations.RunSQL("SELECT 1")': 'migrations.RunSQL("SELECT 1", reverse_sql=migrations.RunSQL.noop)',
    'migrations.SeparateDatabaseAndState([migrations.RunSQL("CREATE TABLE t (a)")])': (
        "migrations.SeparateDatabaseAndState([migrations.RunSQL(\n"
        '            "CREATE TABLE t (a)",\n'
        '            reverse_sql="DROP TABLE IF EXISTS t",\n        )])'
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_an_argument_is_put_where_its_call_has_a_place(root: Path, call: str) -> None:
    after, said = written(root, module(call))
    assert after == module(CALLS[call])
    assert said == "Wrote 1 down in 1 file.\n"
    assert written(root, after) == (after, "Wrote 0 downs in 0 files.\n")


def test_bytes_of_others_stay(root: Path) -> None:
    before = module(f"migrations.{MADE})").replace("\n", "\r\n")
    put(root, FILE, before)
    run(root, "fix", "--downs")
    after = (root / FILE).read_bytes().decode()
    assert after == before.replace(f"{MADE})", f'{MADE}, reverse_sql="DROP TABLE IF EXISTS t")')


def test_code_that_executes_sql_alone_is_taken_back_by_a_function(root: Path) -> None:
    head = function(
        '"""Make."""',
        "with schema_editor.connection.cursor() as cursor:",
        '    cursor.execute("CREATE TABLE t (a)")',
        'if schema_editor.connection.vendor == "sqlite":',
        '    schema_editor.execute("CREATE INDEX b ON t (a)")',
    )
    run_twice = ("migrations.RunPython(forwards)", "migrations.RunPython(forwards)")
    after, _ = written(root, module(run_twice[0], head=head), "--unsafe-fixes")
    assert "def reverse_forwards(apps, schema_editor):\n" in after
    assert '    if schema_editor.connection.vendor == "sqlite":\n        schema' in after
    assert "migrations.RunPython(forwards, reverse_code=reverse_forwards)" in after


@pytest.mark.parametrize(
    "statement",
    [
        'apps.get_model("shop", "Goods").objects.update(size=1)',
        'schema_editor.execute(f"DROP TABLE {apps}")',
        'schema_editor.execute("DELETE FROM t WHERE a = %s", [1])',
        'for name in ("a",):\n        schema_editor.execute("CREATE TABLE t (a)")',
        "other(schema_editor)",
    ],
)
def test_code_that_is_not_followed_is_left_alone(root: Path, statement: str) -> None:
    text = module("migrations.RunPython(forwards)", head=function(statement))
    assert written(root, text, "--unsafe-fixes")[0] == text


def test_nothing_is_said_to_need_no_way_back_where_rows_are_gone(root: Path) -> None:
    call = 'migrations.RunSQL("DELETE FROM shop_goods")'
    text = module(GOODS, 'migrations.RunSQL("SELECT 1", "")', call)
    after, said = written(root, text)
    assert after == text
    assert "no statement takes back what it does to rows" in said
    after, _ = written(root, text, "--unsafe-fixes")
    assert "            # Rows are not taken back: `DELETE FROM shop_goods`.\n" in after
    assert "            migrations.RunSQL.noop\n" in after


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ('"ALTER TABLE shop_goods DROP COLUMN owner_id"', "takes no NULL"),
        ('"DROP TABLE shop_goods"', "not all is known"),
        ('"DROP TABLE IF EXISTS shop_goods"', "not all is known"),
        ('"ALTER TABLE shop_goods RENAME COLUMN size TO name"', "its up does not run"),
    ],
)
def test_what_is_not_known_of_the_tables_before_is_never_safe(
    root: Path, call: str, why: str
) -> None:
    text = module(GOODS, f"migrations.RunSQL({call})")
    after, said = written(root, text)
    assert after == text
    assert why in said


def test_what_a_model_made_comes_back_as_it_stood(root: Path) -> None:
    goods = GOODS.replace('("owner", models.ForeignKey("users.User", models.CASCADE)), ', "")
    widen = 'migrations.AlterField("goods", "note", models.CharField(max_length=20, null=True))'
    text = module(goods, widen, 'migrations.RunSQL("ALTER TABLE shop_goods DROP COLUMN note")')
    after, said = written(root, text)
    assert said == "Wrote 1 down in 1 file.\n"
    assert """'ALTER TABLE shop_goods ADD COLUMN "note" varchar(20)',\n""" in after


def test_what_an_unknown_operation_leaves_makes_later_ones_unsafe(root: Path) -> None:
    text = module("migrations.RunPython(other.forwards)", 'migrations.RunSQL("DROP TABLE u")')
    after, said = written(root, text)
    assert after == text
    assert "`shop/migrations/0001_initial.py:8` is not taken back by any statement" in said


BREAKS = st.sampled_from(["", " ", "\n", "\n    ", "  # a, b)\n", "\n  # (\n      "])
TEXTS = st.sampled_from(
    ['"A"', '("A")', '("A"\n  "B")', '"""A\n  # no, comment\n"""', "(  # (,\n'A' )"]
)
OTHERS = st.sampled_from([None, "elidable=True", "hints={'a': (1,)}", "reverse_sql=None"])


@settings(max_examples=40, deadline=None)
@given(BREAKS, TEXTS, OTHERS, st.lists(BREAKS, min_size=3, max_size=3), st.booleans())
def test_an_argument_is_put_into_any_call(
    first: str, text: str, other: str | None, breaks: list[str], has_comma: bool
) -> None:
    """The module is one afterwards, its call has the argument, and all comments stay."""
    tail = "" if other is None else f",{breaks[0]}{other}"
    comma = f",{breaks[2]}" if has_comma else ""
    call = f"migrations.RunSQL({first}{text}{tail}{breaks[1]}{comma})"
    before = module(call)
    source = migration_source(before)
    down = Down((Line("rows are gone", is_statement=False), Line("DROP TABLE a; x")))
    edits = reverse_edits(Reverse(source.operations[0], {(): down}), before, source.names, ["b"])
    after = amended(before.encode(), [Fix("", edits, "safe")], is_script=False).decode()
    said = ast.literal_eval(reverse_of(after))
    assert said == [("DROP TABLE a; x", None)]
    assert [*comments_in(after, skipped={"# b", "# rows are gone"})] == [*comments_in(before)]
    assert text in after


def reverse_of(text: str) -> ast.expr:
    """Return what a module hands its operation to go back."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return next(own.value for call in calls for own in call.keywords if own.arg == "reverse_sql")


def comments_in(text: str, skipped: Collection[str] = ()) -> Iterator[str]:
    """Yield the comments of a module in their order."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT and token.string not in skipped:
            yield token.string


OPERATIONS = (
    'migrations.AddField("goods", "more", models.TextField(null=True))',
    'migrations.RenameField("goods", "size", "width")',
    'migrations.AlterField("goods", "size", models.BigIntegerField(null=True))',
    'migrations.RemoveField("goods", "size")',
    'migrations.AddIndex("goods", models.Index(fields=["size"], name="by_size"))',
    'migrations.AlterModelTable("goods", "things")',
    'migrations.DeleteModel("goods")',
)


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_the_text_of_operations_says_what_django_runs(engine: str) -> None:
    """That Django's tables are these, `tests/engines` asks the engines."""
    found = []
    for operation in OPERATIONS:
        replay = ModelReplay()
        for own in migration_source(module(GOODS, operation)).operations:
            for fact in own.facts:
                assert isinstance(fact.structure, ModelOperation)
                told = texts_of(replay.run("shop", fact.structure), engine, START)
        found.append(told.statements[-1])
    table = 'ALTER TABLE "shop_goods"'
    assert found[0] == f'{table} ADD COLUMN "more" text'
    assert found[1] == f'{table} RENAME COLUMN "size" TO "width"'
    if engine == "postgresql":
        assert found[2:4] == [
            f'{table} ALTER COLUMN "size" DROP NOT NULL',
            f'{table} DROP COLUMN "size" CASCADE',
        ]
    assert found[4] == 'CREATE INDEX "by_size" ON "shop_goods" ("size")'
    assert found[6].startswith('DROP TABLE "shop_goods"')
