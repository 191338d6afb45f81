"""Changes after the event: stars, notes and corrected labels by people; what a detector sees now."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime

from app.journal.base import JournalPart
from app.journal.entries import Correction, Entry
from app.journal.entry_reader import STANDING, Read, read
from app.journal.rows import insert_labels
from app.journal.search_index import reindex, unindex
from app.journal.sql import AMONG, listed, marks
from app.messages import PERSON, Inspection
from pylib.errors import Permanent

DETECTED = (
    "corrected = NULL, person = person_count > 0, "
    "surest = coalesce((SELECT max(confidence) FROM labels WHERE seq = snapshots.seq), 0)"
)


class NoteChanged(Permanent):
    """Somebody else has changed the note meanwhile."""

    def __init__(self, note: str) -> None:
        super().__init__("note_changed", "somebody else has changed the note meanwhile: read it, and save again")
        self.note = note
        """As it is now."""


class EditsPart(JournalPart):
    """Changes of entries: stars, notes and corrections by people, and what was seen by looking again."""

    followers: Sequence[str] = ()
    """The targets that follow edits: they get an event again once somebody has corrected or deleted it,
    or described it."""

    def change(
        self,
        snapshot_id: str,
        *,
        starred: bool | None = None,
        reviewed: bool | None = None,
        note: str | None = None,
        note_was: str | None = None,
        correction: Correction | None = None,
    ) -> Entry | None:
        """Change the given fields of an entry, and return it as it is then; None when there is no such entry.

        The picture of a starred entry stays in the cache whatever its age. `note_was`: the note that was known to who
        writes another one. Raises `NoteChanged` where somebody has changed it since then.
        """
        changes = {"starred = ?": starred, "reviewed = ?": reviewed, "note = ?": note}
        given: dict[str, list[object]] = {change: [value] for change, value in changes.items() if value is not None}
        if correction is not None:
            given |= _correction(correction)

        def update(db: sqlite3.Connection) -> Read:
            row = db.execute(f"SELECT seq FROM snapshots WHERE id = ? AND {STANDING}", (snapshot_id,)).fetchone()
            if row is not None and note is not None and note_was is not None:
                there = db.execute("SELECT note FROM snapshots WHERE seq = ?", row).fetchone()[0]
                if there not in (note_was, note):
                    raise NoteChanged(there)
            if row is not None and given:
                values = [value for values in given.values() for value in values]
                unindex(db, row)
                db.execute(f"UPDATE snapshots SET {', '.join(given)} WHERE seq = ?", (*values, *row))
                reindex(db, row)
                if correction is not None:
                    deliver_again(db, row[0], self.followers, self._clock())
            return read(db, f"id = ? AND {STANDING}", (snapshot_id,))

        return self.database.do(update).first()

    def star(self, ids: Sequence[str], *, starred: bool) -> list[str]:
        """Star these entries, or take their stars; returns the ids of those that there are."""
        query = f"SELECT seq, id FROM snapshots WHERE id {AMONG} AND {STANDING}"

        def update(db: sqlite3.Connection) -> list[str]:
            rows = db.execute(query, (listed(ids),)).fetchall()
            seqs = [row[0] for row in rows]
            unindex(db, seqs)
            db.execute(f"UPDATE snapshots SET starred = ? WHERE seq {AMONG}", (starred, listed(seqs)))
            reindex(db, seqs)
            return [row[1] for row in rows]

        return self.database.do(update)

    def looked_again(self, seen: Inspection) -> Entry | None:
        """Replace what was seen by what is seen now, add what that cost, and return the entry; None when there is none.

        What people have said of it stands. Targets that follow edits get the event again, others do not.
        """
        detection = seen.detection
        values = (seen.detector, detection.person_count, seen.decision, seen.detector_note, seen.cost_usd)
        change = (
            "UPDATE snapshots SET detector = ?, person_count = ?, decision = ?, detector_note = ?, "
            "cost_usd = cost_usd + ?, verdict_problem = '' WHERE seq = ?"
        )

        def update(db: sqlite3.Connection) -> Read:
            row = db.execute(f"SELECT seq FROM snapshots WHERE id = ? AND {STANDING}", (seen.id,)).fetchone()
            if row is not None:
                unindex(db, row)
                db.execute(change, (*values, *row))
                db.execute("DELETE FROM labels WHERE seq = ?", row)
                insert_labels(db, row[0], detection)
                db.execute(f"UPDATE snapshots SET {DETECTED} WHERE seq = ? AND corrected IS NULL", row)
                reindex(db, row)
                deliver_again(db, row[0], self.followers, self._clock())
            return read(db, f"id = ? AND {STANDING}", (seen.id,))

        return self.database.do(update).first()

    def to_look_again(
        self, *, since: datetime, until: datetime, camera: str = "", after: int = 0, limit: int
    ) -> list[Entry]:
        """Entries with a picture in the cache that was taken in that time, by this camera or by any, in the order in
        which they were recorded. `after`: the `seq` of the last one that is done."""
        condition, values = _pictures(since, until, camera)
        page = f"{condition} AND seq > ? ORDER BY seq LIMIT ?"
        return self.database.do(lambda db: read(db, page, (*values, after, limit))).entries()

    def count_to_look_again(self, *, since: datetime, until: datetime, camera: str = "") -> int:
        """How many that are."""
        condition, values = _pictures(since, until, camera)
        query = f"SELECT count(*) FROM snapshots WHERE {condition}"
        return self.database.do(lambda db: int(db.execute(query, values).fetchone()[0]))


def _pictures(since: datetime, until: datetime, camera: str) -> tuple[str, tuple[object, ...]]:
    """A condition on entries whose picture is in the cache, and its values."""
    condition = f"{STANDING} AND path != '' AND taken_at >= ? AND taken_at < ? AND ? IN ('', camera)"
    return condition, (since.timestamp(), until.timestamp(), camera)


def _correction(correction: Correction) -> dict[str, list[object]]:
    """Changes of columns, with their values."""
    if correction.labels is None:
        return {DETECTED: []}
    has_person = PERSON.casefold() in (label.casefold() for label in correction.labels)
    return {
        "corrected = ?": [json.dumps(correction.labels)],
        "person = ?": [has_person],
        "surest = ?": [1.0 if correction.labels else 0.0],
    }


def deliver_again(db: sqlite3.Connection, seq: int, targets: Sequence[str], now: float) -> None:
    """Have these targets get the event once more that have it.

    What is on its way is left to `DeliveriesPart.delivered`, which sees that the review is another one.
    """
    db.execute(
        "UPDATE deliveries SET state = 'owed', attempts = 0, owed_since = ?, next_at = ?, failing_since = NULL "
        f"WHERE seq = ? AND state = 'done' AND target IN ({marks(targets)})",
        (now, now, seq, *targets),
    )
