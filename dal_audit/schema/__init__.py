"""A database that is only thought of: what stands in it while migrations are run and taken back.

`database` runs statements on what `state` holds and says what each fails for: the first time by
`demands`, again and on the way back by what it meets. `differences` says what a way back leaves,
and `data_loss` which rows go.
"""

from dal_audit.schema.alter_table import actions_of
from dal_audit.schema.data_loss import Losses
from dal_audit.schema.database import Database
from dal_audit.schema.differences import Difference, differences
from dal_audit.schema.divergence_kinds import Divergence
from dal_audit.schema.exemptions import EXEMPTED, Exemption
from dal_audit.schema.objects_model import FOLLOWED, Effect, Problem, SchemaError
from dal_audit.schema.opaque_code import ANYTHING, OpaqueCode
from dal_audit.schema.orm.model_state import Models
from dal_audit.schema.orm.model_tables import table_of
from dal_audit.schema.orm.replay import Change, ModelReplay
from dal_audit.schema.orm.statement_text import ToolText, texts_of

__all__ = [
    "ANYTHING",
    "EXEMPTED",
    "FOLLOWED",
    "Change",
    "Database",
    "Difference",
    "Divergence",
    "Effect",
    "Exemption",
    "Losses",
    "ModelReplay",
    "Models",
    "OpaqueCode",
    "Problem",
    "SchemaError",
    "ToolText",
    "actions_of",
    "differences",
    "table_of",
    "texts_of",
]
