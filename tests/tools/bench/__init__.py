"""The benchmark, a command of its own: `python -m tests.tools.bench TREE…`."""
