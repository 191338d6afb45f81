"""Where rabbitmq-server is on this machine, and how it gets there."""

from __future__ import annotations

import os
from pathlib import Path

from tests.packages import install

BINARIES = (
    "/usr/lib/rabbitmq/bin/rabbitmq-server",  # Debian and Ubuntu
    "/opt/rabbitmq/sbin/rabbitmq-server",  # the generic archive, as the Docker image unpacks it
    "/usr/local/opt/rabbitmq/sbin/rabbitmq-server",  # Homebrew
    "/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server",
)


def find_server() -> str:
    """Path of rabbitmq-server's own script; when it is missing, the distribution's package is installed.

    Raises RuntimeError with one line that says what to install. Debian's /usr/sbin wrapper is passed over: it
    serves only root and the rabbitmq user, and only the system's own data directory.
    """
    found = _installed()
    if found is None:
        install("rabbitmq-server")
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
