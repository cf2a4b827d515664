"""Judge: what a check is, what it says, and who runs it."""
