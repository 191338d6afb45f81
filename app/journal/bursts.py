"""Bursts: snapshots of which more pictures are taken."""

from __future__ import annotations

import sqlite3

from app.journal.base import JournalPart
from app.journal.columns import packed_burst
from app.journal.rows import HANDOVER_S, waiting_snapshots
from app.messages import Snapshot

_UNFINISHED = "state = 'taken' AND burst IS NOT NULL AND frames = 0"


class BurstsPart(JournalPart):
    """Which bursts have begun, and what came of them."""

    def unfinished_bursts(self, *, older_than: float = HANDOVER_S, limit: int = 1000) -> list[Snapshot]:
        """Snapshots recorded more than that many seconds ago whose burst has not ended, oldest first."""
        before = self._clock() - older_than
        return self.database.do(lambda db: waiting_snapshots(db, _UNFINISHED, before, limit))

    def end_burst(self, ended: Snapshot) -> bool:
        """Record what came of it, and leave it to who looks at it; False where it had ended before."""
        change = (
            "UPDATE snapshots SET recorded_at = ?, taken_at = ?, delay_s = ?, path = stored(?), size = ?, width = ?, "
            f"height = ?, problem = ?, frames = ?, burst = ?, alike = ? WHERE id = ? AND {_UNFINISHED}"
        )

        def update(db: sqlite3.Connection) -> bool:
            values = (
                self._clock(),
                ended.taken_at.timestamp(),
                ended.delay_s,
                ended.path,
                ended.size,
                ended.width,
                ended.height,
                ended.problem,
                ended.frames,
                packed_burst(ended.burst),
                ended.alike,
                ended.id,
            )
            return db.execute(change, values).rowcount > 0

        return self.database.do(update)
