"""What stands in a database of one backend while statements are run on it, and taken back.

Where `dal_audit.schema` says what a statement fails for the first time, this says what becomes of
it the second time, what a way back leaves, and which rows go.
"""

from dal_audit.standing.database import Database
from dal_audit.standing.differences import Difference, differences
from dal_audit.standing.losses import Losses
from dal_audit.standing.model import FOLLOWED, Effect, Problem

__all__ = ["FOLLOWED", "Database", "Difference", "Effect", "Losses", "Problem", "differences"]
