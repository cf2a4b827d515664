"""Released migrations: what a change is to each tool, and when git is not asked at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.discover.git_history import HistoryError
from dal_audit.extract.migrations.normalised_text import essence_of
from dal_audit.policy.request import Request
from tests.test_since import Work

UP = "CREATE TABLE IF NOT EXISTS users (id TEXT NOT NULL PRIMARY KEY);\n"
DOWN = "DROP TABLE IF EXISTS users;\n"
FLYWAY = {"db/migration/V1__users.sql": UP, "db/migration/U1__users.sql": DOWN}
ALEMBIC = '''"""{title}"""
from alembic import op
import sqlalchemy as sa

revision = "a1"
down_revision = None


def upgrade():
    op.create_table("users", sa.Column("id", sa.{kind}(), primary_key=True))


def downgrade():
    op.drop_table("users")
'''


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """A repository in which a Flyway set and an Alembic set are released."""
    one = Work(tmp_path / "work")
    one.commit(
        {
            **FLYWAY,
            "alembic/env.py": "",
            "alembic/script.py.mako": "",
            "alembic/versions/a1_users.py": ALEMBIC.format(title="Users", kind="Text"),
        }
    )
    one.git("checkout", "-q", "-b", "topic")
    return one


def found(work: Work, since: str | None = None) -> list[tuple[str, int, str]]:
    report = audit(Request(folder=work.root, since=since, select=("DAL407",)))
    return [(one.place.path, one.place.span.line, one.breach.message) for one in report.open]


def test_nothing_changed_and_something_new(work: Work) -> None:
    work.write({"db/migration/V2__teams.sql": UP.replace("users", "teams")})
    assert found(work) == []


def test_alembic_knows_a_migration_by_what_the_file_says(work: Work) -> None:
    work.git("mv", "alembic/versions/a1_users.py", "alembic/versions/a1_people.py")
    work.write({"alembic/versions/a1_people.py": ALEMBIC.format(title="People", kind="Text")})
    assert found(work) == []
    work.write({"alembic/versions/a1_people.py": ALEMBIC.format(title="People", kind="String")})
    path = "alembic/versions/a1_people.py"
    # The first line that differs is the title's.
    assert found(work) == [(path, 1, f"the released migration `{path}` is changed")]


def test_a_rename_changes_what_flyway_checks(work: Work) -> None:
    work.git("mv", "db/migration/V1__users.sql", "db/migration/V1__people.sql")
    old, new = "db/migration/V1__users.sql", "db/migration/V1__people.sql"
    wanted = f"the released migration `{old}` is renamed to `{new}`"
    assert found(work) == [(new, 1, wanted)]


def test_a_folder_may_move(work: Work) -> None:
    work.git("mv", "db", "database")
    assert found(work) == []


def test_commits_of_the_branch_count_as_the_work_tree_does(work: Work) -> None:
    work.commit({"db/migration/V1__users.sql": UP + "-- more\n"})
    message = "the released migration `db/migration/V1__users.sql` is changed"
    assert found(work) == [("db/migration/V1__users.sql", 2, message)]
    assert found(work, since="main") == found(work)
    # What was committed before the revision is released.
    assert found(work, since="topic") == []


def test_a_set_deleted_in_part(work: Work) -> None:
    work.git("rm", "-q", "db/migration/U1__users.sql")
    message = "the released migration `db/migration/U1__users.sql` is deleted"
    assert found(work) == [("db/migration", 1, message)]


def test_a_waiver_lifts_it(work: Work) -> None:
    work.write(
        {
            "db/migration/V1__users.sql": UP + "-- more\n",
            "dal-audit.toml": "[[waivers]]\nid = 'W-1'\nrules = ['DAL407']\npaths = ['db/**']\n"
            "reason = 'nobody has run it yet'\ngranted = 2020-01-01\nexpires = 2999-01-01\n",
        }
    )
    assert found(work) == []


def test_git_is_asked_only_where_there_are_migrations_and_a_rule_or_a_fix_asks(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("dal_audit.discover.git_history.Repository.default_merge_base", ask)
    audit(Request(folder=work.root, ignore=("DAL404", "DAL407")))
    other = Work(tmp_path / "other")
    other.commit({"app.py": "x = 1\n"})
    audit(Request(folder=other.root))
    with pytest.raises(AssertionError):
        audit(Request(folder=work.root))


def test_where_there_is_no_history(work: Work, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    for name, text in FLYWAY.items():
        (alone / name).parent.mkdir(parents=True, exist_ok=True)
        (alone / name).write_text(text, encoding="utf-8")
    report = audit(Request(folder=alone))
    assert not [one for one in report.assumptions if "released" in one]
    work.git("branch", "-D", "main")
    report = audit(Request(folder=work.root))
    assert [one for one in report.assumptions if "released migrations are unknown" in one]
    with pytest.raises(HistoryError):
        found(work, since="nowhere")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("SELECT 1", "select 1", False),
        ("SELECT  1 -- x\n", "SELECT\n1", True),
        ("SELECT 'a  b'", "SELECT 'a b'", False),
        ("SELECT '--x'", "SELECT '--y'", False),
        ("SELECT E'\\'--x'", "SELECT E'\\'--y'", False),
        ("DO $a$ -- x\n$a$", "DO $a$ -- y\n$a$", False),
        ("SELECT a/* x */b", "SELECT ab", False),
        ("SELECT (a , b)", "SELECT (a,b)", True),
        ("/* x", "/* y", True),
        ("SELECT 'x", "SELECT 'y", False),
        ("-- +goose Up\n", "-- +goose Down\n", False),
        ("-- migrate:up\n", "--  migrate:up transaction:false\n", False),
    ],
)
def test_what_sql_does_besides_comments_and_blanks(one: str, other: str, is_same: bool) -> None:
    texts = [essence_of(text.encode(), is_python=False) for text in (one, other)]
    assert (texts[0] == texts[1]) is is_same


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ('"""A."""\nx = 1  # y\n', '"""B."""\n\n\nx=1\n', True),
        ("x = 1\n", "x = 2\n", False),
        ("def\n", "def \n", False),
        ("op.execute('a')\n", "op.execute('b')\n", False),
        ("x = '\\d'\n", "x = '\\d'  # an escape that Python warns of\n", True),
    ],
)
def test_what_python_does_besides_comments(one: str, other: str, is_same: bool) -> None:
    texts = [essence_of(text.encode(), is_python=True) for text in (one, other)]
    assert (texts[0] == texts[1]) is is_same
