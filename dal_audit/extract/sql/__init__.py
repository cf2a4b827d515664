"""SQL: from a text to tokens, statements, and the structure that they declare."""

__all__ = [
    "calls",
    "embedded",
    "patterns",
    "places",
    "scripts",
    "second_reader",
    "statements",
    "structure",
    "tokens",
]
