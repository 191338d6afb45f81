"""The tables of the shared index in PostgreSQL, and the migrations to them."""

from __future__ import annotations

SCHEMA = (
    # `versions`: one row; its lock orders what is written, so that numbers are seen in the order in which they are
    # given: `seq` of events, `news` of what became an event while somebody might look on.
    # `index_events.place`: see `app.journal.album_order`. `gone`: deleted, or hidden until it is; `hidden_by`: the
    # handle under which another replica than the owner did that, and until when it can be taken back.
    # `index_edits`: what people changed at other replicas than the owner, until that has done it too.
    # `index_owners.journal`: its identity, for a name is that of one journal.
    # `index_labels`: of what is shown alone, as in the journal. Texts are compared byte by byte, as SQLite does.
    """
    CREATE TABLE index_versions (
        version integer NOT NULL,
        identity text NOT NULL,
        last_seq bigint NOT NULL DEFAULT 0,
        last_news bigint NOT NULL DEFAULT 0
    );
    CREATE TABLE index_owners (
        number integer PRIMARY KEY,
        name text NOT NULL UNIQUE,
        journal text NOT NULL DEFAULT ''
    );
    CREATE TABLE index_events (
        seq bigint PRIMARY KEY,
        id text COLLATE "C" NOT NULL UNIQUE,
        owner integer NOT NULL REFERENCES index_owners (number),
        place bigint NOT NULL,
        news bigint UNIQUE,
        camera text COLLATE "C" NOT NULL,
        label text NOT NULL,
        taken_at double precision NOT NULL,
        settled_into text COLLATE "C" NOT NULL,
        gone boolean NOT NULL,
        shown boolean GENERATED ALWAYS AS (settled_into = '' AND NOT gone) STORED,
        person boolean NOT NULL,
        surest double precision NOT NULL,
        starred boolean NOT NULL,
        reviewed boolean NOT NULL,
        problem boolean NOT NULL,
        failed boolean NOT NULL,
        visit bigint NOT NULL,
        name text NOT NULL,
        hidden_by text COLLATE "C" NOT NULL DEFAULT '',
        hidden_until double precision NOT NULL DEFAULT 0,
        words tsvector NOT NULL,
        record bytea NOT NULL
    );
    CREATE INDEX index_events_places ON index_events (place) INCLUDE (visit, person, surest, reviewed) WHERE shown;
    CREATE INDEX index_events_cameras ON index_events (camera, place) WHERE shown;
    CREATE INDEX index_events_visits ON index_events (visit, place) WHERE shown;
    CREATE INDEX index_events_settled ON index_events (settled_into) WHERE settled_into != '';
    CREATE INDEX index_events_words ON index_events USING gin (words) WHERE shown;
    CREATE TABLE index_labels (
        folded text COLLATE "C" NOT NULL,
        place bigint NOT NULL,
        seq bigint NOT NULL REFERENCES index_events (seq) ON DELETE CASCADE,
        name text NOT NULL,
        camera text COLLATE "C" NOT NULL,
        confidence double precision NOT NULL,
        PRIMARY KEY (folded, place, seq)
    );
    CREATE INDEX index_labels_cameras ON index_labels (folded, camera);
    CREATE INDEX index_labels_events ON index_labels (seq, folded);
    CREATE INDEX index_events_hidden ON index_events (hidden_by) WHERE hidden_by != '';
    CREATE TABLE index_edits (
        number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        owner integer NOT NULL REFERENCES index_owners (number),
        change jsonb NOT NULL
    );
    CREATE INDEX index_edits_owners ON index_edits (owner, number);
    """,
)
"""One script for each version; `index_versions.version` counts those that were carried out."""
