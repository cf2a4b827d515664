"""Rust's front end: what files spell, what manifests say, and what is done without the parser."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dal_audit.audit import audit
from dal_audit.catalogue.drivers import shipped_rust_drivers
from dal_audit.discover.errors import UsageError
from dal_audit.extract.rust import syntax
from dal_audit.extract.rust.manifest import manifest_of
from dal_audit.extract.rust.module_facts import rust_facts
from dal_audit.extract.rust.tokens import TokenPath, TokenText, tokens, unquoted
from dal_audit.facts import START, NotUnderstood, Place
from dal_audit.facts.rust import CargoManifest, RustFile
from dal_audit.judge.breach import Breach, in_rust
from dal_audit.policy.request import Request

CARGO = '[package]\nname = "app"\nedition = "2021"\n\n[dependencies]\nsqlx = "0.8"\n'


def read(text: str) -> RustFile:
    """Return what a file spells."""
    (fact,) = (fact for fact in rust_facts(text.encode()) if isinstance(fact, RustFile))
    return fact


def test_a_use_tree_gives_a_leaf_for_each_name() -> None:
    file = read("pub(crate) use a::{self, b::{C as D, *}, r#e as _};\nextern crate f as g;\n")
    assert [(use.path, use.bound, use.reach) for use in file.uses] == [
        ("a", "a", "crate"),
        ("a::b::C", "D", "crate"),
        ("a::b::*", "", "crate"),
        ("a::e", "", "crate"),
        ("::f", "g", ""),
    ]


def test_a_text_is_handed_behind_comments() -> None:
    comments = "// of what\n" * 5
    file = read(f'fn f() {{ query({comments}pool, {comments}"SELECT a FROM t"); }}\n')
    assert [(call.callee, call.does) for call in file.calls] == [("query", "`SELECT` on `t`")]


def test_messages_spell_names_as_rust_does() -> None:
    message = "`::sqlx.prelude.*` is a part of `::sqlx`, and `a.b` is none"
    breach = in_rust(Breach(Place("src/lib.rs", START), message))
    assert breach.message == "`sqlx::prelude::*` is a part of `sqlx`, and `a.b` is none"


def test_scopes_are_modules_and_blocks_with_items() -> None:
    file = read("mod a { mod b {} }\nfn f() { use x::Y; }\nfn g() { let y = 1; }\n")
    assert [(scope.kind, scope.name, scope.parent) for scope in file.scopes] == [
        ("module", "", -1),
        ("module", "a", 0),
        ("module", "b", 1),
        ("block", "", 0),
    ]


def test_members_of_traits_and_impls_are_no_items() -> None:
    file = read("trait T { fn a(&self); }\nimpl T for S { fn a(&self) {} }\nfn b() {}\n")
    assert [item.name for item in file.items] == ["T", "b"]


def test_columns_count_utf16_units() -> None:
    file = read('const A: (&str, sqlx::Pool) = ("\N{PILE OF POO}", sqlx::Pool::new());\n')
    columns = [path.span.column for path in file.paths if path.path.startswith("sqlx")]
    assert columns == [17, 38]


def test_what_a_name_stands_for_ends_where_it_is_bound_anew() -> None:
    file = read(
        "fn f(s: Store) { s.pool(); { let s = 1; s.pool(); } s.pool(); }\nfn g() { s.pool(); }\n"
    )
    assert [read.span.column for read in file.reads] == [20, 55]


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (b'"a\\n\\"b\\u{e9}"', 'a\n"b\u00e9'),
        (b'"a \\\n     b"', "a b"),
        (b'r"a\\n"', "a\\n"),
        (b'r##"a"#b"##', 'a"#b'),
    ],
)
def test_a_literal_says_what_rust_makes_of_it(literal: bytes, text: str) -> None:
    assert unquoted(literal) == text


def test_tokens_are_paths_and_texts_with_what_takes_them() -> None:
    data = b'x.sqlx::y, $crate::db::q!("a"), f(1, "b") // z::q "c"\n'
    found = list(tokens(data, 0, len(data)))
    paths = [token.path for token in found if isinstance(token, TokenPath)]
    texts = [
        (token.text, token.callee and token.callee.path, token.is_macro)
        for token in found
        if isinstance(token, TokenText)
    ]
    assert paths == ["x", "crate::db::q", "f"]
    assert texts == [("a", "crate::db::q", True), ("b", "f", False)]


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=200))
def test_any_bytes_give_facts_and_no_exception(data: bytes) -> None:
    facts = rust_facts(data)
    assert all(isinstance(fact, RustFile) for fact in facts) or any(
        isinstance(fact, NotUnderstood) for fact in facts
    )


def test_a_chain_may_be_longer_than_functions_nest() -> None:
    chain = "a()" + ".b()" * 5000
    assert read(f"fn f() {{ {chain}; }}").items[0].name == "f"


def test_a_manifest_names_dependencies_by_package() -> None:
    manifest = manifest_of(
        b'[package]\nname = "my-app"\n[lib]\npath = "lib.rs"\n'
        b'[dependencies]\ndb = { package = "sqlx", version = "1" }\n'
        b"[target.'cfg(unix)'.dev-dependencies]\ntokio-postgres.workspace = true\n"
        b'[[bin]]\nname = "x"\npath = "x.rs"\n'
    )
    assert manifest is not None
    names = [(found.name, found.package, found.is_workspace) for found in manifest.dependencies]
    assert names == [("db", "sqlx", False), ("tokio_postgres", "tokio_postgres", True)]
    assert (manifest.library, manifest.library_path) == ("my_app", "lib.rs")
    assert manifest.targets == ("x.rs",)


@pytest.mark.parametrize("data", [b"[package", b"\xff", b"package = 1\nlib = []\nbin = {}\n"])
def test_a_broken_manifest_says_nothing(data: bytes) -> None:
    assert manifest_of(data) in {None, CargoManifest()}


def test_rust_without_its_parser_is_no_green_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Cargo.toml").write_text(CARGO)
    (tmp_path / "lib.rs").write_text("fn f() {}\n")

    def missing() -> object:
        raise syntax.MissingParserError("tree_sitter")

    monkeypatch.setattr(syntax, "parser", missing)
    with pytest.raises(UsageError, match=r"dal-audit\[rust\]"):
        audit(Request(folder=tmp_path))


def test_python_alone_loads_nothing_of_rust(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("import sqlite3\n")
    program = (
        "import sys\nfrom pathlib import Path\nfrom dal_audit.audit import audit\n"
        "from dal_audit.policy.request import Request\n"
        f"audit(Request(folder=Path({str(tmp_path)!r})))\n"
        "print([name for name in sys.modules if 'rust' in name or 'tree_sitter' in name])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_files_in_processes_and_alone_give_the_same(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text(CARGO)
    for number in range(40):
        text = f"use sqlx::PgPool;\nfn f{number}() {{}}\n" + "// a long comment\n" * 600
        (tmp_path / f"m{number}.rs").write_text(text)
    alone = audit(Request(folder=tmp_path, jobs=1))
    spread = audit(Request(folder=tmp_path, jobs=2))
    assert alone.findings == spread.findings
    assert len(alone.findings) == 40


def test_a_warm_run_finds_the_same(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text(CARGO)
    (tmp_path / "lib.rs").write_text("use sqlx::PgPool;\n")
    cold = audit(Request(folder=tmp_path, cache=True, cache_folder=tmp_path / "c"))
    warm = audit(Request(folder=tmp_path, cache=True, cache_folder=tmp_path / "c"))
    assert cold.findings == warm.findings != ()


def test_the_catalogue_of_crates_is_sound() -> None:
    drivers = shipped_rust_drivers()
    crates = [crate for driver in drivers for crate in driver.modules]
    assert len(crates) == len(set(crates))
    assert len({driver.name for driver in drivers}) == len(drivers)
    for driver in drivers:
        objects = driver.objects()
        known = {name for _, names in objects.types for name in names}
        assert all(made in known for _, made in objects.makers), driver.name


def test_modules_that_all_take_all_of_each_other_are_walked_once(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text(CARGO)
    (tmp_path / "src").mkdir()
    names = [f"m{number}" for number in range(24)]
    (tmp_path / "src" / "lib.rs").write_text("".join(f"pub mod {name};\n" for name in names))
    for name in names:
        others = "".join(f"pub use crate::{other}::*;\n" for other in names if other != name)
        (tmp_path / "src" / f"{name}.rs").write_text(f"{others}fn f(x: Missing) {{}}\n")
    (tmp_path / "src" / "m7.rs").write_text("pub use sqlx::PgPool;\npub use crate::m8::*;\n")
    (tmp_path / "src" / "m3.rs").write_text("use crate::m9::*;\nfn f(pool: &PgPool) {}\n")
    found = audit(Request(folder=tmp_path)).findings
    assert [(finding.rule.id, finding.place.path) for finding in found] == [
        ("DAL103", "src/m3.rs"),
        ("DAL101", "src/m7.rs"),
    ]


def test_a_path_in_code_that_a_macro_writes_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text(CARGO)
    (tmp_path / "dal-audit.toml").write_text('storage = ["src/storage.rs"]\n')
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "storage.rs").write_text("pub struct Row;\n")
    (tmp_path / "src" / "a.rs").write_text("fn f() { quote! { impl From<sqlx::Row> for R {} }; }\n")
    (tmp_path / "src" / "b.rs").write_text("fn f() { quote! { sqlx::Row }; g::<sqlx::Row>(); }\n")
    found = audit(Request(folder=tmp_path)).findings
    told = [
        (finding.place.path, finding.severity) for finding in found if finding.rule.id == "DAL101"
    ]
    assert told == [("src/a.rs", "warning"), ("src/b.rs", "error")]
