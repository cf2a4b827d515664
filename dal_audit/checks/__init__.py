"""The checks: one module a rule, named after it; each is a pure function."""
