"""The catalogue: drivers, engines, portability and the rule book, as data and their readers."""

__all__ = [
    "backend_names",
    "constraint_names",
    "digest",
    "drivers",
    "engine_names",
    "engine_words",
    "installation",
    "object_kinds",
    "operations",
    "placeholder_forms",
    "portability",
    "resources",
    "rulebook",
    "type_system",
    "url_schemes",
]
