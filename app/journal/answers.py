"""What detectors that cost something have said, so that no picture is paid for twice, and what that cost."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from app.journal.base import JournalPart
from app.journal.columns import packed, packed_boxes, unpacked, unpacked_boxes
from app.journal.records import Spent
from app.messages import Detection, Label


class AnswersPart(JournalPart):
    """Answers that were paid for."""

    def answer(self, content: bytes, *, detector: str, settings: str) -> Detection | None:
        """What this detector with these settings said of the picture of this SHA-256; None where it never did."""
        query = "SELECT answer FROM answers WHERE content = ? AND detector = ? AND settings = ? AND answer IS NOT NULL"

        def select(db: sqlite3.Connection) -> Detection | None:
            row = db.execute(query, (content, detector, settings)).fetchone()
            return _unpacked(row[0]) if row else None

        return self.database.do(select)

    def keep_answer(
        self,
        content: bytes,
        answer: Detection | None,
        *,
        detector: str,
        settings: str,
        camera: str,
        cost_usd: float,
    ) -> None:
        """Remember an answer, and what it cost; None where none came to a call that may have been charged.

        What an earlier call for the same picture cost counts from now on too: rather twice than in no month's cap.
        """
        statement = (
            "INSERT INTO answers VALUES (?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (content, detector, settings) DO UPDATE "
            "SET answer = coalesce(excluded.answer, answer), calls = calls + 1, "
            "cost_usd = cost_usd + excluded.cost_usd, asked_at = excluded.asked_at"
        )
        values = (content, detector, settings, camera, _packed(answer), cost_usd, self._clock())
        self.database.do(lambda db: db.execute(statement, values))

    def spent_since(self, since: datetime) -> list[Spent]:
        """What was paid since then for each camera and detector, the dearest first."""
        query = (
            "SELECT camera, detector, sum(calls), sum(cost_usd) FROM answers WHERE asked_at >= ? "
            "GROUP BY camera, detector ORDER BY sum(cost_usd) DESC, camera, detector"
        )
        values = (since.timestamp(),)
        return self.database.do(lambda db: [Spent(*row) for row in db.execute(query, values)])

    def forget_answers(self, *, older_than: float) -> None:
        """Forget answers that were given so many seconds ago. Does not wait."""
        before = self._clock() - older_than
        self.database.submit(lambda db: db.execute("DELETE FROM answers WHERE asked_at < ?", (before,)))


def _packed(answer: Detection | None) -> bytes | None:
    if answer is None:
        return None
    labels = [(label.name, label.confidence, packed_boxes(label.boxes)) for label in answer.labels]
    return packed((answer.person_count, labels))


def _unpacked(data: bytes) -> Detection:
    person_count, labels = unpacked(data)
    found = (Label(name, confidence, unpacked_boxes(boxes)) for name, confidence, boxes in labels)
    return Detection(tuple(found), person_count)
