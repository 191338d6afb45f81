"""What people switch by hand, which browsers want messages, what was told last, and which things stand still."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from app.journal.base import JournalPart
from app.rules.subscribers import Subscriber
from pylib import sqlite

_SWITCHED = "switched "
"""Begins what is remembered of when something was switched."""
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

    def set_mode(self, mode: str, *, at: float = 0.0) -> None:
        """Remember the home's mode, and when it was set (Unix seconds)."""

        def write(db: sqlite3.Connection) -> None:
            _remember(db, "mode", mode)
            _remember(db, f"{_SWITCHED}mode", repr(at))

        self.database.do(write)

    def snoozes(self) -> Mapping[str, float | None]:
        """Device key, or nothing for all cameras -> until when (Unix seconds; None until it is ended)."""
        return self.database.do(lambda db: dict(db.execute("SELECT camera, until FROM snoozes").fetchall()))

    def snooze(self, camera: str, until: float | None, *, at: float = 0.0) -> None:
        """Remember until when this camera's messages are held back, and when that was said."""
        statement = "INSERT INTO snoozes VALUES (?, ?) ON CONFLICT (camera) DO UPDATE SET until = excluded.until"

        def write(db: sqlite3.Connection) -> None:
            db.execute(statement, (camera, until))
            _remember(db, f"{_SWITCHED}snooze {camera}", repr(at))

        self.database.do(write)

    def wake(self, camera: str, *, at: float = 0.0) -> None:
        """Forget that this camera's messages are held back, but not when that was said."""

        def write(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM snoozes WHERE camera = ?", (camera,))
            _remember(db, f"{_SWITCHED}snooze {camera}", repr(at))

        self.database.do(write)

    def switched(self) -> Mapping[str, float]:
        """`mode`, or `snooze <device key>` -> when it was switched last (Unix seconds)."""

        def select(db: sqlite3.Connection) -> dict[str, float]:
            query = "SELECT substr(name, ?), value FROM remembered WHERE name >= ? AND name < ?"
            limits = (len(_SWITCHED) + 1, _SWITCHED, f"{_SWITCHED}\U0010ffff")
            return {name: float(value) for name, value in db.execute(query, limits)}

        return self.database.do(select)

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


def _remember(db: sqlite3.Connection, name: str, value: str) -> None:
    statement = "INSERT INTO remembered VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    db.execute(statement, (name, value))
