"""`make release`: what it refuses, and what it makes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VERSION = "1.2.3"

DOCKER = """#!/bin/sh
[ "$1" = info ] && exit {status}
echo "$@" >> {log}
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A clean checkout of a small project, with this one's Makefile."""
    tree = tmp_path / "tree"
    for package in ("app", "pylib"):
        (tree / package).mkdir(parents=True)
        (tree / package / "__init__.py").touch()
    for name in ("Makefile", "README.md", "LICENSE", ".gitignore"):
        shutil.copy(ROOT / name, tree)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    changed = [f'version = "{VERSION}"' if line.startswith("version = ") else line for line in project]
    (tree / "pyproject.toml").write_text("\n".join(changed), encoding="utf-8")
    (tree / "CHANGELOG.md").write_text(f"## [Unreleased]\n\n## [{VERSION}] - 2026-11-20\n", encoding="utf-8")
    git(tree, "init", "--quiet")
    commit(tree)
    (tree / ".venv").symlink_to(ROOT / ".venv")
    (tree / ".git" / "info" / "exclude").write_text(".venv\n", encoding="utf-8")
    return tree


def git(tree: Path, *arguments: str) -> None:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    subprocess.run(["git", *who, *arguments], cwd=tree, check=True)


def commit(tree: Path) -> None:
    git(tree, "add", "--all")
    git(tree, "commit", "--quiet", "--message", "all")


def release(tree: Path, *, docker: bool = False) -> subprocess.CompletedProcess[str]:
    tools = tree.parent / "tools"
    tools.mkdir()
    (tools / "docker").write_text(DOCKER.format(status=0 if docker else 1, log=tree.parent / "docker.log"))
    (tools / "docker").chmod(0o755)
    # The environment of the tests serves as it is.
    command = ["make", "--assume-old=.venv/.installed-dev", "release"]
    environ = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=tree, env=environ, capture_output=True, text=True, check=False)


def test_a_clean_tree_becomes_an_archive_a_wheel_and_an_image(tree: Path) -> None:
    done = release(tree, docker=True)
    assert done.returncode == 0, done.stderr
    assert {path.name for path in (tree / "dist").iterdir()} == {
        f"snapshot_processor-{VERSION}.tar.gz",
        f"snapshot_processor-{VERSION}-py3-none-any.whl",
    }
    assert (tree.parent / "docker.log").read_text().split()[-3:] == ["--tag", f"snapshot-processor:{VERSION}", "."]


def test_without_docker_it_says_that_there_is_no_image(tree: Path) -> None:
    done = release(tree)
    assert done.returncode == 0, done.stderr
    assert "No image: docker does not run here" in done.stdout
    assert list((tree / "dist").glob("*.whl"))


def test_what_is_not_committed_is_not_released(tree: Path) -> None:
    (tree / "app" / "new.py").touch()
    done = release(tree)
    assert done.returncode != 0
    assert "not committed" in done.stderr
    assert not (tree / "dist").exists()


def test_a_version_that_the_changelog_does_not_tell_of_is_not_released(tree: Path) -> None:
    (tree / "CHANGELOG.md").write_text("## [Unreleased]\n", encoding="utf-8")
    commit(tree)
    done = release(tree)
    assert done.returncode != 0
    assert f"CHANGELOG.md has no section ## [{VERSION}]" in done.stderr
    assert not (tree / "dist").exists()
