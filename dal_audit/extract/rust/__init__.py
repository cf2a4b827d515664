"""The front end for Rust: so far, what its tests say about backends."""
