"""What other modules say of Alembic's revisions: naming conventions, types, versions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.catalogue.constraint_names import NO_CONVENTION, NamedPart, conventional_name
from dal_audit.extract.migrations.library_needs import needs_in, tells_needs
from dal_audit.extract.migrations.surroundings import surroundings_of
from dal_audit.extract.operations.revision_source import revision_source
from dal_audit.extract.surroundings import Surroundings
from dal_audit.policy.request import Request

NAMES = {"uq": "uq_%(table_name)s_%(column_0_name)s"}
KNOWN = {**NO_CONVENTION, **NAMES}
HEAD = "import sqlalchemy as sa\nfrom sqlalchemy import MetaData\nfrom sqlalchemy.orm import *\n"


def convention(models: str, env: str) -> Mapping[str, str] | None:
    """Return the convention of an environment that imports `app.models`."""
    texts = {
        "app/models.py": f"{HEAD}NAMES = {NAMES}\n{models}\n",
        "app/names.py": f"{HEAD}from .models import NAMES\nmetadata = MetaData(naming_convention=NAMES)\n",
        "migrations/env.py": f"from alembic import context\nfrom app import models\n{env}\n",
    }
    path = "migrations/versions/1a.py"
    found = surroundings_of({path: ()}, [*texts, path], texts.get, lambda: ["app/models.py"])
    return found[path].convention if path in found else None


@pytest.mark.parametrize(
    "models",
    [
        "class Base(DeclarativeBase):\n    metadata = MetaData(naming_convention=NAMES)",
        "class Base(DeclarativeBase):\n    pass\nBase.metadata = MetaData(naming_convention=NAMES)",
        "Base = declarative_base(metadata=MetaData(schema='s', naming_convention=NAMES))",
        "mapper = registry(metadata=MetaData(naming_convention=NAMES))\nBase = mapper.generate_base()",
        "class Base(DeclarativeBase):\n    registry = registry(metadata=MetaData(naming_convention=NAMES))",
        (
            "class First(DeclarativeBase):\n    metadata = MetaData(naming_convention=dict(**NAMES))\n"
            "class Base(First):\n    metadata = MetaData(naming_convention=NAMES)"
        ),
        (
            "class Mixin:\n    pass\nclass First(DeclarativeBase):\n"
            "    metadata = MetaData(naming_convention=NAMES)\nclass Base(Mixin, First):\n    pass"
        ),
        "from app.names import metadata as known\nBase = declarative_base(metadata=known)",
    ],
)
def test_the_convention_of_a_base(models: str) -> None:
    assert convention(models, "target_metadata = models.Base.metadata") == KNOWN


@pytest.mark.parametrize(
    ("models", "env", "known"),
    [
        ("Base = declarative_base()", "target_metadata = models.Base.metadata", NO_CONVENTION),
        ("", "target_metadata = None", NO_CONVENTION),
        ("metadata = MetaData()", "target_metadata = [models.metadata]", NO_CONVENTION),
        ("", "target_metadata = models.load()", None),
        ("", "context.configure(url='x')", None),
        ("from plugin import Base", "target_metadata = models.Base.metadata", None),
        ("Base = declarative_base(**options)", "target_metadata = models.Base.metadata", None),
        (
            "metadata = MetaData(naming_convention=NAMES)",
            "context.configure(target_metadata=models.metadata)",
            KNOWN,
        ),
        (
            "",
            (
                "from sqlmodel import SQLModel\ntarget_metadata = SQLModel.metadata\n"
                "target_metadata.naming_convention = models.NAMES"
            ),
            KNOWN,
        ),
        (
            "db = SQLAlchemy(metadata=MetaData(naming_convention=NAMES))",
            (
                "from flask import current_app\n"
                "target_metadata = current_app.extensions['migrate'].db.metadata"
            ),
            KNOWN,
        ),
    ],
)
def test_the_convention_of_a_metadata(
    models: str, env: str, known: Mapping[str, str] | None
) -> None:
    assert convention(models, env) == known


def test_a_module_of_a_package_is_no_library_of_its_name() -> None:
    texts = {
        "app/__init__.py": "",
        "app/sqlalchemy.py": (
            "from sqlalchemy import TIMESTAMP\nfrom sqlalchemy.types import TypeDecorator\n"
            "class Moment(TypeDecorator):\n    impl = TIMESTAMP(timezone=True)\n"
        ),
    }
    path = "migrations/versions/1a.py"
    origin = "app.sqlalchemy.Moment"
    found = surroundings_of({path: (origin,)}, [*texts, path], texts.get, list)
    assert found[path].types == {origin: "sqlalchemy.TIMESTAMP(timezone=True)"}


@pytest.mark.parametrize(
    ("part", "given", "template", "name"),
    [
        (NamedPart("uq", ("a", "b")), "", "uq_%(table_name)s_%(column_0_N_name)s", "uq_t_a_b"),
        (NamedPart("uq", ("a", "b")), "", "%(column_0N_name)s_%(column_1_label)s", "ab_t_b"),
        (NamedPart("uq", ("a",)), "own", "uq_%(column_0_name)s", "own"),
        (NamedPart("ck"), "own", "ck_%(table_name)s_%(constraint_name)s", "ck_t_own"),
        (NamedPart("ck"), "", "ck_%(table_name)s_%(constraint_name)s", ""),
        (
            NamedPart("fk", ("a",), ("s.p", "id")),
            "",
            "%(referred_table_name)s_%(referred_column_0_name)s",
            "p_id",
        ),
        (NamedPart("pk", ("a",)), "", "%(own_token)s", ""),
    ],
)
def test_a_name_by_a_convention(part: NamedPart, given: str, template: str, name: str) -> None:
    named = {str(part.kind): template}
    assert conventional_name(part, given, "t", named, engine="postgresql") == name


def test_a_name_that_is_too_long_ends_as_sqlalchemy_cuts_it() -> None:
    part = NamedPart("uq", ("c" * 40,))
    found = conventional_name(part, "", "t" * 40, NAMES, engine="postgresql")
    assert found == f"uq_{'t' * 40}_{'c' * 11}_a657"
    assert len(conventional_name(part, "", "t" * 40, NAMES, engine="sqlite")) > len(found)


@pytest.mark.parametrize(
    ("path", "text", "version"),
    [
        ("requirements.txt", "SQLAlchemy==2.0.36\n", (2, 0)),
        ("requirements-dev.in", "sqlalchemy[asyncio]>=1.4,<2.1 ; python_version > '3'\n", (1, 4)),
        ("requirements/base.txt", "sqlalchemy<2.1\n", None),
        ("requirements.txt", "sqlalchemy @ git+https://host/x@2.0\n", None),
        ("requirements.txt", "sqlalchemy-utils==0.41\nflask-sqlalchemy==3.1\n", None),
        ("pyproject.toml", 'dependencies = [\n  "sqlalchemy >=2.0.3, <3",\n]\n', (2, 0)),
        ("pyproject.toml", 'dependencies = ["flask", "SQLAlchemy~=2.1"]\n', (2, 1)),
        ("pyproject.toml", 'sqlalchemy = { version = "^2.1", extras = ["asyncio"] }\n', (2, 1)),
        ("pyproject.toml", 'sqlalchemy = "*"\n', None),
        ("setup.py", 'install_requires=["sqlalchemy>=1.4.0, !=1.4.46, <2"]', (1, 4)),
        ("setup.cfg", "install_requires =\n    alembic\n    SQLAlchemy>=1.4\n", (1, 4)),
        ("Pipfile", 'sqlalchemy = "==1.4.1"\n', (1, 4)),
        ("poetry.lock", '[[package]]\nname = "sqlalchemy"\nversion = "2.0.41"\n', (2, 0)),
        ("Pipfile.lock", '  "sqlalchemy": {\n "hashes": [],\n "version": "==2.0.1"\n },', (2, 0)),
    ],
)
def test_the_version_that_a_project_needs(
    path: str, text: str, version: tuple[int, ...] | None
) -> None:
    assert tells_needs(path)
    need = needs_in(path, text).get("sqlalchemy")
    assert (need.version if need is not None else None) == version


def test_what_is_kept_of_a_revision_hangs_on_the_modules_around_it(tmp_path: Path) -> None:
    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")

    def found() -> int:
        outcome = audit(Request(folder=tmp_path, cache=True))
        return sum(finding.rule.id == "DAL305" for finding in outcome.findings)

    bare = f"{HEAD}metadata = MetaData()\n"
    write("dal-audit.toml", 'storage = ["**"]\nsource-roots = ["."]\nselect = ["DAL305"]\n')
    write("models.py", bare)
    write("migrations/env.py", "from models import metadata\ntarget_metadata = metadata\n")
    write(
        "migrations/versions/1a.py",
        f"{HEAD}from alembic import op\nrevision = '1a'\ndown_revision = None\n\n\ndef upgrade():\n"
        "    with op.batch_alter_table('t') as batch:\n"
        "        batch.create_unique_constraint(None, ['a'])\n",
    )
    assert found() == 1
    write("models.py", f"{HEAD}metadata = MetaData(naming_convention={NAMES})\n")
    assert found() == 0
    write("models.py", bare)
    assert found() == 1


def test_written_downs_know_the_names_that_are_run() -> None:
    text = """
from alembic import op

def upgrade():
    op.create_unique_constraint(None, "t", ["a"])
    op.drop_constraint("pos", "t", type_="check")
    op.create_check_constraint(op.f("own"), "t", "a > 0")
"""
    checks = {"ck": "ck_%(table_name)s_%(constraint_name)s"}
    made, dropped, own = revision_source(text, Surroundings({**NAMES, **checks})).up
    names = [action.text("constraint_name") for action in (made, dropped, own)]
    assert names == ["uq_t_a", "ck_t_pos", "own"]
    assert made.arguments["constraint_name"].value == "alembic.op.f"
