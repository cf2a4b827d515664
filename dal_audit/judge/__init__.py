"""Judge: what a check is, what it says, and who runs it."""

__all__ = [
    "breach",
    "check",
    "error_translation",
    "import_removal",
    "run",
    "run_breaches",
    "schema_breaches",
    "script_breaches",
    "selection",
    "sql_portability",
]
