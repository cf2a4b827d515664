"""Fix imports that nothing uses: take the name out of its statement, or the statement with it."""

from __future__ import annotations

from collections.abc import Collection

from dal_audit.facts import Edit, Import, Target
from dal_audit.fix.model import Applicability, Fix


def without(
    fact: Import, targets: Collection[Target], applicability: Applicability = "safe"
) -> Fix | None:
    """Return how names are taken out of an import statement; None where something may miss each.

    Those that something may miss stay, and with them the breach. What is imported by a dotted name
    is unsafe: it makes the module an attribute of its package, which another file may read.
    """
    unused = [target for target in targets if target.removal is not None]
    edits = _edits(fact, unused)
    if not edits:
        return None
    is_submodule = fact.module is None and any("." in target.name for target in unused)
    names = ", ".join(f"`{target.bound}`" for target in unused)
    return Fix(
        f"take out the import of {names}, which nothing uses",
        edits,
        "unsafe" if is_submodule else applicability,
        is_partial=len(unused) < len(targets),
    )


def _edits(fact: Import, targets: Collection[Target]) -> tuple[Edit, ...]:
    """Return the edits that take targets out: those before the first that stays, and behind it."""
    stays = next((index for index, each in enumerate(fact.targets) if each not in targets), None)
    if stays is None:
        return fact.removal
    return tuple(
        Edit(target.removal[index > stays], "")
        for index, target in enumerate(fact.targets)
        if target in targets and target.removal is not None
    )
