"""The program in a fork of a process that has loaded it: loading is most of the work of a start."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_loaded = multiprocessing.get_context("forkserver")
_loaded.set_forkserver_preload(["tests.e2e.loaded"])


class Fork:
    """`python -m app` with these arguments, handled as a `subprocess.Popen`; ends with the tests at the latest."""

    def __init__(
        self, arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str], stdout: Path, stderr: Path
    ) -> None:
        """What it writes is added to the files `stdout` and `stderr`."""
        self._arguments = arguments
        self._process = _loaded.Process(
            target=_become, args=(arguments, cwd, dict(environment), stdout, stderr), daemon=True
        )
        self._process.start()

    @property
    def pid(self) -> int:
        pid = self._process.pid
        assert pid is not None
        return pid

    def poll(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def wait(self, timeout: float) -> int:
        """The exit status; raises TimeoutExpired after so many seconds."""
        self._process.join(timeout)
        if (status := self.poll()) is None:
            raise subprocess.TimeoutExpired(list(self._arguments), timeout)
        return status


def _become(arguments: Sequence[str], cwd: Path, environment: Mapping[str, str], stdout: Path, stderr: Path) -> None:
    """Be what a process of this command is."""
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(cwd)
    for file, stream in ((stdout, sys.stdout), (stderr, sys.stderr)):
        opened = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.dup2(opened, stream.fileno())
        os.close(opened)
    sys.argv = ["app", *arguments]
    from app.__main__ import main

    main()
