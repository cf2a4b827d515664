"""The catalogue: drivers, engines, portability and the rule book, as data and their readers."""

__all__ = [
    "backend_names",
    "digest",
    "drivers",
    "engine_names",
    "object_kinds",
    "portability",
    "resources",
    "rulebook",
    "url_schemes",
]
