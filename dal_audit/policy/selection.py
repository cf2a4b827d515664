"""Which rules run, how grave they are, and where: selectors and their order.

A selector is a rule's id (`DAL101`), its name (`driver-import`), or a prefix of ids that holds all
its letters (`DAL`, `DAL1`, `DAL10`). The more specific selector wins, as in ruff.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from dal_audit.policy.globs import compile_globs
from dal_audit.policy.problems import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dal_audit.policy.model import Policy, Severity


class RuleNames:
    """The ids and names of all rules."""

    def __init__(self, known_rules: Iterable[tuple[str, str]]) -> None:
        """Index (id, name) pairs."""
        self._names = {name: rule for rule, name in known_rules}
        self._selectors = set(self._names.values())
        for rule in tuple(self._selectors):
            letters = len(rule.rstrip("0123456789"))
            self._selectors.update(rule[:end] for end in range(letters, len(rule)))

    def selector(self, text: str) -> str | None:
        """Return the id or prefix that a selector stands for; None if it selects no rule."""
        return text if text in self._selectors else self._names.get(text)

    def unknown(self, text: str) -> str:
        """Say that a selector selects no rule, and what it may have been meant for."""
        known = (*self._names.values(), *self._names)
        return f"unknown rule {quoted(text)}{did_you_mean(text, known)}"


def selects(selector: str, rule: str) -> bool:
    """Tell whether an id or prefix selects the rule of this id."""
    return rule.startswith(selector)


def rules_in_force(
    policy: Policy,
    known_rules: Iterable[tuple[str, str, bool]],
    *,
    select: Sequence[str] | None = None,
    ignore: Sequence[str] = (),
    extend_select: Sequence[str] = (),
) -> frozenset[str]:
    """Return the ids of the rules that run.

    `known_rules` are (id, name, on by default); the selectors are the command line's, and ids,
    names and prefixes alike. In the policy and again on the command line the most specific
    selector decides, and `ignore` in a tie. The command line is laid over the policy: its `select`
    replaces what the policy selects, but the policy's `ignore` still stands unless the command line
    is as specific. A rule whose severity is `off` never runs. Raises ValueError for a selector of
    the command line that selects no rule.
    """
    rules = tuple(known_rules)
    names = RuleNames((rule, name) for rule, name, _ in rules)
    ids = [rule for rule, _, _ in rules]
    default = {rule for rule, _, on in rules if on}
    wanted = (*_known(select or (), names), *_known(extend_select, names))
    unwanted = _known(ignore, names)
    if select is None:
        running = _configured(policy, ids, default)
        running = _overlay(running, ids, ((wanted, True), (unwanted, False)))
    else:
        layers = ((policy.ignore, False), (wanted, True), (unwanted, False))
        running = _overlay(set(), ids, layers)
    return frozenset(rule for rule in running if severity_of(policy, rule, "error") != "off")


def _configured(policy: Policy, ids: Sequence[str], default: set[str]) -> set[str]:
    """Return the rules that run by the policy alone."""
    base = default if policy.select is None else set[str]()
    chosen = (*(policy.select or ()), *policy.extend_select)
    return _overlay(base, ids, ((chosen, True), (policy.ignore, False)))


def severity_of(policy: Policy, rule: str, default: Severity) -> Severity:
    """Return the severity of the rule of this id: the most specific configured, else `default`."""
    matching = [pair for pair in policy.severity if selects(pair[0], rule)]
    return max(matching, key=lambda pair: len(pair[0]))[1] if matching else default


def per_file_ignored(policy: Policy) -> Callable[[str, str], bool]:
    """Return a test whether the rule of an id is ignored in the file of a path."""
    entries = [
        (compile_globs([glob], anchored=False), selectors)
        for glob, selectors in policy.per_file_ignores
    ]

    @cache
    def ignored_in(path: str) -> tuple[str, ...]:
        return tuple(
            selector for covers, selectors in entries if covers(path) for selector in selectors
        )

    return lambda path, rule: any(selects(selector, rule) for selector in ignored_in(path))


def _known(selectors: Iterable[str], names: RuleNames) -> tuple[str, ...]:
    """Translate names into ids."""
    known = []
    for text in selectors:
        selector = names.selector(text)
        if selector is None:
            raise ValueError(names.unknown(text))
        known.append(selector)
    return tuple(known)


def _overlay(
    running: set[str], ids: Iterable[str], layers: Sequence[tuple[Sequence[str], bool]]
) -> set[str]:
    """Switch rules on and off: for each rule the longest selector decides, then the last layer."""
    result = set(running)
    for rule in ids:
        verdicts = [
            (len(selector), layer, on)
            for layer, (selectors, on) in enumerate(layers)
            for selector in selectors
            if selects(selector, rule)
        ]
        if verdicts:
            (result.add if max(verdicts)[2] else result.discard)(rule)
    return result
