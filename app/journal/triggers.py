"""Accepted triggers, and the keys that recognise one when it is delivered again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from app.journal.base import JournalPart
from app.journal.rows import (
    HANDOVER_S,
    insert_accepted,
    select_accepted,
)
from app.messages import Trigger


class TriggersPart(JournalPart):
    """Accepted triggers, and the keys that recognise one when it is delivered again."""

    def accept(self, trigger: Trigger) -> None:
        """Record a trigger that no broker keeps, before its picture is taken."""
        self.database.do(lambda db: insert_accepted(db, trigger, self._clock()))

    def accepted(self, *, older_than: float = HANDOVER_S) -> list[Trigger]:
        """Triggers without an outcome that were accepted more than that many seconds ago, oldest first."""
        limit = self._clock() - older_than
        return self.database.do(lambda db: select_accepted(db, limit))

    def withdraw(self, trigger: str) -> None:
        """Forget an accepted trigger by its id: it was a command that has been carried out, and leaves no event."""
        statement = "DELETE FROM snapshots WHERE id = ? AND state = 'accepted'"
        self.database.do(lambda db: db.execute(statement, (trigger,)))

    def recorded(self, trigger_key: str) -> list[str]:
        """Ids of the snapshots that were recorded for this trigger key."""

        def select(db: sqlite3.Connection) -> list[str]:
            return [row[0] for row in db.execute("SELECT id FROM snapshots WHERE trigger_key = ?", (trigger_key,))]

        return self.database.do(select)

    def forget_keys(self, ids: Sequence[str]) -> None:
        """Delete the keys of these snapshots: their triggers will not be delivered again. Does not wait."""
        statement = "UPDATE snapshots SET trigger_key = NULL WHERE id IN (SELECT value FROM json_each(?))"
        names = json.dumps(list(ids))
        self.database.defer(lambda db: db.execute(statement, (names,)))

    def forget_body_keys(self, origin: str, *, before: float) -> None:
        """Delete all keys made of a body that this source's triggers had before then (Unix seconds). Does not wait."""
        statement = (
            "UPDATE snapshots SET trigger_key = NULL "
            "WHERE trigger_key >= 'sha:' AND trigger_key < 'sha;' AND origin = ? AND recorded_at < ?"
        )
        self.database.defer(lambda db: db.execute(statement, (origin, before)))
