"""The catalogue's tables: what is read at every start says what people wrote, or is not read.

`UPDATE_EXPECTED=1 python -m pytest tests/test_resources.py` makes the JSON anew after a table was
edited; that run fails, so that it cannot pass for a test.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dal_audit.catalogue import resources
from dal_audit.catalogue.drivers import Driver, driver_in, rust_driver_in
from dal_audit.catalogue.operations import (
    ALEMBIC,
    DJANGO,
    FieldRow,
    OperationForm,
    TypeRow,
    field_in,
    form_in,
    type_in,
)
from dal_audit.catalogue.portability import PORTABILITY, Feature, feature_in, features
from dal_audit.catalogue.resources import compiled, rules_folder, table
from dal_audit.catalogue.rulebook import Clause, clause_in
from dal_audit.catalogue.url_schemes import Scheme, scheme_in
from dal_audit.extract.sql.patterns import KEPT, kept_patterns, shipped_matcher

TABLES = [
    ("drivers", tuple[Driver, ...], driver_in),
    ("drivers.rust", tuple[Driver, ...], rust_driver_in),
    ("clauses", tuple[Clause, ...], clause_in),
    ("schemes", tuple[Scheme, ...], scheme_in),
    (PORTABILITY, tuple[Feature, ...], feature_in),
    *(
        (f"operations/{tool}", tuple[OperationForm, ...], partial(form_in, tool))
        for tool in (ALEMBIC, DJANGO)
    ),
    ("operations/types", tuple[TypeRow, ...], type_in),
    ("operations/fields", tuple[FieldRow, ...], field_in),
]

each = pytest.mark.parametrize(("stem", "kind", "read"), TABLES, ids=[stem for stem, *_ in TABLES])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a copy of the rule book be read, and return its catalogue."""
    shutil.copytree(rules_folder() / "catalogue", tmp_path / "catalogue")
    monkeypatch.setattr(resources, "rules_folder", lambda: tmp_path)
    return tmp_path / "catalogue"


def forbid_toml(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every attempt to read a TOML fail."""

    def fail(*_arguments: object) -> object:
        raise AssertionError("the TOML was read")

    monkeypatch.setattr(resources, "_rows", fail)


@each
def test_the_json_is_made_of_the_toml(stem: str, kind: Any, read: Callable[..., Any]) -> None:
    hold(stem, compiled(stem, read))


def test_the_patterns_are_made_of_the_toml() -> None:
    hold(KEPT, kept_patterns())


def hold(name: str, data: bytes) -> None:
    """Hold a JSON against what it should be, or write it."""
    file = rules_folder() / "catalogue" / f"{name}.json"
    if os.environ.get("UPDATE_EXPECTED"):
        file.write_bytes(data)
        pytest.fail(f"rewrote {file.name}; run again without UPDATE_EXPECTED")
    kept = file.read_bytes().replace(b"\r\n", b"\n")
    assert kept == data, "edited? UPDATE_EXPECTED=1 makes it anew"


@each
def test_both_say_the_same(
    stem: str, kind: Any, read: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        forbid_toml(patched)
        by_json = table(stem, kind, read)
    (folder / f"{stem}.json").unlink()
    assert table(stem, kind, read) == by_json
    assert by_json


def test_an_edited_pattern_is_compiled_at_once(folder: Path) -> None:
    made = shipped_matcher.__wrapped__
    kept = made().patterns
    (folder / f"{KEPT}.json").unlink()
    assert made().patterns == kept
    file = folder / PORTABILITY / "types.toml"
    file.write_bytes(file.read_bytes().replace(b"\nmatch = ", b"\nmatch = 'EDITED' #", 1))
    features.cache_clear()
    try:
        words = {key for pattern in made().patterns for key in pattern.program.gate}
    finally:
        features.cache_clear()
    assert "EDITED" in words


def test_an_edited_table_is_read_at_once(folder: Path) -> None:
    file = folder / "drivers.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('name = "sqlite3"', 'name = "edited"', 1), encoding="utf-8")
    names = {driver.name for driver in table("drivers", tuple[Driver, ...], driver_in)}
    assert "edited" in names
    assert "sqlite3" not in names


def test_the_ends_of_lines_are_no_edit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git writes them as the platform does."""
    file = folder / "clauses.toml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    forbid_toml(monkeypatch)
    assert table("clauses", tuple[Clause, ...], clause_in)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"of":"","rows":[]}', b"\xff\xfe"])
def test_a_damaged_json_is_passed_over(folder: Path, data: bytes) -> None:
    kept = table("clauses", tuple[Clause, ...], clause_in)
    (folder / "clauses.json").write_bytes(data)
    assert table("clauses", tuple[Clause, ...], clause_in) == kept


def test_rows_of_another_form_are_passed_over(folder: Path) -> None:
    """As an older or a newer version would have written them."""
    kept = table("clauses", tuple[Clause, ...], clause_in)
    file = folder / "clauses.json"
    file.write_bytes(file.read_bytes().replace(b'"title"', b'"heading"'))
    assert table("clauses", tuple[Clause, ...], clause_in) == kept


def test_objects_of_another_form_are_passed_over(folder: Path) -> None:
    """They are decoded late: what is wrong with them has to be seen at once."""
    kept = table("drivers", tuple[Driver, ...], driver_in)
    file = folder / "drivers.json"
    file.write_bytes(
        file.read_bytes().replace(b'"written_objects":[[[', b'"written_objects":[[{},[')
    )
    assert table("drivers", tuple[Driver, ...], driver_in) == kept
    assert all(driver.objects() for driver in kept)
