"""Report: findings as text for people and as data for tools; pure functions, one a format."""

__all__ = ["formats", "merge", "model", "paths", "render", "statistics", "summary", "terminal"]
