"""What others did: their events go to this machine's open pages, their edits of our events into our journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import structlog

from app.index.database import IndexDatabase, IndexUnavailable
from app.index.editing import Edit, IndexEditing
from app.index.reading import IndexReading
from app.index.writing import IndexWriting
from app.journal import Journal
from app.journal.entries import Correction
from app.messages import Inspection
from pylib.errors import Transient

log = structlog.get_logger(__name__)

AT_ONCE = 100
"""Events that are passed on at once; pages that are open do not need more."""
CHANGES = {"starred": bool, "reviewed": bool, "note": str}
"""What an edit may change, by name, besides `labels`; a newer release may know more."""


class Follow:
    """Asks the index every moment: polling needs no session, so that it works through PgBouncer."""

    def __init__(self, database: IndexDatabase, *, journal: Journal, tell: Callable[[Inspection], object]) -> None:
        """`tell` gets every event of another replica, from when the service began on."""
        self._database = database
        self._journal = journal
        self._tell = tell
        self._reading = IndexReading(database)
        self._editing = IndexEditing(database)
        self._writing = IndexWriting(database)
        self._seen: int | None = None

    def look(self) -> None:
        """Pass on what is new, and do what others changed."""
        try:
            last, edited = self._reading.what_is_new()
            if self._seen is None or last < self._seen:  # it begins, or the index was made anew
                self._seen = last
            if last > self._seen:
                self._pass_on(after=self._seen, last=last)
                self._seen = last
            if edited:
                self._carry_out()
        except IndexUnavailable:
            pass  # the outlet says so

    def _pass_on(self, *, after: int, last: int) -> None:
        for entry in self._reading.news(after=after, last=last, limit=AT_ONCE):
            self._tell(entry.inspection)

    def _carry_out(self) -> None:
        edits = self._editing.edits()
        for edit in edits:
            try:
                carry_out(self._journal, edit.change)
            except Transient:
                raise  # the disk: all of it later
            except Exception:  # one that cannot be carried out harms itself only
                log.exception("edit of another replica cannot be carried out", number=edit.number)
        touched = sorted({snapshot_id for edit in edits for snapshot_id in _ids(edit)})
        self._have_as_here(touched)
        self._editing.done(edits)

    def _have_as_here(self, ids: Sequence[str]) -> None:
        """Have these be in the index as the owner has them, also where it did not do what was asked."""
        with self._database.in_turn:
            changes = self._journal.changes_of(ids)
            try:
                self._writing.write(changes)
            except IndexUnavailable as error:
                if error.code != "row_refused":
                    raise
                return  # what changed is pending: the outlet says which one it is
            self._journal.mirrored(changes)


def carry_out(journal: Journal, change: dict[str, Any]) -> None:
    """Do in the journal what somebody did at another replica; done twice it changes nothing more.

    Raises ValueError where it is nothing that is known.
    """
    match change:
        case {"ids": [_, *_] as ids, "hide": str(handle), "until": float(until) | int(until)} if _are_texts(ids):
            journal.hide(ids, handle=handle or f"elsewhere {ids[0]}", seconds=max(0.0, until - time.time()))
        case {"unhide": str(handle)}:
            journal.unhide(handle)
        case {"ids": [*ids], **given} if _are_texts(ids):
            known = {name: given[name] for name, kind in CHANGES.items() if isinstance(given.get(name), kind)}
            labels = given.get("labels")
            if _are_texts(labels or ()) and "labels" in given:
                known["correction"] = Correction(None if labels is None else tuple(labels))
            for snapshot_id in ids:
                journal.change(snapshot_id, **known)
        case _:
            raise ValueError("it is none that is known")


def _are_texts(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _ids(edit: Edit) -> list[str]:
    ids = edit.change.get("ids") if isinstance(edit.change, dict) else None
    return [one for one in ids if isinstance(one, str)] if isinstance(ids, list) else []
