"""What a receiver is: a value that is followed through the modules that hand it on."""

from __future__ import annotations

from pathlib import Path

from dal_audit.assemble.project import Project
from dal_audit.assemble.receiver_types import ReceiverType, receivers_of
from dal_audit.catalogue.drivers import catalogue_in_force
from dal_audit.extract.python.module_facts import python_facts
from dal_audit.extract.python.parse.parser import parse
from dal_audit.extract.python.prefilter.attribute_marks import AccessorWords
from dal_audit.extract.python.value_facts import evidence
from dal_audit.extract.source import Lines
from dal_audit.facts import AbstractValue, FileFacts
from dal_audit.policy import Policy

CATALOGUE = catalogue_in_force()
WORDS = AccessorWords({"pool"}).words
POLICY = Policy(Path("/"), storage=("storage.py",))
STORE = "class Store:\n    pool = None\n\ndef make() -> Store: ...\n"


def types_of(files: dict[str, str], name: str) -> list[ReceiverType]:
    """Return what a dotted name means in `use.py`, beside a storage module."""
    files = {"storage.py": STORE, "use.py": "", **files}
    facts = [
        FileFacts(
            path,
            (
                *python_facts(text, CATALOGUE, shortcuts=False),
                evidence(parse(text), Lines(text), WORDS),
            ),
            "whole",
        )
        for path, text in files.items()
    ]
    project = Project(POLICY, CATALOGUE, facts, frozenset(files))
    return receivers_of(project).of([AbstractValue(name)], "use.py")


def test_a_chain_of_modules_of_any_length_is_followed() -> None:
    files = {f"m{n}.py": f"from m{n + 1} import store\n" for n in range(300)}
    files["m300.py"] = "from storage import Store\nstore = Store()\n"
    assert types_of(files, "m0.store") == [ReceiverType("object", "storage.py", "Store")]


def test_a_chain_of_stars_of_any_length_is_followed() -> None:
    files = {f"m{n}.py": f"from m{n + 1} import *\n" for n in range(300)}
    files["m300.py"] = "from storage import make\nstore = make()\n"
    assert types_of(files, "m0.store") == [ReceiverType("object", "storage.py", "Store")]


def test_circles_end() -> None:
    files = {
        "a.py": "from b import store\nfrom c import *\n",
        "b.py": "from a import store, other\nfrom storage import Store\nstore = Store\n",
        "c.py": "from a import *\nfrom b import other\nother = other\n",
    }
    assert types_of(files, "a.store") == [ReceiverType("class", "storage.py", "Store")]
    assert types_of(files, "a.other") == []


def test_what_several_branches_bind_comes_in_the_order_of_the_text() -> None:
    files = {
        "a.py": "if x:\n    from b import it\nelse:\n    from storage import Store as it\n",
        "b.py": "from json import Decoder as it\n",
    }
    assert types_of(files, "a.it") == [
        ReceiverType("external", "", "json.Decoder"),
        ReceiverType("class", "storage.py", "Store"),
    ]
