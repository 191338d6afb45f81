"""A mutant, and the copy of the tree in which it is tried."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("app", "pylib", "tests", "config", "docs")
NOT_COPIED = (".git", ".env", "config.yml", "docker-compose.yml")
"""Files beside these folders that are not the project's own, or secret."""


class Verdict(Enum):
    """What the tests said to a mutant."""

    NOTICED = "noticed"
    HUNG = "noticed, by hanging"
    SURVIVED = "SURVIVED"
    NOT_APPLIED = "DOES NOT APPLY"
    NOT_RUN = "TESTS DO NOT RUN"

    @property
    def good(self) -> bool:
        """Whether the tests can be trusted with this one."""
        return self in (Verdict.NOTICED, Verdict.HUNG)


@dataclass(frozen=True)
class Mutant:
    """A change of one file that hurts somebody: `old` occurs there exactly once, and one of the `tests` must fail."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    area: str = ""

    def applied(self, text: str) -> str | None:
        """The file's text with the change in it; None when it does not fit the code (any more)."""
        return text.replace(self.old, self.new) if text.count(self.old) == 1 else None


def recorded() -> list[Mutant]:
    """Every mutant of the lists beside this file."""
    return [
        Mutant(**{**row, "tests": tuple(row["tests"])}, area=path.stem)
        for path in sorted(Path(__file__).parent.glob("*.toml"))
        for row in tomllib.loads(path.read_text()).get("mutant", [])
    ]


class Copy:
    """A copy of the tree below `folder`, in which one mutant after the other is tried; one thread at a time."""

    def __init__(self, folder: Path, *, limit_s: float = 300.0) -> None:
        self._root, self._scratch, self._limit_s = folder / "tree", folder / "scratch", limit_s
        for name in FOLDERS:
            shutil.copytree(ROOT / name, self._root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for path in ROOT.iterdir():
            if path.is_file() and path.name not in NOT_COPIED:
                shutil.copy2(path, self._root)

    def verdict(self, mutant: Mutant) -> Verdict:
        """Apply the change, run its tests, and take the change back."""
        path = self._root / mutant.file
        text = path.read_text()
        if (changed := mutant.applied(text)) is None:
            return Verdict.NOT_APPLIED
        try:
            self._write(path, changed)
            return self.run(mutant.tests)
        finally:
            self._write(path, text)

    def run(self, tests: tuple[str, ...]) -> Verdict:
        """Run these test files as the tree stands, at most for the time limit."""
        # The copy's folder is what is imported, also by programs that a test starts. Loading the plugins that other
        # packages bring takes longer than most of these runs, and no test uses them; two are named in our settings.
        environment = {**os.environ, "PYTHONPATH": str(self._root), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        plugins = ["-p", "no:cacheprovider", "-p", "xdist", "-p", "timeout"]
        command = [sys.executable, "-m", "pytest", "-x", "-q", *plugins, f"--basetemp={self._scratch}"]
        with subprocess.Popen(
            [*command, *tests],
            cwd=self._root,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                status = process.wait(self._limit_s)
            except subprocess.TimeoutExpired:
                return Verdict.HUNG
            finally:
                self._end(process)
        if status == pytest.ExitCode.OK:
            return Verdict.SURVIVED
        # A module that no longer imports ends the collection: INTERRUPTED. A negative status is a crash.
        noticed = status in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED) or status < 0
        return Verdict.NOTICED if noticed else Verdict.NOT_RUN

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        """End the test run with all that it started and left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    @staticmethod
    def _write(path: Path, text: str) -> None:
        path.write_text(text)
        # Bytecode is told apart by size and whole seconds: too coarse for this.
        Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)
