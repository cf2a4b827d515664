"""What only a run on real engines tells, in frozen records: facts like those of files.

All spans are as `dal_audit.facts.Span` describes.
"""

from __future__ import annotations

from dal_audit.facts import FactRecord, Span


class SchemaDifference(FactRecord, frozen=True):
    """Something that two engines made differently of the same migrations.

    `span` is the statement that it comes from, `kind` what is compared (`table`, `column`,
    `nullability`, `default`, `primary-key`, `unique-sets`, `foreign-keys`, `checks`, `index`,
    `view`) and `subject` whose it is (`users.age`), in lower case. `values` pair each engine with
    what it has, as portable terms say it; None where it has nothing of the kind.
    """

    span: Span
    kind: str
    subject: str
    values: tuple[tuple[str, str | None], ...]
