"""dal-audit proves that a program's storage layer is portable."""

__version__ = "0.1.0"
