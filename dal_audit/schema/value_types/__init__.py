"""The types of expressions, as PostgreSQL infers them, and what it refuses for their sake.

SQLite takes any expression of any type (datatype3.html), so that all of it is about PostgreSQL.
`statements` leads to all that stands in a statement; `operands` infers from the parts upwards,
`overloads` chooses among operators and functions, `conversions` knows what becomes of what.
"""

from dal_audit.schema.value_types.statements import value_errors_after, value_errors_before

__all__ = ["value_errors_after", "value_errors_before"]
