"""A clause is passed only where something was looked at, and in part where a part was not."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from dal_audit.audit import audit
from dal_audit.policy.request import Request
from dal_audit.report.formats import Format
from dal_audit.report.render import render

STORAGE: Final = {
    "app/storage/base.py": "from typing import Protocol\n\n\nclass Store(Protocol):\n"
    "    def a(self) -> int: ...\n",
    "app/storage/lite.py": "import sqlite3 as _sqlite3\n\nfrom .base import Store\n\n\n"
    "class Lite(Store):\n    def __init__(self) -> None:\n"
    "        self._connection = _sqlite3.connect('a')\n\n    def a(self) -> int:\n"
    "        return 1\n",
}
API, PURITY, PATTERN, CLOSURE = "CX-DBP-010", "CX-DBP-040", "CX-DBP-021", "CX-DBP-030"


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def said(folder: Path, files: dict[str, str], **asked: Any) -> dict[str, tuple[str, str]]:
    """Return the verdicts on a project, and their reasons."""
    write(folder, files)
    report = audit(Request(folder=folder, cache=False, **asked))
    told = json.loads(render(report, "json"))["clauses"]
    return {clause["id"]: (clause["verdict"], clause["reason"]) for clause in told}


def test_what_was_looked_at_is_passed(tmp_path: Path) -> None:
    found = said(tmp_path, STORAGE)
    assert [found[clause] for clause in (API, PURITY, PATTERN, CLOSURE)] == [("pass", "")] * 4


def test_where_no_known_driver_is_imported_nothing_is_passed(tmp_path: Path) -> None:
    found = said(tmp_path, {"app/storage/base.py": "import unheard_of\n"})
    reason = "no known driver is imported; name yours in `extend-drivers`"
    assert found[API] == ("not audited", reason)
    assert found[CLOSURE] == ("pass", "")


@pytest.mark.parametrize(
    "configuration", ['extend-drivers = ["unheard_of"]', 'driver-types = ["app.storage.base.Pool"]']
)
def test_a_driver_that_is_named_is_looked_for(tmp_path: Path, configuration: str) -> None:
    files = {"app/storage/base.py": "import unheard_of\n", "dal-audit.toml": configuration}
    assert said(tmp_path, files)[API] == ("pass", "")


def test_without_an_interface_its_clauses_are_not_audited(tmp_path: Path) -> None:
    found = said(tmp_path, {"app/storage/lite.py": "import sqlite3 as _sqlite3\n"})
    reason = "no storage interface was found; name yours in `interfaces`"
    assert found[PURITY] == found[PATTERN] == ("not audited", reason)
    assert found[API] == ("pass", "")


def test_names_made_on_demand_are_a_part_that_is_not_seen(tmp_path: Path) -> None:
    lazy = {"app/storage/lazy.py": "def __getattr__(name):\n    return load(name)\n"}
    found = said(tmp_path, {**STORAGE, **lazy})
    reason = "what `__getattr__` hands out is not followed: app/storage/lazy.py"
    assert found[API] == ("pass in part", reason)
    assert found[PURITY] == ("pass", "")


@pytest.mark.parametrize("name", ["app/a.py.j2", "app/a.pyi.mako", "app/a.py.tmpl"])
def test_a_template_is_a_part_that_is_not_read(tmp_path: Path, name: str) -> None:
    found = said(tmp_path, {**STORAGE, name: "import {{ driver }}\n"})
    assert {found[clause] for clause in (API, PURITY, PATTERN, CLOSURE)} == {
        ("pass in part", f"templates are not read: {name}")
    }


@pytest.mark.parametrize(
    ("name", "configuration"),
    [
        ("app/script.py.mako", ""),
        ("build/a.py.j2", ""),
        ("app/page.html.j2", ""),
        ("app/a.py.j2", "exclude = ['**/*.j2']"),
    ],
)
def test_what_is_no_template_of_source_is_not_missed(
    tmp_path: Path, name: str, configuration: str
) -> None:
    files = {**STORAGE, name: "", "dal-audit.toml": configuration}
    assert said(tmp_path, files)[API][1] != f"templates are not read: {name}"


def test_a_file_that_is_not_understood_is_a_part_that_is_not_read(tmp_path: Path) -> None:
    torn = {f"app/{name}.py": "x = (\n" for name in "abc"}
    found = said(tmp_path, {**STORAGE, **torn})
    assert found[API] == ("pass in part", "not understood: app/a.py, app/b.py and 1 more")
    assert found[CLOSURE][0] == "fail"


def test_a_rule_that_does_not_run_is_a_part_that_is_not_judged(tmp_path: Path) -> None:
    found = said(tmp_path, STORAGE, ignore=("DAL101", "raw-sql", "DAL204"))
    assert found[API] == ("pass in part", "`driver-import`, `raw-sql` do not run")
    assert found[PURITY] == ("pass in part", "`interface-module-imports-driver` does not run")


def test_the_order_of_sql_that_is_not_known_is_said(tmp_path: Path) -> None:
    files = {f"db/migrations/{name}.sql": "SELECT 1;\n" for name in ("boats", "crews")}
    verdict, reason = said(tmp_path, {**STORAGE, **files})["CX-DBP-022A"]
    assert verdict == "not audited"
    assert reason == "the order of the SQL is not known in db/migrations"


@pytest.mark.parametrize("name", ["db/migrations/schema.sql", "query.sql"])
def test_without_a_set_of_migrations_their_clauses_are_not_audited(
    tmp_path: Path, name: str
) -> None:
    files = {**STORAGE, name: "SELECT 1;\n"}
    found = said(tmp_path, files, paths=(".", name))
    reason = "no set of migrations was found"
    for clause in ("CX-DBP-022", "CX-DBP-022A", "CX-DBP-022B"):
        assert found[clause] == ("not audited", reason)
    assert found["CX-DBP-011"] == ("pass", "")


def test_what_one_of_several_projects_lacks_is_a_part(tmp_path: Path) -> None:
    write(tmp_path / "one", {**STORAGE, "dal-audit.toml": ""})
    found = said(tmp_path, {"two/dal-audit.toml": "", "two/a.py": "x = 1\n"})
    reason = "no known driver is imported; name yours in `extend-drivers` (in two)"
    assert found[API] == ("pass in part", reason)
    write(tmp_path / "one" / "app", {"storage/lite.py": "", "storage/base.py": ""})
    verdict, reasons = said(tmp_path, {})[API]
    assert verdict == "not audited"
    assert reasons.count("no known driver") == 2


MONOREPO: Final = {
    "dal-audit.toml": 'storage = ["app/storage/**"]',
    **STORAGE,
    "services/one/dal-audit.toml": "",
    "services/one/one/storage/__init__.py": "import redis as _redis\n\nclient = _redis.Redis()\n",
    "services/one/one/use.py": "from one.storage import x\nimport json, yaml\n",
    "services/two/dal-audit.toml": "",
    "services/two/two/use.py": "import json\n",
}


@pytest.mark.parametrize(
    ("path", "statement", "told"),
    [
        ("app/use.py", "from services.one.one.storage import client", "services.one.one.storage"),
        ("app/use.py", "from one.storage import client", "one.storage"),
        ("services/two/two/use.py", "import services.one.one.storage", "services.one.one.storage"),
        ("services/two/two/use.py", "from one.storage import client", "one.storage"),
        ("services/two/two/use.py", "import app.storage.lite as lite", "app.storage.lite"),
        ("services/two/two/use.py", "from ....app import storage", "....app.storage"),
        ("services/two/two/use.py", "from two import storage, one", ""),
        ("app/use.py", "from app.storage import lite", ""),
        ("app/use.py", "from app import one", ""),
    ],
)
def test_what_crosses_into_another_project_is_said(
    tmp_path: Path, path: str, statement: str, told: str
) -> None:
    found = said(tmp_path, {**MONOREPO, path: f"{statement}\n"})
    own = path.removeprefix("services/two/")
    where = "services/two" if own != path else "."
    reason = f"what another project hands out is not followed: `{told}` in {own} (in {where})"
    assert (reason in found[API][1]) == bool(told)
    assert ("another project" in found[API][1]) == bool(told)


def test_what_crosses_is_said_where_the_other_project_is_not_asked_for(tmp_path: Path) -> None:
    files = {**MONOREPO, "app/use.py": "from services.one.one.storage import client\n"}
    found = said(tmp_path, files, paths=("app",))
    assert "`services.one.one.storage` in app/use.py" in found[API][1]


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """Return a repository whose files are as they were committed."""
    write(tmp_path, {**STORAGE, "README.md": "a\n"})
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        name = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *name, *words], cwd=tmp_path, check=True)
    return tmp_path


def test_where_nothing_changed_nothing_is_passed(committed: Path) -> None:
    reason = "no audited line changed since HEAD"
    assert said(committed, {"README.md": "b\n"}, since="HEAD")[API] == ("not audited", reason)
    found = said(committed, {"app/storage/lite.py": "import sqlite3 as _s\n"}, since="HEAD")
    assert found[API] == ("pass", "")


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_every_format_with_verdicts_says_so(committed: Path, form: Format) -> None:
    told = render(audit(Request(folder=committed, cache=False, since="HEAD")), form)
    assert "no audited line changed since HEAD" in told.replace("\\", "")
    words = told.lower().replace('class="pass', "")
    assert "✅" not in words
    assert not any(mark in words for mark in (">pass<", '"pass"', "  pass"))


@pytest.mark.parametrize("form", ["text", "json", "markdown", "html"])
def test_every_format_with_verdicts_gives_the_reason(tmp_path: Path, form: Format) -> None:
    write(tmp_path, {"app/storage/lite.py": "import sqlite3 as _s\n", "app/a.py.j2": ""})
    told = render(audit(Request(folder=tmp_path, cache=False)), form).replace("\\", "")
    assert "templates are not read: app/a.py.j2" in told
    assert "no storage interface was found" in told


def test_operations_that_are_not_followed_are_told(tmp_path: Path) -> None:
    files = {
        "dal-audit.toml": '[[migrations]]\npath = "migrations"\n',
        "migrations/versions/1a.py": "from alembic import op\nfrom tools import make\n\n"
        "revision = '1a'\ndown_revision = None\n\n\n"
        "def upgrade():\n    make('users')\n    op.execute('DROP VIEW IF EXISTS v')\n\n\n"
        "def downgrade():\n    make('views')\n",
    }
    verdict, reason = said(tmp_path, files)["CX-DBP-022A"]
    assert verdict == "pass in part"
    assert "not all operations are followed: migrations/versions/1a.py" in reason


DJANGO: Final = (
    "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
    "    dependencies = []\n    operations = "
)


def test_operations_of_django_are_followed(tmp_path: Path) -> None:
    files = {"app/migrations/0001_a.py": f"{DJANGO}[migrations.RemoveField('Book', 'title')]\n"}
    assert said(tmp_path, files)["CX-DBP-022B"] == ("pass", "")


@pytest.mark.parametrize("operations", ["made()", "[*made()]", "[]\n    operations += made()"])
def test_operations_that_are_not_written_are_not_followed(tmp_path: Path, operations: str) -> None:
    files = {"app/migrations/0001_a.py": f"{DJANGO}{operations}\n"}
    verdict, reason = said(tmp_path, files)["CX-DBP-022B"]
    assert verdict == "pass in part"
    assert "not all operations are followed: app/migrations/0001_a.py" in reason


def test_notebooks_in_storage_may_hold_sql_that_nobody_reads(tmp_path: Path) -> None:
    notebook = {"cells": [{"cell_type": "code", "source": ["import sqlite3\n"]}]}
    files = {
        **STORAGE,
        "app/storage/a.ipynb": json.dumps(notebook),
        "migrations/0001_a.sql": "CREATE TABLE IF NOT EXISTS a (b TEXT);\n",
    }
    verdict, reason = said(tmp_path, files)["CX-DBP-020"]
    assert verdict == "pass in part"
    assert "SQL in notebooks is not read: app/storage/a.ipynb" in reason
