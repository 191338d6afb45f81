"""What became of triggers and uploads."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime

from app.journal.base import JournalPart
from app.journal.jobs import EventJob, enqueue_event_jobs
from app.journal.rows import (
    HANDOVER_S,
    UNFINISHED,
    find,
    inspection,
    settle,
    update_inspected,
    upsert_taken,
    waiting_snapshots,
)
from app.journal.schema import SNAPSHOT_VALUES, VERDICT_COLUMNS
from app.messages import Inspection, OutletDecision, Snapshot

HELD = f"state = 'held' AND {UNFINISHED}"
"""Looked at, and waiting for others of its group."""


class SnapshotsPart(JournalPart):
    """The outcomes of triggers and uploads."""

    event_jobs: Sequence[EventJob] = ()
    """What is to be done for events, once each."""

    def record(self, snapshot: Snapshot, *, trigger_key: str = "", content: bytes = b"", note: str = "") -> None:
        """Record a trigger's or an upload's outcome; a second outcome under the same id is ignored.

        `content` is the digest of an uploaded file, by which `sent_before` recognises it; `note` is a user's.
        """
        self.database.do(lambda db: upsert_taken(db, snapshot, trigger_key, content, self._clock(), note=note))

    def order_of(self, snapshot_id: str) -> int:
        """Its place in the order in which snapshots were recorded, from 1; 0 where none of this id is remembered."""

        def select(db: sqlite3.Connection) -> int:
            row = db.execute("SELECT seq FROM snapshots WHERE id = ?", (snapshot_id,)).fetchone()
            return int(row[0]) if row else 0

        return self.database.do(select)

    def sent_before(self, camera: str, content: bytes) -> str:
        """Id of the last snapshot for which this camera uploaded a file of this digest; empty when it never did."""

        def select(db: sqlite3.Connection) -> str:
            query = "SELECT id FROM snapshots WHERE camera = ? AND content = ? ORDER BY seq DESC LIMIT 1"
            row = db.execute(query, (camera, content)).fetchone()
            return str(row[0]) if row else ""

        return self.database.do(select)

    def uninspected(self, *, older_than: float = HANDOVER_S, limit: int = 1000) -> list[Snapshot]:
        """Snapshots recorded more than that many seconds ago that are not inspected yet, oldest first.

        Without those of which more pictures are taken: see `unfinished_bursts`.
        """
        before = self._clock() - older_than
        return self.database.do(lambda db: waiting_snapshots(db, "(burst IS NULL OR frames > 0)", before, limit))

    def inspect(self, inspection: Inspection) -> None:
        """Record the inspection, and a pending delivery for each outlet that is to be told, in one step."""

        def record(db: sqlite3.Connection) -> None:
            if update_inspected(db, inspection, self._clock()) is not None:
                enqueue_event_jobs(db, inspection.id, self.event_jobs, self._clock())

        self.database.do(record)

    def hold(self, inspection: Inspection) -> None:
        """Record the inspection, but leave open whether it becomes an event of its own."""
        self.database.do(lambda db: update_inspected(db, inspection, self._clock(), state="held"))

    def release_held(self) -> None:
        """Let every held snapshot be looked at anew, as one that is not grouped. Does not wait."""

        def release(db: sqlite3.Connection) -> None:
            db.execute(f"DELETE FROM labels WHERE seq IN (SELECT seq FROM snapshots WHERE {HELD})")
            db.execute(f"UPDATE snapshots SET state = 'taken' WHERE {HELD}")

        self.database.submit(release)

    def groups_due(self, seconds: float) -> list[Inspection]:
        """The first of each camera's held inspections, where it was held for so many seconds."""
        before = self._clock() - seconds

        def select(db: sqlite3.Connection) -> list[Inspection]:
            rows = db.execute(
                f"SELECT {SNAPSHOT_VALUES}, {VERDICT_COLUMNS}, min(inspected_at) AS first FROM snapshots "
                # The second: the clock was set back.
                f"WHERE {HELD} GROUP BY camera HAVING first <= ? OR first > ?",
                (before, self._clock()),
            ).fetchall()
            return [inspection(db, row) for row in rows]

        return self.database.do(select)

    def group_due(self, camera: str, seconds: float) -> list[Inspection]:
        """This camera's first held inspection and those of the next so many seconds, oldest first.

        Empty while that time is not over.
        """
        now = self._clock()

        def select(db: sqlite3.Connection) -> list[Inspection]:
            held = f"FROM snapshots WHERE {HELD} AND camera = ?"
            (first,) = db.execute(f"SELECT min(inspected_at) {held}", (camera,)).fetchone()
            if first is None or 0 <= now - first < seconds:
                return []
            rows = db.execute(
                f"SELECT {SNAPSHOT_VALUES}, {VERDICT_COLUMNS} {held} AND inspected_at <= ? ORDER BY seq",
                (camera, first + seconds),
            ).fetchall()
            return [inspection(db, row) for row in rows]

        return self.database.do(select)

    def settle(
        self,
        best: str,
        others: Iterable[str],
        decisions: Sequence[OutletDecision],
        *,
        archives: Iterable[str] = (),
        why: str = "",
    ) -> None:
        """Make an event of the held inspection `best`, with the others linked to it.

        `archives`: the targets that get the others, too; `why`: why it is the best, in words.
        """
        linked, keepers = tuple(others), tuple(archives)

        def make_event(db: sqlite3.Connection) -> None:
            settle(db, best, linked, decisions, keepers, self._clock(), why=why)
            enqueue_event_jobs(db, best, self.event_jobs, self._clock())

        self.database.do(make_event)

    def related(self, snapshot_id: str) -> list[str]:
        """Ids of the snapshots that went into this one's event, or of the event that this one went into."""

        def select(db: sqlite3.Connection) -> list[str]:
            query = (
                "SELECT id FROM snapshots WHERE settled_into = ?1 AND settled_into != '' AND deleted_at IS NULL "
                "UNION SELECT settled_into FROM snapshots WHERE id = ?1 AND settled_into != ''"
            )
            return [row[0] for row in db.execute(query, (snapshot_id,))]

        return self.database.do(select)

    def find(self, snapshot_id: str) -> Inspection | Snapshot | None:
        """The record of this id: an inspection, a snapshot without one, or None."""
        return self.database.do(lambda db: find(db, snapshot_id))

    def camera_of(self, snapshot_id: str) -> str | None:
        """Device key of the camera of this snapshot; None when there is no such snapshot."""

        def select(db: sqlite3.Connection) -> str | None:
            row = db.execute("SELECT camera FROM snapshots WHERE id = ?", (snapshot_id,)).fetchone()
            return str(row[0]) if row else None

        return self.database.do(select)

    def detections_since(self, detector: str, since: datetime) -> int:
        """How many pictures this detector has looked at since then."""

        def count(db: sqlite3.Connection) -> int:
            # The second condition is the index's, which SQLite does not conclude from the first.
            query = "detector = ? AND detector != '' AND inspected_at >= ?"
            values = (detector, since.timestamp())
            return int(db.execute(f"SELECT coalesce(sum(looks), 0) FROM snapshots WHERE {query}", values).fetchone()[0])

        return self.database.do(count)
