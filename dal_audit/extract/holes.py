"""Holes: what stands in a text where only a run knows what is there."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"
"""Stands for text that is not known; no dotted name holds it."""
