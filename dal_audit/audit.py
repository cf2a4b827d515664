"""The whole program, one line a stage: discover → extract → assemble → judge → triage → report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import closing
from functools import lru_cache, partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict, replace

from dal_audit.assemble.assembly import Audited, assemble, reassemble
from dal_audit.assemble.blind_spot import BlindSpot
from dal_audit.assemble.blind_spots import blind_spots
from dal_audit.assemble.engine_modules import assumptions as engine_assumptions
from dal_audit.assemble.import_index import import_index_of
from dal_audit.assemble.library_versions import assumptions as library_assumptions
from dal_audit.assemble.project import Project
from dal_audit.assemble.zones import configured_storage
from dal_audit.catalogue.digest import sha256
from dal_audit.catalogue.drivers import Catalogue
from dal_audit.catalogue.rulebook import Rule, known_rules
from dal_audit.discover.cache_folder import CACHE
from dal_audit.discover.errors import UsageError
from dal_audit.discover.files import ProjectFiles, project_files, with_unsaved
from dal_audit.discover.projects import AuditPlan, ProjectScope, plan_audit, relative_to
from dal_audit.extract.cache import Cache, FactsError, key_of, no_cache
from dal_audit.extract.cache_file import FILE
from dal_audit.extract.extractor import (
    ExtractionOptions,
    digests_of,
    first_look,
    options_for,
)
from dal_audit.extract.inquiries import Inquiry
from dal_audit.extract.limits import MAX_PARSED_BYTES
from dal_audit.extract.second_reading import SecondReader
from dal_audit.extract.storage_first import extract_project
from dal_audit.facts import FileFacts, SourceFile
from dal_audit.judge.breach import Finding
from dal_audit.judge.run import judge
from dal_audit.judge.selection import active_rules, catalogue_of
from dal_audit.policy.request import Request
from dal_audit.report.merge import ProjectResult, audited_files, languages_of, merge, part_of
from dal_audit.report.model import Report
from dal_audit.report.outcome import Outcome
from dal_audit.report.summary import plural
from dal_audit.triage.findings import Triaged, expects_baseline, triage, triage_file
from dal_audit.triage.grounds import are_expected, founded
from dal_audit.triage.redaction import secrets_of


def audit(request: Request) -> Report:
    """Audit all that is asked for, project by project, and return one report.

    Raises ConfigurationError for a faulty configuration, UsageError for a path that does not exist,
    DiscoveryError, WorkerError and CheckError where dal-audit itself fails.
    """
    plan = projects_of(request)
    results = [audit_project(scope, request) for scope in plan.scopes]
    report = merge(results, plan, request)
    return replace(report, outcome=results[0].outcome) if len(results) == 1 else report


def projects_of(request: Request) -> AuditPlan:
    """Return the projects that a request is about.

    Raises as `audit` does, and UsageError where one baseline is given for several projects.
    """
    found = plan_audit(
        request.paths, request.folder, request.config, known_rules(), unsaved=request.instead
    )
    if request.baseline is not None and len(found.scopes) > 1:
        raise UsageError("error: --baseline is for one project, and PATHS hold several")
    if request.facts and len(found.scopes) > 1:
        raise UsageError("error: --facts are of one project, and PATHS hold several")
    if request.facts and not request.shortcuts:
        raise UsageError("error: --no-shortcuts reads each file itself: leave out --facts")
    return found


class Reading(Struct, frozen=True):
    """A project that was read and can be judged, with what an edit of it goes on from."""

    scope: ProjectScope
    rules: Sequence[Rule]
    catalogue: Catalogue
    tree: ProjectFiles
    cache: Cache
    audited: Audited
    reader: SecondReader | None = None


def audit_project(scope: ProjectScope, request: Request) -> ProjectResult:
    """Take one project through the stages."""
    with closing(SecondReader(request.jobs, shortcuts=request.shortcuts)) as reader:
        reading = read_project(scope, request, reader)
        # Nothing is followed any more.
        reading.audited.project.memo.forget(import_index_of)
        try:
            return judged(reading, request)
        finally:
            reading.cache.save()


def read_project(
    scope: ProjectScope, request: Request, reader: SecondReader | None = None
) -> Reading:
    """Take one project through the stages up to its assembly.

    A `reader` of what findings rest on begins with it, where there will be some.
    """
    policy = scope.policy
    rules = [rule for rule in active_rules(policy, request) if rule.proof == "audit"]
    catalogue = catalogue_of(policy)

    request.watch(1, "looking for files")
    tree = discover(scope, request)
    scope = scope.settled(file.path for file in (*tree.files, *tree.scripts))
    if tree.rust:
        require_rust()

    request.watch(2, f"reading {plural(len(tree.files) + len(tree.rust), 'file')}")
    cache = cache_of(scope, tree, catalogue, request)
    storage = configured_storage(policy, tree.modules)
    options = partial(
        options_for, tree.files, catalogue, policy.source_roots, shortcuts=request.shortcuts
    )
    facts = extract_project(
        tree.files,
        lru_cache(1)(options),
        storage,
        jobs=request.jobs,
        cache=cache,
        count=request.count,
    )

    request.watch(3, "following names through files")
    outside = (file for file in facts if file.path not in storage)
    if reader and cache.is_new and are_expected(outside, tree.files, catalogue):
        reader.begin()
    audited = assemble(scope, tree, catalogue, facts, rules, cache, request)
    take_down(cache.inquiry, tree, audited.project)
    return Reading(scope, rules, catalogue, tree, cache, audited, reader)


def can_read_again(reading: Reading, path: str) -> bool:
    """Return whether nothing but Python's readers read a file, so that it alone is read again."""
    tree = reading.tree
    others = (*tree.scripts, *tree.ci, *tree.suites)
    is_other = any(file.path == path for file in others)
    is_migration = path in reading.audited.project.layout.by_path()
    is_audited = any(file.path == path for file in tree.files)
    return is_audited and path.endswith((".py", ".pyi")) and not is_other and not is_migration


def take_down(inquiry: Inquiry, tree: ProjectFiles, project: Project) -> None:
    """Say of an inquiry which files can be asked again, and what that depends on.

    That are Python's own, but for those that migrations or CI are read from.
    """
    inquiry.sizes = {file.path: file.size for file in tree.files if file.path.endswith(".py")}
    inquiry.bar(file.path for file in tree.files if file.flaw or file.size > MAX_PARSED_BYTES)
    inquiry.bar(file.path for file in tree.ci)
    inquiry.bar(project.layout.by_path())
    inquiry.size = sum(file.size for file in tree.files)
    policy, layout = project.policy, project.layout
    inquiry.imports_decide = project.hangs_on_imports
    inquiry.tops = project.names.tops
    inquiry.asks_folders = bool(policy.migrations or policy.waivers)
    inquiry.asks_index = bool(project.edited)
    inquiry.asks_beyond = bool(layout.sets or layout.unrecognised) or inquiry.asks_folders


def read_again(before: Reading, path: str, text: Path, request: Request) -> Reading:
    """Return a project of which one Python file holds another text, which lies in a file.

    The file must be one that `can_read_again`.
    """
    tree = with_unsaved(before.tree, {path: text})
    edited = [file for file in tree.files if file.path == path]
    options = options_for(
        tree.files,
        before.catalogue,
        before.scope.policy.source_roots,
        shortcuts=request.shortcuts,
        foreign=before.cache.foreign,
    )
    facts = first_look(edited, options)
    if _answers_alike(before, options, edited[0], facts[0]):
        return replace(before, tree=tree)
    before.cache.forget(path)
    before.cache.note_first(edited[0], facts[0])
    audited = reassemble(before.audited, tree, facts, before.cache, request)
    return replace(before, tree=tree, audited=audited)


def _answers_alike(
    before: Reading, options: ExtractionOptions, file: SourceFile, facts: FileFacts
) -> bool:
    """Return whether a file answers all that was asked of it as it did before.

    Whatever else its text says then, nothing that is found is another.
    """
    inquiry = before.cache.inquiry
    known = inquiry.answers_of(file.path)
    if known is None or not known.asked:
        return False
    from dal_audit.extract.answers import Respondents  # only where a file was edited

    return Respondents(inquiry.questions, options, {file.path: facts}).answers(file, known)


def judged(reading: Reading, request: Request) -> ProjectResult:
    """Take a project that was read through the stages that are left."""
    rules, project = reading.rules, reading.audited.project
    triaged = found_in(reading, request)
    spots = spots_of(project, rules, reading.tree, triaged, request)
    outcome = outcome_of(reading, triaged.findings, spots)
    part = part_of(outcome, reading.scope.requested, limited=request.since is not None)
    return ProjectResult(**asdict(part), project=project, outcome=outcome)


def found_in(reading: Reading, request: Request) -> Triaged:
    """Return what is found in a project that was read. Raises as `audit` does."""
    project = reading.audited.project
    request.watch(4, f"judging {plural(len(project.files), 'file')}")
    triaged = triage(project, reading.rules, judge(project, reading.rules), request)
    findings = founded(
        triaged.findings,
        project.files,
        reading.tree.files,
        reading.cache,
        request,
        reading.reader,
    )
    if expects_baseline(project.policy, request):
        # It is matched by the lines that findings lie on, and by which files are gone.
        reading.cache.inquiry.bar(finding.place.path for finding in findings)
        reading.cache.inquiry.asks_beyond = reading.cache.inquiry.asks_folders = True
    return replace(triaged, findings=findings)


def found_in_file(reading: Reading, path: str, request: Request) -> list[Finding]:
    """Return what is found in one file by rules that look at files. Raises as `audit` does."""
    project = reading.audited.project
    breaches = judge(project, reading.rules, only=path)
    return triage_file(project, reading.rules, breaches, path, request)


def require_rust() -> None:
    """Raise UsageError where there is Rust, and nothing to read it with."""
    from dal_audit.extract.rust_sources import ADVICE, has_parser  # only where there is Rust

    if not has_parser():
        raise UsageError(f"error: {ADVICE}")


def spots_of(
    project: Project,
    rules: Sequence[Rule],
    tree: ProjectFiles,
    triaged: Triaged,
    request: Request,
) -> tuple[BlindSpot, ...]:
    """Return what was not looked at: all of it, where no audited line changed since a revision."""
    if triaged.is_untouched:
        return (BlindSpot("", f"no audited line changed since {request.since}", is_total=True),)
    return tuple(blind_spots(project, rules, tree.templates, tree.absent))


def discover(scope: ProjectScope, request: Request) -> ProjectFiles:
    """Return the project's files; what is not saved yet is read from where it lies."""
    policy = scope.policy
    tree = project_files(policy, scope.listed, nested=scope.nested)
    if not request.instead:
        return tree
    return with_unsaved(tree, relative_to(policy.root, request.folder, request.instead))


def cache_of(
    scope: ProjectScope, tree: ProjectFiles, catalogue: Catalogue, request: Request
) -> Cache:
    """Return what is known of the files from an earlier run.

    A cache that git tracks is none of this machine's: whoever put it there could have left a leak
    out of it. So is one behind a link that lies in the project.
    """
    place = cache_place(scope, tree, request)
    if place is None and not request.facts:
        return no_cache()
    given = [request.folder / file for file in request.facts]
    roots = scope.policy.source_roots
    try:
        cache = Cache(place, key_for(tree, catalogue, roots), given)
    except FactsError as error:
        raise UsageError(f"error: {error}") from error
    cache.inquiry.foreign = tuple(sorted(options_for(tree.files, catalogue, roots).foreign))
    groups = (tree.files, tree.rust, tree.scripts, tree.ci, tree.suites)
    known = {file.path: file for group in groups for file in group}
    cache.identify(known.values(), lambda files: digests_of(files, jobs=request.jobs))
    return cache


def cache_place(scope: ProjectScope, tree: ProjectFiles, request: Request) -> Path | None:
    """Return where facts are kept; None where they are not."""
    if not request.cache or not request.shortcuts or tree.has_cache:
        return None
    root = scope.policy.root
    if request.cache_folder is not None:
        name = sha256(os.fsencode(root)).hex()[:16]
        return request.folder / request.cache_folder / f"{name}.facts"
    return None if (root / CACHE).is_symlink() else root / CACHE / FILE


def key_for(tree: ProjectFiles, catalogue: Catalogue, roots: Sequence[str] | None) -> bytes:
    """Return a hash of all that the facts of a project's files depend on beside their bytes."""
    options = options_for(tree.files, catalogue, roots)
    return key_of(catalogue, thorough=options.thorough, foreign=options.foreign)


def outcome_of(
    reading: Reading, findings: Sequence[Finding], spots: tuple[BlindSpot, ...]
) -> Outcome:
    """Return what was found in all of a project."""
    audited = reading.audited
    project = audited.project
    return Outcome(
        project.policy.root,
        tuple(findings),
        tuple(reading.rules),
        audited_files(project, audited.scripts),
        languages_of(project),
        (
            *project.assumptions,
            *engine_assumptions(project),
            *library_assumptions(project),
            *audited.unknown,
        ),
        spots,
        secrets_of(project),
        reading.cache.inquiry,
        tested_in(project),
        _notes(findings, project),
    )


def _notes(findings: Sequence[Finding], project: Project) -> tuple[str, ...]:
    """Return which assumption many findings hang on, with the line that decides it."""
    if not findings:
        return ()
    from dal_audit.triage.premises import premises  # only where something was found

    return tuple(premises(findings, project))


def tested_in(project: Project) -> tuple[tuple[str, str, bool], ...] | None:
    """Return each target backend with the job that tests it, and whether it was seen to.

    None where there is no CI.
    """
    if not project.ci.files and not project.ci.foreign:
        return None
    from dal_audit.assemble.workflows.proof import tested_backends  # only where there is CI

    return tuple(
        (tested.backend, tested.by, tested.is_proved) for tested in tested_backends(project)
    )
