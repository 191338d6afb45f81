"""Long work: what is to be done once, survives restarts, and is tried a bounded number of times."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from app.journal.base import JournalPart
from app.journal.columns import packed, unpacked
from app.journal.records import Backoff
from app.journal.rows import UNARCHIVED

MOST_ATTEMPTS = 8
"""Of one job; then it has failed, with its last problem."""
BACKOFF = Backoff(first_s=5.0, last_s=900.0)
KEPT_S = 14 * 86_400.0
"""Seconds for which ended jobs are remembered."""

_COLUMNS = "seq, kind, key, arguments, kept, attempts, progress, problem, state, next_at"


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work."""

    seq: int
    kind: str
    """Which `app.jobs.JobKind` does it."""
    key: str
    """Names it among its kind: asked for twice, it is done once."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    kept: Any = None
    """What its last attempt left for this one."""
    attempts: int = 0
    """How many have begun."""
    progress: float = 0.0
    """0..1."""
    problem: str = ""
    """Of its last attempt."""
    state: str = "waiting"
    """`waiting`, `done` or `failed`."""
    next_at: float = 0.0
    """When it may be tried (Unix seconds)."""

    @property
    def id(self) -> str:
        return f"{self.kind}:{self.key}"


@dataclass(frozen=True, slots=True)
class EventJob:
    """A job that events bring with them; its arguments are its `event` and these."""

    kind: str
    name: str
    """Its key is the event's id and this: `<id>.gif`."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    of: Literal["several", "person", "all"] = "several"
    """Which events: those with several pictures; those whose picture shows a person, or that have any; no guests'."""


class JobsPart(JournalPart):
    """The record of jobs."""

    def enqueue_job(
        self, kind: str, key: str, arguments: Mapping[str, Any], *, at: float = 0.0, again: bool = False
    ) -> None:
        """Have a job done, not before `at` (Unix seconds).

        One of the same kind and key that waits keeps its arguments and takes the earlier time; one that has ended stays
        ended, unless `again`.
        """
        self.database.do(lambda db: insert_job(db, kind, key, arguments, self._clock(), at=at, again=again))

    def jobs_due(self, kinds: Collection[str] = (), *, limit: int = 100) -> list[Job]:
        """Jobs that may be tried now, of these kinds or of all, those that wait longest first."""
        some = f"AND kind IN ({', '.join('?' * len(kinds))}) " if kinds else ""
        query = f"SELECT {_COLUMNS} FROM jobs WHERE state = 'waiting' AND next_at <= ? {some}ORDER BY next_at LIMIT ?"
        values = (self._clock(), *kinds, limit)
        return self.database.do(lambda db: [_job(row) for row in db.execute(query, values)])

    def job(self, kind: str, key: str) -> Job | None:
        """The job of this name; None when there is none, or it ended long ago."""
        query = f"SELECT {_COLUMNS} FROM jobs WHERE kind = ? AND key = ?"

        def select(db: sqlite3.Connection) -> Job | None:
            row = db.execute(query, (kind, key)).fetchone()
            return _job(row) if row else None

        return self.database.do(select)

    def jobs_of(self, kind: str) -> list[Job]:
        """All jobs of this kind that are remembered, those asked for last first."""
        query = f"SELECT {_COLUMNS} FROM jobs WHERE kind = ? ORDER BY seq DESC"
        return self.database.do(lambda db: [_job(row) for row in db.execute(query, (kind,))])

    def drop_job(self, kind: str, key: str) -> None:
        """Forget a job, done or not; one that is being done is not tried again."""
        self.database.do(lambda db: db.execute("DELETE FROM jobs WHERE kind = ? AND key = ?", (kind, key)))

    def jobs_waiting(self, kind: str) -> int:
        """How many jobs of this kind are not done yet."""
        query = "SELECT count(*) FROM jobs WHERE state = 'waiting' AND kind = ?"
        return self.database.do(lambda db: int(db.execute(query, (kind,)).fetchone()[0]))

    def failed_jobs(self) -> list[Job]:
        """The last jobs that failed, the latest first."""
        query = f"SELECT {_COLUMNS} FROM jobs WHERE state = 'failed' ORDER BY ended_at DESC LIMIT 100"
        return self.database.do(lambda db: [_job(row) for row in db.execute(query)])

    def retry_job(self, seq: int) -> bool:
        """Try a job at once, as if for the first time, also one that has failed; False when there is none to try."""
        change = "UPDATE jobs SET state = 'waiting', attempts = 0, next_at = 0, ended_at = NULL WHERE seq = ? "
        return self.database.do(lambda db: db.execute(change + "AND state != 'done'", (seq,)).rowcount > 0)

    def forget_job(self, seq: int) -> bool:
        """Forget a job that has ended, so that nothing speaks of it any more; False when there is none."""
        change = "DELETE FROM jobs WHERE seq = ? AND state != 'waiting'"
        return self.database.do(lambda db: db.execute(change, (seq,)).rowcount > 0)

    def jobs(self, *, limit: int = 50) -> list[Job]:
        """Jobs, those that wait first, then the last that ended."""
        query = f"SELECT {_COLUMNS} FROM jobs ORDER BY state = 'waiting' DESC, coalesce(ended_at, next_at) DESC LIMIT ?"
        return self.database.do(lambda db: [_job(row) for row in db.execute(query, (limit,))])

    def begin_job(self, job: Job) -> bool:
        """Count an attempt before it is made; False when all were made, and the job has failed."""
        failed = "UPDATE jobs SET state = 'failed', ended_at = ? WHERE seq = ? AND state = 'waiting' AND attempts >= ?"
        begun = "UPDATE jobs SET attempts = attempts + 1 WHERE seq = ? AND state = 'waiting'"

        def begin(db: sqlite3.Connection) -> bool:
            db.execute(failed, (self._clock(), job.seq, MOST_ATTEMPTS))
            return db.execute(begun, (job.seq,)).rowcount > 0

        return self.database.do(begin)

    def keep_job(self, job: Job, *, kept: Any, progress: float) -> None:
        """Remember how far it is, for its next attempt; one that gets on may begin as often as it has to."""
        change = "UPDATE jobs SET kept = ?, progress = ?, attempts = 1 WHERE seq = ?"
        self.database.do(lambda db: db.execute(change, (packed(kept), progress, job.seq)))

    def postpone_job(self, job: Job, *, problem: str = "", after: float = 0.0, counted: bool = True) -> None:
        """Have it tried later: in `after` seconds, or after a time that grows with its attempts.

        `counted`: whether this attempt counts; what only waits for something, such as a picture that is announced,
        does not.
        """
        grown = min(BACKOFF.last_s, BACKOFF.first_s * 2.0 ** min(job.attempts, 20)) * random.uniform(0.8, 1.2)
        change = "UPDATE jobs SET next_at = ?, problem = ?, attempts = attempts - ? WHERE seq = ?"
        values = (self._clock() + (after or grown), problem, 0 if counted else 1, job.seq)
        self.database.do(lambda db: db.execute(change, values))

    def end_job(self, job: Job, *, problem: str = "") -> None:
        """It is done; or, with a problem, will never be."""
        change = "UPDATE jobs SET state = ?, problem = ?, progress = ?, ended_at = ? WHERE seq = ?"
        values = ("failed", problem, job.progress) if problem else ("done", "", 1.0)
        self.database.do(lambda db: db.execute(change, (*values, self._clock(), job.seq)))

    def forget_jobs(self) -> None:
        """Forget those that ended long ago. Does not wait."""
        before = self._clock() - KEPT_S
        change = "DELETE FROM jobs WHERE state != 'waiting' AND ended_at < ?"
        self.database.submit(lambda db: db.execute(change, (before,)))


def enqueue_event_jobs(db: sqlite3.Connection, event_id: str, jobs: Sequence[EventJob], now: float) -> None:
    """In the transaction that makes the event."""
    if not jobs:
        return
    query = f"SELECT frames > 1, person, path != '' AND NOT {UNARCHIVED} FROM snapshots WHERE id = ?"
    several, person, has_picture = db.execute(query, (event_id,)).fetchone() or (False, False, False)
    wanted = {"several": several, "person": person and has_picture, "all": has_picture}
    rows = [
        (one.kind, f"{event_id}.{one.name}", packed({"event": event_id, **one.arguments}), now, now)
        for one in jobs
        if wanted[one.of]
    ]
    db.executemany("INSERT OR IGNORE INTO jobs (kind, key, arguments, next_at, made_at) VALUES (?, ?, ?, ?, ?)", rows)


def insert_job(
    db: sqlite3.Connection,
    kind: str,
    key: str,
    arguments: Mapping[str, Any],
    now: float,
    *,
    at: float = 0.0,
    again: bool = False,
) -> None:
    """Have a job done, as `JobsPart.enqueue_job` does."""
    if again:
        db.execute("DELETE FROM jobs WHERE kind = ? AND key = ? AND state != 'waiting'", (kind, key))
    db.execute(
        "INSERT INTO jobs (kind, key, arguments, next_at, made_at) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (kind, key) DO UPDATE SET next_at = min(next_at, excluded.next_at) "
        "WHERE state = 'waiting'",
        (kind, key, packed(dict(arguments)), at or now, now),
    )


def _job(row: Sequence[Any]) -> Job:
    seq, kind, key, arguments, kept, attempts, progress, problem, state, next_at = row
    return Job(seq, kind, key, unpacked(arguments), unpacked(kept), attempts, progress, problem, state, next_at)
