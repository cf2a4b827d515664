"""Validators of other projects, run over what dal-audit writes."""
