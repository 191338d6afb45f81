"""The journal: one SQLite database that says what was accepted, what became of it, and who must still be told."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgpack

from app.messages import Box, Detection, Inspection, Label, Snapshot, Trigger
from pylib.database import Database

HANDOVER_S = 5.0
"""How long a fresh row is left to the message that announces it, before `owed` names it too."""

SCHEMA = (
    """
    CREATE TABLE snapshots (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        state TEXT NOT NULL CHECK (state IN ('accepted', 'taken', 'held', 'inspected')),
        camera TEXT NOT NULL,
        label TEXT NOT NULL,
        origin TEXT NOT NULL,
        recorded_at REAL NOT NULL,
        triggered_at REAL NOT NULL,
        taken_at REAL,
        delay_s REAL,
        path TEXT NOT NULL DEFAULT '',
        size INTEGER NOT NULL DEFAULT 0,
        width INTEGER NOT NULL DEFAULT 0,
        height INTEGER NOT NULL DEFAULT 0,
        problem TEXT NOT NULL DEFAULT '',
        active_input BLOB,
        traceparent TEXT NOT NULL DEFAULT '',
        baggage TEXT NOT NULL DEFAULT '',
        trigger_key TEXT,
        content BLOB,
        detector TEXT NOT NULL DEFAULT '',
        person_count INTEGER NOT NULL DEFAULT 0,
        decision TEXT NOT NULL DEFAULT '',
        verdict_problem TEXT NOT NULL DEFAULT '',
        inspected_at REAL,
        settled_into TEXT NOT NULL DEFAULT ''
    );
    CREATE INDEX snapshots_unfinished ON snapshots (state, recorded_at) WHERE state != 'inspected';
    CREATE INDEX snapshots_settled ON snapshots (settled_into) WHERE settled_into != '';
    CREATE INDEX snapshots_trigger_key ON snapshots (trigger_key) WHERE trigger_key IS NOT NULL;
    CREATE INDEX snapshots_content ON snapshots (camera, content) WHERE content IS NOT NULL;
    CREATE INDEX snapshots_detector ON snapshots (detector, inspected_at) WHERE detector != '';
    CREATE TABLE labels (
        seq INTEGER NOT NULL REFERENCES snapshots (seq) ON DELETE CASCADE,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        confidence REAL NOT NULL,
        boxes BLOB,
        PRIMARY KEY (seq, position)
    ) WITHOUT ROWID;
    CREATE TABLE deliveries (
        seq INTEGER NOT NULL REFERENCES snapshots (seq) ON DELETE CASCADE,
        target TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'owed' CHECK (state IN ('owed', 'done', 'given_up')),
        attempts INTEGER NOT NULL DEFAULT 0,
        owed_since REAL NOT NULL,
        next_at REAL NOT NULL,
        done_at REAL,
        last_problem TEXT NOT NULL DEFAULT '',
        PRIMARY KEY (seq, target)
    ) WITHOUT ROWID;
    CREATE INDEX deliveries_owed ON deliveries (target, next_at) WHERE state = 'owed';
    """,
    """
    ALTER TABLE snapshots ADD COLUMN starred INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE snapshots ADD COLUMN gone_at REAL;
    ALTER TABLE deliveries ADD COLUMN md5 TEXT NOT NULL DEFAULT '';
    CREATE INDEX snapshots_pictures ON snapshots (taken_at) WHERE path != '';
    CREATE INDEX snapshots_sizes ON snapshots (size) WHERE path != '';
    CREATE INDEX snapshots_forgettable ON snapshots (coalesce(gone_at, inspected_at))
        WHERE path = '' AND state = 'inspected';
    DROP INDEX deliveries_owed;
    CREATE INDEX deliveries_owed ON deliveries (target, seq, next_at, owed_since) WHERE state = 'owed';
    CREATE INDEX deliveries_given_up ON deliveries (target) WHERE state = 'given_up';
    """,
)
"""One script a schema version; `PRAGMA user_version` says how many were applied."""

SNAPSHOT_COLUMNS = (
    "id, camera, label, triggered_at, taken_at, delay_s, origin, path, size, width, height, problem, "
    "active_input, traceparent, baggage"
)
VERDICT_COLUMNS = "detector, person_count, decision, verdict_problem, seq"


@dataclass(frozen=True, slots=True)
class Backoff:
    """Until the next attempt: `first_s`, doubled with each further one up to `last_s`, give or take a fifth."""

    first_s: float = 1.0
    last_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Debt:
    """All that a target is still owed, in numbers."""

    count: int
    since: float | None
    """Since when the oldest is owed (Unix seconds); None when nothing is."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in the cache, as far as it matters to how long it stays there."""

    seq: int
    id: str
    path: str
    size: int
    taken_at: float
    """Unix seconds."""
    camera: str
    person: bool
    starred: bool
    needed: bool
    """A target is still owed it, or no archive has it although there is one."""


@dataclass(frozen=True, slots=True)
class Filed:
    """What the journal knows of a picture in an archive."""

    seq: int
    id: str
    size: int
    md5: str
    """Of what was archived; empty when it was archived without."""
    path: str
    """In the cache; empty when it is there no more."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an archive stands."""

    done: int
    owed: int
    since: float | None
    """Since when the oldest is owed (Unix seconds); None when nothing is."""
    given_up: int
    without: int
    """Pictures in the cache that it was never owed, such as those from before it was configured."""
    problem: str
    """What went wrong last; empty when all is well."""


class Journal:
    """The record of all snapshots.

    Every method may be called from any thread and returns when the change is on the disk, unless it says
    otherwise. All raise `pylib.database.DatabaseUnavailable`.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time) -> None:
        self.database = Database(path, schema=SCHEMA)
        self._clock = clock

    def open(self) -> None:
        """Open or make the database, and let everything owed be tried at once, whatever it waited for before.

        Raises `pylib.database.DatabaseUnusable`.
        """
        self.database.open()
        self.database.submit(lambda db: db.execute("UPDATE deliveries SET next_at = 0 WHERE state = 'owed'"))

    # -- triggers ---------------------------------------------------------------------------------

    def accept(self, trigger: Trigger) -> None:
        """Record a trigger that nobody else keeps, before its picture is taken."""
        self.database.do(lambda db: _insert_accepted(db, trigger, self._clock()))

    def accepted(self, *, older_than: float = HANDOVER_S) -> list[Trigger]:
        """Triggers without an outcome that were accepted more than that many seconds ago, oldest first."""
        limit = self._clock() - older_than
        return self.database.do(lambda db: _select_accepted(db, limit))

    def recorded(self, trigger_key: str) -> list[str]:
        """Ids of the snapshots that were recorded for this trigger key."""

        def select(db: sqlite3.Connection) -> list[str]:
            return [row[0] for row in db.execute("SELECT id FROM snapshots WHERE trigger_key = ?", (trigger_key,))]

        return self.database.do(select)

    def forget_keys(self, ids: Sequence[str]) -> None:
        """Let go of the keys of these snapshots: their triggers will not be delivered again. Does not wait."""
        rows = [(snapshot_id,) for snapshot_id in ids]
        self.database.submit(lambda db: db.executemany("UPDATE snapshots SET trigger_key = NULL WHERE id = ?", rows))

    # -- snapshots --------------------------------------------------------------------------------

    def record(self, snapshot: Snapshot, *, trigger_key: str = "", content: bytes = b"") -> None:
        """Record a trigger's or an upload's outcome; a second outcome under the same id is not taken.

        `content` is the digest of an uploaded file, by which `sent_before` knows it again.
        """
        self.database.do(lambda db: _upsert_taken(db, snapshot, trigger_key, content, self._clock()))

    def sent_before(self, camera: str, content: bytes) -> str:
        """Id of the snapshot for which this camera uploaded a file of this digest; empty when it never did."""

        def select(db: sqlite3.Connection) -> str:
            query = "SELECT id FROM snapshots WHERE camera = ? AND content = ? LIMIT 1"
            row = db.execute(query, (camera, content)).fetchone()
            return str(row[0]) if row else ""

        return self.database.do(select)

    def uninspected(self, *, older_than: float = HANDOVER_S, limit: int = 1000) -> list[Snapshot]:
        """Snapshots recorded more than that many seconds ago that nobody has looked at, oldest first."""
        before = self._clock() - older_than

        def select(db: sqlite3.Connection) -> list[Snapshot]:
            rows = db.execute(
                f"SELECT {SNAPSHOT_COLUMNS} FROM snapshots WHERE state = 'taken' AND recorded_at <= ? "
                "ORDER BY recorded_at LIMIT ?",
                (before, limit),
            )
            return [_snapshot(row) for row in rows]

        return self.database.do(select)

    def inspect(self, inspection: Inspection, targets: Iterable[str]) -> None:
        """Record what was seen, and that each of the targets is owed it, in one step."""
        names = tuple(targets)
        self.database.do(lambda db: _update_inspected(db, inspection, names, self._clock()))

    def hold(self, inspection: Inspection) -> None:
        """Record what was seen, but leave it open whether it becomes an event of its own."""
        self.database.do(lambda db: _update_inspected(db, inspection, (), self._clock(), state="held"))

    def groups_due(self, seconds: float) -> list[Inspection]:
        """The first of each camera's held inspections, where that one was held for so many seconds."""
        before = self._clock() - seconds

        def select(db: sqlite3.Connection) -> list[Inspection]:
            rows = db.execute(
                f"SELECT {SNAPSHOT_COLUMNS}, {VERDICT_COLUMNS}, min(inspected_at) AS first FROM snapshots "
                "WHERE state = 'held' GROUP BY camera HAVING first <= ?",
                (before,),
            ).fetchall()
            return [_inspection(db, row) for row in rows]

        return self.database.do(select)

    def group_due(self, camera: str, seconds: float) -> list[Inspection]:
        """What this camera's first held inspection and those of the next so many seconds are, oldest first.

        Empty while that time is not over.
        """
        now = self._clock()

        def select(db: sqlite3.Connection) -> list[Inspection]:
            held = "FROM snapshots WHERE state = 'held' AND camera = ?"
            (first,) = db.execute(f"SELECT min(inspected_at) {held}", (camera,)).fetchone()
            if first is None or now - first < seconds:
                return []
            rows = db.execute(
                f"SELECT {SNAPSHOT_COLUMNS}, {VERDICT_COLUMNS} {held} AND inspected_at <= ? ORDER BY seq",
                (camera, first + seconds),
            ).fetchall()
            return [_inspection(db, row) for row in rows]

        return self.database.do(select)

    def settle(self, best: str, others: Iterable[str], targets: Iterable[str], *, archives: Iterable[str] = ()) -> None:
        """Make an event of the held inspection `best`, with the others linked to it.

        `archives`: the targets that are owed the others too.
        """
        linked, names, keepers = tuple(others), tuple(targets), tuple(archives)
        self.database.do(lambda db: _settle(db, best, linked, names, keepers, self._clock()))

    def related(self, snapshot_id: str) -> list[str]:
        """Ids of the snapshots that went into this one's event, or of the event that this one went into."""

        def select(db: sqlite3.Connection) -> list[str]:
            query = (
                "SELECT id FROM snapshots WHERE settled_into = ?1 "
                "UNION SELECT settled_into FROM snapshots WHERE id = ?1 AND settled_into != ''"
            )
            return [row[0] for row in db.execute(query, (snapshot_id,))]

        return self.database.do(select)

    def find(self, snapshot_id: str) -> Inspection | Snapshot | None:
        """What is known under this id: looked at, only taken, or nothing."""
        return self.database.do(lambda db: _find(db, snapshot_id))

    def latest(self, limit: int = 50) -> list[Inspection]:
        """The snapshots looked at last, newest first."""

        def select(db: sqlite3.Connection) -> list[Inspection]:
            rows = db.execute(
                f"SELECT {SNAPSHOT_COLUMNS}, {VERDICT_COLUMNS} FROM snapshots WHERE state = 'inspected' "
                "ORDER BY seq DESC LIMIT ?",
                (limit,),
            ).fetchall()
            return [_inspection(db, row) for row in rows]

        return self.database.do(select)

    def detections_since(self, detector: str, since: datetime) -> int:
        """How many pictures this detector has looked at since then."""

        def count(db: sqlite3.Connection) -> int:
            query = "SELECT count(*) FROM snapshots WHERE detector = ? AND inspected_at >= ?"
            return int(db.execute(query, (detector, since.timestamp())).fetchone()[0])

        return self.database.do(count)

    # -- deliveries -------------------------------------------------------------------------------

    def owed(self, target: str, *, limit: int, newest_first: bool = False) -> list[Inspection]:
        """What this target is owed and may be tried now, at most `limit`, oldest first unless asked otherwise."""
        now = self._clock()
        order = "DESC" if newest_first else "ASC"

        def select(db: sqlite3.Connection) -> list[Inspection]:
            rows = db.execute(
                # Found in the order of the index first: a long backlog is neither sorted nor read.
                f"SELECT {SNAPSHOT_COLUMNS}, {VERDICT_COLUMNS} FROM snapshots WHERE seq IN (SELECT seq FROM deliveries "
                f"WHERE target = ? AND state = 'owed' AND next_at <= ? ORDER BY seq {order} LIMIT ?) "
                f"ORDER BY seq {order}",
                (target, now, limit),
            ).fetchall()
            return [_inspection(db, row) for row in rows]

        return self.database.do(select)

    def delivered(self, snapshot_id: str, target: str, *, md5: str = "") -> None:
        """The target has confirmed it, as a file of this MD5. Does not wait: at worst it is told once more."""
        change = "state = 'done', done_at = ?, last_problem = '', md5 = ?"
        self._set_delivery(snapshot_id, target, change, (self._clock(), md5))

    def postpone(
        self,
        snapshot_id: str,
        target: str,
        *,
        problem: str,
        backoff: Backoff,
        give_up_after: float | None = None,
    ) -> None:
        """Try again later, or never once it has been owed for `give_up_after` seconds. Does not wait."""
        now = self._clock()
        overdue = now - give_up_after if give_up_after is not None else 0.0
        self._set_delivery(
            snapshot_id,
            target,
            "attempts = attempts + 1, last_problem = ?, next_at = ? + ? * min(?, ? * (1 << min(attempts, 16))), "
            "state = CASE WHEN owed_since <= ? THEN 'given_up' ELSE state END",
            (problem, now, random.uniform(0.8, 1.2), backoff.last_s, backoff.first_s, overdue),
        )

    def give_up(self, snapshot_id: str, target: str, *, problem: str) -> None:
        """The target will never take it. Does not wait."""
        change = "attempts = attempts + 1, state = 'given_up', done_at = ?, last_problem = ?"
        self._set_delivery(snapshot_id, target, change, (self._clock(), problem))

    def retry_now(self, target: str) -> None:
        """The target is back: all that it is owed may be tried at once, as if for the first time. Does not wait."""
        statement = (
            "UPDATE deliveries SET next_at = 0, attempts = 0 "
            "WHERE state = 'owed' AND target = ? AND (next_at > ? OR attempts > 0)"
        )
        values = (target, self._clock())
        self.database.submit(lambda db: db.execute(statement, values))

    def debt(self, target: str) -> Debt:
        """How much this target is owed, and for how long."""

        def select(db: sqlite3.Connection) -> Debt:
            query = "SELECT count(*), min(owed_since) FROM deliveries WHERE state = 'owed' AND target = ?"
            return Debt(*db.execute(query, (target,)).fetchone())

        return self.database.do(select)

    # -- pictures in the cache -----------------------------------------------------------------------

    def take_in(self, inspection: Inspection, targets: Iterable[str], *, content: bytes = b"") -> None:
        """Record what never was an event: a picture and what is owed of it, in one step."""
        names = tuple(targets)

        def insert(db: sqlite3.Connection) -> None:
            _upsert_taken(db, inspection.snapshot, "", content, self._clock())
            _update_inspected(db, inspection, names, self._clock())

        self.database.do(insert)

    def star(self, snapshot_id: str, *, starred: bool) -> bool:
        """Keep its picture in the cache whatever its age, or no longer; says whether there is such a snapshot."""

        def update(db: sqlite3.Connection) -> bool:
            statement = "UPDATE snapshots SET starred = ? WHERE id = ? AND state != 'accepted'"
            return db.execute(statement, (starred, snapshot_id)).rowcount > 0

        return self.database.do(update)

    def pictures(
        self, after: Picture | None = None, *, targets: Sequence[str], archives: Sequence[str], limit: int
    ) -> list[Picture]:
        """Pictures in the cache that were looked at, oldest first, from the one behind `after` on.

        `targets`: everybody who may be owed one; `archives`: those of them that keep pictures.
        """
        start = (after.taken_at, after.seq) if after else (-1e12, 0)
        needed, values = _needed(targets, archives)

        def select(db: sqlite3.Connection) -> list[Picture]:
            rows = db.execute(
                f"SELECT seq, id, path, size, taken_at, camera, person_count > 0, starred, {needed} FROM snapshots "
                "WHERE path != '' AND state = 'inspected' AND (taken_at, seq) > (?, ?) "
                "ORDER BY taken_at, seq LIMIT ?",
                (*values, *start, limit),
            )
            return [Picture(*row[:6], *map(bool, row[6:])) for row in rows]

        return self.database.do(select)

    def pictures_size(self) -> int:
        """Bytes of all pictures in the cache."""

        def select(db: sqlite3.Connection) -> int:
            return int(db.execute("SELECT coalesce(sum(size), 0) FROM snapshots WHERE path != ''").fetchone()[0])

        return self.database.do(select)

    def let_go(
        self, pictures: Sequence[Picture], *, targets: Sequence[str], archives: Sequence[str], problem: str = ""
    ) -> list[Picture]:
        """Take note that these pictures leave the cache, before their files do; returns those that may.

        One that was starred or came to be owed meanwhile stays, unless a `problem` forces it out: then all
        archives that are still owed it give it up for this reason.
        """
        needed, values = _needed(targets, archives)
        guard = "" if problem else f" AND starred = 0 AND NOT {needed}"
        statement = f"UPDATE snapshots SET path = '', gone_at = ? WHERE seq = ? AND path = ?{guard}"

        def update(db: sqlite3.Connection) -> list[Picture]:
            now = self._clock()
            gone = []
            for picture in pictures:
                key = (now, picture.seq, picture.path)
                if db.execute(statement, key if problem else (*key, *values)).rowcount:
                    gone.append(picture)
                    if problem:
                        _give_up_archives(db, picture.seq, archives, problem, now)
            return gone

        return self.database.do(update)

    def forget(self, *, older_than: float, targets: Sequence[str], limit: int) -> int:
        """Delete snapshots whose picture left (or that never had one) so many seconds ago; says how many.

        At most `limit`, and none that one of these targets is owed, nor a starred one.
        """
        statement = (
            "DELETE FROM snapshots WHERE seq IN (SELECT seq FROM snapshots WHERE path = '' AND state = 'inspected' "
            f"AND coalesce(gone_at, inspected_at) < ? AND starred = 0 AND NOT {_owed_to(targets)} LIMIT ?)"
        )
        values = (self._clock() - older_than, *targets, limit)
        return self.database.do(lambda db: db.execute(statement, values).rowcount)

    def forgettable(self, *, older_than: float, targets: Sequence[str]) -> int:
        """How many `forget` would delete."""
        query = (
            "SELECT count(*) FROM snapshots WHERE path = '' AND state = 'inspected' "
            f"AND coalesce(gone_at, inspected_at) < ? AND starred = 0 AND NOT {_owed_to(targets)}"
        )
        values = (self._clock() - older_than, *targets)
        return self.database.do(lambda db: int(db.execute(query, values).fetchone()[0]))

    def with_picture(self, ids: Sequence[str]) -> set[str]:
        """Those of these ids that have a picture in the cache, or may still get one."""
        query = f"SELECT id FROM snapshots WHERE id IN ({_marks(ids)}) AND (path != '' OR state = 'accepted')"
        return self.database.do(lambda db: {row[0] for row in db.execute(query, tuple(ids))})

    def began(self) -> float | None:
        """When the oldest snapshot was recorded (Unix seconds); None when there is none."""

        def select(db: sqlite3.Connection) -> float | None:
            row = db.execute("SELECT recorded_at FROM snapshots ORDER BY seq LIMIT 1").fetchone()
            return float(row[0]) if row else None

        return self.database.do(select)

    # -- archives ------------------------------------------------------------------------------------

    def has_delivered(self, target: str) -> bool:
        """Whether this target ever took anything."""
        query = "SELECT EXISTS (SELECT 1 FROM deliveries WHERE target = ? AND state = 'done')"
        return self.database.do(lambda db: bool(db.execute(query, (target,)).fetchone()[0]))

    def standing(self, target: str) -> Standing:
        """How this archive stands. Reads all that it ever took: for people, not for every second."""

        def select(db: sqlite3.Connection) -> Standing:
            counts = dict(
                db.execute(
                    "SELECT deliveries.state, count(*) FROM deliveries JOIN snapshots USING (seq) "
                    "WHERE target = ? AND (size > 0 OR deliveries.state = 'owed') GROUP BY deliveries.state",
                    (target,),
                )
            )
            (without,) = db.execute(
                "SELECT count(*) FROM snapshots WHERE path != '' AND state = 'inspected' "
                "AND NOT EXISTS (SELECT 1 FROM deliveries WHERE seq = snapshots.seq AND target = ?)",
                (target,),
            ).fetchone()
            (since,) = db.execute(
                "SELECT min(owed_since) FROM deliveries WHERE state = 'owed' AND target = ?", (target,)
            ).fetchone()
            problem = db.execute(
                "SELECT last_problem FROM deliveries WHERE target = ? AND state = 'owed' AND last_problem != '' "
                "ORDER BY seq DESC LIMIT 1",
                (target,),
            ).fetchone()
            return Standing(
                done=counts.get("done", 0),
                owed=counts.get("owed", 0),
                since=since,
                given_up=counts.get("given_up", 0),
                without=without,
                problem=problem[0] if problem else "",
            )

        return self.database.do(select)

    def owe_rest(self, target: str) -> int:
        """Owe this archive every picture in the cache that it gave up or was never owed; says how many."""

        def update(db: sqlite3.Connection) -> int:
            now = self._clock()
            revived = db.execute(
                "UPDATE deliveries SET state = 'owed', attempts = 0, owed_since = ?, next_at = 0 "
                "WHERE target = ? AND state = 'given_up' AND seq IN (SELECT seq FROM snapshots WHERE path != '')",
                (now, target),
            ).rowcount
            added = db.execute(
                "INSERT INTO deliveries (seq, target, owed_since, next_at) "
                "SELECT seq, ?, ?, 0 FROM snapshots WHERE path != '' AND state = 'inspected' "
                "ON CONFLICT DO NOTHING",
                (target, now),
            ).rowcount
            return revived + added

        return self.database.do(update)

    def owe_again(self, target: str, ids: Sequence[str]) -> int:
        """Owe this archive again what it has lost, as far as the picture is in the cache; says how many."""
        now = self._clock()
        statement = (
            "UPDATE deliveries SET state = 'owed', attempts = 0, owed_since = ?, next_at = 0 "
            "WHERE target = ? AND state = 'done' AND seq = (SELECT seq FROM snapshots WHERE id = ? AND path != '')"
        )
        rows = [(now, target, snapshot_id) for snapshot_id in ids]
        return self.database.do(lambda db: db.executemany(statement, rows).rowcount)

    def filed(self, target: str, *, before: datetime, after: int = 0, limit: int) -> list[Filed]:
        """Pictures that this archive has confirmed before then, by `seq`, from the one behind `after` on."""
        values = (before.timestamp(), after, limit)
        return self._filed("done_at < ? AND seq > ? ORDER BY seq LIMIT ?", target, values)

    def filed_among(self, target: str, ids: Sequence[str]) -> list[Filed]:
        """Those of these ids whose picture this archive has confirmed."""
        return self._filed(f"id IN ({_marks(ids)})", target, tuple(ids))

    def known(self, ids: Sequence[str]) -> set[str]:
        """Those of these ids that the journal has."""
        query = f"SELECT id FROM snapshots WHERE id IN ({_marks(ids)})"
        return self.database.do(lambda db: {row[0] for row in db.execute(query, tuple(ids))})

    # -- how -------------------------------------------------------------------------------------

    def _filed(self, condition: str, target: str, values: tuple[object, ...]) -> list[Filed]:
        query = (
            "SELECT seq, id, size, md5, path FROM snapshots JOIN deliveries USING (seq) "
            f"WHERE target = ? AND deliveries.state = 'done' AND size > 0 AND {condition}"
        )
        return self.database.do(lambda db: [Filed(*row) for row in db.execute(query, (target, *values))])

    def _set_delivery(self, snapshot_id: str, target: str, change: str, values: tuple[object, ...]) -> None:
        statement = (
            f"UPDATE deliveries SET {change} "
            "WHERE target = ? AND state = 'owed' AND seq = (SELECT seq FROM snapshots WHERE id = ?)"
        )
        self.database.submit(lambda db: db.execute(statement, (*values, target, snapshot_id)))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _owed_to(targets: Sequence[str]) -> str:
    """A condition on a row of `snapshots`, with the targets as its values."""
    return (
        "EXISTS (SELECT 1 FROM deliveries WHERE seq = snapshots.seq AND state = 'owed' "
        f"AND target IN ({_marks(targets)}))"
    )


def _needed(targets: Sequence[str], archives: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """A condition on a row of `snapshots`, and its values: see `Picture.needed`."""
    if not archives:
        return _owed_to(targets), tuple(targets)
    kept = (
        "EXISTS (SELECT 1 FROM deliveries WHERE seq = snapshots.seq AND state = 'done' "
        f"AND target IN ({_marks(archives)}))"
    )
    return f"({_owed_to(targets)} OR NOT {kept})", (*targets, *archives)


def _give_up_archives(db: sqlite3.Connection, seq: int, archives: Sequence[str], problem: str, now: float) -> None:
    db.execute(
        "UPDATE deliveries SET state = 'given_up', done_at = ?, last_problem = ? "
        f"WHERE seq = ? AND state = 'owed' AND target IN ({_marks(archives)})",
        (now, problem, seq, *archives),
    )


def _insert_accepted(db: sqlite3.Connection, trigger: Trigger, now: float) -> None:
    db.execute(
        "INSERT INTO snapshots (id, state, camera, label, origin, recorded_at, triggered_at, active_input, "
        "traceparent, baggage) VALUES (?, 'accepted', ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        (
            trigger.id,
            trigger.camera,
            trigger.label,
            trigger.origin,
            now,
            trigger.timestamp.timestamp(),
            _packed(trigger.active_input),
            trigger.traceparent,
            trigger.baggage,
        ),
    )


def _select_accepted(db: sqlite3.Connection, before: float) -> list[Trigger]:
    rows = db.execute(
        "SELECT id, camera, label, triggered_at, origin, active_input, traceparent, baggage FROM snapshots "
        "WHERE state = 'accepted' AND recorded_at <= ? ORDER BY recorded_at LIMIT 1000",
        (before,),
    )
    return [
        Trigger(
            id=row[0],
            camera=row[1],
            label=row[2],
            timestamp=_time(row[3]),
            arrived=time.monotonic(),
            origin=row[4],
            queued=True,
            active_input=_unpacked(row[5]),
            traceparent=row[6],
            baggage=row[7],
        )
        for row in rows
    ]


def _upsert_taken(db: sqlite3.Connection, snapshot: Snapshot, trigger_key: str, content: bytes, now: float) -> None:
    db.execute(
        f"INSERT INTO snapshots ({SNAPSHOT_COLUMNS}, state, recorded_at, trigger_key, content) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'taken', ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET state = 'taken', recorded_at = excluded.recorded_at, "
        "taken_at = excluded.taken_at, delay_s = excluded.delay_s, path = excluded.path, size = excluded.size, "
        "width = excluded.width, height = excluded.height, problem = excluded.problem WHERE state = 'accepted'",
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
            _packed(snapshot.active_input),
            snapshot.traceparent,
            snapshot.baggage,
            now,
            trigger_key or None,
            content or None,
        ),
    )


def _update_inspected(
    db: sqlite3.Connection, inspection: Inspection, targets: Sequence[str], now: float, *, state: str = "inspected"
) -> None:
    row = db.execute(
        "UPDATE snapshots SET state = ?, detector = ?, person_count = ?, decision = ?, "
        "verdict_problem = ?, inspected_at = ? WHERE id = ? AND state = 'taken' RETURNING seq",
        (
            state,
            inspection.detector,
            inspection.detection.person_count,
            inspection.decision,
            inspection.problem,
            now,
            inspection.id,
        ),
    ).fetchone()
    if row is None:
        return  # looked at before: the first answer stands
    db.executemany(
        "INSERT INTO labels (seq, position, name, confidence, boxes) VALUES (?, ?, ?, ?, ?)",
        [
            (row[0], position, label.name, label.confidence, _packed_boxes(label.boxes))
            for position, label in enumerate(inspection.detection.labels)
        ],
    )
    _owe(db, row[0], targets, now)


def _settle(
    db: sqlite3.Connection,
    best: str,
    others: Sequence[str],
    targets: Sequence[str],
    archives: Sequence[str],
    now: float,
) -> None:
    statement = (
        "UPDATE snapshots SET state = 'inspected', settled_into = ? WHERE id = ? AND state = 'held' RETURNING seq"
    )
    row = db.execute(statement, ("", best)).fetchone()
    if row is None:
        return
    for other in others:
        linked = db.execute(statement, (best, other)).fetchone()
        if linked is not None:
            _owe(db, linked[0], archives, now)
    _owe(db, row[0], targets, now)


def _owe(db: sqlite3.Connection, seq: int, targets: Sequence[str], now: float) -> None:
    db.executemany(
        "INSERT INTO deliveries (seq, target, owed_since, next_at) VALUES (?, ?, ?, ?)",
        [(seq, target, now, now + HANDOVER_S) for target in targets],
    )


def _find(db: sqlite3.Connection, snapshot_id: str) -> Inspection | Snapshot | None:
    row = db.execute(
        f"SELECT {SNAPSHOT_COLUMNS}, {VERDICT_COLUMNS}, state FROM snapshots WHERE id = ? AND state != 'accepted'",
        (snapshot_id,),
    ).fetchone()
    if row is None:
        return None
    return _snapshot(row) if row[-1] == "taken" else _inspection(db, row)


def _snapshot(row: Sequence[Any]) -> Snapshot:
    return Snapshot(
        id=row[0],
        camera=row[1],
        label=row[2],
        timestamp=_time(row[3]),
        taken_at=_time(row[4]),
        delay_s=row[5],
        origin=row[6],
        path=row[7],
        size=row[8],
        width=row[9],
        height=row[10],
        problem=row[11],
        active_input=_unpacked(row[12]),
        traceparent=row[13],
        baggage=row[14],
    )


def _inspection(db: sqlite3.Connection, row: Sequence[Any]) -> Inspection:
    detector, person_count, decision, problem, seq = row[15:20]
    labels = db.execute("SELECT name, confidence, boxes FROM labels WHERE seq = ? ORDER BY position", (seq,))
    found = tuple(Label(name, confidence, _unpacked_boxes(boxes)) for name, confidence, boxes in labels)
    return Inspection(_snapshot(row), detector, Detection(found, person_count), decision, problem)


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _packed(value: object) -> bytes | None:
    packed: bytes | None = None if value is None else msgpack.packb(value, datetime=True)
    return packed


def _unpacked(data: bytes | None) -> Any:
    return None if data is None else msgpack.unpackb(data, timestamp=3, strict_map_key=False)


def _packed_boxes(boxes: Sequence[Box]) -> bytes | None:
    return _packed([(box.left, box.top, box.width, box.height) for box in boxes]) if boxes else None


def _unpacked_boxes(data: bytes | None) -> tuple[Box, ...]:
    return tuple(Box(*box) for box in _unpacked(data) or ())
