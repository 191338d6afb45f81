"""Reads entries in a few queries on the database's thread, and builds them in the caller's."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.journal.entries import Entry
from app.journal.rows import inspection_of
from app.journal.schema import SEQ, SNAPSHOT_VALUES, VERDICT_COLUMNS, VERDICT_END
from app.journal.sql import AMONG, listed

STANDING = "state = 'inspected' AND deleted_at IS NULL"
"""Was inspected, is no longer held for its group and was not deleted."""


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of some entries."""

    rows: Sequence[Sequence[Any]]
    labels: Sequence[tuple[int, str, float, bytes | None]]
    archived: Sequence[tuple[int, str]]

    def entries(self) -> list[Entry]:
        """The entries, in the order of their rows."""
        labels, archived = defaultdict(list), defaultdict(list)
        for seq, *label in self.labels:
            labels[seq].append(label)
        for seq, target in self.archived:
            archived[seq].append(target)
        return [_entry(row, labels[row[SEQ]], archived[row[SEQ]]) for row in self.rows]

    def first(self) -> Entry | None:
        """The first entry; None when there is none."""
        return next(iter(self.entries()), None)


def read(db: sqlite3.Connection, condition: str, values: Sequence[object]) -> Read:
    """The entries that match this condition, which may end with an order and a limit."""
    query = (
        f"SELECT {SNAPSHOT_VALUES}, {VERDICT_COLUMNS}, starred, note, reviewed, visit FROM snapshots WHERE {condition}"
    )
    rows = db.execute(query, values).fetchall()
    seqs = listed(row[SEQ] for row in rows)
    labels = db.execute(
        f"SELECT seq, name, confidence, boxes FROM labels WHERE seq {AMONG} ORDER BY seq, position", (seqs,)
    ).fetchall()
    # An entry without a picture is in no archive, and publishers have no MD5.
    archived = db.execute(
        f"SELECT seq, target FROM deliveries WHERE seq {AMONG} AND state = 'done' AND md5 != '' ORDER BY seq, target",
        (seqs,),
    ).fetchall()
    return Read(rows, labels, archived)


def _entry(row: Sequence[Any], labels: Sequence[Sequence[Any]], archived: Sequence[str]) -> Entry:
    seq, (starred, note, reviewed, visit) = row[SEQ], row[VERDICT_END:]
    inspection = inspection_of(row, labels)
    return Entry(
        inspection,
        seq,
        starred=bool(starred),
        note=note,
        corrected=inspection.review.labels,
        archived_in=tuple(archived),
        reviewed=bool(reviewed),
        visit=visit,
    )
