"""Fixers: from facts to the edits that mend them; pure functions, one module a kind of fact."""

__all__ = [
    "downs",
    "exports",
    "guards",
    "imports",
    "model",
    "new_imports",
    "placeholders",
    "reverses",
    "revisions",
    "rewrite",
    "sql",
    "suppressions",
]
