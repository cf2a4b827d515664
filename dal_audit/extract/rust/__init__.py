"""The front end for Rust: so far, what its tests say about backends."""

__all__ = ["suite_files"]
