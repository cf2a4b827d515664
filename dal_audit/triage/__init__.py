"""Triage: breaches become findings with a severity and a standing; none is dropped."""

__all__ = [
    "baseline",
    "baseline_file",
    "findings",
    "grounds",
    "premises",
    "redaction",
    "released_fixes",
    "standing",
]
