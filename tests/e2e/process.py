"""The service as a user runs it: a process with its own folder, environment or config.yml, and log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import requests
import yaml

from tests.broker import free_ports
from tests.e2e.fork import Fork

T = TypeVar("T")

PROJECT = Path(__file__).parents[2]
COMMAND = (sys.executable, "-m", "app")
READY_WITHIN = 90.0
"""Seconds; a start takes one, on a machine that has nothing else to do."""


class ServiceProcess:
    """`snapshot-processor` in a folder of its own; nothing of the caller's environment leaks in.

    A context manager: at the end it is killed if it still runs, and its log is printed, which pytest shows
    beside a test that failed.
    """

    def __init__(
        self,
        home: Path,
        *,
        environment: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        forked: bool = False,
    ) -> None:
        """`config` becomes `config.yml` in `home`, which is where the process runs.

        `forked`: it need not load the program itself, whose source is this project's.
        """
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.forked = forked
        (self.port,) = free_ports(1)
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(PROJECT),
            "DATA_DIR": str(home / "data"),
            "WEB_PORT": str(self.port),
            "DEVICE_NAME": "garage",
            "DETECTOR_KIND": "none",
            "LOG_FORMAT": "json",
            **(environment or {}),
        }
        self._log = home / "service.log"
        self._process: subprocess.Popen[bytes] | Fork | None = None
        self._shown = False
        if config is not None:
            (home / "config.yml").write_text(yaml.safe_dump(dict(config)))

    def __enter__(self) -> ServiceProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        if not self._shown:
            self._shown = True
            print(f"--- {self._log}\n{self.log[-20_000:]}")

    # -- the process ------------------------------------------------------------------------------

    def start(self, *arguments: str) -> ServiceProcess:
        """Start `run`, or another command that keeps running; what it writes goes to the log."""
        assert not self.running, "it runs already"
        self._process = self._begin(arguments or ("run",), stdout=self._log, stderr=self._log)
        return self

    def command(self, *arguments: str, timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with the same settings."""
        with tempfile.TemporaryDirectory() as folder:
            out, err = Path(folder, "out"), Path(folder, "err")
            process = self._begin(arguments, stdout=out, stderr=err)
            try:
                status = process.wait(timeout)
            finally:
                process.send_signal(signal.SIGKILL)
            return subprocess.CompletedProcess(arguments, status, out.read_text(), err.read_text())

    def _begin(self, arguments: Sequence[str], *, stdout: Path, stderr: Path) -> subprocess.Popen[bytes] | Fork:
        if self.forked:
            return Fork(arguments, cwd=self.home, environment=self.environment, stdout=stdout, stderr=stderr)
        with stdout.open("ab") as out, stderr.open("ab") as err:
            return subprocess.Popen(
                [*COMMAND, *arguments],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
            )

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, as a power cut would end it."""
        if self.running:
            self.signal(signal.SIGKILL)
            self.wait()

    def terminate(self) -> None:
        """SIGTERM, as Docker and systemd send it."""
        self.signal(signal.SIGTERM)

    def wait(self, timeout: float = 60.0) -> int:
        """The exit status, within so many seconds."""
        assert self._process is not None
        return self._process.wait(timeout)

    def wait_ready(self, *, but: Collection[str] = ()) -> ServiceProcess:
        """Return when every critical check is well, those in `but` left out."""

        def ready() -> bool:
            assert self.running, f"it ended with {self.wait()}:\n{self.log[-5_000:]}"
            try:
                report = self.http("GET", "/health/ready").json()
            except requests.ConnectionError:
                return False
            if "checks" not in report:  # behind a password: one word for strangers
                return bool(report["ready"])
            return all(check["ok"] for check in report["checks"] if check["critical"] and check["name"] not in but)

        until(ready, timeout=READY_WITHIN, what="the service is ready")
        return self

    # -- what can be seen of it -------------------------------------------------------------------

    def http(self, method: str, path: str, *, timeout: float = 30.0, **options: Any) -> requests.Response:
        """Ask its HTTP side."""
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", timeout=timeout, **options)

    def metric(self, name: str, /, **labels: str) -> float:
        """A sample on /metrics; 0 for one that has not been counted yet."""
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        for line in self.http("GET", "/metrics").text.splitlines():
            sample, _, value = line.rpartition(" ")
            found, _, rest = sample.partition("{")
            if found == name and wanted == {part for part in rest.rstrip("}").split(",") if part}:
                return float(value)
        return 0.0

    def check(self, name: str) -> dict[str, Any]:
        """One check of the health report."""
        checks = self.http("GET", "/health/ready").json()["checks"]
        return next(check for check in checks if check["name"] == name)

    @property
    def log(self) -> str:
        """All that it has written, of all its starts."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def log_lines(self, event: str, **fields: object) -> list[dict[str, Any]]:
        """The lines of its JSON log about this event that have these fields."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{") and line.endswith("}")]
        return [line for line in lines if line["event"] == event and fields.items() <= line.items()]


def until(truth: Callable[[], T | None], *, timeout: float = 60.0, what: str = "") -> T:
    """Wait until something holds, and return it; fails when it does not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (found := truth()):
        assert time.monotonic() < deadline, f"not within {timeout:g} s: {what or 'what was waited for'}"
        time.sleep(0.05)
    return found
