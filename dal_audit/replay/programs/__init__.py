"""Programs that run in a project's own interpreter, with its Alembic or its Django.

They are the only code of this package that is not run by the interpreter that it is installed for:
they import the standard library, each other and the tool, and are kept to Python 3.8.
"""

__all__: list[str] = []
