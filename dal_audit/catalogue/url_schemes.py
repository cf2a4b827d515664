"""The schemes of database URLs: `rules/catalogue/schemes.toml`, as far as the drivers reach."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec import Struct

from dal_audit.catalogue.drivers import Catalogue
from dal_audit.catalogue.resources import table


class Scheme(Struct, frozen=True):
    """What one store's URLs begin with, and the drivers that speak to it (none: any of SQL)."""

    store: str
    names: tuple[str, ...]
    drivers: tuple[str, ...]
    source: str


@cache
def shipped_schemes() -> tuple[Scheme, ...]:
    """Read `schemes.toml`."""
    return table("schemes", tuple[Scheme, ...], scheme_in)


def scheme_in(row: Mapping[str, Any]) -> Scheme:
    """Return the scheme of a table in `schemes.toml`."""
    return Scheme(row["store"], tuple(row["names"]), tuple(row["drivers"]), row["source"])


def schemes_in_force(catalogue: Catalogue) -> Mapping[str, str]:
    """Return each scheme that is looked for, with the store that it leads to.

    A project that counts no Redis client among its drivers may write Redis URLs where it likes.
    """
    named = {driver.name for driver in catalogue.drivers}
    speaks_sql = any(driver.kind != "store" for driver in catalogue.drivers)
    return {
        name: row.store
        for row in shipped_schemes()
        if (named.intersection(row.drivers) if row.drivers else speaks_sql)
        for name in row.names
    }
