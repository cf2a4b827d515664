"""The reading of SQL in code: from a module to the statements that it runs."""

__all__ = ["operation_source", "reader", "rust", "unknown_sql"]
