"""Extract: from the bytes of files to facts.

The only stage that knows parsers. What it finds depends on a file's bytes and the catalogue in
force, never on the policy; so facts can be cached by content.
"""

__all__ = [
    "answers",
    "backend_interface",
    "cache",
    "cache_file",
    "cache_form",
    "cache_kinds",
    "ci",
    "ci_sources",
    "embedded",
    "extractor",
    "facts_file",
    "frontier",
    "holes",
    "import_names",
    "inquiries",
    "limits",
    "line_moves",
    "masks",
    "migrations",
    "notebook_bytes",
    "operations",
    "parallel",
    "quotations",
    "rust_sources",
    "second_look",
    "second_reading",
    "secrets",
    "source",
    "sql",
    "sql_scripts",
    "storage_first",
    "suppressions",
    "surroundings",
]
