"""Replay: run migration sets on real engines, and say what they do there.

`plan` says which sets run on which engines, `workers` runs each of them in a process of its
own, `breaches` says what that proves.
"""

__all__ = [
    "database",
    "downs",
    "operation_downs",
    "plan",
    "revision_downs",
    "run",
    "variables",
]
