"""The front end for what migration tools write and read."""

__all__ = [
    "library_needs",
    "normalised_text",
    "project_modules",
    "python_literals",
    "python_revisions",
    "reader",
    "surroundings",
]
