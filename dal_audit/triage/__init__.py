"""Triage: breaches become findings with a severity and a standing; none is dropped."""
