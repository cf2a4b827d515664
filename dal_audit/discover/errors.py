"""What is wrong with what was asked for."""

from __future__ import annotations


class UsageError(ValueError):
    """Something that was asked for on the command line does not exist or makes no sense."""
