"""A private PostgreSQL that tests start, stop and kill, reachable from this machine only."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from tests.broker import free_ports
from tests.packages import install

PASSWORD = "s3cret/päss@word:%"
OPTIONS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "30",
    "max_worker_processes": "2",
    "autovacuum": "off",
    "lc_messages": "C",
}
ANSWERS_WITHIN_S = 60.0


class PostgresServer:
    """One server in one temporary directory; `start` after `stop` finds what was committed. A context manager."""

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self._home = Path(tempfile.mkdtemp(prefix="snapshot-postgres-"))
        self._server: subprocess.Popen[bytes] | None = None

    def url(self, *, user: str = "postgres", password: str = PASSWORD, database: str = "postgres") -> str:
        """An address with a login."""
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def ask(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What another program finds there."""
        with psycopg.connect(self.url(), autocommit=True, connect_timeout=10) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    @property
    def log(self) -> str:
        return (self._home / "console.log").read_text(errors="replace")

    def start(self) -> None:
        """Start it and return when it answers; raises RuntimeError when it never does."""
        folder = _find_binaries()
        if not (self._home / "data").exists():
            self._make(folder)
        options = [f"{name}={value}" for name, value in {**OPTIONS, "port": str(self.port)}.items()]
        command = [str(folder / "postgres"), "-D", str(self._home / "data"), "-k", str(self._home)]
        with (self._home / "console.log").open("ab") as console:
            self._server = subprocess.Popen(
                [*as_nobody_special(), *command, *(part for option in options for part in ("-c", option))],
                cwd=self._home,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
            )
        deadline = time.monotonic() + ANSWERS_WITHIN_S
        while time.monotonic() < deadline and self._server.poll() is None:
            try:
                self.ask("SELECT 1")
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise RuntimeError(f"the private PostgreSQL did not come up:\n{self.log[-2000:]}")

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End it; its clients are cut off."""
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait(60)
            self._server = None

    def close(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._home, ignore_errors=True)

    def _make(self, folder: Path) -> None:
        password = self._home / "password"
        password.write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (self._home, password):
                shutil.chown(path, owner())
        made = subprocess.run(
            [
                *(*as_nobody_special(), str(folder / "initdb"), "-D", str(self._home / "data"), "-U", "postgres"),
                *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
                *("--auth-local=trust", "--auth-host=scram-sha-256", f"--pwfile={password}"),
            ],
            cwd=self._home,
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode:
            raise RuntimeError(f"initdb failed:\n{made.stderr[-2000:]}")

    def __enter__(self) -> PostgresServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def owner() -> str:
    """A user that is not root, as whom root runs it: the server refuses to run as root."""
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def as_nobody_special() -> list[str]:
    """What to put before a command so that root does not run it."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam(owner())
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _find_binaries() -> Path:
    """The folder of the server's programs; when it is missing, the distribution's package is installed."""
    found = _installed()
    if found is None:
        install("postgresql")
        found = _installed()
    if found is None:
        raise RuntimeError("the tests need PostgreSQL: install postgresql (Debian, Ubuntu: apt-get install it)")
    return found


def _installed() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    usual = [*reversed(folders), *map(Path, ("/opt/homebrew/opt/postgresql/bin", "/usr/local/bin", "/usr/bin"))]
    return next((folder for folder in usual if (folder / "initdb").exists() and (folder / "postgres").exists()), None)
