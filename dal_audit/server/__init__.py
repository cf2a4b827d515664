"""Server: the audit in an editor, by the Language Server Protocol, on texts not saved yet."""

__all__ = ["protocol"]
