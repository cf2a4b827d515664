"""What is wrong with the order of a set: its numbers, or the graph that its migrations make."""

from __future__ import annotations

from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.migrations.graph_flaws import faults_of_graph
from dal_audit.migrations.model import MigrationSet
from dal_audit.migrations.numbering_flaws import faults_of_series
from dal_audit.policy.request import Request
from tests.migration_layouts import layout, only

REVISION = "revision = '{}'\ndown_revision = {!r}\ndef upgrade(): x()\ndef downgrade(): y()\n"


def numbers(*names: str) -> list[tuple[str, str]]:
    """Return the files of a set whose numbers are at fault, each with what is said of it."""
    found = only([f"migrations/{one}" for one in names])
    return [(one.path.rpartition("/")[2], one.reason) for one in faults_of_series(found)]


def alembic(**parents: str | tuple[str, ...] | None) -> MigrationSet:
    """Return the set of revisions, each given by what comes before it."""
    return only({f"versions/{name}.py": REVISION.format(name, of) for name, of in parents.items()})


def graph(found: MigrationSet, *elsewhere: str) -> list[tuple[str, str]]:
    """Return the migrations that are at fault in a graph, each with what is said of it."""
    return [(one.path.rpartition("/")[2], one.reason) for one in faults_of_graph(found, elsewhere)]


# Numbers


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("1_a.sql", "2_b.sql"), []),
        (("0_a.sql", "1_b.sql"), []),
        (("07_a.sql", "08_b.sql"), []),
        (("1_a.sql", "3_b.sql"), ["comes after a gap: 2 is missing"]),
        (("0001_a.sql", "0010_b.sql"), ["comes after a gap: 0002 to 0009 are missing"]),
        (("1_a.sql", "1_b.sql", "1_c.sql"), ["has the number of `1_a.sql`"] * 2),
        (("01_a.sql", "1_b.sql"), ["has the number of `01_a.sql`"]),
        (("20260101000000_a.sql", "20260301000000_b.sql"), []),
        (("2026-01-01_a.sql", "20260102_b.sql"), []),
        (("1.2_a.sql", "1.10_b.sql"), []),
        (("1.2_a.sql", "1.02_b.sql"), ["has the number of `1.02_b.sql`"]),
    ],
)
def test_gaps_and_doubles(names: tuple[str, ...], said: list[str]) -> None:
    assert [reason for _, reason in numbers(*names)] == said


def test_a_number_that_outgrew_its_width_cannot_be_written_otherwise() -> None:
    padded = [f"{one:02}_x.sql" for one in range(95, 100)]
    assert numbers("94_x.sql", *padded, "100_x.sql", "101_x.sql") == []
    early = [f"{one:02}_x.sql" for one in range(1, 12)]
    assert numbers(*early, "012_x.sql") == [
        ("012_x.sql", "has a number of 3 digits, the others of 2")
    ]
    names = [f"{one:02}_x.sql" for one in range(1, 100)]
    assert numbers(*names, "100_x.sql") == []


def test_a_double_is_not_also_of_another_width() -> None:
    assert numbers("0001_a.sql", "0002_b.sql", "02_c.sql") == [
        ("02_c.sql", "has the number of `0002_b.sql`")
    ]


def test_what_stands_for_all_before_fills_the_gap() -> None:
    assert numbers("B7__base.sql", "V8__a.sql", "R__views.sql") == []


def test_folders_are_named_by_their_own_names() -> None:
    files = ["migrations/0001_a/up.sql", "migrations/0001_b/up.sql"]
    assert [one.reason for one in faults_of_series(only(files))] == ["has the number of `0001_a`"]


# Graphs


def test_a_line_a_fork_and_a_join_are_sound() -> None:
    assert graph(alembic(aaaa=None, bbbb="aaaa", cccc="aaaa", dddd=("bbbb", "cccc"))) == []


def test_each_end_but_the_first() -> None:
    said = "ends the series beside `bbbb.py`: no migration joins the two"
    assert graph(alembic(aaaa=None, bbbb="aaaa", cccc="aaaa", dddd="aaaa")) == [
        ("cccc.py", said),
        ("dddd.py", said),
    ]


def test_two_histories_in_one_folder_have_two_ends() -> None:
    assert [name for name, _ in graph(alembic(aaaa=None, bbbb=None))] == ["bbbb.py"]


def test_histories_in_folders_of_their_own_end_apart() -> None:
    files = {
        "alembic/script.py.mako": "",
        "alembic/versions/lite/a.py": REVISION.format("aaaa", None),
        "alembic/versions/post/b.py": REVISION.format("bbbb", None),
    }
    assert graph(only(files)) == []
    files["alembic/versions/post/b.py"] = REVISION.format("bbbb", "0000")
    files["alembic/versions/post/c.py"] = REVISION.format("cccc", "0000")
    assert [name for name, _ in graph(only(files), "0000")] == ["c.py"]


def test_what_another_set_holds_is_there() -> None:
    found = alembic(aaaa="ffff")
    assert graph(found) == [("aaaa.py", "comes after `ffff`, which is not there")]
    assert graph(found, "ffff") == []


def test_a_part_of_an_id_must_mean_one() -> None:
    assert graph(alembic(aaaa1=None, bbbb="aaaa")) == []
    assert [name for name, _ in graph(alembic(aaaa1=None, aaaa2="aaaa1", bbbb="aaaa"))] == [
        "bbbb.py",
        "bbbb.py",
    ]


def test_circles() -> None:
    assert graph(alembic(aaaa="bbbb", bbbb="aaaa", cccc=None)) == [
        ("aaaa.py", "waits in a circle with `bbbb.py`")
    ]
    assert graph(alembic(aaaa="aaaa")) == [("aaaa.py", "comes after itself")]
    long = alembic(aaaa="eeee", bbbb="aaaa", cccc="bbbb", dddd="cccc", eeee="dddd")
    assert graph(long) == [
        ("aaaa.py", "waits in a circle with `bbbb.py`, `cccc.py`, `dddd.py` and 1 more")
    ]


def test_a_long_line_is_read_in_time() -> None:
    line: dict[str, str | None] = {"r00000": None}
    for one in range(1, 3000):
        line[f"r{one:05}"] = f"r{one - 1:05}"
    assert graph(alembic(**line)) == []


def test_a_squash_of_squashes() -> None:
    def text(parents: str, replaces: str = "") -> str:
        lines = [
            f"    {key} = [('shop', '{one}')]"
            for key, one in (("dependencies", parents), ("replaces", replaces))
            if one
        ]
        return "\n".join(
            ["class Migration(migrations.Migration):", *lines, "    operations = []\n"]
        )

    found = only(
        {
            "shop/migrations/0002_a.py": text("", "0001_gone"),
            "shop/migrations/0003_b.py": text("", "0002_a"),
            "shop/migrations/0004_c.py": text("0001_gone"),
        }
    )
    assert graph(found) == []


def test_an_app_that_is_called_like_one_of_djangos() -> None:
    text = "class Migration(migrations.Migration):\n    dependencies = [('auth', '0012_alter')]\n"
    assert graph(only({"mine/auth/migrations/0001_a.py": text})) == []
    text = text.replace("auth", "shop")
    assert graph(only({"mine/shop/migrations/0001_a.py": text})) == [
        ("0001_a.py", "comes after `0012_alter`, which is not there")
    ]


# The whole program


def audited(root: Path, *, cache: bool = False) -> list[tuple[str, str, int]]:
    report = audit(Request(folder=root, select=("DAL4",), cache=cache))
    return [(one.rule.id, one.place.path, one.place.span.line) for one in report.open]


def test_revisions_are_found_beside_a_template_and_kept_in_the_cache(tmp_path: Path) -> None:
    folder = tmp_path / "schema" / "steps"
    folder.mkdir(parents=True)
    (tmp_path / "schema" / "script.py.mako").write_text("")
    for name, parent in (("aaaa", None), ("bbbb", "aaaa"), ("cccc", "aaaa")):
        text = REVISION.format(name, parent).replace("y()", "pass" if name == "bbbb" else "y()")
        (folder / f"{name}.py").write_text(text)
    expected = [("DAL402", "schema/steps/bbbb.py", 4), ("DAL401", "schema/steps/cccc.py", 1)]
    assert audited(tmp_path) == expected
    assert audited(tmp_path, cache=True) == expected
    assert audited(tmp_path, cache=True) == expected


def test_python_without_a_migration_passes_no_clause_about_them(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x = 1\n")
    report = audit(Request(folder=tmp_path))
    assert report.languages == {"python"}
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "a.py").write_text(REVISION.format("aaaa", None))
    assert audit(Request(folder=tmp_path)).languages == {"python", "python-migrations"}


def test_a_configured_folder_alone_is_judged(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder / "versions").mkdir(parents=True)
        text = REVISION.format(folder * 4, None).replace("y()", "pass")
        (tmp_path / folder / "versions" / "a.py").write_text(text)
    (tmp_path / "dal-audit.toml").write_text('[[migrations]]\npath = "a/versions"\n')
    assert [path for _, path, _ in audited(tmp_path)] == ["a/versions/a.py"]


def test_unordered_folders_are_said() -> None:
    found = layout(["migrations/1_a.sql", "migrations/functions/now.sql"])
    assert [one.folder for one in found.unrecognised] == ["migrations/functions"]
