"""Downs for operations of Django's that are handed one: `reverse_sql` and `reverse_code`."""

__all__ = ["reverse"]
