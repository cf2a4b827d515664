"""The schemes of database URLs: `rules/catalogue/schemes.toml`, as far as the drivers reach."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import tomli

from dal_audit.catalogue import Catalogue
from dal_audit.resources import rules_folder


@cache
def shipped_schemes() -> tuple[Mapping[str, Any], ...]:
    """Read `schemes.toml`."""
    text = (rules_folder() / "catalogue" / "schemes.toml").read_text(encoding="utf-8")
    return tuple(tomli.loads(text)["scheme"])


def schemes_in_force(catalogue: Catalogue) -> Mapping[str, str]:
    """Return each scheme that is looked for, with the store that it leads to.

    A project that counts no Redis client among its drivers may write Redis URLs where it likes.
    """
    named = {driver.name for driver in catalogue.drivers}
    speaks_sql = any(driver.kind != "store" for driver in catalogue.drivers)
    return {
        name: row["store"]
        for row in shipped_schemes()
        if (named.intersection(row["drivers"]) if row["drivers"] else speaks_sql)
        for name in row["names"]
    }
