"""The tables that the audit thinks Django makes, held against those that it makes."""

from __future__ import annotations

import re
from pathlib import Path

from django.contrib.postgres import fields as postgres_fields
from django.contrib.postgres.search import SearchVectorField
from django.db import connections, models
from sqlalchemy import make_url

from dal_audit.catalogue.operations import DJANGO, django_fields, forms
from tests.engines import django_operations
from tests.engines.model_tables import Thought, flaw_of, tables_of
from tests.engines.operation_rows import drawn

_SIZED = re.compile(r"\{(\w+)\}")
_ENGINES = {"sqlite": "default", "postgresql": "postgresql"}


def test_fields_have_the_types_that_django_gives_them(server: str, tmp_path: Path) -> None:
    django_operations.configure(make_url(server), tmp_path / "shop.sqlite")
    wrong = []
    for name, row in django_fields().items():
        kind = getattr(models, name, None) or getattr(postgres_fields, name, SearchVectorField)
        if name in {"OrderWrt", "NullBooleanField", "IPAddressField"}:
            continue  # Django makes one itself; two it knows in old migrations alone.
        sizes = {"max_length": int(row.length or 9)} if "{length}" in row.spelled["sqlite"] else {}
        if name == "DecimalField":
            sizes = {"max_digits": 5, "decimal_places": 2}
        field = kind(**sizes)
        field.set_attributes_from_name("e")
        for engine, spelled in row.spelled.items():
            said = _SIZED.sub("(" + ", ".join(map(str, sizes.values())) + ")", spelled)
            real = field.db_type(connections[_ENGINES[engine]])
            wrong += [f"{name} {engine}: {said} instead of {real}"] if said != real else []
    assert not wrong, "\n".join(wrong)


def test_operations_make_the_tables_that_django_makes(server: str, tmp_path: Path) -> None:
    django_operations.configure(make_url(server), tmp_path / "shop.sqlite")
    wrong = []
    for form in forms(DJANGO):
        for engine, verdict in form.engines.items():
            is_run = django_operations.takes(engine, verdict) and not form.unproved
            is_run = is_run and engine not in (form.extension or {})
            for example in drawn(form.examples, 12) if is_run else ():
                real, real_before = django_operations.looked_at(engine, example, tables_of)
                thought = Thought(engine, example)
                flaws = [flaw_of(engine, thought.tables(), real)]
                thought.take_back()
                flaws.append(flaw_of(engine, thought.tables(), real_before))
                wrong += [f"{example}\n    {flaw}" for flaw in flaws if flaw]
    assert not wrong, "\n".join(wrong)
