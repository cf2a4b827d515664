"""The front end for Rust, on tree-sitter: what each file spells, before any name is resolved."""

__all__ = ["manifest", "module_facts", "prefilter", "suite_files", "syntax"]
