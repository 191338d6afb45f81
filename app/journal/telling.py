"""What people switch by hand, which browsers want messages, what was told last, and which things stand still."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.journal.base import JournalPart
from app.rules.subscribers import Subscriber
from pylib import sqlite

_SUBSCRIBERS = "SELECT endpoint, outlet, person, p256dh, auth FROM push_subscriptions"


def recorded_subscribers(journal: Path) -> list[Subscriber]:
    """All browsers that want messages, read from a journal that another process may have open.

    Raises `pylib.sqlite.DatabaseUnusable`.
    """
    with sqlite.reading(journal) as database:
        return [Subscriber(*row) for row in database.execute(_SUBSCRIBERS)]


class TellingPart(JournalPart):
    """What the rules remember."""

    def mode(self) -> str:
        """The home's mode; empty when none was ever set."""

        def select(db: sqlite3.Connection) -> str:
            row = db.execute("SELECT value FROM remembered WHERE name = 'mode'").fetchone()
            return str(row[0]) if row else ""

        return self.database.do(select)

    def set_mode(self, mode: str) -> None:
        """Remember the home's mode."""
        statement = "INSERT INTO remembered VALUES ('mode', ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
        self.database.do(lambda db: db.execute(statement, (mode,)))

    def snoozes(self) -> Mapping[str, float | None]:
        """Device key, or nothing for all cameras -> until when (Unix seconds; None until it is ended)."""
        return self.database.do(lambda db: dict(db.execute("SELECT camera, until FROM snoozes").fetchall()))

    def snooze(self, camera: str, until: float | None) -> None:
        """Remember until when this camera's messages are held back."""
        statement = "INSERT INTO snoozes VALUES (?, ?) ON CONFLICT (camera) DO UPDATE SET until = excluded.until"
        self.database.do(lambda db: db.execute(statement, (camera, until)))

    def wake(self, camera: str) -> None:
        """Forget that this camera's messages are held back."""
        self.database.do(lambda db: db.execute("DELETE FROM snoozes WHERE camera = ?", (camera,)))

    def told_at(self, rule: str, outlet: str, camera: str) -> float | None:
        """When this rule had the outlet told of this camera last (Unix seconds), by a message that was not given up."""
        query = "SELECT at FROM told WHERE outlet = ? AND camera = ? AND rule = ?"

        def select(db: sqlite3.Connection) -> float | None:
            row = db.execute(query, (outlet, camera, rule)).fetchone()
            return float(row[0]) if row else None

        return self.database.do(select)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Remember a browser, in place of what was known of its endpoint."""
        statement = "INSERT OR REPLACE INTO push_subscriptions VALUES (?, ?, ?, ?, ?, ?)"
        values = (
            subscriber.endpoint,
            subscriber.outlet,
            subscriber.person,
            subscriber.p256dh,
            subscriber.auth,
            self._clock(),
        )
        self.database.do(lambda db: db.execute(statement, values))

    def unsubscribe(self, endpoint: str) -> None:
        """Forget a browser."""
        self.database.do(lambda db: db.execute("DELETE FROM push_subscriptions WHERE endpoint = ?", (endpoint,)))

    def subscribers(self, outlet: str = "") -> Sequence[Subscriber]:
        """The browsers that get this outlet's messages, or all of them, by age."""

        def select(db: sqlite3.Connection) -> list[Subscriber]:
            query = f"{_SUBSCRIBERS} WHERE ?1 IN ('', outlet) ORDER BY made_at"
            return [Subscriber(*row) for row in db.execute(query, (outlet,))]

        return self.database.do(select)
