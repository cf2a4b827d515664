"""What a file says about how a project is tested, in words that no CI system owns.

Expressions (`${{ … }}`) and variables stand in texts as they are written: what they come to follows
from several files, and is worked out where the project is assembled.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from dal_audit.facts import FactRecord, FileFacts, NotUnderstood, Span, Suppression, TaggedFact
from dal_audit.facts.ci_files import CiSystem, ci_kind_of


class CiText(FactRecord, frozen=True):
    """A text and where it stands."""

    text: str
    span: Span


class CiSetting(FactRecord, frozen=True):
    """A key with a text for its value; `key` is where the key stands."""

    name: str
    key: Span
    value: CiText


DataKind: TypeAlias = Literal["text", "number", "boolean", "null", "list", "table"]


class CiData(FactRecord, frozen=True):
    """A value of a matrix: a scalar as it is written, or a list or table of further ones."""

    kind: DataKind
    span: Span
    text: str = ""
    names: tuple[str, ...] = ()
    items: tuple[CiData, ...] = ()


class CiMatrix(FactRecord, frozen=True):
    """The legs of a job: the values of each axis, combinations that are added and left out.

    `computed` is the expression of a matrix that only a run knows.
    """

    span: Span
    axes: tuple[tuple[str, CiData], ...] = ()
    include: tuple[CiData, ...] = ()
    exclude: tuple[CiData, ...] = ()
    computed: str = ""


Operator: TypeAlias = Literal["", "&&", "||", "|", ";", "&"]

Part: TypeAlias = Literal["", "condition", "branch", "loop"]
"""Where a command stands: nowhere in particular, in the condition or a branch of an `if`, in a
loop."""


class CiCommand(FactRecord, frozen=True):
    """A simple command of a shell script.

    `words` have lost their quotes, and keep variables and expressions; `assigned` are the variables
    before the command's name. `then` is the operator behind it, `output` the file that takes what
    it prints, `depth` how many groups are open around it.
    """

    span: Span
    words: tuple[str, ...]
    assigned: tuple[tuple[str, str], ...] = ()
    then: Operator = ""
    output: str = ""
    part: Part = ""
    depth: int = 0
    is_negated: bool = False
    given: str = ""


class CiService(FactRecord, frozen=True):
    """A server that is started beside a job; `checked` says that its health is looked at.

    `needs` are the services of a compose file that are started before it, each with whether it is
    waited for until it is healthy.
    """

    name: str
    key: Span
    image: str
    options: str = ""
    checked: bool = False
    needs: tuple[tuple[str, bool], ...] = ()


class CiStep(FactRecord, frozen=True):
    """A step of a job: a script, or an action that is used with inputs."""

    span: Span
    name: str = ""
    script: tuple[CiCommand, ...] = ()
    uses: CiText | None = None
    inputs: tuple[CiSetting, ...] = ()
    env: tuple[CiSetting, ...] = ()
    condition: CiSetting | None = None
    soft: CiSetting | None = None
    """What lets the job pass although the step failed."""
    shell: str = ""
    id: str = ""
    directory: str = ""


class CiTrigger(FactRecord, frozen=True):
    """An event that starts a workflow or a job, with the filters that it has to pass.

    `branches` are those on which it runs, None for all; `narrowed` says that only tags or some
    paths or types start it.
    """

    event: str
    key: Span
    branches: tuple[str, ...] | None = None
    paths: tuple[str, ...] | None = None
    ignored_paths: tuple[str, ...] = ()
    types: tuple[str, ...] | None = None
    tags_only: bool = False
    paths_key: Span | None = None


class CiJob(FactRecord, frozen=True):
    """A job; `key` is where its name stands.

    `needs_key` is where the jobs stand that it waits for. `awaits_services` says that the CI system
    itself waits until the services answer. `triggers` are a job's own, None for the workflow's.
    """

    name: str
    key: Span
    needs: tuple[CiText, ...] = ()
    needs_key: Span | None = None
    condition: CiSetting | None = None
    soft: CiSetting | None = None
    matrix: CiMatrix | None = None
    env: tuple[CiSetting, ...] = ()
    services: tuple[CiService, ...] = ()
    steps: tuple[CiStep, ...] = ()
    uses: CiText | None = None
    inputs: tuple[CiSetting, ...] = ()
    shell: str = ""
    runner: str = ""
    directory: str = ""
    awaits_services: bool = False
    triggers: tuple[CiTrigger, ...] | None = None


class CiWorkflow(TaggedFact, frozen=True):
    """A CI system's file: what starts it, and its jobs.

    `parameters` are the inputs of one that others call, with their defaults.
    """

    span: Span
    system: CiSystem
    triggers: tuple[CiTrigger, ...]
    triggers_key: Span
    jobs: tuple[CiJob, ...]
    env: tuple[CiSetting, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    shell: str = ""
    directory: str = ""
    duplicates: tuple[CiText, ...] = ()
    """Keys that stand twice in one table, for which the system refuses the file."""
    leads_on: bool = False
    """Whether it takes in jobs from further files, which are not read."""


class CiAction(TaggedFact, frozen=True):
    """A composite action: its steps, and its inputs with their defaults."""

    span: Span
    steps: tuple[CiStep, ...]
    parameters: tuple[tuple[str, str], ...] = ()


class CiTarget(FactRecord, frozen=True):
    """What a tool runs by a name: a tox environment, a session, a target, a script.

    `env` is set for it; `passes` are the globs of variables that reach it from outside, None for
    all of them. `condition` are the factors of a tox environment's name that it stands for.
    """

    name: str
    span: Span
    commands: tuple[CiCommand, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    passes: tuple[str, ...] | None = None
    needs: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class CiTool(TaggedFact, frozen=True):
    """A file that says what a command runs, by names; `first` are those that run without one."""

    span: Span
    targets: tuple[CiTarget, ...]
    first: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()
    """The packages that it declares which start a server for tests."""
    chosen_by: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Variables that choose among `first`: each with its values, and the factors that they mean."""


class CiCompose(TaggedFact, frozen=True):
    """A compose file's services."""

    span: Span
    services: tuple[CiService, ...]


class DeclaredBackend(TaggedFact, frozen=True):
    """An engine that a project declares: `by` is the package or module that `span` names."""

    span: Span
    backend: str
    by: str


class CiSecrets(TaggedFact, frozen=True):
    """Where passwords stand in a file of CI; also in one that cannot be parsed."""

    span: Span
    secrets: tuple[Span, ...]


class SkipGuard(FactRecord, frozen=True):
    """What skips tests without a word: at `span`, unless its variables are set.

    `needs` are variables with the value that they must have ("" for any); one of them is enough
    where `any_of`. `driver` is a module that must be there, `probes` tells of a connection that is
    tried out.
    """

    span: Span
    extent: tuple[int, int]
    needs: tuple[tuple[str, str], ...] = ()
    any_of: bool = False
    driver: str = ""
    probes: bool = False
    ignored: tuple[str, ...] = ()
    """The backends that tests speak of which are run only where ignored ones are asked for."""
    feature: str = ""
    """The feature without which tests are not built."""


NamedHow: TypeAlias = Literal["parameters", "url", "driver", "variable", "name"]


class NamedBackend(FactRecord, frozen=True):
    """A place in a test that names a backend: how, and which ones (all of a list of parameters).

    `tests` are those that a list of parameters is for, none where it is for all of a file.
    """

    span: Span
    extent: tuple[int, int]
    how: NamedHow
    backends: tuple[str, ...]
    tests: tuple[str, ...] = ()


class PrintedVariable(FactRecord, frozen=True):
    """A place that prints what an environment variable holds."""

    span: Span
    extent: tuple[int, int]
    variable: str


class SuiteFile(TaggedFact, frozen=True):
    """What a file of tests says about the backends that it runs on.

    `imports` are the dotted names of the modules it imports, `reads` the environment variables,
    `servers` the libraries that start a server for it; `tests` are the names of its tests,
    `secrets` the places of passwords.
    """

    span: Span
    imports: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    guards: tuple[SkipGuard, ...] = ()
    named: tuple[NamedBackend, ...] = ()
    printed: tuple[PrintedVariable, ...] = ()
    servers: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    secrets: tuple[Span, ...] = ()


CiFact: TypeAlias = (
    CiWorkflow
    | CiAction
    | CiTool
    | CiCompose
    | CiSecrets
    | DeclaredBackend
    | SuiteFile
    | Suppression
    | NotUnderstood
)


class CiRead(FactRecord, frozen=True):
    """What was read of a file, and as what: equal bytes mean something else in another file."""

    kind: str
    facts: tuple[CiFact, ...]


class CiFiles(Struct, frozen=True):
    """The files of a project that tell how it is tested.

    `foreign` are the paths of CI systems that are not read, `suites` the facts of its tests.
    `anchor` is the file of a project in a repository of its own that has no CI at all; `is_known`
    says that somebody asked, so that what is not here does not exist.
    """

    files: tuple[FileFacts, ...] = ()
    suites: tuple[FileFacts, ...] = ()
    foreign: tuple[str, ...] = ()
    anchor: str = ""
    is_known: bool = False
    features: Mapping[str, tuple[str, ...]] = MappingProxyType({})
    """The features that the packages of Rust have by default, by their folders."""

    @property
    def workflows(self) -> tuple[str, ...]:
        """The files that are a CI system's, also those that are not understood."""
        read = (
            file.path
            for file in self.files
            if any(isinstance(fact, (CiWorkflow, NotUnderstood)) for fact in file.facts)
        )
        return (*read, *self.foreign)

    @property
    def audited(self) -> tuple[FileFacts, ...]:
        """The files that are audited for CI alone; of others these facts are a part."""
        return tuple(file for file in self.files if ci_kind_of(file.path) not in _SHARED)


_SHARED: Final = frozenset(
    {"nox", "project", "tox", "package", "requirements", "settings", "setup"}
)
"""Kinds of files that say more than how a project is tested."""
