"""From the text of a Python file to a tree, whatever Python dal-audit runs on."""

__all__ = ["deep_stack", "import_places", "libcst_places", "newer_syntax", "parser", "walk"]
