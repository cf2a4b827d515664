"""GitLab CI: `.gitlab-ci.yml` as facts.

The form is that of GitLab's "CI/CD YAML syntax reference". The runner waits for the port of each
service before the script begins.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Final

from yaml.nodes import MappingNode, Node

from dal_audit.extract.ci.scripts import commands_in
from dal_audit.extract.ci.yaml_tree import Document, entry, items, key_node, merged, with_merges
from dal_audit.facts import Span
from dal_audit.facts.ci import (
    CiCommand,
    CiJob,
    CiMatrix,
    CiService,
    CiSetting,
    CiStep,
    CiText,
    CiTrigger,
    CiWorkflow,
)

_KEYWORDS: Final = frozenset(
    {
        "after_script",
        "before_script",
        "cache",
        "default",
        "image",
        "include",
        "services",
        "spec",
        "stages",
        "types",
        "variables",
        "workflow",
    }
)
"""Keys at the top that are no jobs."""

MAX_EXTENDS: Final = 11
"""How far `extends` is followed, as GitLab does."""

PIPEFAIL: Final = "bash -eo pipefail"
"""How the commands of a step are run, so that a pipe fails with any of its commands."""

_ALWAYS: Final = frozenset({"branches", "merge_requests", "external_pull_requests", "pushes"})
_ON_BRANCH: Final = re.compile(r"\$CI_COMMIT_(?:BRANCH|REF_NAME)\s*==\s*")
_ON_TAG: Final = re.compile(r"^\s*\$CI_COMMIT_TAG\b")
_SOURCE: Final = re.compile(r"\$CI_PIPELINE_SOURCE\s*==\s*['\"](\w+)['\"]")
_NEVER_ON_REQUESTS: Final = frozenset(
    {"api", "chat", "pipeline", "schedule", "trigger", "web", "webide"}
)


def workflow_in(document: Document) -> CiWorkflow | None:
    """Return the jobs of a file; None for a document that is no table."""
    if not isinstance(document.root, MappingNode):
        return None
    reader = _Reader(document, document.root)
    start = Span(1, 1, 1, 1)
    jobs = tuple(reader.jobs())
    every = (CiTrigger("push", start), CiTrigger("pull_request", start))
    env = reader.variables(entry(document.root, "variables"))
    return CiWorkflow(
        document.span(document.root),
        "gitlab",
        every,
        start,
        jobs,
        env,
        leads_on=entry(document.root, "include") is not None,
    )


class _Reader:
    """Reads the jobs of one file."""

    def __init__(self, document: Document, root: MappingNode) -> None:
        self.document = document
        self.root = root
        self.named = {key.value: node for key, node in merged(root)}
        self.default = self.named.get("default")

    def jobs(self) -> list[CiJob]:
        return [
            self._job(key.value, self.document.span(key), node)
            for key, node in merged(self.root)
            if key.value not in _KEYWORDS
            and not key.value.startswith(".")
            and isinstance(node, MappingNode)
        ]

    def variables(self, node: Node | None) -> tuple[CiSetting, ...]:
        """Return variables, also those that are written with a description."""
        found = list(self.document.settings(with_merges(node))) if node is not None else []
        for key, value in merged(node):
            text = self.document.text_of(entry(value, "value"))
            if text is not None:
                found.append(CiSetting(key.value, self.document.span(key), text))
        return tuple(found)

    def _extended(self, node: Node, depth: int = 0) -> MappingNode:
        """Return a job with what it takes from those that it extends."""
        table = with_merges(node)
        if depth > MAX_EXTENDS:
            return table
        known = {key.value for key, _ in table.value}
        for parent in reversed(items(entry(table, "extends"))):
            source = self.named.get(str(parent.value))
            if source is not None and source is not node:
                further = self._extended(source, depth + 1)
                table.value += [pair for pair in further.value if pair[0].value not in known]
                known |= {key.value for key, _ in further.value}
        return table

    def _inherited(self, job: Node, name: str) -> Node | None:
        for place in (job, self.default, self.root):
            found = entry(place, name)
            if found is not None:
                return found
        return None

    def _job(self, name: str, key: Span, node: Node) -> CiJob:
        table = self._extended(node)
        needs = key_node(table, "needs")
        triggers, never = self._triggers(table)
        return CiJob(
            name,
            key,
            tuple(self._needs(table)),
            self.document.span(needs) if needs is not None else None,
            never,
            self._soft(table),
            self._matrix(entry(entry(table, "parallel"), "matrix")),
            self.variables(entry(table, "variables")),
            tuple(self._services(self._inherited(table, "services"))),
            (self._step(key, table),),
            self._triggered(table),
            awaits_services=True,
            triggers=triggers,
        )

    def _triggered(self, table: Node) -> CiText | None:
        """Return what a job starts in place of a script: a pipeline that is not read."""
        key = key_node(table, "trigger")
        if key is None:
            return None
        node = entry(table, "trigger")
        text = self.document.text_of(entry(node, "include", "project") or node)
        return text or CiText("trigger", self.document.span(key))

    def _needs(self, table: Node) -> list[CiText]:
        found = []
        for item in items(entry(table, "needs")):
            text = self.document.text_of(entry(item, "job") or item)
            if text is not None:
                found.append(text)
        return found

    def _soft(self, table: Node) -> CiSetting | None:
        found = self.document.setting(table, "allow_failure")
        return None if found is None or found.value.text in {"false", "False"} else found

    def _services(self, node: Node | None) -> list[CiService]:
        found = []
        for item in items(node):
            image = self.document.text_of(entry(item, "name") or item)
            if image is not None:
                alias = self.document.text_of(entry(item, "alias"))
                name = alias.text if alias else image.text.partition(":")[0].rpartition("/")[2]
                found.append(CiService(name, image.span, image.text))
        return found

    def _matrix(self, node: Node | None) -> CiMatrix | None:
        """Return a job's legs; each table of the list is a product of its own."""
        tables = [self.document.data(item) for item in items(node)]
        if node is None or not tables:
            return None
        if len(tables) == 1:
            axes = tuple(zip(tables[0].names, tables[0].items, strict=True))
            return CiMatrix(self.document.span(node), axes)
        return CiMatrix(self.document.span(node), include=tuple(tables))

    def _step(self, key: Span, table: Node) -> CiStep:
        parts = [self._inherited(table, "before_script"), entry(table, "script")]
        scripts = [line for part in parts for line in self._lines(part)]
        return CiStep(key, script=tuple(chain.from_iterable(scripts)), shell=PIPEFAIL)

    def _lines(self, node: Node | None, depth: int = 0) -> list[tuple[CiCommand, ...]]:
        """Return the commands of each line of a script; lists in it are taken flat."""
        if node is None or depth > MAX_EXTENDS:
            return []
        if isinstance(node.value, str):
            return [commands_in(self.document, node)]
        return [line for item in items(node) for line in self._lines(item, depth + 1)]

    def _triggers(self, table: Node) -> tuple[tuple[CiTrigger, ...] | None, CiSetting | None]:
        """Return what starts a job, and the key that keeps it from ever starting by itself."""
        when = self.document.setting(table, "when")
        never = when if when is not None and when.value.text in {"manual", "never"} else None
        rules = key_node(table, "rules")
        if rules is not None:
            place = self.document.span(rules)
            return self._by_rules(place, entry(table, "rules")), never
        return self._by_refs(table), never

    def _by_refs(self, table: Node) -> tuple[CiTrigger, ...] | None:
        """Return what starts a job by `only`; None where a merge request or any branch may."""
        only = key_node(table, "only")
        value = entry(table, "only")
        refs = [item.value for item in items(entry(value, "refs") or value)]
        if only is None or not all(map(_is_branch, refs)):
            return None
        return (CiTrigger("push", self.document.span(only), tuple(map(str, refs))),)

    def _by_rules(self, place: Span, node: Node | None) -> tuple[CiTrigger, ...] | None:
        """Return what starts a job by its rules; None where a merge request may start it."""
        for rule in items(node):
            when = getattr(entry(rule, "when"), "value", "on_success")
            if when in {"never", "manual"}:
                continue
            condition = getattr(entry(rule, "if"), "value", "")
            if not _is_narrow(str(condition)):
                return None
        return (CiTrigger("push", place, ()),)


def _is_branch(ref: object) -> bool:
    """Return whether an item of `only` is the name of a branch, and no pattern or event."""
    return isinstance(ref, str) and ref not in _ALWAYS and not ref.startswith("/")


def _is_narrow(condition: str) -> bool:
    """Return whether a rule's condition holds on no merge request and no branch of one."""
    source = _SOURCE.search(condition)
    if source is not None:
        return source[1] in _NEVER_ON_REQUESTS and "||" not in condition
    if "||" in condition:
        return False
    return _ON_BRANCH.search(condition) is not None or _ON_TAG.search(condition) is not None
