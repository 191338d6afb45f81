"""A private PgBouncer before a private PostgreSQL, in transaction mode."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.broker import free_ports
from tests.packages import require
from tests.postgres import PASSWORD, PostgresServer, as_nobody_special, owner

CONFIGURATION = """
[databases]
{database} = host=127.0.0.1 port={port} user=postgres password='{password}'
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
"""


@contextmanager
def pooled(postgres: PostgresServer, database: str) -> Iterator[str]:
    """The address of this database behind a pool of two connections, in which no session is one's own."""
    require(pgbouncer="pgbouncer")
    (port,) = free_ports(1)
    home = Path(tempfile.mkdtemp(prefix="snapshot-pgbouncer-"))
    file = home / "pgbouncer.ini"
    file.write_text(CONFIGURATION.format(database=database, port=postgres.port, password=PASSWORD, own=port))
    for path in (home, file):
        path.chmod(0o755 if path.is_dir() else 0o644)
        shutil.chown(path, owner()) if as_nobody_special() else None
    program = shutil.which("pgbouncer") or "pgbouncer"
    running = subprocess.Popen([*as_nobody_special(), program, "-q", str(file)], cwd=home)
    url = f"postgresql://anyone@127.0.0.1:{port}/{database}"
    try:
        deadline = time.monotonic() + 30
        while True:
            try:
                psycopg.connect(url, connect_timeout=5).close()
                break
            except psycopg.OperationalError:
                if time.monotonic() > deadline or running.poll() is not None:
                    raise
                time.sleep(0.02)
        yield url
    finally:
        running.terminate()
        running.wait(30)
        shutil.rmtree(home)
