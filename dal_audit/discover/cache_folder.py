"""The folder in a project's root that dal-audit keeps in what it found."""

CACHE = ".dal_audit_cache"
