"""Downs for Alembic's revisions: in the words of their modules, proved by what they run."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.policy.request import Request
from tests.invocation import run
from tests.trial_runs import begin, put, run_in_process

FOLDER = "alembic/versions"
FIRST = '''\
"""First."""

import sqlalchemy as sa
from alembic import op

revision = "a1"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("mail", sa.String(length=80), nullable=False),
        sa.Column("age", sa.Integer(), server_default=sa.text("0")),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mail", name="uq_mail"),
    )
    op.create_index(op.f("ix_users_age"), "users", ["age"], unique=False)


def downgrade() -> None:
    """Back."""
    # by hand
    pass
'''
HEAD = "import sqlalchemy as sa\nfrom alembic import op\n\n"


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    run_in_process(monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository without a commit: nothing in it was released."""
    begin(tmp_path, 'backends = ["sqlite"]\nstorage = ["**"]\n')
    put(tmp_path, "alembic.ini", "[alembic]\nscript_location = alembic\n")
    put(tmp_path, "alembic/env.py", "")
    return tmp_path


def put_second(root: Path, up: str, down: str = "pass", head: str = HEAD) -> Path:
    """Put two revisions, and return the second's file."""
    put(root, f"{FOLDER}/a1.py", FIRST.replace("    pass\n", '    op.drop_table("users")\n'))
    body = up.replace("\n", "\n    ")
    below = down.replace("\n", "\n    ")
    text = (
        f'{head}revision = "a2"\ndown_revision = "a1"\n\n\n'
        f"def upgrade():\n    {body}\n\n\ndef downgrade():\n    {below}\n"
    )
    return put(root, f"{FOLDER}/a2.py", text)


def body_of(file: Path) -> str:
    """Return the lines of the way back, without the indentation that is around all."""
    text = file.read_text()
    ast.parse(text)
    below = text.partition("def downgrade")[2].partition(":\n")[2]
    return "\n".join(line.removeprefix("    ") for line in below.rstrip().split("\n"))


def rules_at(root: Path) -> set[str]:
    return {own.rule.id for own in audit(Request(folder=root)).open}


def test_what_does_nothing_makes_place_and_all_else_stays(root: Path) -> None:
    file = put(root, f"{FOLDER}/a1.py", FIRST)
    answer = run(root, "fix", "--downs")
    assert answer.stderr == "Wrote 1 down in 1 file.\n"
    assert file.read_text() == FIRST.replace("    pass\n", '    op.drop_table("users")\n')
    assert not rules_at(root) & {"DAL402", "DAL403"}
    assert run(root, "fix", "--downs").stderr == "Wrote 0 downs in 0 files.\n"


def test_a_function_that_is_missing_is_written_at_the_end(root: Path) -> None:
    bare = FIRST.partition("\n\ndef downgrade")[0].rstrip() + "\n"
    file = put(root, f"{FOLDER}/a1.py", bare)
    assert run(root, "fix", "--downs").stderr == "Wrote 1 down in 1 file.\n"
    added = '\n\ndef downgrade() -> None:\n    op.drop_table("users")\n'
    assert file.read_text() == bare + added


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("def downgrade(): pass\n", 'def downgrade():\n    op.drop_table("users")\n'),
        ("def downgrade():\n\t...\n", 'def downgrade():\n\top.drop_table("users")\n'),
        (
            'def downgrade():\n  """Back."""\n',
            'def downgrade():\n  """Back."""\n  op.drop_table("users")\n',
        ),
    ],
)
def test_a_body_is_written_as_its_function_stands(root: Path, before: str, after: str) -> None:
    head = FIRST.partition("def downgrade")[0]
    file = put(root, f"{FOLDER}/a1.py", head + before)
    run(root, "fix", "--downs")
    assert file.read_text() == head + after


def test_ends_of_lines_stay(root: Path) -> None:
    file = put(root, f"{FOLDER}/a1.py", FIRST.replace("\n", "\r\n"))
    run(root, "fix", "--downs")
    data = file.read_bytes()
    assert b'    op.drop_table("users")\r\n' in data
    assert data.count(b"\n") == data.count(b"\r\n")


UNDONE = {
    "add-column": (
        'op.add_column("users", sa.Column("x", sa.Text()))',
        'op.drop_column("users", "x")',
    ),
    "index": (
        'op.create_index("ix", "users", ["mail", "age"])',
        'op.drop_index("ix", table_name="users")',
    ),
    "dropped-index": (
        'op.drop_index("ix_users_age", table_name="users")',
        'op.create_index(op.f("ix_users_age"), "users", ["age"], unique=False)',
    ),
    "rename": ('op.rename_table("users", "people")', 'op.rename_table("people", "users")'),
    "batch": (
        (
            'with op.batch_alter_table("users", schema=None) as batch:\n'
            '    batch.alter_column("age", nullable=False, server_default=None)\n'
            '    batch.alter_column("mail", new_column_name="address")\n'
            '    batch.create_check_constraint("grown", "age > 17")'
        ),
        (
            'with op.batch_alter_table("users", schema=None) as batch_op:\n'
            '    batch_op.drop_constraint("grown", type_="check")\n'
            "    batch_op.alter_column(\n"
            '        "address",\n'
            "        existing_type=sa.String(length=80),\n"
            '        new_column_name="mail",\n'
            "    )\n"
            "    batch_op.alter_column(\n"
            '        "age",\n'
            "        existing_type=sa.Integer(),\n"
            "        nullable=True,\n"
            '        server_default=sa.text("0"),\n'
            "    )"
        ),
    ),
    "sql": (
        'op.execute("CREATE VIEW v AS SELECT mail FROM users")',
        'op.execute("DROP VIEW IF EXISTS v")',
    ),
    "own-function": ("more()", 'op.drop_column("users", "x")'),
    "own-type": (
        'op.add_column("users", sa.Column("x", GUID()))',
        'op.drop_column("users", "x")',
    ),
}
"""What an upgrade does to the table of the first revision, and what is written for it."""

HELPERS = (
    HEAD + "class GUID(sa.types.TypeDecorator):\n    impl = sa.String\n\n\ndef more():\n"
    '    op.add_column("users", sa.Column("x", sa.Text()))\n\n\n'
)


@pytest.mark.parametrize("name", UNDONE)
def test_what_is_proved_is_safe(root: Path, name: str) -> None:
    up, down = UNDONE[name]
    file = put_second(root, up, head=HELPERS if name.startswith("own") else HEAD)
    answer = run(root, "fix", "--downs")
    assert body_of(file) == down
    assert answer.stderr == "Wrote 1 down in 1 file.\n"
    assert answer.exit_code == 0


def test_what_is_gone_is_said_and_its_table_comes_back(root: Path) -> None:
    file = put_second(root, 'op.drop_table("users")')
    assert run(root, "fix", "--downs").exit_code == 0
    assert body_of(file) == (
        "# The rows of `users` are gone: they do not come back.\n"
        "op.create_table(\n"
        '    "users",\n'
        '    sa.Column("id", sa.Integer(), nullable=False),\n'
        '    sa.Column("mail", sa.String(length=80), nullable=False),\n'
        '    sa.Column("age", sa.Integer(), server_default=sa.text("0")),\n'
        '    sa.PrimaryKeyConstraint("id"),\n'
        '    sa.UniqueConstraint("mail", name="uq_mail"),\n'
        ")\n"
        'op.create_index(op.f("ix_users_age"), "users", ["age"], unique=False)'
    )


def test_names_are_those_of_the_module_and_what_it_lacks_is_imported(root: Path) -> None:
    head = "'''Second.'''\nfrom alembic import op as do\nimport os\n\nx = 'y'\n"
    up = "do.drop_index('ix_users_age', table_name='users')\ndo.drop_column('users', 'age')"
    file = put_second(root, up, head=head)
    answer = run(root, "fix", "--downs")
    assert answer.exit_code == 0, answer.stderr
    text = file.read_text()
    assert text.startswith(
        "'''Second.'''\nfrom alembic import op as do\nimport os\nimport sqlalchemy as sa\n\nx = 'y'\n"
    )
    assert "do.add_column('users', sa.Column('age', sa.Integer()" in text


def test_a_down_that_lacks_something_is_completed(root: Path) -> None:
    up = 'op.add_column("users", sa.Column("x", sa.Text()))\nop.create_index("ix", "users", ["mail"])'
    file = put_second(root, up, 'op.drop_index("ix")  # first')
    assert run(root, "fix", "--downs").exit_code == 0
    assert body_of(file) == 'op.drop_index("ix")  # first\nop.drop_column("users", "x")'


@pytest.mark.parametrize(
    ("up", "said"),
    [
        (
            'if op.get_context().as_sql:\n    op.drop_table("users")',
            "`if op.get_context().as_sql:`",
        ),
        ('op.create_unique_constraint(None, "users", ["age"])', "the constraint has no name"),
    ],
)
def test_what_is_not_followed_is_never_safe(root: Path, up: str, said: str) -> None:
    up = f'{up}\nop.add_column("users", sa.Column("x", sa.Text()))'
    file = put_second(root, up)
    before = file.read_text()
    answer = run(root, "fix", "--downs")
    assert answer.exit_code == 1
    assert file.read_text() == before
    run(root, "fix", "--downs", "--unsafe-fixes")
    body = body_of(file)
    assert body.startswith("# Look at this before it is run: ")
    assert 'op.drop_column("users", "x")' in body
    assert said in body


def test_a_refusal_to_go_back_is_left_alone(root: Path) -> None:
    put_second(root, 'op.drop_column("users", "age")', "raise NotImplementedError")
    assert run(root, "fix", "--downs").stderr == "Wrote 0 downs in 0 files.\n"


def test_a_revision_that_git_has_is_not_edited(root: Path) -> None:
    put(root, f"{FOLDER}/a1.py", FIRST)
    for command in (
        ("add", "."),
        ("-c", "user.name=a", "-c", "user.email=a@b.c", "commit", "-qm", "a"),
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    assert "may be released" in run(root, "fix", "--downs").stderr


ENUM = """\
op.create_table("moods", sa.Column("m", sa.Enum("a", "b", name="mood"), nullable=False))"""


def test_types_of_postgresql_go_and_stand(root: Path) -> None:
    put(root, "dal-audit.toml", 'backends = ["sqlite", "postgresql"]\n')
    file = put_second(root, ENUM)
    run(root, "fix", "--downs", "--unsafe-fixes")
    assert body_of(file).endswith(
        'op.drop_table("moods")\nsa.Enum(name="mood").drop(op.get_bind(), checkfirst=True)'
    )
    text = (
        'import sqlalchemy as sa\nfrom alembic import op\nrevision = "a3"\ndown_revision = "a2"\n'
    )
    third = f'{text}def upgrade():\n    op.drop_table("moods")\ndef downgrade():\n    pass\n'
    file = put(root, f"{FOLDER}/a3.py", third)
    run(root, "fix", "--downs", "--unsafe-fixes")
    assert 'postgresql.ENUM("a", "b", name="mood", create_type=False)' in file.read_text()
    assert "from sqlalchemy.dialects import postgresql\n" in file.read_text()
