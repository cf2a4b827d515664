"""SQL in Rust: which statements, where each of their tokens stands, and which engines run them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.extract.embedded.rust import sql_of_rust
from dal_audit.extract.rust.literals import text_at
from dal_audit.extract.rust.module_facts import rust_facts
from dal_audit.extract.rust.tokens import unquoted
from dal_audit.facts.rust import RustFile
from dal_audit.facts.sql import SqlStatement
from dal_audit.policy.request import Request

CARGO = """\
[package]
name = "app"
edition = "2021"

[dependencies]
sqlx = {{ version = "0.8", features = [{features}] }}
rusqlite = "0.32"
"""
BOTH = '"sqlite", "postgres"'


def statements(text: str) -> tuple[SqlStatement, ...]:
    """Return the statements that a file's calls may be handed, and that its constants hold."""
    data = dedent(text).encode()
    (read,) = (fact for fact in rust_facts(data) if isinstance(fact, RustFile))
    return sql_of_rust(data, read)


def found(folder: Path, code: str, *, features: str = BOTH, name: str = "mod") -> list[str]:
    """Return the rules and places of the findings in one module of storage."""
    (folder / "src/storage").mkdir(parents=True)
    (folder / "Cargo.toml").write_text(CARGO.format(features=features))
    (folder / "src/lib.rs").write_text("mod storage;\n")
    (folder / f"src/storage/{name}.rs").write_text(dedent(code))
    (folder / "dal-audit.toml").write_text(
        'storage = ["src/storage/**"]\nselect = ["DAL301", "DAL302", "DAL309", "DAL311"]\n'
    )
    report = audit(Request((str(folder),), folder))
    return [
        f"{finding.rule.id} {finding.place.span.line}:{finding.place.span.column}"
        for finding in report.findings
        if finding.place.path.endswith(".rs")
    ]


def test_a_literal_is_spelled_by_the_bytes_that_it_stands_in() -> None:
    data = 'x("a\\n\\u{e9}é \\\n   b")'.encode()
    spelled = text_at(data, 2, len(data) - 1)
    assert spelled is not None
    assert spelled.text == "a\néé b"
    assert [data[start:end] for start, end in spelled.extents] == [
        *(b"a", b"\\n", b"\\u{e9}", "é".encode(), b" ", b"b")
    ]


@settings(deadline=None, max_examples=40)
@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_what_is_spelled_is_what_a_literal_says(text: str) -> None:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    for literal in (f'"{escaped}"', f'r##"{text}"##'):
        data = literal.encode()
        spelled = text_at(data, 0, len(data))
        if '"##' not in text and "\r" not in text:
            assert spelled is not None
            assert spelled.text == unquoted(data) == text


@pytest.mark.parametrize(
    ("call", "heads"),
    [
        ('sqlx::query!("SELECT a " + "FROM t")', ["SELECT"]),
        ('sqlx::query_as!(T, r#"SELECT a FROM t"#, 1)', ["SELECT"]),
        ('sqlx::query_scalar::<_, i64>("SELECT a FROM t")', ["SELECT"]),
        ('diesel::sql_query(format!("DELETE FROM {t}"))', ["DELETE"]),
        ('c.execute_batch("CREATE TABLE a (b INT); DROP TABLE c")', ["CREATE TABLE", "DROP TABLE"]),
        ('sqlx::QueryBuilder::<Db>::new("UPDATE t SET a = ")', ["UPDATE"]),
        ('sqlx::query(concat!("SELECT a", " FROM t"))', ["SELECT"]),
        ('c.execute(indoc! {"\\n SELECT a FROM t"}, ())', ["SELECT"]),
    ],
)
def test_statements_are_read_from_what_calls_are_handed(call: str, heads: list[str]) -> None:
    told = statements(f"fn f(c: &Connection, t: &str) {{ {call}; }}\n")
    assert [statement.head for statement in told] == heads
    assert not any(statement.flaw for statement in told)


def test_a_text_that_grows_is_no_whole_statement() -> None:
    told = statements(
        """\
        fn f(c: &Connection) {
            let mut q = String::from("SELECT a FROM t WHERE");
            q.push_str(" b = 1");
            c.prepare(&q);
            let r = "SELECT a FROM t WHERE";
            c.prepare(r);
        }
        """
    )
    assert [bool(statement.flaw) for statement in told] == [False, True]


def test_columns_of_checked_queries_are_named_without_their_types() -> None:
    code = 'fn f() {{ sqlx::query{mark}(r#"SELECT a AS "id!: Uuid" FROM t"#); }}\n'
    (checked,), (plain,) = statements(code.format(mark="!")), statements(code.format(mark=""))
    assert [construct.feature for construct in checked.constructs] == []
    assert [construct.feature for construct in plain.constructs] == ["mixed-case-name"]


@pytest.mark.parametrize(
    ("around", "engines"),
    [
        ("fn f() {{ {} }}", None),
        ('#[cfg(feature = "sqlite")] fn f() {{ {} }}', ("sqlite",)),
        ('#[cfg(all(test, not(any(feature = "sqlite"))))] fn f() {{ {} }}', "not sqlite"),
        ('#[cfg(feature = "a")] fn g() {{}} fn f() {{ {} }}', None),
        ("impl Store for PgStore {{ fn f(&self) {{ {} }} }}", ("postgresql",)),
        ("fn f(pool: &sqlx::SqlitePool) {{ {} }}", ("sqlite",)),
        ("fn copy(a: &SqlitePool, b: &PgPool) {{ {} }}", None),
        ("mod postgres {{ fn f() {{ {} }} }}", ("postgresql",)),
        ("fn f() {{ match b {{ Backend::Sqlite => {{ {} }} _ => () }} }}", ("sqlite",)),
    ],
)
def test_engines_are_told_by_features_and_names(
    around: str, engines: tuple[str, ...] | str | None
) -> None:
    call = 'sqlx::query("SELECT a FROM t");'
    (statement,) = statements(around.format(call))
    assert statement.within is not None
    if engines == "not sqlite":
        assert statement.within.engines is not None
        assert "sqlite" not in statement.within.engines
        assert "postgresql" in statement.within.engines
    else:
        assert statement.within.engines == engines


QUERY = """\
pub async fn f(pool: &sqlx::AnyPool) {
    sqlx::query("SELECT é, strftime('%Y', a) FROM t WHERE b = ?1").execute(pool).await;
}
"""


def test_storage_is_judged_on_both_engines_at_the_token(tmp_path: Path) -> None:
    assert found(tmp_path, QUERY) == ["DAL302 2:28", "DAL301 2:63"]


def test_a_manifest_tells_which_engines_a_driver_speaks_to(tmp_path: Path) -> None:
    code = QUERY.replace("?1", "$1").replace("strftime('%Y', a)", "now()")
    assert found(tmp_path / "a", code, features='"postgres"') == []
    assert found(tmp_path / "b", code, features=BOTH) == ["DAL302 2:28"]
    assert found(tmp_path / "c", code, features='"macros"') == ["DAL302 2:28"]


def test_a_module_of_one_engine_is_judged_for_that_one(tmp_path: Path) -> None:
    assert found(tmp_path / "a", QUERY, name="sqlite") == []
    assert found(tmp_path / "b", QUERY, name="postgres") == ["DAL302 2:28", "DAL301 2:63"]


def test_a_constant_runs_where_its_calls_do(tmp_path: Path) -> None:
    code = """\
    const SQL: &str = "SELECT strftime('%Y', a) FROM t";
    fn f(pool: &sqlx::SqlitePool) { sqlx::query(SQL).execute(pool); }
    """
    assert found(tmp_path / "a", code) == []
    further = "    fn g(pool: &sqlx::PgPool) { sqlx::query(SQL).execute(pool); }\n"
    assert found(tmp_path / "b", code + further) == ["DAL302 1:27"]


def test_what_no_driver_is_handed_is_no_sql(tmp_path: Path) -> None:
    code = """\
    fn f(parts: &Parts) {
        log::info!("SELECT now() FROM t WHERE");
        assert_eq!(x, "SELECT now() FROM t WHERE");
        parts.find("SELECT now() FROM t WHERE");
    }
    """
    assert found(tmp_path, code) == []


def test_a_file_that_code_includes_is_judged(tmp_path: Path) -> None:
    code = """\
    fn f(pool: &sqlx::AnyPool) {
        sqlx::query_file!("queries/a.sql").fetch(pool);
        sqlx::query(include_str!("../../queries/b.sql")).fetch(pool);
    }
    """
    (tmp_path / "queries").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / f"queries/{name}.sql").write_text("SELECT strftime('%Y', a) FROM t;\n")
    assert found(tmp_path, code) == []
    report = audit(Request((str(tmp_path),), tmp_path))
    paths = sorted(finding.place.path for finding in report.findings)
    assert paths == ["queries/a.sql", "queries/b.sql"]


def test_sql_of_a_file_is_raw_sql_outside_storage(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "Cargo.toml").write_text(CARGO.format(features=BOTH))
    (tmp_path / "src/lib.rs").write_text('fn f() { sqlx::query_file!("a.sql", 1).fetch(); }\n')
    (tmp_path / "dal-audit.toml").write_text('storage = ["src/storage.rs"]\nselect = ["DAL108"]\n')
    (tmp_path / "src/storage.rs").write_text("")
    report = audit(Request((str(tmp_path),), tmp_path))
    assert [finding.rule.id for finding in report.findings] == ["DAL108"]


GIVEN = """\
fn f(c: &rusqlite::Connection) {
    CALL
    c.execute("SELECT shout(a), md5(a) FROM t", ());
}
"""


@pytest.mark.parametrize(
    ("call", "told"),
    [
        ("", ["DAL302 3:23", "DAL302 3:33"]),
        ('c.create_scalar_function("shout", 1, flags, run);', ["DAL302 3:33"]),
        ("register_loud_functions(&c);", ["DAL302 3:33"]),
    ],
)
def test_functions_that_connections_are_given_are_known(
    call: str, told: list[str], tmp_path: Path
) -> None:
    assert found(tmp_path, GIVEN.replace("CALL", call), name="sqlite") == told


def test_a_macro_goes_on_with_a_text(tmp_path: Path) -> None:
    code = """\
    macro_rules! select {
        ($s:literal) => { sqlx::query_as!(T, "SELECT a FROM t WHERE " + $s) }
    }
    """
    assert found(tmp_path, code) == []


LAYOUTS = {
    "refinery": (
        'refinery = { version = "0.8", features = ["rusqlite"] }',
        {"V1__a.sql": "CREATE TABLE IF NOT EXISTS a (b INTEGER);", "V3__c.sql": "SELECT now();"},
        ["DAL302 V3__c.sql", "DAL401 V3__c.sql", "DAL402 V1__a.sql"],
    ),
    "sqlx": (
        'sqlx = { version = "0.8", features = ["postgres"] }',
        {
            "20240101000000_a.up.sql": "CREATE TABLE IF NOT EXISTS a (b INTEGER);",
            "20240101000000_a.down.sql": "DROP TABLE IF EXISTS a;",
            "20240102000000_b.sql": "-- no-transaction\nCREATE INDEX CONCURRENTLY IF NOT EXISTS i ON a (b);",
        },
        ["DAL402 20240102000000_b.sql"],
    ),
    "diesel": (
        'diesel = { version = "2", features = ["postgres"] }',
        {
            "2024-01-01-000000_a/up.sql": "CREATE TABLE IF NOT EXISTS a (b INTEGER);",
            "2024-01-01-000000_a/down.sql": "\n",
        },
        ["DAL402 up.sql"],
    ),
}


@pytest.mark.parametrize("tool", LAYOUTS)
def test_migrations_of_crates_are_judged_as_they_are(tool: str, tmp_path: Path) -> None:
    dependency, files, told = LAYOUTS[tool]
    (tmp_path / "src").mkdir()
    (tmp_path / "src/lib.rs").write_text("")
    (tmp_path / "Cargo.toml").write_text(f'[package]\nname = "a"\n\n[dependencies]\n{dependency}\n')
    for name, text in files.items():
        path = tmp_path / "migrations" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    report = audit(Request((str(tmp_path),), tmp_path))
    shown = [
        f"{finding.rule.id} {finding.place.path.rpartition('/')[2]}" for finding in report.findings
    ]
    assert sorted(shown) == told
