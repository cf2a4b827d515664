"""Commands: what stands on the command line, a file a command."""

__all__ = ["main"]
