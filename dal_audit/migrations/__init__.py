"""Migration sets: which files a migration tool runs, in which order, and what undoes them.

`wanted` says which files' facts are needed, `find_sets` makes the sets of them.
"""

from dal_audit.migrations.listing import Wanted, may_be_module, wanted
from dal_audit.migrations.model import (
    Migration,
    MigrationLayout,
    MigrationSet,
    Part,
    Sources,
    Unrecognised,
)
from dal_audit.migrations.names import is_script
from dal_audit.migrations.recognise import backend_of_script, find_sets

__all__ = [
    "Migration",
    "MigrationLayout",
    "MigrationSet",
    "Part",
    "Sources",
    "Unrecognised",
    "Wanted",
    "backend_of_script",
    "find_sets",
    "is_script",
    "may_be_module",
    "wanted",
]
