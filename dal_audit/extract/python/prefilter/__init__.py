"""What the bytes of a Python file say before anything is parsed."""

__all__ = ["attribute_marks", "driver_marks", "import_marks", "import_statements", "sql_marks"]
