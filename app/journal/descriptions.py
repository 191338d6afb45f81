"""Sentences about pictures, which come after their events."""

from __future__ import annotations

import sqlite3

from app.journal.edits import EditsPart, deliver_again
from app.journal.entry_reader import STANDING
from app.journal.search_index import reindex, unindex


class DescriptionsPart(EditsPart):
    """What was said of pictures, and how often somebody was asked to."""

    def describe(self, snapshot_id: str, description: str) -> bool:
        """Add a sentence to an entry, for search too; targets that follow edits get the event again.

        False when there is no such entry.
        """

        def update(db: sqlite3.Connection) -> bool:
            row = db.execute(f"SELECT seq FROM snapshots WHERE id = ? AND {STANDING}", (snapshot_id,)).fetchone()
            if row is None:
                return False
            unindex(db, row)
            db.execute("UPDATE snapshots SET description = ? WHERE seq = ?", (description, *row))
            reindex(db, row)
            deliver_again(db, row[0], self.followers, self._clock())
            return True

        return self.database.do(update)

    def count_description_call(self, month: str, *, cap: int) -> bool:
        """Count a call that is about to be made; False, and nothing counted, when the month has had `cap` of them.

        `month`: such as `2026-11`; `cap`: 0 for no limit.
        """

        def count(db: sqlite3.Connection) -> bool:
            row = db.execute("SELECT value FROM remembered WHERE name = 'description_calls'").fetchone()
            last, _, calls = str(row[0]).partition(" ") if row else ("", "", "0")
            made = int(calls) if last == month else 0
            if cap and made >= cap:
                return False
            db.execute("INSERT OR REPLACE INTO remembered VALUES ('description_calls', ?)", (f"{month} {made + 1}",))
            return True

        return self.database.do(count)
