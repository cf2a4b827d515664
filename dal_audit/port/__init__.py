"""Port: what stands between a project and a further engine, read off the audit's own facts.

`survey` asks, `model` has what it answers, and each format has a module of its own.
"""

__all__ = ["formats", "survey"]
