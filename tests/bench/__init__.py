"""The benchmark, a command of its own: `python -m tests.bench TREE…`."""
