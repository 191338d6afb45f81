"""The tables of the journal, and how they came about."""

from __future__ import annotations

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
