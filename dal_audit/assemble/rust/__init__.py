"""Rust: crates, the tree of modules, and what paths mean in them.

What a file spells becomes, once all files are known, what the checks of every language read. Names
are written as elsewhere, with dots, behind the `::` that Rust itself puts before a crate's name:
`::sqlx.PgPool`, `::app.storage.Database`.
"""

__all__ = ["reading"]
