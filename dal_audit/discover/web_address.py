"""Where a repository's sources can be read on the web: what its remote and its commit tell.

Sources: GitHub's "Getting permanent links to files", GitLab's "Permalinks"; the forms of remotes
are those of git-clone(1).
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from dal_audit.discover.git_command import ask_git
from dal_audit.discover.git_listing import git_toplevel

_REMOTE: Final = re.compile(
    r"(?:(?:https?|ssh|git)://(?:[^/@]*@)?([\w.-]+)(?::\d+)?/|(?:[^/@:]*@)?([\w.-]+):)"
    r"([\w.~/-]+?)(?:\.git)?/?"
)
_COMMIT: Final = re.compile(r"[0-9a-f]{40,64}")


def source_url_of(base: Path) -> str:
    """Return the address of the sources below a folder, with `{path}` and `{line}`.

    It is that of the commit which is checked out; empty where the folder is in no repository whose
    remote `origin` is on GitHub or GitLab. What a remote's address holds of names and passwords
    stays out.
    """
    top = git_toplevel(base)
    if top is None:
        return ""
    try:
        remote = _answer(top, "config", "--get", "remote.origin.url")
        commit = _answer(top, "rev-parse", "--verify", "HEAD")
    except (OSError, TimeoutError):
        return ""
    home = web_home(remote)
    if not home or not _COMMIT.fullmatch(commit):
        return ""
    below = Path(os.path.relpath(base, top)).as_posix()
    folder = "" if below == "." else f"{below}/"
    return f"{home}/{commit}/{folder}{{path}}#L{{line}}"


def web_home(remote: str) -> str:
    """Return what the addresses of a remote's files begin with; empty for an unknown host."""
    found = _REMOTE.fullmatch(remote)
    if found is None:
        return ""
    host, path = (found[1] or found[2]).lower(), found[3].strip("/")
    parts = host.split(".")
    if "github" in parts:
        return f"https://{host}/{path}/blob"
    return f"https://{host}/{path}/-/blob" if "gitlab" in parts else ""


def _answer(top: Path, *words: str) -> str:
    answer = ask_git(top, *words)
    return "" if answer.fails else os.fsdecode(answer.output).strip()
