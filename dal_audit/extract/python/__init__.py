"""The front end for Python."""

__all__ = [
    "constant_folding",
    "expression_uses",
    "module_facts",
    "notebooks",
    "parse",
    "prefilter",
    "scopes",
    "suite_files",
    "text_formats",
    "value_facts",
]
