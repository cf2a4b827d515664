"""Report: findings as text for people and as data for tools; pure functions, one a format."""

__all__ = [
    "formats",
    "gfm",
    "html",
    "json_report",
    "links",
    "merge",
    "model",
    "outcome",
    "paths",
    "reach",
    "render",
    "statistics",
    "suggestions",
    "summary",
    "terminal",
]
