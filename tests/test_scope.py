"""Which files belong to which project, and what is reported of them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dal_audit.audit import audit
from dal_audit.discover.errors import UsageError
from dal_audit.policy.request import Request

LEAK = "import sqlite3\n"
Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """Write files into a folder and return it."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def found(folder: Path, *paths: str, config: str | None = None) -> list[str]:
    report = audit(
        Request(paths=paths or (".",), folder=folder, config=folder / config if config else None)
    )
    return [f"{one.place.path} {one.rule.id}" for one in report.open]


def test_git_decides_what_there_is(tree: Tree) -> None:
    root = tree(
        **{
            "tracked.py": LEAK,
            "gone.py": LEAK,
            "untracked.py": LEAK,
            "ignored.py": LEAK,
            ".gitignore": "ignored.py\n",
        }
    )
    git(root, "init", "-q")
    git(root, "add", "tracked.py", "gone.py")
    (root / "gone.py").unlink()
    assert found(root) == ["tracked.py DAL101", "untracked.py DAL101"]


def test_what_git_ignores_is_audited_where_it_is_named(tree: Tree) -> None:
    root = tree(**{"made/a.py": LEAK, ".gitignore": "made/\n"})
    git(root, "init", "-q")
    assert found(root) == [". DAL902"]
    assert found(root, "made") == ["made/a.py DAL101"]


def test_a_submodule_is_audited_with_its_project(tree: Tree, tmp_path: Path) -> None:
    root = tree(**{"main/a.py": LEAK, "other/b.py": LEAK})
    for name in ("other", "main"):
        git(root / name, "init", "-q")
        git(root / name, "add", ".")
        git(root / name, "commit", "-qm", "first")
    allow = ("-c", "protocol.file.allow=always")
    git(root / "main", *allow, "submodule", "add", "-q", str(tmp_path / "other"), "lib")
    assert found(root / "main") == ["a.py DAL101", "lib/b.py DAL101"]


def test_excludes_hold_for_named_files_too_and_it_is_said(tree: Tree) -> None:
    root = tree(
        **{"dal-audit.toml": 'exclude = ["old"]\n', "old/a.py": LEAK, "b.py": "", "c.py": LEAK}
    )
    assert found(root, "old/a.py", "b.py") == ["old/a.py DAL902"]
    assert found(root) == ["c.py DAL101"]


def test_nobody_s_own_source_is_left_out_but_a_package_called_build_is_not(tree: Tree) -> None:
    root = tree(
        **{
            ".venv/lib/a.py": LEAK,
            "node_modules/b.py": LEAK,
            "build/lib/c.py": LEAK,
            "app/build/__init__.py": "",
            "app/build/d.py": LEAK,
        }
    )
    assert found(root) == ["app/build/d.py DAL101"]


def test_each_file_belongs_to_its_nearest_configuration(tree: Tree) -> None:
    root = tree(
        **{
            "one/dal-audit.toml": 'storage = ["store/**"]\n',
            "one/store/a.py": LEAK,
            "one/b.py": LEAK,
            "two/pyproject.toml": '[tool.dal-audit]\nignore = ["DAL101"]\n',
            "two/c.py": LEAK,
            "three/d.py": LEAK,
        }
    )
    assert found(root) == ["one/b.py DAL101", "three/d.py DAL101"]
    assert found(root, "two") == []
    assert found(root / "one") == ["b.py DAL101"]


def test_a_configuration_from_elsewhere_is_read_from_the_current_folder(
    tree: Tree, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tree(**{"store/a.py": LEAK, "b.py": LEAK})
    config = tmp_path_factory.mktemp("elsewhere") / "own.toml"
    config.write_text('storage = ["store/**"]\n', encoding="utf-8")
    report = audit(Request(folder=root, config=config))
    assert [one.place.path for one in report.open] == ["b.py"]


def test_paths_are_relative_to_the_repository(tree: Tree) -> None:
    root = tree(**{"deep/er/a.py": LEAK})
    git(root, "init", "-q")
    assert found(root / "deep") == ["deep/er/a.py DAL101"]


def test_an_empty_folder_is_a_finding(tree: Tree) -> None:
    root = tree(**{"a.py": "", "docs/readme.md": ""})
    assert found(root, "docs") == ["docs DAL902"]
    assert found(root, "a.py") == []


def test_a_path_that_does_not_exist_is_refused(tree: Tree) -> None:
    with pytest.raises(UsageError, match="`nowhere`"):
        found(tree(**{"a.py": ""}), "nowhere")


def test_links_are_followed_out_of_the_tree_and_never_in_circles(
    tree: Tree, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tree(**{"a.py": LEAK})
    outside = tmp_path_factory.mktemp("outside") / "b.py"
    outside.write_text(LEAK, encoding="utf-8")
    links: dict[str, str | Path] = {
        "b.py": outside,
        "same.py": root / "a.py",
        "circle": root,
        "loop.py": "loop.py",
        "dangling.py": "nowhere",
        ".#lock.py": "nowhere",
    }
    for name, target in links.items():
        (root / name).symlink_to(target)
    assert found(root) == [
        "a.py DAL101",
        "b.py DAL101",
        "dangling.py DAL901",
        "loop.py DAL901",
    ]


def test_what_is_no_regular_file_is_a_finding_and_is_not_opened(tree: Tree) -> None:
    root = tree(**{"a.py": ""})
    os.mkfifo(root / "pipe.py")
    (root / "folder.py").mkdir()
    assert found(root) == ["pipe.py DAL901"]
