"""Which files are audited: git's view where there is one, the file system elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dal_audit.audit import audit
from dal_audit.catalogue.rulebook import known_rules
from dal_audit.discover import files as discover
from dal_audit.discover import git_command, git_listing
from dal_audit.discover.files import path_filter, project_files
from dal_audit.discover.git_listing import DiscoveryError, git_toplevel, list_paths
from dal_audit.policy import default_policy, load_policy
from dal_audit.policy.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

DRIVER = "import sqlite3\n"


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "no-such-file"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(folder: Path, *words: str) -> None:
    """Run git in a folder."""
    settings = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True)


def repository(folder: Path, files: Mapping[str, str] | None = None) -> Path:
    """Make a repository with files in its first commit."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q")
    write(folder, files or {})
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    return folder


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write files below a folder."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def audited(root: Path, *within: str) -> list[str]:
    """Return the paths that are audited in a project without configuration."""
    return [
        file.path for file in project_files(default_policy(root), list_paths(root, within)).files
    ]


def configured(root: Path, text: str, *within: str) -> list[str]:
    """Return the paths that are audited in a project with a configuration."""
    (root / "dal-audit.toml").write_text(text)
    policy = load_policy(root / "dal-audit.toml", known_rules=known_rules())
    return [file.path for file in project_files(policy, list_paths(root, within)).files]


def found(root: Path, *paths: str) -> list[str]:
    """Audit, and return the findings as `path RULE`."""
    report = audit(Request(folder=root, paths=paths or (".",)))
    return [f"{one.place.path} {one.rule.id}" for one in report.findings]


# The file system


def test_without_git_the_file_system_is_walked(tmp_path: Path) -> None:
    write(
        tmp_path, {"b.py": "", "a/c.py": "", "a/d/e.pyi": "", "f.pyw": "", "g.txt": "", "h.pyc": ""}
    )
    assert audited(tmp_path) == ["a/c.py", "a/d/e.pyi", "b.py", "f.pyw"]


def test_hidden_folders_are_looked_at(tmp_path: Path) -> None:
    write(tmp_path, {".github/scripts/a.py": "", ".hidden.py": ""})
    assert audited(tmp_path) == [".github/scripts/a.py", ".hidden.py"]


@pytest.mark.parametrize("folder", sorted(git_listing.BUILT_IN_EXCLUDES - {".git"}))
@pytest.mark.parametrize("in_git", [False, True])
def test_folders_of_others_are_left_out(folder: str, in_git: bool, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "", f"x{folder}/b.py": ""})
    if in_git:
        repository(tmp_path)
    write(tmp_path, {f"{folder}/b.py": DRIVER, f"x/{folder}/y/b.py": DRIVER, f"{folder}.py": ""})
    assert audited(tmp_path) == sorted(["a.py", f"{folder}.py", f"x{folder}/b.py"])


@pytest.mark.parametrize("folder", sorted(discover.BUILD_OUTPUT))
def test_build_output_is_left_out_unless_it_is_a_package(folder: str, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            f"{folder}/lib/a.py": "",
            f"app/{folder}/__init__.py": "",
            f"app/{folder}/sub/b.py": "",
            f"other/{folder}/c.py": "",
            f"{folder}.py": "",
        },
    )
    assert audited(tmp_path) == sorted(
        [f"app/{folder}/__init__.py", f"app/{folder}/sub/b.py", f"{folder}.py"]
    )


def test_a_package_in_build_output_does_not_open_it(tmp_path: Path) -> None:
    write(tmp_path, {"build/lib/app/__init__.py": "", "build/lib/app/a.py": "", "c.py": ""})
    assert audited(tmp_path) == ["c.py"]


def test_without_the_program_git_the_file_system_is_walked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(tmp_path, {"a.py": "", ".gitignore": "b.py\n"})
    write(tmp_path, {"b.py": ""})
    monkeypatch.setenv("PATH", str(tmp_path))
    assert audited(tmp_path) == ["a.py", "b.py"]


# Git's view


def test_tracked_and_untracked_files_but_not_ignored_ones(tmp_path: Path) -> None:
    repository(tmp_path, {"tracked.py": "", ".gitignore": "ignored*.py\nout/\n"})
    write(tmp_path, {"untracked.py": "", "ignored.py": "", "out/a.py": "", "sub/b.py": ""})
    git(tmp_path, "add", "-f", "ignored.py")
    write(tmp_path, {"ignored2.py": ""})
    assert audited(tmp_path) == ["ignored.py", "sub/b.py", "tracked.py", "untracked.py"]


def test_a_folder_in_a_repository_has_the_repository_s_view(tmp_path: Path) -> None:
    repository(tmp_path, {"sub/a.py": "", "b.py": "", ".gitignore": "c.py\n"})
    write(tmp_path, {"sub/c.py": "", "sub/d.py": ""})
    assert audited(tmp_path / "sub") == ["a.py", "d.py"]


def test_a_deleted_file_is_no_part_of_the_tree(tmp_path: Path) -> None:
    repository(tmp_path, {"a.py": "", "b.py": ""})
    (tmp_path / "a.py").unlink()
    assert audited(tmp_path) == ["b.py"]


def test_a_deleted_module_shadows_no_driver(tmp_path: Path) -> None:
    repository(tmp_path, {"redis.py": "", "app.py": "import redis\n"})
    assert found(tmp_path) == []
    (tmp_path / "redis.py").unlink()
    assert found(tmp_path) == ["app.py DAL101"]


def test_a_deleted_storage_package_does_not_exist(tmp_path: Path) -> None:
    settings = 'storage = ["store/**"]\n'
    repository(tmp_path, {"store/a.py": "", "b.py": "", "dal-audit.toml": settings})
    assert found(tmp_path) == []
    (tmp_path / "store" / "a.py").unlink()
    assert found(tmp_path) == ["dal-audit.toml DAL902"]


def test_a_file_that_git_keeps_out_of_the_work_tree_is_no_part_of_it(tmp_path: Path) -> None:
    """A sparse checkout lacks files on purpose."""
    repository(tmp_path, {"a.py": "", "b.py": ""})
    git(tmp_path, "update-index", "--skip-worktree", "a.py")
    (tmp_path / "a.py").unlink()
    assert audited(tmp_path) == ["b.py"]
    assert found(tmp_path) == []


def test_an_intended_addition_and_a_conflict_are_listed_once(tmp_path: Path) -> None:
    repository(tmp_path, {"a.py": "x = 1\n"})
    write(tmp_path, {"b.py": ""})
    git(tmp_path, "add", "-N", "b.py")
    git(tmp_path, "checkout", "-q", "-b", "other")
    write(tmp_path, {"a.py": "x = 2\n"})
    git(tmp_path, "commit", "-q", "-m", "second", "a.py")
    git(tmp_path, "checkout", "-q", "-")
    write(tmp_path, {"a.py": "x = 3\n"})
    git(tmp_path, "commit", "-q", "-m", "third", "a.py")
    with pytest.raises(subprocess.CalledProcessError):
        git(tmp_path, "merge", "-q", "other")
    assert audited(tmp_path) == ["a.py", "b.py"]


def test_a_linked_work_tree(tmp_path: Path) -> None:
    main = repository(tmp_path / "main", {"a.py": ""})
    git(main, "worktree", "add", "-q", str(tmp_path / "linked"))
    write(tmp_path / "linked", {"b.py": ""})
    assert audited(tmp_path / "linked") == ["a.py", "b.py"]


@pytest.mark.parametrize("name", ["sub", "lib.v2", "lib.py", "größe", "with space"])
def test_a_submodule_is_part_of_the_tree(name: str, tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"a.py": DRIVER, ".gitignore": "b.py\n"})
    outer = repository(tmp_path / "outer", {"c.py": ""})
    git(outer, "submodule", "-q", "add", str(inner), name)
    write(outer / name, {"b.py": "", "d.py": ""})
    assert audited(outer) == sorted(["c.py", f"{name}/a.py", f"{name}/d.py"])


@pytest.mark.parametrize("name", ["sub", "lib.v2"])
def test_a_repository_inside_another_is_part_of_the_tree(name: str, tmp_path: Path) -> None:
    outer = repository(tmp_path / "outer", {"c.py": ""})
    repository(outer / name, {"a.py": DRIVER})
    assert audited(outer) == sorted(["c.py", f"{name}/a.py"])


def test_a_submodule_that_is_not_checked_out_is_empty(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"a.py": ""})
    outer = repository(tmp_path / "outer", {"c.py": ""})
    git(outer, "submodule", "-q", "add", str(inner), "sub")
    git(outer, "commit", "-q", "-m", "second")
    git(tmp_path, "clone", "-q", "outer", "clone")
    assert audited(tmp_path / "clone") == ["c.py"]


def test_what_a_hook_tells_git_is_about_the_hook_s_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git exports these to hooks; they must not lead a listing elsewhere."""
    other = repository(tmp_path / "other", {"wrong.py": ""})
    here = repository(tmp_path / "here", {"a.py": "", "sub/b.py": ""})
    for name, value in (
        ("GIT_DIR", str(other / ".git")),
        ("GIT_WORK_TREE", str(other)),
        ("GIT_INDEX_FILE", str(other / ".git" / "index")),
        ("GIT_PREFIX", "nowhere/"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            assert audited(here) == ["a.py", "sub/b.py"], name
            assert audited(here / "sub") == ["b.py"], name


def test_a_submodule_s_repository_that_is_gone_is_a_finding(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"a.py": DRIVER})
    outer = repository(tmp_path / "outer", {"c.py": DRIVER})
    git(outer, "submodule", "-q", "add", str(inner), "sub")
    (outer / ".git" / "modules").rename(tmp_path / "gone")
    assert found(outer) == ["c.py DAL101", "sub DAL901"]


def test_a_submodule_s_folder_that_became_something_else(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner", {"a.py": DRIVER})
    outer = repository(tmp_path / "outer", {"c.py": ""})
    for name in ("file.py", "gone", "link", "plain"):
        git(outer, "submodule", "-q", "add", str(inner), name)
        (outer / name).rename(tmp_path / name)
    (outer / "file.py").write_text("")
    (outer / "link").symlink_to(".")
    write(outer, {"plain/d.py": ""})
    assert audited(outer) == ["c.py", "file.py", "plain/d.py"]


def test_a_ceiling_is_the_repository_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository(tmp_path, {"sub/a.py": "", ".gitignore": "b.py\n"})
    write(tmp_path, {"sub/b.py": ""})
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    assert audited(tmp_path / "sub") == ["a.py"]


def test_settings_from_the_environment_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Continuous integration sets `safe.directory` so."""
    write(tmp_path, {"ignored-by-all": "b.py\n"})
    repository(tmp_path / "here", {"a.py": ""})
    write(tmp_path / "here", {"b.py": ""})
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.excludesFile")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(tmp_path / "ignored-by-all"))
    assert audited(tmp_path / "here") == ["a.py"]


def test_nothing_of_the_repository_is_run(tmp_path: Path) -> None:
    root = repository(tmp_path / "root", {"a.py": ""})
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/run'\n")
    hook.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(hook))
    git(root, "ls-files", "--others")
    assert (tmp_path / "run").exists()
    (tmp_path / "run").unlink()
    assert audited(root) == ["a.py"]
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("warning", "folder", "flaw"),
    [
        ("'shut/': Permission denied", "shut", "permission denied"),
        ("'it''s: shut/': Permission denied", "it''s: shut", "permission denied"),
        ("'a/cut/pa", "a/cut/pa", "a folder that git cannot open"),
    ],
)
def test_a_folder_that_git_cannot_open_is_listed_with_its_flaw(
    warning: str, folder: str, flaw: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git writes at most 4 KiB of a warning, and in the user's language unless told otherwise."""
    repository(tmp_path / "here", {"a.py": ""})
    write(tmp_path, {"warning": f"warning: could not open directory {warning}\n"})
    real = shutil.which("git")
    fake = tmp_path / "bin" / "git"
    write(
        tmp_path,
        {"bin/git": f'#!/bin/sh\n[ "$LC_ALL" = C ] && cat "{tmp_path}/warning" >&2\n{real} "$@"\n'},
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    assert list_paths(tmp_path / "here") == {"a.py": "", folder: flaw}


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", ["app"]),
        ('exclude = ["app"]', []),
        ('exclude = ["app/**"]', []),
        ('exclude = ["other"]', ["app"]),
        ('include = ["app/**"]', ["app"]),
        ('include = ["other/**"]', []),
    ],
)
def test_a_folder_with_a_flaw_is_left_out_like_what_lies_in_it(
    settings: str, expected: list[str], tmp_path: Path
) -> None:
    (tmp_path / "dal-audit.toml").write_text(settings)
    policy = load_policy(tmp_path / "dal-audit.toml", known_rules=known_rules())
    shut = "permission denied"
    listed = {"app": shut, ".venv": shut, "x/node_modules": shut, "build": shut, "nested": shut}
    tree = project_files(policy, listed, nested=["nested"])
    assert [file.path for file in tree.files] == expected


def test_an_empty_folder_called_like_a_repository_is_none(tmp_path: Path) -> None:
    """Git passes over it, too."""
    write(tmp_path, {"a.py": "", ".gitignore": "b.py\n", "b.py": ""})
    (tmp_path / ".git").mkdir()
    assert git_toplevel(tmp_path) is None
    assert audited(tmp_path) == ["a.py", "b.py"]


def test_a_repository_that_git_cannot_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere/at/all\n")
    write(tmp_path, {"a.py": ""})
    with pytest.raises(DiscoveryError, match="git ls-files"):
        list_paths(tmp_path)


def test_odd_names_come_through_git(tmp_path: Path) -> None:
    names = ["größe.py", "a b.py", 'quote".py', "new\nline.py", os.fsdecode(b"\xff.py"), "-a.py"]
    repository(tmp_path, dict.fromkeys(names, ""))
    assert audited(tmp_path) == sorted(names)


def test_links_are_followed_out_of_the_tree_only(tmp_path: Path) -> None:
    write(tmp_path, {"outside/there.py": ""})
    root = repository(tmp_path / "root", {"a.py": ""})
    (root / "again.py").symlink_to("a.py")
    (root / "file.py").symlink_to("../outside/there.py")
    (root / "folder").symlink_to("../outside")
    (root / "folder.py").symlink_to("../outside")
    git(root, "add", "-A")
    assert audited(root) == ["a.py", "file.py"]


@pytest.mark.parametrize("in_git", [False, True])
def test_links_that_lead_back_are_not_followed(in_git: bool, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "", "sub/b.py": ""})
    (tmp_path / "self").symlink_to(".")
    (tmp_path / "self.py").symlink_to(".")
    (tmp_path / "sub" / "up").symlink_to("..")
    if in_git:
        repository(tmp_path)
    assert audited(tmp_path) == ["a.py", "sub/b.py"]


# Explicit paths


@pytest.mark.parametrize("in_git", [False, True])
def test_a_link_that_is_asked_for_is_followed(in_git: bool, tmp_path: Path) -> None:
    write(tmp_path, {"outside/there.py": DRIVER})
    root = tmp_path / "root"
    write(root, {"a.py": DRIVER, "sub/b.py": DRIVER, "c.py": DRIVER})
    (root / "link.py").symlink_to("a.py")
    (root / "folder").symlink_to("sub")
    (root / "away.py").symlink_to("../outside/there.py")
    (root / "nowhere.py").symlink_to("nothing.py")
    if in_git:
        repository(root)
    assert found(root, "link.py") == ["a.py DAL101"]
    assert found(root, "folder") == ["sub/b.py DAL101"]
    assert found(root, "folder/b.py") == ["sub/b.py DAL101"]
    assert found(root, "away.py") == ["away.py DAL101"]
    assert found(root, "nowhere.py") == ["nowhere.py DAL901"]


def test_a_project_behind_a_link_is_not_in_the_repository_of_the_link(tmp_path: Path) -> None:
    write(tmp_path, {"away/dal-audit.toml": "", "away/sub/b.py": DRIVER})
    inner = repository(tmp_path / "inner", {"dal-audit.toml": "", "c.py": DRIVER})
    write(inner, {".gitignore": "d.py\n", "d.py": DRIVER})
    root = repository(tmp_path / "root", {"a.py": DRIVER})
    (root / "away").symlink_to("../away")
    (root / "inner").symlink_to("../inner")
    assert found(root, "away/sub") == ["away/sub/b.py DAL101"]
    assert found(root, "inner/c.py") == ["c.py DAL101"]
    assert list_paths(root / "inner").keys() == {".gitignore", "c.py", "dal-audit.toml"}


@pytest.mark.parametrize("in_git", [False, True])
def test_a_path_given_twice_is_audited_once(in_git: bool, tmp_path: Path) -> None:
    write(tmp_path, {"a.py": DRIVER, "sub/b.py": DRIVER})
    if in_git:
        repository(tmp_path)
    assert found(tmp_path, "a.py", "./a.py", "sub/../a.py", str(tmp_path / "a.py")) == [
        "a.py DAL101"
    ]
    assert found(tmp_path / "sub", "..", "b.py") == ["a.py DAL101", "sub/b.py DAL101"]


def test_an_ignored_folder_with_its_own_configuration_is_audited(tmp_path: Path) -> None:
    repository(tmp_path, {".gitignore": "out/\n", "a.py": DRIVER})
    write(tmp_path, {"out/dal-audit.toml": "", "out/b.py": DRIVER})
    assert found(tmp_path) == ["a.py DAL101"]
    assert found(tmp_path, "out") == ["out/b.py DAL101"]
    assert found(tmp_path / "out") == ["out/b.py DAL101"]


def test_an_explicit_path_that_git_ignores_is_audited(tmp_path: Path) -> None:
    repository(tmp_path, {".gitignore": "out/\nb.py\n", "a.py": ""})
    write(tmp_path, {"out/c.py": "", "b.py": ""})
    assert audited(tmp_path) == ["a.py"]
    assert audited(tmp_path, "out") == ["a.py", "out/c.py"]
    assert audited(tmp_path, "out/c.py") == ["a.py", "out/c.py"]
    assert audited(tmp_path, "b.py") == ["a.py", "b.py"]


def test_an_explicit_path_obeys_exclude_and_the_built_in_list(tmp_path: Path) -> None:
    write(tmp_path, {"gen/a.py": "", ".venv/b.py": "", "c.py": ""})
    settings = 'exclude = ["gen"]\n'
    assert configured(tmp_path, settings, "gen/a.py", ".venv/b.py", "gen") == ["c.py"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("", ["a.py", "app/b.py", "app/gen/c.py", "gen/d.py"]),
        ('exclude = ["gen"]', ["a.py", "app/b.py"]),
        ('exclude = ["gen/"]', ["a.py", "app/b.py"]),
        ('exclude = ["./gen"]', ["a.py", "app/b.py", "app/gen/c.py"]),
        ('exclude = ["app/gen/**"]', ["a.py", "app/b.py", "gen/d.py"]),
        ('exclude = ["*.py"]', []),
        ('include = ["app/**"]', ["app/b.py", "app/gen/c.py"]),
        ('include = ["app/**"]\nexclude = ["gen"]', ["app/b.py"]),
        ("include = []", ["a.py", "app/b.py", "app/gen/c.py", "gen/d.py"]),
    ],
)
@pytest.mark.parametrize("in_git", [False, True])
def test_include_and_exclude(
    settings: str,
    expected: list[str],
    in_git: bool,
    tmp_path: Path,
) -> None:
    write(tmp_path, {"a.py": "", "app/b.py": "", "app/gen/c.py": "", "gen/d.py": ""})
    if in_git:
        repository(tmp_path)
    assert configured(tmp_path, settings) == expected


def test_what_is_excluded_still_is_a_module(tmp_path: Path) -> None:
    """A local package that is not audited hides a driver all the same."""
    write(tmp_path, {"redis/__init__.py": "", "app.py": "import redis\n"})
    (tmp_path / "dal-audit.toml").write_text('exclude = ["redis"]\n')
    assert found(tmp_path) == []


# Parts


def test_the_nearest_repository() -> None:
    assert git_toplevel(Path("/")) is None


def test_all_that_git_says_of_one_repository_is_known() -> None:
    command = ["git", "rev-parse", "--local-env-vars"]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    kept = {"GIT_CONFIG_PARAMETERS", "GIT_CONFIG_COUNT"}
    assert kept < set(told)
    assert set(told) - kept - git_command.OF_A_REPOSITORY == set()


def test_a_repository_inside_another_is_the_nearer(tmp_path: Path) -> None:
    outer = repository(tmp_path / "outer")
    inner = repository(outer / "a" / "inner")
    (inner / "b").mkdir()
    assert git_toplevel(inner / "b") == inner
    assert git_toplevel(outer / "a") == outer


@pytest.mark.parametrize(
    ("paths", "inside", "outside"),
    [
        ((".",), ["a", "b/c"], []),
        (("",), ["a"], []),
        (("a",), ["a", "a/b"], ["ab", "b", "b/a"]),
        (("a/",), ["a/b"], ["ab"]),
        (("a", "b/c.py"), ["a/x", "b/c.py"], ["b/c.pyi", "b", "b/d.py"]),
        ((), [], ["a"]),
    ],
)
def test_chosen_paths(paths: tuple[str, ...], inside: list[str], outside: list[str]) -> None:
    wanted = path_filter(paths)
    assert [path for path in inside if not wanted(path)] == []
    assert [path for path in outside if wanted(path)] == []
