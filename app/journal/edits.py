"""Changes by people: stars, notes, corrected labels, deletions."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from app.journal.base import JournalPart
from app.journal.entries import Correction, Deleted, Entry
from app.journal.entry_reader import STANDING, Read, read
from app.journal.rows import abandon_archives
from app.journal.search_index import reindex, unindex
from app.journal.sql import marks
from app.messages import PERSON

DETECTED = (
    "corrected = NULL, person = person_count > 0, "
    "surest = coalesce((SELECT max(confidence) FROM labels WHERE seq = snapshots.seq), 0)"
)


class EditsPart(JournalPart):
    """Changes that people make to entries: stars, notes, corrections, deletion."""

    followers: Sequence[str] = ()
    """The targets that follow edits: they get an event again once somebody has corrected or deleted it."""

    def change(
        self,
        snapshot_id: str,
        *,
        starred: bool | None = None,
        note: str | None = None,
        correction: Correction | None = None,
    ) -> Entry | None:
        """Change the given fields of an entry, and return it as it is then; None when there is no such entry.

        The picture of a starred entry stays in the cache whatever its age.
        """
        changes = {"starred = ?": starred, "note = ?": note}
        given: dict[str, list[object]] = {change: [value] for change, value in changes.items() if value is not None}
        if correction is not None:
            given |= _correction(correction)

        def update(db: sqlite3.Connection) -> Read:
            row = db.execute(f"SELECT seq FROM snapshots WHERE id = ? AND {STANDING}", (snapshot_id,)).fetchone()
            if row is not None and given:
                values = [value for values in given.values() for value in values]
                unindex(db, row)
                db.execute(f"UPDATE snapshots SET {', '.join(given)} WHERE seq = ?", (*values, *row))
                reindex(db, row)
                if correction is not None:
                    _deliver_again(db, row[0], self.followers, self._clock())
            return read(db, f"id = ? AND {STANDING}", (snapshot_id,))

        return self.database.do(update).first()

    def delete(self, snapshot_id: str, *, archives: Sequence[str]) -> Deleted | None:
        """Delete an entry, and return what is left to do; None when there is no such entry.

        It is no longer shown, and what was grouped into its event appears for itself. Archives give up pending
        copies of its picture; targets that follow edits are told; others still get the event, without it. The row
        stays until `purge`, so that the same trigger or file is recognised when it comes again.
        """
        now = self._clock()

        def update(db: sqlite3.Connection) -> Deleted | None:
            query = f"SELECT seq, located(path) FROM snapshots WHERE id = ? AND {STANDING}"
            row = db.execute(query, (snapshot_id,)).fetchone()
            if row is None:
                return None
            seq, path = row
            unindex(db, [seq])
            db.execute(
                "UPDATE snapshots SET deleted_at = ?, gone_at = ?, path = '', starred = 0, note = '', "
                "corrected = NULL, person = 0, surest = 0 WHERE seq = ?",
                (now, now, seq),
            )
            db.execute("DELETE FROM labels WHERE seq = ?", (seq,))
            db.execute("DELETE FROM media WHERE snapshot = ?", (snapshot_id,))
            abandon_archives(db, seq, archives, "deleted", now)
            _deliver_again(db, seq, self.followers, now)
            _release(db, snapshot_id)
            return Deleted(path)

        return self.database.do(update)


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


def _deliver_again(db: sqlite3.Connection, seq: int, targets: Sequence[str], now: float) -> None:
    """What is on its way is left to `DeliveriesPart.delivered`, which sees that the review is another one."""
    db.execute(
        "UPDATE deliveries SET state = 'owed', attempts = 0, owed_since = ?, next_at = ?, failing_since = NULL "
        f"WHERE seq = ? AND state = 'done' AND target IN ({marks(targets)})",
        (now, now, seq, *targets),
    )


def _release(db: sqlite3.Connection, event_id: str) -> None:
    """Show for themselves the entries that were grouped into this event."""
    released = db.execute(
        "UPDATE snapshots SET settled_into = '' WHERE settled_into = ? AND settled_into != '' RETURNING seq",
        (event_id,),
    ).fetchall()
    reindex(db, [row[0] for row in released])
