"""From the text of a Python file to a tree, whatever Python dal-audit runs on."""
