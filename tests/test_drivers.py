"""The drivers' catalogue, checked against the libraries that it describes.

Each driver's names are looked up in the real package. A package that is missing fails the test, so
a catalogue that nobody checked is never green; the exceptions stand below, each with its reason.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, cast

import pytest
import tomli
from sqlglot.dialects.dialect import Dialects

from dal_audit.catalogue.drivers import shipped_catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENVIRONMENTS = Path(__file__).parent / "driver_environments.toml"
CATALOGUE = Path(__file__).parent.parent / "rules" / "catalogue" / "drivers.toml"

Role = Literal["connection", "cursor", "pool", "engine", "session", "model", "other"]


class Traits(TypedDict, total=False):
    """What the rows of some drivers say."""

    models_per_app: bool


class Driver(Traits):
    """One `[[driver]]` of the catalogue."""

    name: str
    kind: str
    modules: list[str]
    packages: list[str]
    dialect: str
    exceptions: list[str]
    accessors: list[str]
    executes: list[str]
    source: str
    types: dict[Role, list[str]]
    makers: dict[str, str]


KEYS = [key for key in Driver.__annotations__ if key not in Traits.__annotations__]
ROLES = ["connection", "cursor", "pool", "engine", "session", "model", "other"]
DIALECTS = {"", "postgresql", *(dialect.value for dialect in Dialects)} - {"postgres"}
FEWEST = 250
KINDS = ["driver", "orm", "store"]
DRIVERS = cast("list[Driver]", tomli.loads(CATALOGUE.read_text(encoding="utf-8"))["driver"])
NAMES = {driver["name"] for driver in DRIVERS}

NOT_INSTALLABLE: Mapping[str, str] = {
    "aioodbc": "pyodbc, which it stands on, needs the system's unixODBC",
    "arrow_odbc": "needs the system's unixODBC",
    "etcd3": "asks for protobuf 3",
    "gino": "asks for SQLAlchemy 1.3, the other drivers for SQLAlchemy 2",
    "impyla": "a requirement of it, pure-sasl, has no wheel",
    "leveldb": "no wheel: its C++ is for Python 3.11 at most",
    "mimerpy": "needs Mimer SQL's client library",
    "mysqlclient": "no wheel for Linux: it is built against MySQL's C library",
    "orator": "a requirement of it, backpack, cannot be built any more",
    "phoenixdb": "a requirement of it, gssapi, has no wheel",
    "psycopg2cffi": "no wheel: it is built against libpq",
    "pygresql": "no wheel for Linux: it is built against libpq",
    "pyodbc": "needs the system's unixODBC",
    "pypyodbc": "needs the system's unixODBC",
    "pysqlcipher3": "no wheel: it is built against SQLCipher",
    "pysqlite2": "only for Python 2",
    "qpython": "asks for NumPy 1",
    "records": "a requirement of it, docopt, has no wheel",
    "taos": "needs TDengine's client library",
    "turbodbc": "no wheel for Linux: it is built against the system's unixODBC",
}
"""Drivers that no wheel brings on Python 3.10 to 3.13; checked where they are installed."""

NEWEST_PYTHON: Mapping[str, tuple[int, int]] = {
    "aioredis": (3, 10),
    "cx_Oracle": (3, 10),
    "plyvel": (3, 12),
    "pylibmc": (3, 11),
}
"""Drivers that have no wheel for later Pythons, or (aioredis) cannot be imported there."""

HEAVY: Mapping[str, str] = dict.fromkeys(
    [
        "chromadb",
        "couchbase",
        "databricks-sql",
        "google-cloud-bigquery",
        "google-cloud-firestore",
        "google-cloud-spanner",
        "ibis",
        "lancedb",
        "mssql_python",
        "mysqlx",
        "pymilvus",
        "qdrant_client",
        "redis_om",
        "redshift_connector",
        "snowflake-connector",
        "weaviate",
    ],
    "drivers-heavy",
)
"""Drivers that are slow to install, with their dependency group."""

NOT_EVERYWHERE: Mapping[str, str] = {
    "aiopg.sa.Engine": "only with SQLAlchemy 1",
    "aiopg.sa.Engine.acquire": "only with SQLAlchemy 1",
    "aiopg.sa.SAConnection": "only with SQLAlchemy 1",
    "aiopg.sa.create_engine": "only with SQLAlchemy 1",
    "mariadb.Connection": "only in mariadb 1",
    "mariadb.ConnectionPool": "in mariadb 2 only with mariadb-pool",
    "mariadb.Cursor": "only in mariadb 1",
    "mariadb.connections.Connection": "only in mariadb 1",
    "mariadb.cursors.Cursor": "only in mariadb 1",
    "sqlite3.Blob": "since Python 3.11",
    "sqlite3.Connection.blobopen": "since Python 3.11",
}
"""Names that some supported version of a library or of Python lacks."""

APART: Mapping[str, list[str]] = tomli.loads(ENVIRONMENTS.read_text(encoding="utf-8"))
"""Drivers that have an environment of their own, with what it must hold besides their packages."""

HEAVY_ONES_TOO = os.environ.get("DAL_AUDIT_HEAVY_DRIVERS") == "1"
ALONE = os.environ.get("DAL_AUDIT_DRIVER")
"""The one driver that this environment is for (`tests/tools/validators/drivers.py`)."""


def is_wanted(name: str) -> bool:
    """Tell whether this environment should hold a driver."""
    if ALONE is not None:
        return name == ALONE
    return name not in APART and (HEAVY_ONES_TOO or name not in HEAVY)


WANTED = [driver for driver in DRIVERS if is_wanted(driver["name"])]

each_wanted_driver = pytest.mark.parametrize("driver", WANTED, ids=lambda driver: driver["name"])


def repeated(words: list[str]) -> list[str]:
    """Return what a list holds more than once."""
    return [word for word, count in Counter(words).items() if count > 1]


def type_names(driver: Driver) -> list[str]:
    """Return a driver's types of all roles."""
    return [name for names in driver["types"].values() for name in names]


def lies_under(name: str, modules: list[str]) -> bool:
    """Tell whether a dotted name is below one of these modules, by whole components."""
    return any(name.startswith(f"{module}.") for module in modules)


def resolve(name: str) -> object:
    """Find a dotted name: import the longest module before its last part, then take attributes.

    The last part is never imported, as in `from module import name`: a function may share its
    name with a submodule.
    """
    parts = name.split(".")
    for length in range(len(parts) - 1, 0, -1):
        module = ".".join(parts[:length])
        try:
            found: object = importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is not None and f"{module}.".startswith(f"{error.name}."):
                continue
            raise
        for part in parts[length:]:
            found = getattr(found, part)
        return found
    message = f"no module holds {name}"
    raise ImportError(message)


def require(driver: Driver) -> None:
    """Import a driver's modules; fail where it should be there, skip where it cannot be."""
    name = driver["name"]
    try:
        for module in driver["modules"]:
            importlib.import_module(module)
    except ImportError as error:
        if name in NOT_INSTALLABLE and ALONE is None:
            pytest.skip(NOT_INSTALLABLE[name])
        if sys.version_info[:2] > NEWEST_PYTHON.get(name, sys.version_info[:2]):
            pytest.skip(f"not for Python {sys.version_info.major}.{sys.version_info.minor}")
        group = HEAVY.get(name, "drivers")
        message = f"{name} is missing ({error}): run `pip install --group {group}`"
        pytest.fail(message, pytrace=False)


def misfits(driver: Driver) -> Iterator[str]:
    """Say which names of a driver do not exist, or are something else than the catalogue says."""
    exceptions = set(driver["exceptions"])
    types = {*type_names(driver), *driver["makers"].values()}
    for name in sorted(exceptions | types | set(driver["makers"])):
        try:
            found = resolve(name)
        except (AttributeError, ImportError) as error:
            if name not in NOT_EVERYWHERE:
                yield f"{name} does not exist: {error}"
            continue
        if name in exceptions | types and not isinstance(found, type):
            yield f"{name} is no class"
        elif name in exceptions and not issubclass(cast("type", found), BaseException):
            yield f"{name} is no exception"
        if name in driver["makers"] and not callable(found):
            yield f"{name} cannot be called"


def test_catalogue_is_wide() -> None:
    """The catalogue cannot pass by being nearly empty."""
    assert len(DRIVERS) >= FEWEST


def test_names_are_unique() -> None:
    """A driver's name means one driver."""
    assert repeated([driver["name"] for driver in DRIVERS]) == []


def test_modules_are_unique() -> None:
    """A module belongs to one driver."""
    assert repeated([module for driver in DRIVERS for module in driver["modules"]]) == []


def test_file_is_ordered_by_kind() -> None:
    """SQL drivers come first, then ORMs, then other stores."""
    kinds = [KINDS.index(driver["kind"]) for driver in DRIVERS]
    assert kinds == sorted(kinds)


def test_schema() -> None:
    """Each driver has all keys, in order, with values of the right type."""
    assert {driver["name"]: amiss(driver) for driver in DRIVERS if amiss(driver)} == {}


def amiss(driver: Driver) -> list[str]:
    """Return which parts of a driver's row are not as the schema asks for."""
    texts = [driver["name"], driver["dialect"], driver["source"]]
    lists = [driver["modules"], driver["packages"], driver["exceptions"], *driver["types"].values()]
    lists += [driver["accessors"], driver["executes"]]
    texts += [text for words in lists for text in words]
    texts += [*driver["makers"], *driver["makers"].values()]
    holds = {
        "keys": [key for key in driver if key not in Traits.__annotations__] == KEYS,
        "models_per_app": driver["kind"] == "orm" or "models_per_app" not in driver,
        "types": list(driver["types"]) == ROLES,
        "kind": driver["kind"] in KINDS,
        "dialect": driver["dialect"] in DIALECTS,
        "source": driver["source"].startswith("https://"),
        "modules": bool(driver["modules"]),
        "something twice": all(repeated(words) == [] for words in lists),
        "no text": all(isinstance(text, str) for text in texts),
        "name": bool(driver["name"]),
    }
    return [part for part, is_held in holds.items() if not is_held]


def test_words_are_identifiers() -> None:
    """Accessors and executes are attribute names, modules are dotted names."""
    for driver in DRIVERS:
        words = [*driver["accessors"], *driver["executes"]]
        words += [part for module in driver["modules"] for part in module.split(".")]
        assert [word for word in words if not word.isidentifier()] == [], driver["name"]


def test_names_lie_under_the_drivers_modules() -> None:
    """A driver's types, exceptions and makers are its own."""
    for driver in DRIVERS:
        names = [*driver["exceptions"], *type_names(driver), *driver["makers"]]
        assert [name for name in names if not lies_under(name, driver["modules"])] == []


def test_a_name_belongs_to_the_driver_that_lists_it() -> None:
    """Its driver is found by its longest module, and its objects are read for it alone."""
    catalogue = shipped_catalogue()
    for driver in catalogue.drivers:
        objects = driver.objects()
        names = {name for _, names in objects.types for name in names} | dict(objects.makers).keys()
        assert [name for name in names if catalogue.driver_of(name) is not driver] == []
        assert not names & catalogue.by_module.keys()


def test_makers_give_types_of_the_catalogue() -> None:
    """What a maker returns has a role, in its driver or in the one that that stands on."""
    known = {name for driver in DRIVERS for name in type_names(driver)}
    made = {name for driver in DRIVERS for name in driver["makers"].values()}
    assert made - known == set()


@pytest.mark.parametrize("mapping", [NOT_INSTALLABLE, NEWEST_PYTHON, HEAVY, APART])
def test_exempted_drivers_exist(mapping: Mapping[str, object]) -> None:
    """An exemption names a driver of the catalogue."""
    assert set(mapping) <= NAMES


def test_exempted_once() -> None:
    """A driver is exempted for one reason."""
    assert repeated([*NOT_INSTALLABLE, *NEWEST_PYTHON, *HEAVY, *APART]) == []


def test_exempted_names_exist() -> None:
    """A name that may be missing is a name of the catalogue."""
    names = {name for driver in DRIVERS for name in [*type_names(driver), *driver["makers"]]}
    assert set(NOT_EVERYWHERE) <= names


@pytest.mark.filterwarnings("ignore")
@each_wanted_driver
def test_driver_is_as_described(driver: Driver) -> None:
    """Every module, type, exception and maker exists in the real library, and is what it should."""
    require(driver)
    assert list(misfits(driver)) == []
