"""The audit log: who changed what, when, from where."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from app.journal.base import JournalPart

KEPT_S = 366 * 86_400.0
"""Seconds for which a change is remembered."""
MOST = 100_000
"""Changes that are remembered; beyond them the oldest is forgotten."""
LONGEST = 1_000
"""Characters of each field."""

WAIT_S = 5.0
"""Seconds that a command waits for a journal that is being written."""

_INSERT = "INSERT INTO audit (at, who, method, address, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = "seq, at, who, method, address, action, subject, detail"


class AuditRow(NamedTuple):
    """One change."""

    seq: int
    at: float
    """Unix seconds."""
    who: str
    """Name of the user or token; empty for the one password, and on this machine."""
    method: str
    """How they got in: `session`, `password`, `token`, `open`, `link`, `command`; empty for nobody who is known."""
    address: str
    action: str
    """What was done, as `app.web.access.rights` calls it: `star`."""
    subject: str
    """What it was done to: the id of a snapshot, a camera, a rule, a user."""
    detail: str


def record_of_command(journal: Path, action: str, *, subject: str, who: str, detail: str = "") -> bool:
    """Record a change that a command has made, in a journal that the service may have open; whether that worked.

    Where there is no journal yet, there is nothing to record it in.
    """
    if not journal.exists():
        return True
    values = (time.time(), *(text[:LONGEST] for text in (who, "command", "", action, subject, detail)))
    try:
        with (
            closing(sqlite3.connect(f"{journal.absolute().as_uri()}?mode=rw", uri=True, timeout=WAIT_S)) as database,
            database,
        ):
            database.execute(_INSERT, values)
    except sqlite3.Error:
        return False
    return True


class AuditPart(JournalPart):
    """Changes, and who made them."""

    def audit(self, *, who: str, method: str, address: str, action: str, subject: str = "", detail: str = "") -> None:
        """Record a change, without waiting for the disk."""
        now = self._clock()
        values = (now, *(text[:LONGEST] for text in (who, method, address, action, subject, detail)))

        def insert(db: sqlite3.Connection) -> None:
            db.execute(_INSERT, values)
            db.execute("DELETE FROM audit WHERE seq <= (SELECT max(seq) FROM audit) - ?", (MOST,))
            db.execute(
                "DELETE FROM audit WHERE seq IN (SELECT seq FROM audit ORDER BY seq LIMIT 10) AND at < ?",
                (now - KEPT_S,),
            )

        self.database.submit(insert)

    def audited(self, *, before: int | None = None, limit: int, subject: str = "", who: str = "") -> Sequence[AuditRow]:
        """The newest changes of the last year before that one, newest first; of this subject and this user, if named.

        `before`: the `seq` of the last one that is known.
        """
        query = (
            f"SELECT {_COLUMNS} FROM audit WHERE (?1 IS NULL OR seq < ?1) AND ?2 IN ('', subject) AND ?3 IN ('', who) "
            "AND at >= ?4 ORDER BY seq DESC LIMIT ?5"
        )
        values = (before, subject, who, self._clock() - KEPT_S, limit)
        return [AuditRow(*row) for row in self.database.do(lambda db: db.execute(query, values).fetchall())]
