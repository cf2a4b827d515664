"""The configuration of one project: found, read, checked and typed."""

from dal_audit.policy.globs import GlobError, compile_globs
from dal_audit.policy.load import find_configuration, load_policy, read_policy
from dal_audit.policy.model import (
    Backend,
    Ci,
    Migrations,
    Policy,
    Severity,
    Waiver,
    default_policy,
)
from dal_audit.policy.problems import ConfigurationError, Problem, render_problem
from dal_audit.policy.selection import (
    RuleNames,
    per_file_ignored,
    rules_in_force,
    selects,
    severity_of,
)

__all__ = [
    "Backend",
    "Ci",
    "ConfigurationError",
    "GlobError",
    "Migrations",
    "Policy",
    "Problem",
    "RuleNames",
    "Severity",
    "Waiver",
    "compile_globs",
    "default_policy",
    "find_configuration",
    "keys",
    "load",
    "load_policy",
    "model",
    "per_file_ignored",
    "positions",
    "problems",
    "read_policy",
    "render_problem",
    "request",
    "rules_in_force",
    "schema",
    "selects",
    "severity_of",
]
