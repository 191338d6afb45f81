"""A private HAProxy before servers of ours: what our own documents advise, with its PROXY headers."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.packages import require

ADDRESS = "127.0.0.2"
"""Where it listens: on the same ports as the servers behind it."""
CONFIGURATION = """
defaults
  mode tcp
  timeout connect 3s
  timeout client 1m
  timeout server 1m
"""


@contextmanager
def balanced(ports: Mapping[str, str], *, header: str = "send-proxy-v2") -> Iterator[str]:
    """Its address, for as long as it passes connections to these ports (`{"ftp": "2121"}`) on to 127.0.0.1.

    `header`: how it tells whose they are.
    """
    if "/usr/sbin" not in os.environ["PATH"].split(":"):
        os.environ["PATH"] += ":/usr/sbin"
    require(haproxy="haproxy")
    text = CONFIGURATION
    for name, port in ports.items():
        server = "127.0.0.1" if "-" in port else f"127.0.0.1:{port}"
        text += f"listen {name}\n  bind {ADDRESS}:{port}\n  server one {server} {header}\n"
    home = Path(tempfile.mkdtemp(prefix="snapshot-haproxy-"))
    (home / "haproxy.cfg").write_text(text)
    program = shutil.which("haproxy") or "haproxy"
    running = subprocess.Popen([program, "-db", "-q", "-f", str(home / "haproxy.cfg")], cwd=home)
    try:
        _await(int(next(iter(ports.values())).partition("-")[0]), running)
        yield ADDRESS
    finally:
        running.terminate()
        running.wait(30)
        shutil.rmtree(home)


def _await(port: int, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((ADDRESS, port), timeout=5):
            return
        time.sleep(0.02)
    raise RuntimeError("HAProxy does not listen")
