"""The search index of the album's entries: their words, their marks and their labels."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.journal.sql import AMONG, insert_all, listed
from app.messages import Inspection


@dataclass(frozen=True, slots=True)
class IndexedSnapshot:
    """What the search index holds of one entry."""

    place: int
    camera: str
    label: str
    note: str
    """A user's, and what was said of the picture."""
    person: bool
    starred: bool
    problem: bool
    reviewed: bool
    labels: tuple[tuple[str, float], ...]
    """Each label's name and confidence (0..1)."""

    @classmethod
    def of(cls, inspection: Inspection, *, place: int, note: str) -> IndexedSnapshot:
        """Of a new inspection, which no user has changed yet."""
        detection = inspection.detection
        return cls(
            place=place,
            camera=inspection.camera,
            label=inspection.snapshot.label,
            note=note,
            person=detection.person_count > 0,
            starred=False,
            problem=inspection.problem != "",
            reviewed=False,
            labels=tuple((label.name, label.confidence) for label in detection.labels),
        )

    @property
    def words(self) -> tuple[object, ...]:
        """A row of `words`."""
        marks = [camera_mark(self.camera)]
        marks += flag_marks(person=self.person, starred=self.starred, problem=self.problem)
        marks += [REVIEWED] if self.reviewed else []
        for name, confidence in self.labels:
            marks += label_mark(name), sure_mark(name, confidence)
        names = " ".join(name for name, _ in self.labels)
        return self.place, names, f"{self.camera} {self.label}", self.note, " ".join(marks)

    @property
    def tags(self) -> list[tuple[object, ...]]:
        """Rows of `tags`, one for each label; the surest one where a label occurs twice."""
        surest = {name.casefold(): (name, confidence) for name, confidence in sorted(self.labels, key=lambda x: x[1])}
        return [(folded, self.place, name, confidence) for folded, (name, confidence) in surest.items()]


REVIEWED = "reviewed"
"""The index word of what somebody has looked at."""


def camera_mark(camera: str) -> str:
    """The index word for this camera and no other, whatever its name."""
    return "c" + camera.encode().hex()


def label_mark(label: str) -> str:
    """The index word for this label, in any case."""
    return "l" + label.casefold().encode().hex()


def sure_mark(label: str, confidence: float) -> str:
    """The index word for this label, seen with so many full tenths of certainty."""
    return f"{label_mark(label)}x{int(confidence * 10)}"


def flag_marks(*, person: bool | None, starred: bool | None, problem: bool | None) -> list[str]:
    """The index words for the flags that hold and those that do not; none for a flag that is None."""
    words = ((person, "person", "nobody"), (starred, "starred", "plain"), (problem, "problem", "fine"))
    return [yes if flag else no for flag, yes, no in words if flag is not None]


def index(db: sqlite3.Connection, entries: Sequence[IndexedSnapshot]) -> None:
    """Add these to the index, which were not in it."""
    insert_all(db, "words (rowid, labels, camera, note, marks)", [entry.words for entry in entries])
    insert_all(db, "tags (folded, place, name, confidence)", [row for entry in entries for row in entry.tags])


def reindex(db: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """Add those of these to the index that are shown."""
    index(db, list(_findable(db, seqs)))


def unindex(db: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """Take these out of the index. To be done before anything about them is changed."""
    entries = list(_findable(db, seqs))
    db.execute(f"DELETE FROM words WHERE rowid {AMONG}", (listed(entry.place for entry in entries),))
    for entry in entries:
        folded = listed(row[0] for row in entry.tags)
        db.execute(f"DELETE FROM tags WHERE place = ? AND folded {AMONG}", (entry.place, folded))


def _findable(db: sqlite3.Connection, seqs: Sequence[int]) -> Iterable[IndexedSnapshot]:
    chosen = listed(seqs)
    detected = defaultdict(list)
    for seq, name, confidence in db.execute(
        f"SELECT seq, name, confidence FROM labels WHERE seq {AMONG} ORDER BY seq, position", (chosen,)
    ):
        detected[seq].append((name, confidence))
    for seq, place, camera, label, note, person, starred, problem, reviewed, corrected in db.execute(
        "SELECT seq, place, camera, label, trim(note || ' ' || description), person, starred, verdict_problem != '', "
        "reviewed, corrected FROM snapshots "
        f"WHERE seq {AMONG} AND shown",
        (chosen,),
    ).fetchall():
        labels = detected[seq] if corrected is None else [(name, 1.0) for name in json.loads(corrected)]
        flags = bool(person), bool(starred), bool(problem), bool(reviewed)
        yield IndexedSnapshot(place, camera, label, note, *flags, tuple(labels))
