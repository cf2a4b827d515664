"""The front end for Python."""

__all__ = [
    "constant_folding",
    "dialect_branches",
    "dialect_tests",
    "expression_uses",
    "interface_text",
    "literal_places",
    "literal_values",
    "module_facts",
    "name_uses",
    "notebooks",
    "parse",
    "prefilter",
    "scopes",
    "spelled_text",
    "sql_calls",
    "sql_sources",
    "statement_reader",
    "suite_files",
    "text_formats",
    "value_facts",
]
