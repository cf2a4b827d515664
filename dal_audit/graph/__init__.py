"""Graph: which packages of a project reach which drivers, by which way, as text and as drawings."""

__all__ = ["formats", "survey"]
