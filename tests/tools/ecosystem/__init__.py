"""Audits of other people's code: the same whatever the way, and what changes in them is seen."""
