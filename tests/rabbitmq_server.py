"""Where rabbitmq-server is on this machine, and how it gets there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

BINARIES = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",  # Debian and Ubuntu
    "/opt/rabbitmq/sbin/rabbitmq-server",  # the generic archive, as the Docker image unpacks it
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",  # Homebrew
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
)
POLICY = Path("/usr/sbin/policy-rc.d")


def find_server() -> str:
    """Path of rabbitmq-server's own script; when it is missing, the distribution's package is installed.

    Raises RuntimeError with one line that says what to install. Debian's /usr/sbin wrapper is passed over: it
    serves only root and the rabbitmq user, and only the system's own data directory.
    """
    found = _installed()
    if found is None and shutil.which("apt-get"):
        _install()
        found = _installed()
    if found is None:
        raise RuntimeError("the tests need RabbitMQ: install rabbitmq-server (Debian, Ubuntu: apt-get install it)")
    return found


def _installed() -> str | None:
    paths = [
        *BINARIES,
        *map(str, Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server")),
    ]
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def _install() -> None:
    """Install rabbitmq-server without letting the package start its own node."""
    sudo = _privilege()
    if sudo is None:
        return
    print("installing rabbitmq-server for the tests ...", file=sys.stderr)
    guard = not POLICY.exists()
    if guard:  # Debian's policy layer: 101 forbids maintainer scripts to start services
        script = f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}"
        subprocess.run([*sudo, "sh", "-c", script], check=True)
    apt = [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y"]
    try:
        subprocess.run([*apt, "update"], check=False, stdout=sys.stderr)
        subprocess.run([*apt, "install", "--no-install-recommends", "rabbitmq-server"], check=False, stdout=sys.stderr)
    finally:
        if guard:
            subprocess.run([*sudo, "rm", "-f", str(POLICY)], check=True)


def _privilege() -> list[str] | None:
    """What to put before a command to run it as root; None when we may not."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode == 0:
        return [sudo, "-n"]
    return None
