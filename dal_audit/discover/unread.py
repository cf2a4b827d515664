"""Which listed files no audit reads, whatever they hold: only that they are there can count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from dal_audit.facts.ci_files import ci_kind_of
from dal_audit.policy import Policy, compile_globs

_NEVER_READ: Final = frozenset(
    {
        *("avif", "bmp", "eps", "gif", "ico", "jpeg", "jpg", "png", "svg", "tif", "tiff", "webp"),
        *("eot", "otf", "ttf", "woff", "woff2", "aac", "flac", "mov", "mp3", "mp4", "ogg", "wav"),
        *("css", "htm", "html", "js", "jsx", "less", "map", "mjs", "sass", "scss", "ts", "tsx"),
        *("svelte", "vue", "md", "mdx", "pdf", "rst", "mo", "po", "pot"),
        *("csv", "geojson", "json", "jsonl", "npy", "npz", "parquet", "pkl", "tsv"),
        *("bz2", "gz", "tgz", "whl", "xz", "zip", "zst"),
    }
)
"""Suffixes of pictures, type, sound, pages, prose, translations, data and archives."""

_SETTINGS: Final = frozenset({"_journal.json"})
"""Settings of migration tools that have such a suffix."""


def may_be_read(path: str) -> bool:
    """Return whether an audit may read a file, by its POSIX path, whatever configures it."""
    name = path.rpartition("/")[2]
    _, dot, suffix = name.rpartition(".")
    is_other = not dot or suffix.lower() not in _NEVER_READ
    return is_other or name in _SETTINGS or ci_kind_of(path) is not None


def readable(policy: Policy, listed: Mapping[str, str]) -> list[str]:
    """Return the listed paths that an audit may read: by their names, or as they are configured.

    `listed` has the flaw of each path; what has one is no ordinary file.
    """
    configured = _configured(policy)
    return [path for path, flaw in listed.items() if flaw or may_be_read(path) or configured(path)]


def _configured(policy: Policy) -> Callable[[str], bool]:
    """Return the test whether a configuration has a file read whatever its name is."""
    globs = (*(policy.ci.workflows or ()), *(policy.ci.storage_tests or ()))
    return compile_globs(globs, anchored=True) if globs else lambda _path: False
