"""What the texts of import statements name, without a look at any file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

_FROM: Final = re.compile(r"from\s*([.\w\s]*?)\s*\bimport\b(.*)", re.DOTALL)
_NOTHING: Final = re.compile(r"#[^\n]*|\\\r?\n|[()]")


@lru_cache(maxsize=1 << 15)
def imported_names(statement: str) -> Sequence[str]:
    """Return the dotted names that a statement's text imports."""
    names = []
    for module, name, is_renamed in written(statement):
        if module:
            names.append(f"{module}{name}" if module.endswith(".") else f"{module}.{name}")
        else:
            names.append(name)
            if not is_renamed:
                names.append(name.partition(".")[0])  # `import a.b` binds `a`.
    return tuple(dict.fromkeys(names))


def written(statement: str) -> Iterator[tuple[str, str, bool]]:
    """Yield what the text of an import statement names.

    That is the module after `from` (empty where there is none), the name, and whether `as` renames
    it.
    """
    text = _NOTHING.sub(" ", statement)
    found = _FROM.match(text)
    module = "".join(found[1].split()) if found else ""
    names = found[2] if found else text.removeprefix("import")
    for part in names.split(","):
        words = part.split()
        is_renamed = "as" in words
        if words:
            yield module, "".join(words[: words.index("as")] if is_renamed else words), is_renamed
