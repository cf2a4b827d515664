"""Whose accesses are inspected: those whose imports lead to what hands something out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dal_audit.assemble import access_evidence
from dal_audit.audit import audit
from dal_audit.extract import second_look
from dal_audit.facts import SourceFile
from dal_audit.policy.request import Request
from dal_audit.report.render import render
from dal_audit.server.buffers import Buffers
from dal_audit.server.session import Session
from tests.examples import CHECKOUT, TODAY

STORE = """\
import sqlite3
from typing import Protocol

class Store:
    def __init__(self) -> None:
        self.pool = sqlite3.connect("x")

class Other:
    def __init__(self) -> None:
        self.engine = 1

pool = sqlite3.connect("y")
"""
READER = """\
{imports}

def read({parameter}) -> None:
    return {receiver}.pool.execute, {receiver}.engine
"""
PROJECT = {
    "dal-audit.toml": 'storage = ["app/storage/**"]\n',
    "app/__init__.py": "",
    "app/storage/__init__.py": "from .store import Store as Kept\n",
    "app/storage/store.py": STORE,
    "app/shop.py": "from app.storage import Kept\n\nclass Shop:\n    store: Kept\n",
    "app/hands.py": "from . import shop\n\ndef made():\n    return shop.Shop()\n",
    "app/look.py": "from typing import Protocol\n\nclass Pooled(Protocol):\n    pool: object\n",
    "app/loader.py": 'import importlib\n\nNAME = "app." + "shop"\n'
    "shop = importlib.import_module(NAME)\n",
    "app/star.py": "from app.hands import *\n",
    "app/odd.py": "x = 1; from app.storage import Kept as Odd\n",
    "app/storage/loaded.py": "import importlib\n\n"
    'Kept = importlib.import_module("app.storage.store").Store\n',
    "app/storage/bases/__init__.py": "import lazy_loader\n\n"
    '__getattr__, _, _ = lazy_loader.attach(__name__, submod_attrs={"base": ["Base"]})\n',
    "app/storage/bases/base.py": STORE.replace("Store", "Base"),
    "app/storage/heir.py": "from app.storage.bases import Base\n\nclass Heir(Base): ...\n",
    **dict.fromkeys(("app/far/twin.py", "app/near/twin.py"), "from .goods import made\n"),
    "app/far/goods.py": "from app.hands import made\n",
    "app/near/goods.py": "def made(): ...\n",
    "app/away.py": "from json import dumps\n\nclass Away:\n    pool = dumps\n",
}
NEAR = ("from app.near import twin\nfrom app.storage.store import Store", "store: Store", "store")
LEADING = {
    "by its class": ("from app.storage.store import Store", "store: Store", "store"),
    "by a name that hands it on": ("from app.storage import Kept", "store: Kept", "store"),
    "by an attribute": ("from app.shop import Shop", "shop: Shop", "shop.store"),
    "by what a function gives": ("from app import hands", "", "hands.made().store"),
    "by a relative import": ("from .hands import made", "", "made().store"),
    "by a package": ("import app.hands", "", "app.shop.Shop().store"),
    "by a module of the package": ("import app", "", "app.storage.store"),
    "by a module that is loaded": ("from app.loader import shop", "", "shop.Shop().store"),
    "by loading it": ("import importlib", "", 'importlib.import_module("app.storage.store")'),
    "by a star": ("from app.star import *", "", "made().store"),
    "by an odd statement": ("from app.odd import Odd", "store: Odd", "store"),
    "by what storage loads": ("from app.storage.loaded import Kept", "store: Kept", "store"),
    "by what storage inherits": ("from app.storage.heir import Heir", "store: Heir", "store"),
    "before words that lead elsewhere": NEAR,
    "by words that lead elsewhere in another folder": (
        "from app.far.twin import made",
        "",
        "made().store",
    ),
    "behind words that lead elsewhere": NEAR,
    "by an import in a function": ("", "", '__import__("x") or Inner().store'),
}
AWAY = {
    "nothing": ("", "store", "store"),
    "another class": ("from app.away import Away", "away: Away", "away"),
    "what is not the project's": ("from shapes import Circle", "circle: Circle", "circle"),
}


def project(folder: Path, readers: Mapping[str, tuple[str, str, str]]) -> None:
    texts = dict(PROJECT)
    for number, (imports, parameter, receiver) in enumerate(readers.values()):
        text = READER.format(imports=imports, parameter=parameter, receiver=receiver)
        if "Inner" in receiver:
            text = text.replace("    return", "    from app.shop import Shop as Inner\n    return")
        texts[f"app/reader{number}.py"] = text
    for path, text in texts.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)


@pytest.fixture
def inspected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Follow imports however few files there are; collect the files that are inspected."""
    monkeypatch.setattr(access_evidence, "WORTH_A_CLOSURE", 1)
    paths: list[str] = []
    real = second_look.evidence_of

    def watched(file: SourceFile, *rest: object, **named: object) -> object:
        paths.append(file.path)
        return real(file, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(second_look, "evidence_of", watched)
    return paths


def told(folder: Path, *, shortcuts: bool = True) -> str:
    request = Request(folder=folder, today=TODAY, cache=False, jobs=1, shortcuts=shortcuts)
    return render(audit(request), "sarif")


def test_files_that_imports_lead_to_storage_are_inspected(
    tmp_path: Path, inspected: list[str]
) -> None:
    project(tmp_path, LEADING)
    found = told(tmp_path)
    readers = {f"app/reader{number}.py" for number in range(len(LEADING))}
    assert readers <= set(inspected)
    assert all(reader in found for reader in readers)
    assert told(tmp_path, shortcuts=False) == found


def test_files_whose_imports_lead_elsewhere_are_spared(
    tmp_path: Path, inspected: list[str]
) -> None:
    project(tmp_path, AWAY)
    found = told(tmp_path)
    assert not {f"app/reader{number}.py" for number in range(len(AWAY))} & set(inspected)
    assert "app/reader" not in found
    assert told(tmp_path, shortcuts=False) == found


def test_what_the_configuration_calls_an_accessor_is_one_of_whatever_receiver(
    tmp_path: Path, inspected: list[str]
) -> None:
    project(tmp_path, AWAY)
    (tmp_path / "dal-audit.toml").write_text('storage = ["app/storage/**"]\naccessors = ["pool"]\n')
    assert "app/reader0.py" in told(tmp_path)
    assert "app/reader0.py" in inspected


def test_a_file_that_was_spared_is_inspected_once_its_imports_lead_on(
    tmp_path: Path, inspected: list[str]
) -> None:
    project(tmp_path, {"spared": AWAY["another class"]})
    session = Session(tmp_path, buffers := Buffers(), lambda _stage, _doing: None)
    session.read()
    assert "app/reader0.py" not in inspected
    away = tmp_path / "app" / "away.py"
    for text, is_found in (
        ("from app.storage import Kept as Away\n", True),
        (PROJECT["app/away.py"], False),
        ("import importlib\nAway = importlib.import_module('app.storage').Kept\n", True),
    ):
        buffers.put(away, text)
        session.edit(away)
        session.settle()
        away.write_text(text)
        found = {finding.place.path for finding in session.findings}
        assert ("app/reader0.py" in found) is is_found
        assert ("app/reader0.py" in told(tmp_path)) is is_found
    buffers.close()


@pytest.mark.parametrize("fixture", ["interface", "leaks"])
def test_what_is_found_does_not_hang_on_whether_imports_are_followed(
    fixture: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = told(CHECKOUT / "fixtures" / fixture)
    monkeypatch.setattr(access_evidence, "WORTH_A_CLOSURE", 1)
    assert told(CHECKOUT / "fixtures" / fixture) == found
