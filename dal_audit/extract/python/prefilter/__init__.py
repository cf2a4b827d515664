"""What the bytes of a Python file say before anything is parsed."""
