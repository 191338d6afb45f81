"""An album as it is after a year: many snapshots of several cameras, written in seconds."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from app.journal import Journal
from app.journal.search_index import reindex
from app.journal.visits import join_visits

CAMERAS = ("Front Door", "Back Door", "Garage", "Garden", "Gate", "Driveway", "Stable", "Cellar")
LABELS = {
    "Outdoors": 0.7, "Person": 0.35, "Plant": 0.5, "Tree": 0.4, "Car": 0.3, "Vehicle": 0.3, "Door": 0.2,
    "Dog": 0.05, "Cat": 0.03, "Bicycle": 0.02, "Traffic Light": 0.01, "Horse": 0.002, "Zebra": 0.00003,
}  # fmt: skip
"""Each with how many of the pictures have it."""
NOTES = ("the postman", "parcel left at the door", "who is that?", "fox")
BATCH = 2000

SNAPSHOTS = (
    "INSERT INTO snapshots (seq, id, state, camera, label, origin, recorded_at, triggered_at, taken_at, delay_s, path, "
    "size, width, height, problem, detector, decision, verdict_problem, person_count, person, inspected_at, starred, "
    "note, surest) VALUES (?, ?, 'held', ?, ?, 'rabbitmq', ?, ?, ?, 0.4, ?, 250000, 1920, 1080, ?, 'rekognition', ?, "
    "?, ?, ?, ?, ?, ?, 0.99)"
)


def fill(journal: Journal, count: int, *, until: datetime | None = None, seed: int = 1) -> None:
    """Fill an empty journal with so many snapshots of the year before `until` (now)."""
    last = (until or datetime.now(UTC)) - timedelta(minutes=1)
    journal.database.submit(lambda db: _fill(db, count, last, random.Random(seed))).result()


def _fill(db: sqlite3.Connection, count: int, last: datetime, dice: random.Random) -> None:
    moments = sorted(last.timestamp() - dice.random() * 365 * 86_400 for _ in range(count))
    for seq, moment in enumerate(moments, start=1):
        names = [name for name, share in LABELS.items() if dice.random() < share]
        db.execute(SNAPSHOTS, tuple(_snapshot(seq, moment, names, dice)))
        boxes = None
        labels = [(seq, number, name, dice.uniform(0.5, 0.99), boxes) for number, name in enumerate(names)]
        db.executemany("INSERT INTO labels VALUES (?, ?, ?, ?, ?)", labels)
        deliveries = [(seq, "rabbitmq", moment, moment, ""), (seq, "google_drive", moment, moment, f"{seq:032x}")]
        db.executemany(
            "INSERT INTO deliveries (seq, target, state, owed_since, next_at, done_at, md5) "
            "VALUES (?, ?, 'done', ?, 0, ?, ?)",
            deliveries,
        )
    db.execute("UPDATE snapshots SET state = 'inspected', event_number = seq")
    join_visits(db, range(1, count + 1))
    for first in range(1, count + 1, BATCH):
        reindex(db, range(first, min(first + BATCH, count + 1)))


def _snapshot(seq: int, moment: float, names: list[str], dice: random.Random) -> Iterator[object]:
    """Values of a row of `snapshots`."""
    place = dice.choice(CAMERAS[:-1] if seq % 2 else CAMERAS)
    event_id = f"{dice.getrandbits(128):032x}"
    persons = dice.randrange(1, 4) if "Person" in names else 0
    has_failed = dice.random() < 0.01
    problem = "timeout: the camera did not answer" if has_failed else ""
    yield from (seq, event_id, f"{place} Camera", place, moment, moment, moment)
    yield "" if has_failed else f"/cache/{event_id}.jpg"
    yield from (problem, "person" if persons else "clear", problem, persons, persons > 0, moment)
    yield dice.random() < 0.005
    yield dice.choice(NOTES) if dice.random() < 0.01 else ""
