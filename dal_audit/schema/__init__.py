"""The schema that migrations make, followed statement by statement, and what fails in it where.

`model` holds what stands at a point, `families` what types have in common, `follow` applies one
statement after the other and says which engines object.
"""

from dal_audit.schema.follow import Follower
from dal_audit.schema.model import Objection, Schema

__all__ = ["Follower", "Objection", "Schema"]
