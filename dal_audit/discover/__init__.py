"""Discover: which files, which projects, and what git says of them."""
