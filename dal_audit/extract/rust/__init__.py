"""The front end for Rust, on tree-sitter: what each file spells, before any name is resolved."""

__all__ = [
    "byte_lines",
    "literals",
    "manifest",
    "module_facts",
    "prefilter",
    "suite_files",
    "syntax",
    "tokens",
]
