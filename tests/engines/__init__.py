"""Real engines, and the proof that the catalogue says what they do."""
