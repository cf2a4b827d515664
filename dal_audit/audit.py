"""The whole program, one line a stage: discover → extract → assemble → judge → triage → report."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct, field

from dal_audit import __version__
from dal_audit.catalogue import Catalogue, catalogue_in_force
from dal_audit.discover import CACHE, Tree, chosen, read_instead, tree_of
from dal_audit.extract import (
    digests_of,
    extract,
    extract_legibility,
    extract_scripts,
    look_at,
)
from dal_audit.extract.cache import FILE, Cache, key_of, no_cache, remove_cache
from dal_audit.facts import FileFacts, Span
from dal_audit.following import follow_accesses, follow_carriers
from dal_audit.hashing import sha256
from dal_audit.judge import judge, judge_suppressions
from dal_audit.migration_layout import audited_scripts, layout_of
from dal_audit.policy import Policy, rules_in_force, severity_of
from dal_audit.project import Project
from dal_audit.redaction import redacted, secrets_of
from dal_audit.released import with_care
from dal_audit.report.model import Report
from dal_audit.report.summary import plural
from dal_audit.rule import Finding
from dal_audit.rulebook import Rule, clauses, known_rules, rules
from dal_audit.scope import Scope, UsageError, counted_from, plan
from dal_audit.sql_files import SqlFiles
from dal_audit.triage import Triage

if TYPE_CHECKING:
    from dal_audit.edited import Edited
    from dal_audit.migrations.model import MigrationLayout

ALWAYS = frozenset({"unreadable-file", "nothing-audited"})
"""Rules that no selection leaves out, only an explicit `ignore`: without them an audit could be
green because it looked at nothing."""


Watch: TypeAlias = Callable[[int, str], None]
"""Told of each stage that begins: its number, from 1 to STAGES, and what it does."""

STAGES = 4

BASELINE = ".dal-audit-baseline.jsonl"
"""The baseline in a project's root, where none is configured."""


class Request(Struct, frozen=True):
    """What an audit is asked for; relative paths count from `folder`."""

    paths: tuple[str, ...] = (".",)
    folder: Path = field(default_factory=Path.cwd)
    config: Path | None = None
    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    jobs: int | None = None
    shortcuts: bool = True
    cache: bool = False
    """Whether facts are kept for the next audit, and taken from an earlier one."""
    accept: bool = True
    """Whether the baseline is read; not so where it is written anew."""
    baseline: Path | None = None
    """The baseline (None: the configured one, or the usual one where there is such a file)."""
    since: str | None = None
    """The git revision since whose fork only changed lines are reported."""
    cache_folder: Path | None = None
    """Where they are kept (None: in the project's root)."""
    instead: Mapping[str, Path] = field(default_factory=dict)
    """What is read instead of some files, by their paths: a buffer that is not saved yet."""
    today: datetime.date = field(default_factory=datetime.date.today)
    watch: Watch = lambda _stage, _doing: None


def request_of(options: Mapping[str, Any], **further: Any) -> Request:
    """Return the request that options make which several commands have, with `further` fields."""
    return Request(
        paths=tuple(options["paths"]) or (".",),
        config=options["config"],
        select=tuple(options["select"]) or None,
        ignore=tuple(options["ignore"]),
        extend_select=tuple(options["extend_select"]),
        **further,
    )


class Part(Struct, frozen=True):
    """The result for one project; paths are relative to its root."""

    root: Path
    findings: tuple[Finding, ...]
    rules: tuple[Rule, ...]
    project: Project
    """What all stages up to judging made of the project."""
    files: int
    languages: frozenset[str]
    ruled_out: int
    assumptions: tuple[str, ...]
    secrets: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    limited: bool = False


def audit(request: Request) -> Report:
    """Audit all that is asked for, project by project.

    Raises ConfigurationError for a faulty configuration, UsageError for a path that does not exist,
    DiscoveryError, WorkerError and CheckError where dal-audit itself fails.
    """
    scopes = plan(
        request.paths, request.folder, request.config, known_rules(), unsaved=request.instead
    )
    if request.baseline is not None and len(scopes.scopes) > 1:
        raise UsageError("error: --baseline is for one project, and PATHS hold several")
    parts = [audit_project(scope, request) for scope in scopes.scopes]
    return merge(parts, scopes.base, request)


def audit_project(scope: Scope, request: Request) -> Part:
    """Take one project through the stages."""
    policy = scope.policy
    active = tuple(one for one in active_rules(policy, request) if one.proof == "audit")
    catalogue = catalogue_of(policy)
    request.watch(1, "looking for files")
    tree = tree_of(policy, scope.listed, nested=scope.nested)
    if request.instead:
        tree = read_instead(tree, counted_from(policy.root, request.folder, request.instead))
    request.watch(2, f"reading {plural(len(tree.files), 'file')}")
    cache = cache_of(scope, tree, catalogue, request)
    facts = extract(
        tree.files, catalogue, jobs=request.jobs, shortcuts=request.shortcuts, cache=cache
    )
    is_reported = chosen(scope.requested)
    layout = layout_of(scope, tree, cache, jobs=request.jobs)
    scripts = audited_scripts(SqlFiles(policy, layout), tree, scope)
    empty = scope.empty_folders(file.path for file in (*tree.files, *scripts))
    prefix = _prefix(policy.root, request.folder)
    edited, unknown = released_since(layout, policy.root, active, request.since)
    project = Project(
        policy,
        catalogue,
        facts,
        tree.modules,
        tree.markers,
        layout=layout,
        empty=empty,
        prefix=prefix,
        edited=edited,
    )
    request.watch(3, "following names through files")
    jobs, shortcuts = request.jobs, request.shortcuts
    project = follow_carriers(project, tree.files, cache, jobs=jobs, shortcuts=shortcuts)
    project = follow_accesses(project, tree.files, cache, jobs=jobs, shortcuts=shortcuts)
    texts = {file.path for file in scripts}
    if any("sql" in rule.languages for rule in active if rule.name not in ALWAYS):
        found = extract_scripts(scripts, jobs=request.jobs, cache=cache)
    else:
        found = extract_legibility(scripts)
    cache.save()
    project = project.with_more([*project.files, *found])
    request.watch(4, f"judging {plural(len(project.files), 'file')}")
    triage = Triage(project, active, today=request.today)
    findings = [triage.finding(rule, breach) for rule, breach in judge(project, active)]
    waived = [(None, use) for use in triage.waiver_uses()]
    late = judge_suppressions(project, active, [*triage.uses(), *waived])
    findings += [triage.finding(rule, breach) for rule, breach in late]
    findings = with_care(findings, project.sql_files.is_migration, policy.root)
    secrets = secrets_of(project.files)
    usual = policy.root / (policy.baseline or BASELINE)
    if request.accept and (request.baseline or policy.baseline or os.path.lexists(usual)):
        from dal_audit.acceptance import accept

        file = request.folder / request.baseline if request.baseline else usual
        findings, stale = accept(findings, file, policy.root, active, secrets)
        late = judge_suppressions(project, active, [(None, use) for use in stale])
        findings += [triage.finding(rule, breach) for rule, breach in late]
    if request.since is not None:
        from dal_audit.since import on_changed_lines

        findings = on_changed_lines(findings, policy.root, request.since)
    reported = [file for file in project.files if is_reported(file.path)]
    return Part(
        policy.root,
        tuple(one for one in findings if one.rule.about_project or is_reported(one.place.path)),
        active,
        project,
        len(reported),
        languages_of(reported, texts, project),
        sum(file.attention == "ruled-out" for file in reported),
        (*project.assumptions, *unknown),
        secrets,
        limited="." not in scope.requested or request.since is not None,
    )


def languages_of(
    reported: Sequence[FileFacts], scripts: Container[str], project: Project
) -> frozenset[str]:
    """Return what the audited files are: SQL, Python, and migrations in Python."""
    found = {"sql" if one.path in scripts else "python" for one in reported}
    sets = project.layout.by_path()
    if any(one.path in sets and one.path not in scripts for one in reported):
        found.add("python-migrations")
    return frozenset(found)


def released_since(
    layout: MigrationLayout, root: Path, active: Sequence[Rule], revision: str | None
) -> tuple[tuple[Edited, ...], tuple[str, ...]]:
    """Return what became of released migrations, and what is to be said if that is not known."""
    if not layout.sets:
        return (), ()
    from dal_audit.edited import edited_migrations  # only where there are migrations

    return edited_migrations(layout, root, active, revision)


def cache_of(scope: Scope, tree: Tree, catalogue: Catalogue, request: Request) -> Cache:
    """Return what is known of the files from an earlier run.

    A cache that git tracks is none of this machine's: whoever put it there could have left a leak
    out of it.
    """
    if not request.cache or not request.shortcuts or tree.has_cache:
        return no_cache()
    root = scope.policy.root
    place = request.cache_folder
    if place is None:
        file = root / CACHE / FILE
    else:
        name = sha256(os.fsencode(root)).hex()[:16]
        file = request.folder / place / f"{name}.facts"
    look = look_at(tree.files, catalogue)
    cache = Cache(file, key_of(catalogue, thorough=look.thorough, foreign=look.foreign))
    cache.identify((*tree.files, *tree.scripts), lambda files: digests_of(files, jobs=request.jobs))
    return cache


def clean(request: Request) -> None:
    """Remove the caches of all projects that are asked for.

    Raises ConfigurationError and UsageError as `audit` does, OSError where one cannot be removed.
    """
    if request.cache_folder is not None:
        remove_cache(request.folder / request.cache_folder)
        return
    for scope in plan(request.paths, request.folder, request.config, known_rules()).scopes:
        remove_cache(scope.policy.root / CACHE)


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


def merge(parts: Sequence[Part], base: Path, request: Request) -> Report:
    """Make one report of several projects, with paths relative to the base."""
    folder = request.folder
    findings = sorted((one for part in parts for one in _moved(part, base)), key=_order)
    ran = {rule.id: rule for part in parts for rule in part.rules}
    several = len(parts) > 1
    secrets = {
        os.path.normpath(f"{_relative(part.root, base)}/{path}"): spans
        for part in parts
        for path, spans in part.secrets.items()
    }
    return Report(
        findings=tuple(findings),
        rules=tuple(ran[rule_id] for rule_id in sorted(ran)),
        clauses=clauses(),
        sources=_sources(findings, base, secrets, counted_from(base, folder, request.instead)),
        files=sum(part.files for part in parts),
        languages=frozenset().union(*(part.languages for part in parts)),
        ruled_out=sum(part.ruled_out for part in parts),
        assumptions=tuple(
            f"{line} (in {_relative(part.root, base)})" if several else line
            for part in parts
            for line in part.assumptions
        ),
        limited=any(part.limited for part in parts),
        version=__version__,
        here=_relative(folder, base),
        there=_relative(base, folder),
    )


def _moved(part: Part, base: Path) -> Iterator[Finding]:
    prefix = _relative(part.root, base)
    for finding in part.findings:
        if prefix == ".":
            yield finding
        else:
            yield finding.moved(lambda path: os.path.normpath(f"{prefix}/{path}"))


def _order(finding: Finding) -> tuple[object, ...]:
    place = finding.place
    return (place.path, place.span, finding.rule.id, finding.breach.message)


def _sources(
    findings: Sequence[Finding],
    base: Path,
    secrets: Mapping[str, tuple[Span, ...]],
    instead: Mapping[str, Path],
) -> Mapping[str, bytes]:
    """Read the files that findings point into once more, for excerpts and line hashes.

    No report sees a secret, so none can print one, whichever format or finding shows the line.
    """
    paths = {finding.place.path for finding in findings}
    paths |= {one.place.path for finding in findings for one in finding.breach.related}
    found = {}
    for path in sorted(paths):
        try:
            # A pipe or a device would keep the reader waiting.
            file = instead.get(path, base / path)
            data = file.read_bytes() if file.is_file() else b""
        except OSError:
            continue  # What cannot be read is a finding already; it is shown without an excerpt.
        found[path] = redacted(data, secrets[path]) if path in secrets else data
    return found


def _prefix(root: Path, folder: Path) -> str:
    """Return what leads to a root from the current folder; nothing where it leads out of it."""
    relative = _relative(root, folder)
    return "" if relative == "." or relative.startswith("..") else f"{relative}/"


def _relative(path: Path, base: Path) -> str:
    return Path(os.path.relpath(path, base)).as_posix()
