"""The operations of migration tools: from a call to the SQL statements that it comes to."""

__all__ = [
    "call_arguments",
    "django",
    "lowering",
    "project_spelling",
    "revision_source",
    "revision_text",
    "terms",
]
