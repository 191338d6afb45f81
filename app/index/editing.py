"""What people change at another replica than the owner: the index has it at once, and the owner soon."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from app.index.database import IndexDatabase
from app.index.query import query_of, storable
from app.index.rows import READ, entry_of, label_rows, local_visit, values
from app.index.writing import put
from app.journal.edits import NoteChanged
from app.journal.entries import Correction, Entry, Filter
from app.journal.mirror import Change
from pylib.postgres.session import Run

AT_ONCE = 100
"""Edits that are read at once."""


class Edit(NamedTuple):
    """What the owner has to do too."""

    number: int
    change: dict[str, Any]


class IndexEditing:
    """Changes of other replicas' events, each one transaction. All raise `IndexUnavailable`."""

    def __init__(self, database: IndexDatabase) -> None:
        self._database = database

    def matching(self, filter: Filter, *, limit: int) -> dict[str, bool]:
        """Ids of the newest so many that match -> whether they are this replica's."""
        query = query_of(filter)
        rows = self._database.read(f"{query.select('id, owner')} LIMIT %s", [*query.values, limit])
        return {snapshot_id: owner == self._database.owner for snapshot_id, owner in rows}

    def known(self, ids: Sequence[str]) -> dict[str, bool]:
        """Those of these ids that the index has and nobody has deleted, in the same way."""
        query = "SELECT id, owner FROM index_events WHERE id = ANY(%s) AND NOT gone"
        rows = self._database.read(query, [[storable(one) for one in ids]])
        return {snapshot_id: owner == self._database.owner for snapshot_id, owner in rows}

    def mark(self, ids: Sequence[str], name: str, *, value: bool) -> None:
        """Say of these whether they are `starred` or `reviewed`."""
        update = f"UPDATE index_events SET {name} = %s WHERE id = ANY(%s) RETURNING id, owner"

        def work(run: Run) -> None:
            _hand_on(run, run(update, [value, [*ids]]), {name: value})

        self._database.write(work)

    def change(self, snapshot_id: str, *, note_was: str | None = None, **given: Any) -> Entry | None:
        """Change an entry as `EditsPart.change` does, and return it; None when there is none. Raises `NoteChanged`."""

        said = {name: _storable(value) for name, value in given.items()}

        def work(run: Run) -> Entry | None:
            found = self._locked(run, "id = %s AND NOT gone", [storable(snapshot_id)])
            for row, change in found:
                note, known = said.get("note"), change.entry.note
                if note is not None and note_was is not None and known not in (note_was, note):
                    raise NoteChanged(known)
                changed = replace(change, entry=_changed(change.entry, **said))
                self._put(run, row, changed)
                _hand_on(run, [(row[-3], row[1])], _as_json(**said))
                return changed.entry
            return None

        return self._database.write(work)

    def hide(self, ids: Sequence[str], *, handle: str, until: float) -> None:
        """Hide these, and have their owners delete them then (Unix seconds); until then it can be taken back."""
        gone = "UPDATE index_events SET gone = true, hidden_by = %s, hidden_until = %s WHERE id = ANY(%s)"

        def work(run: Run) -> None:
            rows = run(f"{gone} RETURNING id, owner, seq", [handle, until, [*ids]])
            run("DELETE FROM index_labels WHERE seq = ANY(%s)", [[row[2] for row in rows]])
            _hand_on(run, [row[:2] for row in rows], {"hide": handle, "until": until})

        self._database.write(work)

    def unhide(self, handle: str, *, now: float) -> list[str]:
        """Take that back; returns the ids, none when it is too late."""
        handle = storable(handle)

        def work(run: Run) -> list[str]:
            found = self._locked(run, "hidden_by = %s AND hidden_until > %s AND gone", [handle, now])
            # An owner that was away until it would be too late never hears of it.
            run("DELETE FROM index_edits WHERE change->>'hide' = %s AND %s", [handle, bool(found)])
            for row, change in found:
                self._put(run, row, replace(change, gone=False))
            _hand_on(run, [(row[-3], row[1]) for row, _ in found], {"unhide": handle})
            run("UPDATE index_events SET hidden_by = '' WHERE hidden_by = %s", [handle])
            return [row[-3] for row, _ in found]

        return self._database.write(work)

    def hidden_until(self, handle: str) -> float:
        """Until when what was hidden so can be taken back (Unix seconds); 0 where nothing was."""
        query = "SELECT max(hidden_until) FROM index_events WHERE hidden_by = %s"
        return float(self._database.read(query, [storable(handle)])[0][0] or 0)

    # -- the owner's side ---------------------------------------------------------------------------

    def edits(self) -> list[Edit]:
        """What others changed of this replica's events, the first ones first."""
        query = "SELECT number, change FROM index_edits WHERE owner = %s ORDER BY number LIMIT %s"
        return [Edit(*row) for row in self._database.read(query, [self._database.owner, AT_ONCE])]

    def done(self, edits: Sequence[Edit]) -> None:
        """The journal has these."""
        numbers = [edit.number for edit in edits]
        self._database.write(lambda run: run("DELETE FROM index_edits WHERE number = ANY(%s)", [numbers]))

    def _locked(self, run: Run, condition: str, given: Sequence[object]) -> list[tuple[Sequence[Any], Change]]:
        """The rows of these events, which nobody else changes until the transaction ends."""
        query = f"SELECT {READ}, id, settled_into, gone FROM index_events WHERE {condition} ORDER BY seq FOR UPDATE"
        rows = run(query, given)
        return [(row, Change(entry_of(row[:-3], self._database.owners), row[-2], row[-1], 0, 0)) for row in rows]

    def _put(self, run: Run, row: Sequence[Any], change: Change) -> None:
        seq, owner = row[:2]
        own = replace(change, entry=replace(change.entry, visit=local_visit(change.entry.visit)))
        put(run, [values(own, seq=seq, news=None, owner=owner)], label_rows(own, seq))


def _storable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case Correction(labels=tuple(labels)):
            return Correction(tuple(map(storable, labels)))
        case _:
            return value


def _changed(
    entry: Entry,
    *,
    starred: bool | None = None,
    reviewed: bool | None = None,
    note: str | None = None,
    correction: Correction | None = None,
) -> Entry:
    changes = {"starred": starred, "reviewed": reviewed, "note": note}
    entry = replace(entry, **{name: value for name, value in changes.items() if value is not None})  # type: ignore[arg-type]
    if correction is None:
        return entry
    review = replace(entry.inspection.review, labels=correction.labels)
    return replace(entry, corrected=correction.labels, inspection=replace(entry.inspection, review=review))


def _as_json(*, correction: Correction | None = None, **given: Any) -> dict[str, Any]:
    said = {name: value for name, value in given.items() if value is not None}
    return said if correction is None else {**said, "labels": correction.labels}


def _hand_on(run: Run, rows: Iterable[Sequence[Any]], change: dict[str, Any]) -> None:
    """In a transaction: have the owners do it too. `rows`: id and owner of each event."""
    ids = defaultdict(list)
    for snapshot_id, owner in rows:
        ids[owner].append(snapshot_id)
    for owner, own in sorted(ids.items()):
        values = [owner, json.dumps({"ids": own, **change})]
        run("INSERT INTO index_edits (owner, change) VALUES (%s, %s::jsonb)", values)
