"""Fix suppressions that hide nothing: take the rule out of the list, or the comment with it."""

from __future__ import annotations

from dal_audit.facts import AllowedRule, Edit, Span, Suppression
from dal_audit.fix.model import Applicability, Fix


def without(
    suppression: Suppression, rule: AllowedRule, applicability: Applicability = "safe"
) -> Fix | None:
    """Return how a rule is taken out of a suppression; None where its text is not known to be one.

    Neighbours in a list share the comma between them, so that of two edits which both need it only
    one is made, and the audit after it sees what is left.
    """
    rules = suppression.rules
    index = rules.index(rule)
    if len(rules) == 1:
        if suppression.whole is None:
            return None
        return Fix("take out the suppression", (Edit(suppression.whole, ""),), applicability)
    if index + 1 < len(rules):
        following = rules[index + 1].span
        span = Span(rule.span.line, rule.span.column, following.line, following.column)
    else:
        before = rules[index - 1].span
        span = Span(before.end_line, before.end_column, rule.span.end_line, rule.span.end_column)
    return Fix(f"take `{rule.name}` out of the list", (Edit(span, ""),), applicability)


def renamed(rule: AllowedRule, name: str) -> Fix:
    """Return how a misspelt rule is written; unsafe, because it then hides what it did not."""
    return Fix(f"write `{name}`", (Edit(rule.span, name),), "unsafe")
