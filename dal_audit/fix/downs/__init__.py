"""What takes a migration back: from its statements, and from all that were run before them.

`written_schema` keeps every object as it was written, `inverse` runs a statement on that and
returns what undoes it, `down` puts a whole migration's inverses in order.
"""

__all__ = ["completion", "down", "guard_block", "written_schema"]
