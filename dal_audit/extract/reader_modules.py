"""The modules that read Python, loaded before forking, where each process needs them."""

from __future__ import annotations


def load_readers() -> None:
    """Load what reads the facts of a file."""
    import dal_audit.extract.python.module_facts
    import dal_audit.extract.python.prefilter.driver_marks
    import dal_audit.extract.python.prefilter.import_statements
    import dal_audit.extract.secrets
    import dal_audit.extract.source  # noqa: F401


def load_evidence_reader() -> None:
    """Load what reads the evidence of accesses in a file."""
    import dal_audit.extract.python.parse.deep_stack
    import dal_audit.extract.python.parse.parser
    import dal_audit.extract.python.prefilter.driver_marks
    import dal_audit.extract.python.value_facts
    import dal_audit.extract.secrets  # noqa: F401


def load_second_reader() -> None:
    """Load LibCST: only where something is to be said of a file."""
    import dal_audit.extract.python.statement_reader
    import dal_audit.extract.source  # noqa: F401
