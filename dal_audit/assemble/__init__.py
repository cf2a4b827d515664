"""Assemble: the facts of all files and the policy make a project that answers questions."""
