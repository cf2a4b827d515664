"""Discover: which files, which projects, and what git says of them."""

__all__ = [
    "cache_folder",
    "ci_listing",
    "errors",
    "files",
    "git_command",
    "git_history",
    "git_listing",
    "links",
    "projects",
    "stamps",
    "sweep",
    "web_address",
]
