"""What replicas write into the shared index: their own events, and people's changes of others'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.index.database import IndexDatabase
from app.index.query import storable
from app.index.rows import COLUMNS, LABEL_COLUMNS, label_rows, values
from app.journal.mirror import Change
from pylib.postgres.session import Run

KEPT = ("seq", "id", "owner", "news")
"""What stands as it was first written."""
_PLACES = ", ".join("array_to_tsvector(%s::text[])" if name == "words" else "%s" for name in COLUMNS)
_CHANGING = [name for name in COLUMNS if name not in KEPT]
# A picture's name stays when its owner no longer has it in its cache.
_SET = ", ".join(
    "name = coalesce(nullif(excluded.name, ''), e.name)" if name == "name" else f"{name} = excluded.{name}"
    for name in _CHANGING
)


class IndexWriting:
    """What replicas write. All raise `IndexUnavailable`."""

    def __init__(self, database: IndexDatabase) -> None:
        self._database = database

    def write(self, changes: Sequence[Change]) -> list[str]:
        """Have these events be as they are at their owner, in one transaction; done twice it changes nothing.

        Returns those that are left to another replica, which has them too. `IndexDatabase.in_turn` is taken by who
        reads the changes and writes them.
        """
        return self._database.write(lambda run: write(run, changes, self._database))

    def forget(self, ids: Sequence[str]) -> None:
        """Forget events of this replica."""
        query = "DELETE FROM index_events WHERE id = ANY(%s) AND owner = %s"
        self._database.write(lambda run: run(query, [[storable(one) for one in ids], self._database.owner]))


def write(run: Run, changes: Sequence[Change], database: IndexDatabase) -> list[str]:
    """In a transaction: rows of these events, which are this replica's; returns the ids of those that are not."""
    if not changes:
        return []
    # Whoever writes waits here for whoever writes: numbers are seen in the order in which they are given.
    ((seq, news, *known),) = run("SELECT last_seq, last_news, version, identity FROM index_versions FOR UPDATE", None)
    database.refuse_another(*known)
    owner = database.owner
    ids = [storable(change.entry.id) for change in changes]
    there = {row[0]: row[1:] for row in run("SELECT id, seq, owner FROM index_events WHERE id = ANY(%s)", [ids])}
    # An id is one replica's: what another one has too, as after a move of its data, is left to that one.
    own = {
        snapshot_id: one for snapshot_id, one in zip(ids, changes, strict=True) if _is_own(there, snapshot_id, owner)
    }
    fresh = [snapshot_id for snapshot_id in own if snapshot_id not in there]
    seqs = {snapshot_id: there[snapshot_id][0] for snapshot_id in own if snapshot_id in there}
    seqs |= {snapshot_id: seq + count for count, snapshot_id in enumerate(fresh, start=1)}
    told = sorted((one for one in fresh if own[one].news), key=lambda one: own[one].news)
    numbers = {snapshot_id: news + count for count, snapshot_id in enumerate(told, start=1)}
    rows = [values(one, seq=seqs[id_], news=numbers.get(id_), owner=owner) for id_, one in own.items()]
    put(run, rows, [row for id_, one in own.items() for row in label_rows(one, seqs[id_])])
    run("UPDATE index_versions SET last_seq = %s, last_news = %s", [seq + len(fresh), news + len(told)])
    return [snapshot_id for snapshot_id in ids if snapshot_id not in own]


def put(run: Run, rows: Sequence[Sequence[object]], labels: Sequence[Sequence[object]]) -> None:
    """In a transaction: these rows of `index_events`, with all of their labels."""
    if not rows:
        return
    insert = f"INSERT INTO index_events AS e ({', '.join(COLUMNS)}) VALUES {_all(_PLACES, len(rows))}"
    run(f"{insert} ON CONFLICT (id) DO UPDATE SET {_SET}", [one for row in rows for one in row])
    run("DELETE FROM index_labels WHERE seq = ANY(%s)", [[row[0] for row in rows]])
    if labels:
        insert = f"INSERT INTO index_labels ({', '.join(LABEL_COLUMNS)}) VALUES "
        run(insert + _all(", ".join(["%s"] * len(LABEL_COLUMNS)), len(labels)), [one for row in labels for one in row])


def _is_own(there: Mapping[str, Sequence[int]], snapshot_id: str, owner: int) -> bool:
    return snapshot_id not in there or there[snapshot_id][1] == owner


def _all(places: str, count: int) -> str:
    return ", ".join([f"({places})"] * count)
