"""Journals with events in them, for tests of the album."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from app.journal import Entry, Journal
from app.messages import Detection, Inspection, Label, Snapshot
from tests.fakes.decisions import told_to

NOW = datetime(2026, 3, 4, 5, 6, 7, 890123, UTC)


def an_event(
    journal: Journal, name: str, *labels: str, camera: str = "Yard Camera", after: float = 0, note: str = ""
) -> Inspection:
    """One that became an event, taken so many seconds later than NOW."""
    taken = Snapshot(name, camera, "Yard", NOW, NOW + timedelta(seconds=after), 0.25, "http", f"/cache/{name}.jpg", 9)
    found = tuple(Label(label, 0.9) for label in labels)
    journal.record(taken, note=note)
    inspection = Inspection(taken, "hog", Detection(found, int("Person" in labels)), "clear")
    journal.inspect(told_to(inspection, ["rabbitmq", "s3"]))
    return inspection


def ids(entries: Iterable[Entry]) -> str:
    return " ".join(entry.id for entry in entries)


def hold(journal: Journal, *names: str) -> None:
    for number, name in enumerate(names):
        taken_at = NOW + timedelta(seconds=number)
        taken = Snapshot(name, "Yard Camera", "Yard", NOW, taken_at, 0.25, "ftp", f"/cache/{name}.jpg", 9)
        journal.record(taken)
        journal.hold(Inspection(taken, "hog", Detection((Label("Dog", 0.9),))))
