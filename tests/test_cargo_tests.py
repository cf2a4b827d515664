"""Tests of Rust in CI: what of them a command of cargo builds and runs."""

from __future__ import annotations

import pytest

from dal_audit.assemble.workflows import cargo
from dal_audit.extract.rust.manifest import manifest_of
from dal_audit.extract.rust.suite_files import rust_suite_facts


@pytest.mark.parametrize(
    ("command", "runs"),
    [
        ("cargo test", True),
        ("cargo test postgres", True),
        ("cargo test sqlite", False),
        ("cargo test --test sqlite_store", False),
        ("cargo test --test sqlite_store --test postgres_store", True),
        ("cargo test --features sqlite", True),
        ("cargo test -- --skip postgres", False),
        ("cargo test -- --skip sqlite", True),
        ("cargo nextest run sqlite::", False),
        ("cargo nextest run -E test(postgres)", True),
        ("cargo nextest run -E not|test(postgres)", False),
        ("cargo nextest run -E test(sqlite)|+|test(slow)", True),
        ("cargo nextest run --filterset=test(sqlite)|-|test(slow)", False),
        ("cargo nextest run -E !(test(pg)|||test(mysql))", False),
    ],
)
def test_filters_choose_a_backends_tests(command: str, runs: bool) -> None:
    words = [word.replace("|", " ").replace("   ", " | ") for word in command.split()]
    assert cargo.selects_backend(words, "postgresql") is runs


@pytest.mark.parametrize(
    ("command", "path", "runs"),
    [
        ("cargo test", "tests/store.rs", True),
        ("cargo test --lib", "tests/store.rs", False),
        ("cargo test --lib --tests", "tests/store.rs", True),
        ("cargo test --lib", "src/storage/tests.rs", True),
        ("cargo test --test store", "tests/store.rs", True),
        ("cargo test --test other", "tests/store.rs", False),
        ("cargo test --test=st*", "crates/a/tests/store/main.rs", True),
        ("cargo test --test other", "tests/common/store.rs", True),
    ],
)
def test_targets_choose_files(command: str, path: str, runs: bool) -> None:
    assert cargo.selects_file(command.split(), path) is runs


@pytest.mark.parametrize(
    ("command", "runs"),
    [
        ("cargo test", False),
        ("cargo test -- --ignored", True),
        ("cargo test -- --include-ignored", True),
        ("cargo nextest run --run-ignored all", True),
        ("cargo nextest run --run-ignored=default", False),
    ],
)
def test_ignored_tests_are_run_where_that_is_asked_for(command: str, runs: bool) -> None:
    assert cargo.runs_ignored(command.split()) is runs


@pytest.mark.parametrize(
    ("command", "asks"),
    [
        ("cargo test", False),
        ("cargo test --features a,app/postgres", True),
        ("cargo test -F postgres", True),
        ("cargo test --features=sqlite", False),
        ("cargo hack --each-feature test", True),
        ("cargo test --features \N{REPLACEMENT CHARACTER}", True),
    ],
)
def test_features_are_asked_for(command: str, asks: bool) -> None:
    assert cargo.builds(command.split(), "postgres") is asks


def test_features_by_default_ask_for_further_ones() -> None:
    data = b'[features]\ndefault = ["a"]\na = ["b", "dep:c"]\nd = []\n'
    manifest = manifest_of(data)
    assert manifest is not None
    assert manifest.defaults == ("a", "b", "dep:c")


@pytest.mark.parametrize(
    ("code", "needs"),
    [
        ('let Ok(u) = env::var("PG_URL") else { println!("}"); return; };', ["PG_URL"]),
        ('let Some(u) = std::env::var("PG_URL").ok() else { return Ok(()) };', ["PG_URL"]),
        ('let Ok(u) = env::var("PG_URL") else { return Err(e) };', []),
        ('let Ok(u) = env::var("PG_URL") else { panic!("return") };', []),
        ('if env::var_os("PG_URL").is_none() { return; }', ["PG_URL"]),
        ('if dotenvy::var("PG_URL").unwrap_or_default().is_empty() { return; }', ["PG_URL"]),
        ('let u = match env::var("PG_URL") { Ok(u) => u, Err(_) => return };', ["PG_URL"]),
        ('let u = match env::var("PG_URL") { Ok(_) => return, Err(_) => panic!() };', []),
        ('if let Ok(u) = env::var("PG_URL") { run(u) }', ["PG_URL"]),
        ('if let Ok(u) = env::var("PG_URL") { run(u) } run(v)', []),
        ("let Some(u) = url() else { return };", ["PG_URL"]),
        ("let Some(u) = other() else { return };", []),
    ],
)
def test_guards_skip_without_a_variable(code: str, needs: list[str]) -> None:
    text = (
        f'fn url() -> Option<String> {{ env::var("PG_URL").ok() }}\n#[test]\nfn t() {{ {code} }}\n'
    )
    (suite,) = rust_suite_facts(text.encode())
    assert [name for guard in suite.guards for name, _ in guard.needs] == needs


def test_ignored_and_gated_tests_are_guards_where_they_speak_of_a_backend() -> None:
    text = """\
    #![cfg(feature = "postgres")]
    #[cfg(feature = "sqlite")]
    use app::storage;
    #[cfg(feature = "sqlite")]
    mod inner {}
    #[test]
    #[ignore]
    fn sqlite_works() {}
    #[ignore = "slow"]
    #[test]
    fn other() {}
    """
    (suite,) = rust_suite_facts(text.encode())
    told = [(guard.span.line, guard.ignored, guard.feature) for guard in suite.guards]
    assert told == [(1, (), "postgres"), (4, (), "sqlite"), (7, ("sqlite",), "")]
    assert suite.tests == ("other", "sqlite_works")
