"""Ask about each fix: what is found, what its fix would change, and whether that is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from dal_audit.judge.breach import Finding
from dal_audit.report.suggestions import reservations

QUESTION: Final = "Apply it? [y]es, [n]o, [a]ll of this rule, [s]kip this rule, [q]uit: "
CONSENT: Final = "Write it? [y]es, [n]o: "
HELP: Final = "Answer with y, n, a, s or q.\n"
_ANSWERS: Final = frozenset("ynasq")


class Asker:
    """Remembers what was answered: of a finding, of all of a rule, and of all that is left.

    `show` prints a text, `answer` returns a line that is typed in, empty at the end of the input.
    """

    def __init__(self, show: Callable[[str], None], answer: Callable[[str], str]) -> None:
        """Begin with no answers."""
        self.show = show
        self.answer = answer
        self.is_done = False
        self._rules: dict[str, bool] = {}
        self._known: dict[tuple[object, ...], bool] = {}

    def accepts(self, finding: Finding, diff: Callable[[], str]) -> bool:
        """Return whether a fix is wanted; each is asked about once, unless it moves meanwhile."""
        rule = finding.rule.id
        if rule in self._rules:
            return self._rules[rule]
        if self.is_done:
            return False
        shown = diff()
        changed = tuple(line for line in shown.splitlines()[2:] if line.startswith(("+", "-")))
        key = (finding.place, rule, finding.breach.message, changed)
        if key not in self._known:
            self._known[key] = bool(shown) and self._asked(finding, shown)
        return self._known[key]

    def _asked(self, finding: Finding, diff: str) -> bool:
        fix = finding.breach.fix
        remark = "" if fix is None else reservations(fix)
        place = f"{finding.place.path}:{finding.place.span.line}"
        head = f"{place}: {finding.rule.id} {finding.rule.name}: {finding.breach.message}{remark}\n"
        self.show(f"\n{head}{diff}")
        word = self.answer(QUESTION).strip().lower()[:1] or "q"
        while word not in _ANSWERS:
            self.show(HELP)
            word = self.answer(QUESTION).strip().lower()[:1] or "q"
        self.is_done = word == "q"
        if word in {"a", "s"}:
            self._rules[finding.rule.id] = word == "a"
        return word in {"y", "a"}
