"""Downs for revisions of Alembic's: what takes one back, in its module's own words."""

__all__ = ["downgrade", "inverse", "run_statements", "source_schema", "spelling", "step"]
