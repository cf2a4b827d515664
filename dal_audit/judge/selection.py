"""Which rules run, and with which catalogue."""

from __future__ import annotations

from dal_audit.catalogue.drivers import Catalogue, catalogue_in_force
from dal_audit.catalogue.rulebook import ALWAYS, Rule, rules
from dal_audit.discover.errors import UsageError
from dal_audit.policy import Policy, rules_in_force, severity_of
from dal_audit.policy.request import Request


def active_rules(policy: Policy, request: Request) -> tuple[Rule, ...]:
    """Return the rules that run.

    Raises UsageError for a selector that selects no rule.
    """
    known = tuple((rule.id, rule.name, rule.severity != "off") for rule in rules())
    try:
        ids = rules_in_force(
            policy,
            known,
            select=request.select,
            ignore=request.ignore,
            extend_select=request.extend_select,
        )
    except ValueError as error:
        raise UsageError(f"error: {error}") from error
    return tuple(rule for rule in rules() if rule.id in ids or _stays(rule, policy, request))


def _stays(rule: Rule, policy: Policy, request: Request) -> bool:
    ignored = {rule.id, rule.name} & {*policy.ignore, *request.ignore}
    is_off = severity_of(policy, rule.id, rule.severity) == "off"
    return rule.name in ALWAYS and not ignored and not is_off


def catalogue_of(policy: Policy) -> Catalogue:
    """Return the catalogue in force."""
    return catalogue_in_force(
        only=policy.drivers, also=policy.extend_drivers, import_helpers=policy.import_helpers
    )
