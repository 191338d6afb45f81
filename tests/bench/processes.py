"""The processes of a measurement: the service as people run it, and what stands in for the world around it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

READY_WITHIN = 180.0
STOP_WITHIN = 30.0
TICKS = os.sysconf("SC_CLK_TCK")
NOBODY = {  # boto3 signs with them; the double does not look
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass(frozen=True, slots=True)
class Process:
    """One running process, as /proc tells of it (Linux)."""

    pid: int
    web: int
    """Port of its web side."""

    @property
    def cpu(self) -> float:
        """Seconds of processor time so far, user and system, in steps of 10 ms."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS  # utime, stime: 14 and 15 in proc(5)

    @property
    def resident(self) -> float:
        """Resident memory in MB (10^6 bytes), shared libraries included."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024 / 1e6

    def metric(self, name: str) -> float:
        """A sample without labels on its /metrics; 0 where there is none."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return next((float(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0.0)

    @property
    def descriptors(self) -> int:
        """Files, sockets and pipes that it has open."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())

    @property
    def threads(self) -> int:
        """Its threads, those of libraries too."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/task").iterdir())


@contextlib.contextmanager
def simulator(module: str, *arguments: str) -> Iterator[int]:
    """Run a simulator of `tests.simulators` until the block ends; gives the port that it prints first."""
    command = [sys.executable, "-m", f"tests.simulators.{module}", "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


@contextlib.contextmanager
def service(
    home: Path,
    *,
    name: str,
    broker: int,
    cameras: Mapping[str, str],
    detector: int,
    config: Mapping[str, Any] | None = None,
    group: str = "",
) -> Iterator[Process]:
    """Run the service, its data below `home`, until the block ends; ready when the block begins.

    `cameras`: location -> address of the picture; `broker` and `detector` are ports. `name` is its word in
    routing keys, too; `config`: further sections of its configuration. What lies in `home / name / "data"`
    before is its data. `group`: the replicas whom it works with, and then its app name and word in routing keys.
    """
    folder = home / name
    folder.mkdir(exist_ok=True)
    web = free_port()
    config = {
        **(config or {}),
        "app_name": group or name,
        "device_name": name if group else "bench",
        "data_dir": str(folder / "data"),
        "rabbitmq": {"server_address": f"127.0.0.1:{broker}", "device_topic": group or name},
        "replicas": {"group": group},
        "cameras": [{"kind": "still", "location": where, "url": url} for where, url in cameras.items()],
        "detector": {"kind": "rekognition"},
        "web": {"port": web, "max_per_address": 1000},
        "shutdown_grace": 5,
    }
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    environment = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "PYTHONPATH")}
    environment |= NOBODY | {"AWS_ENDPOINT_URL_REKOGNITION": f"http://127.0.0.1:{detector}"}
    command = [sys.executable, "-m", "app", "--config", str(folder / "config.yml"), "run"]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            _await_ready(f"http://127.0.0.1:{web}/health/ready", process, folder / "log")
            yield Process(process.pid, web)
        finally:
            _end(process)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def locations(count: int) -> list[str]:
    """Names of so many places."""
    return [f"Place {number:03}" for number in range(count)]


def _await_ready(url: str, process: subprocess.Popen[Any], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):
            return
        time.sleep(0.1)
    raise RuntimeError(f"the service did not become ready:\n{log.read_text()[-3000:]}")


def _end(process: subprocess.Popen[Any]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_WITHIN)
    except subprocess.TimeoutExpired:
        process.kill()
