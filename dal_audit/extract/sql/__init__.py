"""SQL: from a text to tokens, statements, and the structure that they declare."""

__all__ = ["embedded", "places", "scripts", "second_reader", "statements", "tokens"]
