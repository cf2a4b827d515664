"""What an ORM's operations on models come to: the statements that its tables are made by.

`model_state` follows the models from one operation to the next, `model_tables` says which tables
they have on an engine, `table_names` how these are called, `table_changes` by which statements
one becomes the other. `replay` puts them together.
"""

__all__ = ["model_state", "model_tables", "replay", "statement_text"]
