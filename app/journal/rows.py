"""Messages as rows and rows as messages, and helpers that several parts of the journal use in a transaction."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

from app.journal.columns import (
    moment,
    packed,
    packed_boxes,
    packed_burst,
    packed_decisions,
    unpacked,
    unpacked_boxes,
    unpacked_burst,
    unpacked_decisions,
)
from app.journal.schema import SEQ, SNAPSHOT_COLUMNS, SNAPSHOT_VALUES, SNAPSHOT_WIDTH, VERDICT_COLUMNS, VERDICT_END
from app.journal.search_index import IndexedSnapshot, index, reindex
from app.journal.sql import insert_all, marks
from app.journal.visits import join_visits, visit_of
from app.messages import Detection, Inspection, Label, OutletDecision, Review, Snapshot, Trigger

HANDOVER_S = 5.0
"""Seconds that a new row is left to the message that announces it, before a query for unfinished rows returns it."""


UNARCHIVED = "origin = 'booth'"
"""A condition on a row of `snapshots`: no archive gets its picture, which is a guest's."""
FOR_A_GUEST = (
    f"({UNARCHIVED} AND EXISTS (SELECT 1 FROM jobs "
    "WHERE kind = 'booth' AND key = snapshots.id AND jobs.state != 'done'))"
)
"""A condition on a row of `snapshots`: a guest's animation is not stored and mailed yet."""


def pending_for(targets: Sequence[str]) -> str:
    """A condition on a row of `snapshots`, with the targets as its values."""
    return (
        "EXISTS (SELECT 1 FROM deliveries WHERE seq = snapshots.seq AND state = 'owed' "
        f"AND target IN ({marks(targets)}))"
    )


def still_needed(targets: Sequence[str], archives: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A condition on a row of `snapshots`, and its values: see `CachedPicture.needed`."""
    pending = f"({pending_for(targets)} OR {FOR_A_GUEST})"
    if not archives:
        return pending, tuple(targets)
    kept = (
        "EXISTS (SELECT 1 FROM deliveries WHERE seq = snapshots.seq AND state = 'done' "
        f"AND target IN ({marks(archives)}))"
    )
    return f"({pending} OR NOT ({UNARCHIVED} OR {kept}))", (*targets, *archives)


def abandon_archives(db: sqlite3.Connection, seq: int, archives: Sequence[str], problem: str, now: float) -> None:
    db.execute(
        "UPDATE deliveries SET state = 'given_up', done_at = ?, last_problem = ? "
        f"WHERE seq = ? AND state = 'owed' AND target IN ({marks(archives)})",
        (now, problem, seq, *archives),
    )


def insert_accepted(db: sqlite3.Connection, trigger: Trigger, now: float) -> None:
    db.execute(
        "INSERT INTO snapshots (id, state, camera, label, origin, recorded_at, triggered_at, active_input, "
        "traceparent, baggage, burst) VALUES (?, 'accepted', ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (
            trigger.id,
            trigger.camera,
            trigger.label,
            trigger.origin,
            now,
            trigger.timestamp.timestamp(),
            packed(trigger.active_input),
            trigger.traceparent,
            trigger.baggage,
            packed_burst(trigger.burst),
        ),
    )


UNFINISHED = "state != 'inspected'"
"""As the index says it: SQLite does not conclude it from `state = 'taken'`, and would look through all snapshots."""


def select_accepted(db: sqlite3.Connection, before: float) -> list[Trigger]:
    rows = db.execute(
        "SELECT id, camera, label, triggered_at, origin, active_input, traceparent, baggage, burst FROM "
        f"snapshots WHERE state = 'accepted' AND {UNFINISHED} AND recorded_at <= ? ORDER BY recorded_at LIMIT 1000",
        (before,),
    )
    return [
        Trigger(
            id=row[0],
            camera=row[1],
            label=row[2],
            timestamp=moment(row[3]),
            arrived=time.monotonic(),
            origin=row[4],
            queued=True,
            active_input=unpacked(row[5]),
            traceparent=row[6],
            baggage=row[7],
            burst=unpacked_burst(row[8]),
        )
        for row in rows
    ]


def upsert_taken(
    db: sqlite3.Connection, snapshot: Snapshot, trigger_key: str, content: bytes, now: float, *, note: str = ""
) -> None:
    db.execute(
        f"INSERT INTO snapshots ({SNAPSHOT_COLUMNS}, state, recorded_at, trigger_key, content, note) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, stored(?), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, stored(?), 'taken', ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET state = 'taken', recorded_at = excluded.recorded_at, "
        "taken_at = excluded.taken_at, delay_s = excluded.delay_s, path = excluded.path, size = excluded.size, "
        "width = excluded.width, height = excluded.height, problem = excluded.problem, note = excluded.note, "
        "frames = excluded.frames, burst = excluded.burst, alike = excluded.alike "
        "WHERE state = 'accepted'",
        (
            snapshot.id,
            snapshot.camera,
            snapshot.label,
            snapshot.timestamp.timestamp(),
            snapshot.taken_at.timestamp(),
            snapshot.delay_s,
            snapshot.origin,
            snapshot.path,
            snapshot.size,
            snapshot.width,
            snapshot.height,
            snapshot.problem,
            packed(snapshot.active_input),
            snapshot.traceparent,
            snapshot.baggage,
            snapshot.bucket,
            snapshot.object_key,
            snapshot.frames,
            packed_burst(snapshot.burst),
            snapshot.alike,
            snapshot.video,
            now,
            trigger_key or None,
            content or None,
            note,
        ),
    )


NEXT_NUMBER = "1 + coalesce((SELECT max(event_number) FROM snapshots WHERE event_number IS NOT NULL), 0)"
"""The next number in the order of events."""


def update_inspected(
    db: sqlite3.Connection,
    inspection: Inspection,
    now: float,
    *,
    state: str = "inspected",
    is_news: bool = True,
) -> int | None:
    """Returns its `seq`; None where it was inspected before."""
    detection = inspection.detection
    decisions = inspection.decisions if state == "inspected" else ()
    if inspection.snapshot.frames:
        _show_best(db, inspection.snapshot)  # before the rest, which has its place by time
    number = NEXT_NUMBER if is_news and state == "inspected" else "NULL"
    taken_at = inspection.snapshot.taken_at.timestamp()
    failed = bool(inspection.snapshot.problem)
    visit = visit_of(db, inspection.camera, taken_at, failed=failed) if state == "inspected" else 0
    row = db.execute(
        "UPDATE snapshots SET state = ?, detector = ?, person_count = ?, decision = ?, verdict_problem = ?, "
        "inspected_at = ?, person = ?, surest = ?, decisions = ?, best = ?, looks = ?, cost_usd = ?, "
        f"detector_note = ?, visit = coalesce(?, seq), event_number = {number} "
        "WHERE id = ? AND state = 'taken' RETURNING seq, place, note",
        (
            state,
            inspection.detector,
            detection.person_count,
            inspection.decision,
            inspection.problem,
            now,
            detection.person_count > 0,
            max((label.confidence for label in detection.labels), default=0.0),
            packed_decisions(decisions),
            inspection.best,
            inspection.looks,
            inspection.cost_usd,
            inspection.detector_note,
            visit,
            inspection.id,
        ),
    ).fetchone()
    if row is None:
        return None  # the first result stands
    insert_labels(db, row[0], detection)
    if state == "inspected":
        index(db, [IndexedSnapshot.of(inspection, place=row[1], note=row[2])])
    tell(db, row[0], inspection.camera, decisions, now)
    return int(row[0])


def insert_labels(db: sqlite3.Connection, seq: int, detection: Detection) -> None:
    insert_all(
        db,
        "labels (seq, position, name, confidence, boxes)",
        [
            (seq, position, label.name, label.confidence, packed_boxes(label.boxes))
            for position, label in enumerate(detection.labels)
        ],
    )


def _show_best(db: sqlite3.Connection, best: Snapshot) -> None:
    db.execute(
        "UPDATE snapshots SET path = stored(?), size = ?, width = ?, height = ?, taken_at = ?, delay_s = ? "
        "WHERE id = ? AND state = 'taken'",
        (best.path, best.size, best.width, best.height, best.taken_at.timestamp(), best.delay_s, best.id),
    )


def settle(
    db: sqlite3.Connection,
    best: str,
    others: Sequence[str],
    decisions: Sequence[OutletDecision],
    archives: Sequence[str],
    now: float,
    *,
    why: str,
) -> None:
    change = "UPDATE snapshots SET state = 'inspected', {} WHERE id = ? AND state = 'held' RETURNING seq, camera"
    of_event = f"decisions = ?, best = ?, frames = ?, event_number = {NEXT_NUMBER}"
    frames = 1 + len(others) if others else 0
    row = db.execute(change.format(of_event), (packed_decisions(decisions), why, frames, best)).fetchone()
    if row is None:
        return
    join_visits(db, [row[0]])
    reindex(db, [row[0]])
    for other in others:
        linked = db.execute(change.format("settled_into = ?"), (best, other)).fetchone()
        if linked is not None:
            enqueue(db, linked[0], archives, now)
    tell(db, row[0], row[1], decisions, now)


def tell(db: sqlite3.Connection, seq: int, camera: str, decisions: Sequence[OutletDecision], now: float) -> None:
    """A pending delivery for each outlet that is to be told, and when each rule told it last."""
    enqueue(db, seq, [one.outlet for one in decisions if one.tell and not one.digest_at], now)
    digests = [(seq, one.outlet, now, one.digest_at, 1) for one in decisions if one.tell and one.digest_at]
    insert_all(db, "deliveries (seq, target, owed_since, next_at, digest)", digests)
    insert_all(
        db,
        "told (rule, outlet, camera, at, seq)",
        [(one.rule, one.outlet, camera, now, seq) for one in decisions if one.tell and one.rule],
        replace=True,
    )


def enqueue(db: sqlite3.Connection, seq: int, targets: Sequence[str], now: float) -> None:
    rows = [(seq, target, now, now + HANDOVER_S) for target in targets]
    insert_all(db, "deliveries (seq, target, owed_since, next_at)", rows)


def find(db: sqlite3.Connection, snapshot_id: str) -> Inspection | Snapshot | None:
    row = db.execute(
        f"SELECT {SNAPSHOT_VALUES}, {VERDICT_COLUMNS}, state FROM snapshots WHERE id = ? AND state != 'accepted'",
        (snapshot_id,),
    ).fetchone()
    if row is None:
        return None
    return snapshot(row) if row[-1] == "taken" else inspection(db, row)


def waiting_snapshots(db: sqlite3.Connection, condition: str, before: float, limit: int) -> list[Snapshot]:
    """Those that were taken and recorded before then, and to which the condition applies, oldest first."""
    rows = db.execute(
        f"SELECT {SNAPSHOT_VALUES} FROM snapshots WHERE state = 'taken' AND {UNFINISHED} AND {condition} "
        "AND recorded_at <= ? ORDER BY recorded_at LIMIT ?",
        (before, limit),
    )
    return [snapshot(row) for row in rows]


def snapshot(row: Sequence[Any]) -> Snapshot:
    return Snapshot(
        id=row[0],
        camera=row[1],
        label=row[2],
        timestamp=moment(row[3]),
        taken_at=moment(row[4]),
        delay_s=row[5],
        origin=row[6],
        path=row[7],
        size=row[8],
        width=row[9],
        height=row[10],
        problem=row[11],
        active_input=unpacked(row[12]),
        traceparent=row[13],
        baggage=row[14],
        bucket=row[15],
        object_key=row[16],
        frames=row[17],
        burst=unpacked_burst(row[18]),
        alike=row[19],
        video=row[20],
    )


def inspection(db: sqlite3.Connection, row: Sequence[Any]) -> Inspection:
    query = "SELECT name, confidence, boxes FROM labels WHERE seq = ? ORDER BY position"
    return inspection_of(row, db.execute(query, (row[SEQ],)))


def inspection_of(row: Sequence[Any], labels: Iterable[Sequence[Any]]) -> Inspection:
    """`labels`: each one's name, confidence and boxes."""
    detector, person_count, decision, problem, _seq, decisions, corrected, deleted, best, said, cost_usd, note = row[
        SNAPSHOT_WIDTH:VERDICT_END
    ]
    found = tuple(Label(name, confidence, unpacked_boxes(boxes)) for name, confidence, boxes in labels)
    return Inspection(
        snapshot(row),
        detector,
        Detection(found, person_count),
        decision,
        problem,
        unpacked_decisions(decisions),
        Review(None if corrected is None else tuple(json.loads(corrected)), bool(deleted), said),
        best,
        cost_usd=cost_usd,
        detector_note=note,
    )
