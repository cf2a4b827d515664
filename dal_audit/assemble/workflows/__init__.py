"""How a project is tested: the legs of its CI, and what keeps each from blocking a merge."""

__all__ = ["coverage", "files", "gates", "guards", "matrix", "model", "proof", "suites"]
