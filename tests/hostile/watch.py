"""How a service fares while it is attacked."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests


@dataclass
class Watched:
    """What another client saw meanwhile."""

    took: list[float] = field(default_factory=list)
    """Seconds of each answer to `/health/live`."""
    refused: list[str] = field(default_factory=list)
    """What was no answer of 200."""


@contextmanager
def watching(port: int, *, every: float = 0.05) -> Iterator[Watched]:
    """Ask `/health/live` for as long as the block lasts, each time as somebody new."""
    seen = Watched()
    over = threading.Event()

    def ask() -> None:
        while not over.wait(every):
            began = time.perf_counter()
            try:
                answer = requests.get(f"http://127.0.0.1:{port}/health/live", timeout=30)
                if answer.status_code != 200:
                    seen.refused.append(answer.text)
            except requests.RequestException as error:
                seen.refused.append(str(error))
            seen.took.append(time.perf_counter() - began)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def attack(*, web: int, ftp: int, mail: int, login: str, every: int = 1) -> int:
    """Run the attacks in a process of their own; returns how many there were."""
    ports = ["--web", str(web), "--ftp", str(ftp), "--mail", str(mail)]
    command = [sys.executable, "-m", "tests.hostile.attacks", *ports, "--login", login, "--every", str(every)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return int(done.stdout)


def resident(pid: int) -> float:
    """A process's resident memory in MB (10^6 bytes)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) * 1024 / 1e6
