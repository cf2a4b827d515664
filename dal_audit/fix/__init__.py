"""Fixers: from facts to the edits that mend them; pure functions, one module a kind of fact."""

__all__ = [
    "downs",
    "guards",
    "imports",
    "model",
    "new_imports",
    "placeholders",
    "revisions",
    "rewrite",
    "sql",
    "suppressions",
]
