"""The checks: one module a rule, named after it; each is a pure function."""

__all__ = ["concrete_backend"]
