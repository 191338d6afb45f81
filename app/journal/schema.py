"""The tables of the journal, and the migrations to them."""

from __future__ import annotations

from app.journal.album_order import (
    MILLISECOND,
    OUTAGE_MOST,
    PLACE_SQL,
    QUARTER_SQL,
    VISIT_GAP,
    VISIT_LENGTH,
    VISIT_MOST,
)

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
    # `place` orders the album as one number: milliseconds, and the last 20 bits of `seq` for those of the same one.
    # It is the row's id in `words` too, which therefore gives its matches in the album's order and need not be sorted.
    f"""
    ALTER TABLE snapshots ADD COLUMN note TEXT NOT NULL DEFAULT '';
    ALTER TABLE snapshots ADD COLUMN corrected TEXT;
    ALTER TABLE snapshots ADD COLUMN deleted_at REAL;
    ALTER TABLE snapshots ADD COLUMN event_number INTEGER;
    ALTER TABLE snapshots ADD COLUMN person INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE snapshots ADD COLUMN surest REAL NOT NULL DEFAULT 0;
    ALTER TABLE snapshots ADD COLUMN shown INTEGER
        AS (state = 'inspected' AND settled_into = '' AND deleted_at IS NULL) VIRTUAL;
    ALTER TABLE snapshots ADD COLUMN place INTEGER
        AS ({PLACE_SQL}) VIRTUAL;
    UPDATE snapshots SET
        person = person_count > 0,
        surest = coalesce((SELECT max(confidence) FROM labels WHERE seq = snapshots.seq), 0);
    CREATE INDEX snapshots_shown ON snapshots (place, surest) WHERE shown;
    CREATE INDEX snapshots_cameras ON snapshots (camera, place) WHERE shown;
    CREATE UNIQUE INDEX snapshots_events ON snapshots (event_number) WHERE event_number IS NOT NULL;

    CREATE TABLE tags (
        folded TEXT NOT NULL,
        place INTEGER NOT NULL,
        name TEXT NOT NULL,
        confidence REAL NOT NULL,
        PRIMARY KEY (folded, place)
    ) WITHOUT ROWID;
    INSERT INTO tags SELECT lower(name), place, name, max(confidence)
        FROM snapshots JOIN labels USING (seq) WHERE shown GROUP BY lower(name), place;

    CREATE VIRTUAL TABLE words USING fts5 (
        labels, camera, note, marks, columnsize = 0, prefix = '1', tokenize = 'unicode61 remove_diacritics 2'
    );
    INSERT INTO words (rowid, labels, camera, note, marks) SELECT
        place,
        coalesce((SELECT group_concat(name, ' ') FROM labels WHERE seq = snapshots.seq), ''),
        camera || ' ' || label,
        '',
        'c' || hex(camera)
            || CASE WHEN person THEN ' person' ELSE ' nobody' END
            || CASE WHEN starred THEN ' starred' ELSE ' plain' END
            || CASE WHEN verdict_problem != '' THEN ' problem' ELSE ' fine' END
            || coalesce((
                SELECT group_concat(
                    ' l' || hex(lower(name)) || ' l' || hex(lower(name)) || 'x' || CAST(confidence * 10 AS INTEGER), ''
                ) FROM labels WHERE seq = snapshots.seq
            ), '')
        FROM snapshots WHERE shown ORDER BY place;

    CREATE TABLE heat (quarter INTEGER PRIMARY KEY, snapshots INTEGER NOT NULL, persons INTEGER NOT NULL);
    INSERT INTO heat SELECT place / {QUARTER_SQL}, count(*), sum(person) FROM snapshots WHERE shown GROUP BY 1;
    CREATE TRIGGER heat_of_shown AFTER UPDATE OF state, settled_into, deleted_at, person ON snapshots
        WHEN new.shown
    BEGIN
        INSERT INTO heat VALUES (new.place / {QUARTER_SQL}, 1, new.person) ON CONFLICT (quarter) DO UPDATE SET
            snapshots = snapshots + 1, persons = persons + excluded.persons;
    END;
    CREATE TRIGGER heat_of_hidden AFTER UPDATE OF state, settled_into, deleted_at, person ON snapshots
        WHEN old.shown
    BEGIN
        UPDATE heat SET snapshots = snapshots - 1, persons = persons - old.person
            WHERE quarter = old.place / {QUARTER_SQL};
    END;
    CREATE TRIGGER heat_of_forgotten AFTER DELETE ON snapshots WHEN old.shown
    BEGIN
        UPDATE heat SET snapshots = snapshots - 1, persons = persons - old.person
            WHERE quarter = old.place / {QUARTER_SQL};
    END;
    """,
    "UPDATE snapshots SET path = stored(path) WHERE path != ''",
    # `decisions`: MessagePack, a list of [outlet, tell, reason, rule, digest_at] where rules had a say; else NULL.
    # A delivery of a digest waits until `next_at`, and goes out in one message with all others of its target.
    # `failing_since`: it has failed with the same code since then.
    # `told`: when a rule last told an outlet of a camera, and by which snapshot.
    """
    ALTER TABLE snapshots ADD COLUMN decisions BLOB;
    ALTER TABLE deliveries ADD COLUMN digest INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE deliveries ADD COLUMN failing_since REAL;
    DROP INDEX deliveries_owed;
    CREATE INDEX deliveries_owed ON deliveries (target, digest, seq, next_at, owed_since) WHERE state = 'owed';
    CREATE TABLE remembered (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE snoozes (camera TEXT PRIMARY KEY, until REAL) WITHOUT ROWID;
    CREATE TABLE told (
        rule TEXT NOT NULL,
        outlet TEXT NOT NULL,
        camera TEXT NOT NULL,
        at REAL NOT NULL,
        seq INTEGER NOT NULL,
        PRIMARY KEY (outlet, camera, rule)
    ) WITHOUT ROWID;
    CREATE TABLE push_subscriptions (
        endpoint TEXT PRIMARY KEY,
        outlet TEXT NOT NULL,
        person TEXT NOT NULL,
        p256dh TEXT NOT NULL,
        auth TEXT NOT NULL,
        made_at REAL NOT NULL
    ) WITHOUT ROWID;
    """,
    # `bucket_objects`: what became of each object that a bucket announced or listed, longer than its snapshot is
    # remembered. `outcome`: the snapshot's id, or why there is none. `attempts`: how often work on it began and the
    # process ended.
    # `rejected_messages`: what a queue held and was no event, and why.
    """
    ALTER TABLE snapshots ADD COLUMN bucket TEXT NOT NULL DEFAULT '';
    ALTER TABLE snapshots ADD COLUMN object_key TEXT NOT NULL DEFAULT '';
    CREATE TABLE bucket_objects (
        source TEXT NOT NULL,
        bucket TEXT NOT NULL,
        key TEXT NOT NULL,
        version TEXT NOT NULL,
        etag TEXT NOT NULL DEFAULT '',
        sequencer TEXT NOT NULL DEFAULT '',
        outcome TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        seen_at REAL NOT NULL,
        PRIMARY KEY (source, bucket, key, version)
    ) WITHOUT ROWID;
    CREATE INDEX bucket_objects_seen ON bucket_objects (seen_at);
    CREATE TABLE rejected_messages (
        source TEXT NOT NULL,
        id TEXT NOT NULL,
        reason TEXT NOT NULL,
        rejected_at REAL NOT NULL,
        PRIMARY KEY (source, id)
    ) WITHOUT ROWID;
    """,
    # `burst`: several pictures are wanted of a snapshot: MessagePack, [frames, pace, delay, look]. `frames`: how many
    # there are, of which `path` is the best; 0 until all are taken, and where one was wanted. `alike`: how many more
    # were dropped. `best`: why it is. `looks`: how many of them the detector has seen.
    # `media`: files beside the one picture: the frames of a burst, what was made of them, films of a camera.
    # `jobs`: long work; `arguments` and what a job leaves for its next attempt (`kept`) are MessagePack.
    # `running_films`: films that grow, with what their file was after its last change (`changing`: while it is worked
    # on). `film_segments`: their parts, a day each; `start` is where its frames are in the film, 0 for not yet.
    # `film_pictures`: what became of each picture that a film was offered, by the name that its source gives it.
    """
    ALTER TABLE snapshots ADD COLUMN burst BLOB;
    ALTER TABLE snapshots ADD COLUMN frames INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE snapshots ADD COLUMN alike INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE snapshots ADD COLUMN looks INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE snapshots ADD COLUMN best TEXT NOT NULL DEFAULT '';
    CREATE TABLE media (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        format TEXT NOT NULL,
        snapshot TEXT,
        camera TEXT NOT NULL,
        name TEXT NOT NULL DEFAULT '',
        position INTEGER NOT NULL DEFAULT 0,
        path TEXT NOT NULL,
        size INTEGER NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        frames INTEGER NOT NULL DEFAULT 1,
        duration_s REAL NOT NULL DEFAULT 0,
        taken_at REAL NOT NULL,
        made_at REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX media_of_snapshots ON media (snapshot, kind, position) WHERE snapshot IS NOT NULL;
    CREATE INDEX media_of_cameras ON media (camera, kind, taken_at) WHERE snapshot IS NULL;
    CREATE TABLE jobs (
        seq INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'done', 'failed')),
        arguments BLOB NOT NULL,
        kept BLOB,
        attempts INTEGER NOT NULL DEFAULT 0,
        next_at REAL NOT NULL,
        progress REAL NOT NULL DEFAULT 0,
        problem TEXT NOT NULL DEFAULT '',
        made_at REAL NOT NULL,
        ended_at REAL,
        UNIQUE (kind, key)
    );
    CREATE INDEX jobs_waiting ON jobs (next_at) WHERE state = 'waiting';
    CREATE INDEX jobs_ended ON jobs (ended_at) WHERE state != 'waiting';
    CREATE TABLE running_films (
        name TEXT PRIMARY KEY,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        size INTEGER NOT NULL DEFAULT 0,
        modified INTEGER NOT NULL DEFAULT 0,
        changing INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE film_segments (
        film TEXT NOT NULL,
        day TEXT NOT NULL,
        path TEXT NOT NULL,
        samples BLOB NOT NULL,
        start INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (film, day)
    ) WITHOUT ROWID;
    CREATE TABLE film_pictures (
        film TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        content BLOB,
        taken_at REAL,
        day TEXT,
        state TEXT NOT NULL CHECK (state IN ('waiting', 'shown', 'undated', 'broken', 'passed')),
        problem TEXT NOT NULL DEFAULT '',
        seen_at REAL NOT NULL,
        PRIMARY KEY (film, name)
    ) WITHOUT ROWID;
    CREATE INDEX film_pictures_of_days ON film_pictures (film, state, day);
    CREATE INDEX film_pictures_alike ON film_pictures (film, content) WHERE content IS NOT NULL;
    """,
    # `cost_usd`: what looking at a snapshot's pictures cost, in US dollars. `detector_note`: why another detector than
    # the one that was to decide has decided. `description`: a sentence about it.
    # `video`: where the video lies that a camera sent.
    # `snapshots_newest_pictures`: the newest picture of a camera that has failed ever since.
    # `answers`: what a detector that costs something said of a picture, by its SHA-256, so that none is paid for twice,
    # and how many calls that took; without an answer where a call may have been charged and none came. What an earlier
    # release paid for this month is a row for each camera: its price was that of Rekognition.
    # `audit`: who changed what; `method`: how they got in.
    # `outcomes`: how each camera, detector, outlet and source did last, and how often it has failed in a row; what an
    # earlier release recorded of it, as far as it did. `outcome_hours`: the same, counted, of the last 24 hours.
    """
    ALTER TABLE snapshots ADD COLUMN video TEXT NOT NULL DEFAULT '';
    CREATE INDEX snapshots_newest_pictures ON snapshots (camera, place) WHERE shown AND path != '';
    ALTER TABLE snapshots ADD COLUMN cost_usd REAL NOT NULL DEFAULT 0;
    ALTER TABLE snapshots ADD COLUMN detector_note TEXT NOT NULL DEFAULT '';
    ALTER TABLE snapshots ADD COLUMN description TEXT NOT NULL DEFAULT '';
    CREATE TABLE answers (
        content BLOB NOT NULL,
        detector TEXT NOT NULL,
        settings TEXT NOT NULL,
        camera TEXT NOT NULL,
        answer BLOB,
        calls INTEGER NOT NULL,
        cost_usd REAL NOT NULL,
        asked_at REAL NOT NULL,
        PRIMARY KEY (content, detector, settings)
    ) WITHOUT ROWID;
    CREATE INDEX answers_asked ON answers (asked_at);
    CREATE TABLE audit (
        seq INTEGER PRIMARY KEY,
        at REAL NOT NULL,
        who TEXT NOT NULL,
        method TEXT NOT NULL,
        address TEXT NOT NULL,
        action TEXT NOT NULL,
        subject TEXT NOT NULL,
        detail TEXT NOT NULL
    );
    INSERT INTO answers
    SELECT CAST('before ' || camera AS BLOB), detector, '', camera, NULL, sum(looks), sum(looks) * 0.001,
        max(inspected_at)
    FROM snapshots
    WHERE detector = 'rekognition' AND inspected_at >= CAST(strftime('%s', 'now', 'start of month') AS REAL)
    GROUP BY camera;
    DROP INDEX snapshots_sizes;
    CREATE INDEX snapshots_sizes ON snapshots (camera, size) WHERE path != '';
    CREATE TABLE outcomes (
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        tried_at REAL NOT NULL,
        succeeded_at REAL,
        failures INTEGER NOT NULL,
        failing_since REAL,
        problem TEXT NOT NULL,
        PRIMARY KEY (subject, name)
    ) WITHOUT ROWID;
    CREATE TABLE outcome_hours (
        subject TEXT NOT NULL,
        name TEXT NOT NULL,
        hour INTEGER NOT NULL,
        worked INTEGER NOT NULL,
        failed INTEGER NOT NULL,
        PRIMARY KEY (subject, name, hour)
    ) WITHOUT ROWID;
    INSERT INTO outcomes
    SELECT 'camera', camera, max(taken_at), good, sum(bad), since, problem FROM (
        SELECT *, min(iif(bad, taken_at, NULL)) OVER (PARTITION BY camera) AS since FROM (
            SELECT camera, taken_at, problem, problem != '' AS bad,
                max(iif(problem = '', taken_at, NULL)) OVER (PARTITION BY camera) AS good
            FROM snapshots WHERE (size > 0 OR problem != '') AND taken_at IS NOT NULL
                AND substr(problem, 1, instr(problem || ':', ':') - 1) NOT IN
                    ('circuit_open', 'overloaded', 'stale', 'unknown_camera')
        ) WHERE taken_at >= coalesce(good, taken_at)
    ) GROUP BY camera;
    INSERT INTO outcomes SELECT 'detector', detector, max(inspected_at), max(inspected_at), 0, NULL, ''
        FROM snapshots WHERE detector != '' AND inspected_at IS NOT NULL GROUP BY detector;
    WITH outlets (subject) AS (VALUES ('publisher'), ('archive'))
    INSERT INTO outcomes SELECT subject, target, max(done_at), max(done_at), 0, NULL, ''
        FROM outlets, deliveries WHERE state = 'done' AND done_at IS NOT NULL GROUP BY subject, target;
    """
    # `reviewed`: somebody has looked at it. `visit`: what one camera saw within a minute is one visit, whose number is
    # the `seq` of an entry that began it; see `app.journal.visits`. What an earlier release recorded is cut into visits
    # by the gaps between pictures, and those into pieces that are short enough; failed tries are outages of their own.
    f"""
    ALTER TABLE snapshots ADD COLUMN reviewed INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE snapshots ADD COLUMN visit INTEGER NOT NULL DEFAULT 0;
    DROP INDEX snapshots_shown;
    DROP INDEX snapshots_cameras;
    CREATE TEMP TABLE began AS
    WITH gaps AS (
        SELECT seq, camera, place, problem != '' AS failed,
            place / {MILLISECOND} - lag(place) OVER (PARTITION BY camera, problem != '' ORDER BY place) / {MILLISECOND}
                <= {VISIT_GAP // MILLISECOND} AS goes_on,
            sum(problem = '') OVER (PARTITION BY camera ORDER BY place) AS outage
        FROM snapshots WHERE shown
    ), chains AS (
        SELECT *, iif(failed, outage, sum(goes_on IS NOT 1) OVER (PARTITION BY camera, failed ORDER BY place)) AS chain
        FROM gaps
    ), pieces AS (
        SELECT *,
            iif(failed, (row_number() OVER one - 1) / {OUTAGE_MOST},
                (place - first_value(place) OVER one) / {VISIT_LENGTH + 1} * 1000000
                    + (row_number() OVER one - 1) / {VISIT_MOST}) AS piece
        FROM chains WINDOW one AS (PARTITION BY camera, failed, chain ORDER BY place)
    )
    SELECT seq, first_value(seq) OVER (PARTITION BY camera, failed, chain, piece ORDER BY place) AS visit FROM pieces;
    UPDATE snapshots SET visit = began.visit FROM began WHERE began.seq = snapshots.seq;
    DROP TABLE began;
    CREATE INDEX snapshots_shown ON snapshots (place, visit, person, surest, reviewed) WHERE shown;
    CREATE INDEX snapshots_cameras ON snapshots (camera, place, visit) WHERE shown;
    CREATE INDEX snapshots_visits ON snapshots (visit, place) WHERE shown;
    CREATE INDEX snapshots_reviewed ON snapshots (reviewed, place) WHERE shown;
    """,
    # `deliveries.revision`, `forgotten_events`: what the shared index does not have yet; see `app.journal.mirror`.
    """
    ALTER TABLE deliveries ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE forgotten_events (id TEXT PRIMARY KEY) WITHOUT ROWID;
    """,
)
"""One script for each schema version; `PRAGMA user_version` counts those that were applied."""

SNAPSHOT_COLUMNS = (
    "id, camera, label, triggered_at, taken_at, delay_s, origin, path, size, width, height, problem, "
    "active_input, traceparent, baggage, bucket, object_key, frames, burst, alike, video"
)
"""What `upsert_taken` writes."""
SNAPSHOT_VALUES = SNAPSHOT_COLUMNS.replace(" path,", " located(path),").replace(" video", " located(video)")
"""What `snapshot` reads: see `app.journal.paths`."""
SNAPSHOT_WIDTH = len(SNAPSHOT_COLUMNS.split(", "))
"""How many columns that is; those of the verdict come behind them."""
VERDICT_COLUMNS = (
    "detector, person_count, decision, verdict_problem, seq, decisions, corrected, deleted_at IS NOT NULL, best, "
    "description, cost_usd, detector_note"
)
SEQ = SNAPSHOT_WIDTH + VERDICT_COLUMNS.split(", ").index("seq")
"""Where `seq` stands behind both."""
VERDICT_END = SNAPSHOT_WIDTH + len(VERDICT_COLUMNS.split(", "))
