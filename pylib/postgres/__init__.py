"""PostgreSQL: one connection that comes back after every outage; whatever goes wrong is one failure with a sentence."""

from __future__ import annotations

from pylib.postgres.failures import CODES as CODES
from pylib.postgres.failures import PostgresFailure as PostgresFailure
from pylib.postgres.session import Session as Session


def quoted(name: str) -> str:
    """A name of a table, `results` or `home.results`, for a statement."""
    return ".".join('"' + part.replace('"', '""') + '"' for part in name.split("."))
