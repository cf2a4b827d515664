"""`dal-audit graph`: which packages reach which drivers, by which way, in every format."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dal_audit.commands.parser import cli
from dal_audit.graph.formats import GRAPH_FORMATS, render_graph
from dal_audit.graph.survey import Graph, graph_of
from dal_audit.policy.request import Request
from dal_audit.report.reach import Reach
from tests.invocation import run
from tests.reports import TRICKS, finding_of
from tests.test_html import Page

FILES = {
    "dal-audit.toml": 'storage = ["app/storage/**"]\n',
    "app/storage/__init__.py": "from app.storage.engine import Row\n",
    "app/storage/engine.py": "from sqlite3 import Row\n",
    "app/web/views.py": "from app.storage import Row\n\n\ndef view(row: Row) -> None: ...\n",
    "app/jobs.py": "import psycopg\n\nimport sqlite3\n",
}


def test_the_command_knows_each_format() -> None:
    (form,) = (option for option in cli.commands["graph"].params if option.name == "form")
    assert tuple(form.to_info_dict()["type"]["choices"]) == GRAPH_FORMATS


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def ways(reaches: tuple[Reach, ...]) -> set[tuple[object, ...]]:
    return {
        (reach.driver, reach.package, reach.through, reach.standing, reach.count)
        for reach in reaches
    }


def test_ways_lead_from_packages_to_drivers(project: Path) -> None:
    graph = graph_of(Request(folder=project), drivers=(), packages=())
    assert ways(graph.reaches) == {
        ("psycopg", "app", (), "open", 1),
        ("sqlite3", "app", (), "open", 1),
        ("sqlite3", "app/storage", (), "open", 1),
        ("sqlite3", "app/storage", (), "storage", 1),
        ("sqlite3", "app/web", ("app/storage",), "open", 1),
    }


def test_a_baseline_is_drawn_apart(project: Path) -> None:
    assert run(project, "baseline").exit_code == 0
    graph = graph_of(Request(folder=project), drivers=("sqlite3",), packages=("app.web",))
    assert ways(graph.reaches) == {("sqlite3", "app/web", ("app/storage",), "accepted", 1)}
    dot = run(project, "graph", "--from", "app/web", "--format", "dot").stdout
    assert re.search(r"n1 -> n0 \[.*style=dashed", dot)
    mermaid = run(project, "graph", "--from", "app/web", "--format", "mermaid").stdout
    assert "n1 -.->|1| n0" in mermaid
    page = run(project, "graph", "--from", "app/web", "--format", "html").stdout
    assert 'class="edge accepted"' in page


def test_text_names_each_way(project: Path) -> None:
    result = run(project, "graph", "--to", "sqlite3")
    assert result.exit_code == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in result.stdout.splitlines()[3:]]
    assert ["app/web", "1 finding", "by app/storage", "app/web/views.py:1"] in rows
    assert ["app/storage", "1 import", "in storage", "app/storage/engine.py:1"] in rows
    assert "psycopg" not in result.stdout


def test_json_has_what_the_others_draw(project: Path) -> None:
    document = json.loads(run(project, "graph", "--format", "json").stdout)
    graph = graph_of(Request(folder=project), drivers=(), packages=())
    assert [(reach["driver"], reach["package"]) for reach in document["reaches"]] == [
        (reach.driver, reach.package) for reach in graph.reaches
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--to", "sqlite"), "there is no driver `sqlite`; did you mean `sqlite3`?"),
        (("--from", "app/wep"), "there is no package `app/wep`; did you mean `app/web`?"),
    ],
)
def test_what_is_not_there_is_said(words: tuple[str, ...], said: str, project: Path) -> None:
    result = run(project, "graph", *words)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_package_that_reaches_nothing_is_no_fault(project: Path) -> None:
    (project / "app" / "plain").mkdir()
    (project / "app" / "plain" / "module.py").write_text("x = 1\n", encoding="utf-8")
    result = run(project, "graph", "--from", "app.plain")
    assert result.exit_code == 0
    assert result.stdout.startswith("No package reaches a driver, in all that was followed.")


@pytest.mark.parametrize("trick", TRICKS)
def test_hostile_names_stay_names(trick: str) -> None:
    place = finding_of(f"{trick}/a.py").place
    reach = Reach(trick, trick, (f"{trick}2",), "open", 3, place)
    graph = Graph((reach,), (trick,), "0.1.0")
    dot = render_graph(graph, "dot")
    assert len(re.findall(r'label="(?:[^"\\\n]|\\.)*"\];$', dot, re.MULTILINE)) == 5
    assert len(dot.splitlines()) == 10
    mermaid = render_graph(graph, "mermaid")
    assert len(re.findall(r'^  n\d\[\(?"[^"\n]*"\)?\]$', mermaid, re.MULTILINE)) == 3
    assert json.loads(render_graph(graph, "json"))["reaches"][0]["count"] == 3
    Page(render_graph(graph, "html"))
    assert "\x1b" not in render_graph(graph, "text")
