"""Servers that a job starts: services, containers, compose files; and what waits for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from posixpath import join, normpath
from typing import Final

from dal_audit.assemble.workflows.model import Server
from dal_audit.catalogue.backend_names import is_server_image
from dal_audit.extract.ci.expressions import UNKNOWN, Contexts, interpolate
from dal_audit.facts import Place
from dal_audit.facts.ci import CiCommand, CiCompose, CiJob, CiService

_WAITS: Final = re.compile(
    r"pg_isready|wait[-_]?(?:for|on|4|until)|waitfor|await|dockerize|--wait\b", re.IGNORECASE
)
_PROBES: Final = re.compile(
    r"(?:^|/)(?:psql|nc|ncat|curl|docker|docker-compose|python3?|pg_isready|telnet|bash|/dev/tcp\S*)$"
)
_UNTIL: Final = re.compile(r"until ")
_TCP: Final = re.compile(r"/dev/tcp/")
_USES: Final = frozenset(
    {"createdb", "createuser", "dropdb", "pg_dump", "pg_restore", "psql", "sqlx"}
)
_USES_BY_WORDS: Final = (
    ("alembic", "upgrade"),
    ("diesel", "setup"),
    ("diesel", "database"),
    ("manage.py", "migrate"),
    ("flask", "db"),
)
_STARTS: Final = re.compile(r"postgres", re.IGNORECASE)
_SYSTEM: Final = frozenset({"brew", "pg_ctl", "pg_ctlcluster", "service", "systemctl"})
_QUOTED: Final = re.compile(r"'([^']*)'")
_DEFAULT_FILES: Final = (
    "compose.yaml",
    "compose.yml",
    "docker-compose.yaml",
    "docker-compose.yml",
)


def services_of(path: str, job: CiJob, contexts: Contexts) -> Iterator[Server]:
    """Yield the PostgreSQL servers among a job's services."""
    for service in job.services:
        image = interpolate(service.image, contexts)
        if _is_server(service, image):
            awaited = service.checked or job.awaits_services
            yield Server(Place(path, service.key), service.name, image, "service", awaited)


def _is_server(service: CiService, image: str) -> bool:
    """Return whether a service is a server; of an expression, any of its texts can tell."""
    if UNKNOWN in image:
        return any(is_server_image(text) for text in _QUOTED.findall(service.image)) or (
            is_server_image(image.replace(UNKNOWN, ""))
        )
    return is_server_image(image)


def started_by(
    words: tuple[str, ...],
    command: CiCommand,
    path: str,
    composes: Mapping[str, CiCompose],
    folder: str,
    env: Mapping[str, str],
) -> Iterator[Server]:
    """Yield the servers that a command starts."""
    place = Place(path, command.span)
    name = words[0].rpartition("/")[2] if words else ""
    if name in {"docker", "podman"} and "run" in words[:2]:
        return _contained(words, command, place)
    if name == "docker-compose" or "compose" in words[:2]:
        return _by_compose(words, place, _read(words, composes, folder, env))
    return _of_system(name, words, place)


def _contained(words: tuple[str, ...], command: CiCommand, place: Place) -> Iterator[Server]:
    """Yield the server that `docker run` starts in the background."""
    is_left_running = command.then == "&" or bool({"-d", "--detach"}.intersection(words))
    images = (word for word in words[2:] if is_server_image(word.replace(UNKNOWN, "")))
    image = next(images, "") if is_left_running else ""
    if image:
        yield Server(place, image, image, "container")


def _of_system(name: str, words: Iterable[str], place: Place) -> Iterator[Server]:
    """Yield the server that the operating system starts, which waits for it."""
    if name in _SYSTEM and (name.startswith("pg_") or any(map(_STARTS.search, words))):
        yield Server(place, "postgresql", "", "system", awaited=True)


def _by_compose(
    words: tuple[str, ...], place: Place, read: Sequence[CiCompose]
) -> Iterator[Server]:
    if "up" in words:
        return _composed(words, place, read)
    return _needed(words, place, read) if "run" in words else iter(())


def _composed(words: tuple[str, ...], place: Place, read: Sequence[CiCompose]) -> Iterator[Server]:
    """Yield the servers that `compose up` starts and leaves running."""
    if not {"-d", "--detach", "--wait"}.intersection(words):
        return
    if not read:
        # What cannot be seen may be a server, and may be awaited.
        yield Server(place, "compose", "", "compose", awaited=True)
    awaited = "--wait" in words
    for service in _chosen(words, read):
        yield Server(place, service.name, service.image, "compose", awaited)


def _chosen(words: tuple[str, ...], read: Iterable[CiCompose]) -> Iterator[CiService]:
    """Yield the servers among the services that `compose up` names, or among all of them."""
    chosen = {word for word in words[words.index("up") + 1 :] if not word.startswith("-")}
    services = filter(_serves, (service for compose in read for service in compose.services))
    return (service for service in services if not chosen or service.name in chosen)


def _serves(service: CiService) -> bool:
    return is_server_image(_with_defaults(service.image))


def _needed(words: tuple[str, ...], place: Place, read: Iterable[CiCompose]) -> Iterator[Server]:
    """Yield the servers that `compose run` starts because the service that it runs needs them."""
    given = words[words.index("run") + 1 :]
    for compose in read if "--no-deps" not in given else ():
        services = {service.name: service for service in compose.services}
        run = next((services[word] for word in given if word in services), None)
        for name, awaited in run.needs if run else ():
            server = services.get(name)
            if server is not None and _serves(server):
                yield Server(place, name, server.image, "compose", awaited)


def _read(
    words: tuple[str, ...],
    composes: Mapping[str, CiCompose],
    folder: str,
    env: Mapping[str, str],
) -> list[CiCompose]:
    """Return the compose files that a command reads, as far as they are to be seen."""
    files = list(_files(words, env)) or list(_DEFAULT_FILES)
    paths = (normpath(join(folder, file)) for file in files)
    return [composes[path] for path in paths if path in composes]


def _with_defaults(image: str) -> str:
    """Return an image with `${NAME:-default}` as its default."""
    return re.sub(r"\$\{\w+:?-([^}]*)\}", r"\1", image)


def _files(words: tuple[str, ...], env: Mapping[str, str]) -> Iterator[str]:
    for index, word in enumerate(words[:-1]):
        if word in {"-f", "--file"}:
            yield words[index + 1]
    if "-f" not in words and "--file" not in words:
        yield from (part for part in env.get("COMPOSE_FILE", "").split(":") if part)


def waits(words: Iterable[str], command: CiCommand) -> bool:
    """Return whether a command waits until a server answers; a fixed `sleep` does not."""
    texts = list(words)
    if any(_WAITS.search(word) for word in texts if _is_no_setting(word)):
        return True
    if {"-d", "--detach"}.intersection(texts):
        return False  # What starts something asks nothing of it, however often it is tried.
    probes = (_TCP, _PROBES if command.part == "loop" else _UNTIL)
    return any(probe.search(word) for word in texts for probe in probes)


def _is_no_setting(word: str) -> bool:
    return "=" not in word or word.startswith("-")


def uses(words: tuple[str, ...]) -> bool:
    """Return whether a command speaks to a server."""
    names = [word.rpartition("/")[2] for word in words]
    if any(name in _USES for name in names):
        return True
    return any(first in names and second in names for first, second in _USES_BY_WORDS)
