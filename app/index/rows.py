"""What the journal says of an event as rows of the index, and the other way round."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.index.query import LONGEST_WORD, storable
from app.index.records import packed, unpacked
from app.journal.album_order import place
from app.journal.entries import Entry, words
from app.journal.mirror import Change

COLUMNS = (
    *("seq", "id", "owner", "place", "news", "camera", "label", "taken_at", "settled_into", "gone", "person", "surest"),
    *("starred", "reviewed", "problem", "failed", "visit", "name", "words", "record"),
)
LABEL_COLUMNS = ("folded", "place", "seq", "name", "camera", "confidence")
READ = "seq, owner, name, visit, starred, reviewed, record"
"""What `entry_of` reads."""

OWNER_BITS = 40
"""A visit's number is that in its owner's journal; above so many bits stands whose it is, counted from 1: no number of
the index is one of a journal too, so that none names another visit where only a journal can be asked. Bits of nobody
are of a replica that has not reached the index since it began."""


def visit_number(visit: int, owner: int) -> int:
    """The number of a replica's visit among those of all."""
    return ((owner + 1) << OWNER_BITS) + visit if visit else 0


def local_visit(number: int) -> int:
    """The number of a visit in its owner's journal."""
    return number & ((1 << OWNER_BITS) - 1)


def is_of(number: int, owner: int) -> bool:
    """Whether this is a visit of this replica."""
    return number >> OWNER_BITS == owner + 1


def values(change: Change, *, seq: int, news: int | None, owner: int) -> list[object]:
    """A row of `index_events`."""
    entry, snapshot = change.entry, change.entry.inspection.snapshot
    text = " ".join((*entry.labels, snapshot.camera, snapshot.label, entry.note, entry.description))
    taken_at = snapshot.taken_at.timestamp()
    row = {
        "seq": seq,
        "id": storable(entry.id),
        "owner": owner,
        "place": place(taken_at, seq),
        "news": news,
        "camera": storable(snapshot.camera),
        "label": storable(snapshot.label),
        "taken_at": taken_at,
        "settled_into": change.settled_into,
        "gone": change.gone,
        "person": entry.has_person,
        "surest": max((sure for _, sure in entry.confidences), default=0.0),
        "starred": entry.starred,
        "reviewed": entry.reviewed,
        "problem": entry.inspection.problem != "",
        "failed": snapshot.problem != "",
        "visit": visit_number(entry.visit, owner),
        "name": storable(snapshot.dated_name) if snapshot.path else "",
        "words": sorted({word[:LONGEST_WORD] for word in words(storable(text))}),
        "record": packed(entry),
    }
    return [row[name] for name in COLUMNS]


def label_rows(change: Change, seq: int) -> list[list[object]]:
    """Rows of `index_labels`: the surest one where a label occurs twice; none of what is not shown."""
    if change.gone or change.settled_into:
        return []
    snapshot = change.entry.inspection.snapshot
    at, camera = place(snapshot.taken_at.timestamp(), seq), storable(snapshot.camera)
    surest = {storable(name.casefold()): (name, sure) for name, sure in sorted(change.entry.confidences, key=_sureness)}
    return [[folded, at, seq, storable(name), camera, sure] for folded, (name, sure) in surest.items()]


def entry_of(row: Sequence[Any], owners: dict[int, str]) -> Entry:
    """The entry of a row of `READ`. `owners`: by number, what other replicas are called."""
    seq, owner, name, visit, starred, reviewed, record = row
    return unpacked(
        bytes(record),
        seq=seq,
        visit=visit,
        starred=starred,
        reviewed=reviewed,
        owner=owners.get(owner, ""),
        dated_name=name,
    )


def _sureness(label: tuple[str, float]) -> float:
    return label[1]
