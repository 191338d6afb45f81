"""The album over all replicas: the shared index is asked, and this machine's own journal where it is away."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import structlog

from app.index import EventIndex
from app.index.database import IndexDatabase, IndexUnavailable
from app.index.editing import IndexEditing
from app.index.pictures import ElsewherePictures
from app.index.reading import IndexReading
from app.index.rows import is_of, local_visit, visit_number
from app.index.writing import IndexWriting
from app.journal import Journal
from app.journal.entries import Correction, Deleted, Entry, Filter, HeatCount, PageCursor, Standing
from app.journal.visit_folds import VisitPage
from app.journal.visit_pages import MOST_AT_ONCE

log = structlog.get_logger(__name__)

T = TypeVar("T")

TIDY_EVERY_S = 60.0
"""Seconds between two looks at what was deleted, and what waits."""


class SharedIndex:
    """See `app.index.EventIndex`. What is this machine's own is changed in its journal, and all else in the index."""

    def __init__(self, database: IndexDatabase, journal: Journal, pictures: ElsewherePictures) -> None:
        self._database = database
        self._journal = journal
        self._pictures = pictures
        self._reading = IndexReading(database)
        self._editing = IndexEditing(database)
        self._writing = IndexWriting(database)

    @property
    def away(self) -> str:
        """Why only this machine's events are shown; empty while all are."""
        return self._database.away

    # -- what there is -----------------------------------------------------------------------------

    def page(self, filter: Filter, *, before: PageCursor | None = None, limit: int = 60) -> list[Entry]:
        return self._here(self._matching(filter, lambda index, wanted: index.page(wanted, before=before, limit=limit)))

    def visits(self, filter: Filter, *, before: PageCursor | None = None, limit: int = 60) -> VisitPage:
        page = self._matching(filter, lambda index, wanted: index.visits(wanted, before=before, limit=limit))
        shown = self._here([visit.best for visit in page.visits])
        visits = [replace(visit, best=best, number=best.visit) for visit, best in zip(page.visits, shown, strict=True)]
        return page._replace(visits=visits)

    def ids_of_visits(self, visits: Collection[int], filter: Filter, *, limit: int) -> list[str]:
        return self._matching(
            filter,
            lambda index, wanted: index.ids_of_visits(
                [self._number_in(index, one) for one in visits], wanted, limit=limit
            ),
        )

    def entry(self, snapshot_id: str) -> Entry | None:
        found = self._entries(lambda index: [one for one in [index.entry(snapshot_id)] if one])
        fresh = None if found else self._journal.entry(snapshot_id)  # the index may not have it yet
        return self._numbered(fresh) if fresh else next(iter(found), None)

    def newest_picture(self, camera: str) -> Entry | None:
        found = self._entries(lambda index: [one for one in [index.newest_picture(camera)] if one])
        return found[0] if found else None

    def around(self, place: PageCursor, filter: Filter, *, reach: int) -> tuple[list[Entry], list[Entry]]:
        newer, older = self._matching(filter, lambda index, wanted: index.around(place, wanted, reach=reach))
        return self._here(newer), self._here(older)

    def standing(self, place: PageCursor, filter: Filter) -> Standing:
        return self._matching(filter, lambda index, wanted: index.standing(place, wanted))

    def count(self, filter: Filter) -> int:
        return self._matching(filter, lambda index, wanted: index.count(wanted))

    def same_moment(self, entry: Entry) -> list[Entry]:
        return self._entries(lambda index: index.same_moment(entry))

    def related(self, snapshot_id: str) -> list[str]:
        return self._asked(lambda index: index.related(snapshot_id))

    def camera_of(self, snapshot_id: str) -> str | None:
        return self._journal.camera_of(snapshot_id) or self._asked(lambda index: index.camera_of(snapshot_id))

    def inspected_after(self, snapshot_id: str, *, limit: int) -> list[Entry]:
        return self._entries(lambda index: index.inspected_after(snapshot_id, limit=limit))

    def heat(self, since: datetime, until: datetime, filter: Filter = Filter()) -> list[HeatCount]:  # noqa: B008
        return self._matching(filter, lambda index, wanted: index.heat(since, until, wanted))

    def label_names(self, cameras: Collection[str] = ()) -> list[str]:
        return self._asked(lambda index: index.label_names(cameras))

    def labels_like(self, beginning: str, filter: Filter, *, limit: int = 20) -> list[tuple[str, int]]:
        return self._matching(filter, lambda index, wanted: index.labels_like(beginning, wanted, limit=limit))

    def camera_keys(self) -> list[str]:
        return self._asked(lambda index: index.camera_keys())

    def camera_label(self, camera: str) -> str:
        return self._asked(lambda index: index.camera_label(camera))

    def lately(self, filter: Filter, *, limit: int) -> list[str]:
        return self._matching(filter, lambda index, wanted: index.lately(wanted, limit=limit))

    # -- what people change ------------------------------------------------------------------------

    def change(
        self,
        snapshot_id: str,
        *,
        starred: bool | None = None,
        reviewed: bool | None = None,
        note: str | None = None,
        note_was: str | None = None,
        correction: Correction | None = None,
    ) -> Entry | None:
        given: dict[str, Any] = {"starred": starred, "reviewed": reviewed, "note": note, "correction": correction}
        changed = self._journal.change(snapshot_id, note_was=note_was, **given)
        if changed is not None:
            if self._push([snapshot_id]):
                self._editing.change(snapshot_id, **given)
            return self.entry(snapshot_id)
        found = self._editing.change(snapshot_id, note_was=note_was, **given)
        return self._here([found])[0] if found else None

    def star(self, ids: Sequence[str], *, starred: bool) -> list[str]:
        own = self._journal.star(ids, starred=starred)
        others = [*self._push(own), *self._others(ids, own)]
        if others:
            self._editing.mark(others, "starred", value=starred)
        return _each_once(own, others)

    def review(self, filter: Filter, *, reviewed: bool) -> int:
        try:
            found = self._editing.matching(filter, limit=MOST_AT_ONCE)
        except IndexUnavailable:
            return self._journal.review(self._for(self._journal, filter), reviewed=reviewed)
        own = tuple(snapshot_id for snapshot_id, is_own in found.items() if is_own)
        others = [snapshot_id for snapshot_id, is_own in found.items() if not is_own]
        if own:
            self._journal.review(Filter(ids=own), reviewed=reviewed)
            self._push(own)
        if others:
            self._editing.mark(others, "reviewed", value=reviewed)
        return len(found)

    def delete(self, snapshot_id: str, *, archives: Sequence[str]) -> Deleted | None:
        deleted = self._journal.delete(snapshot_id, archives=archives)
        others = self._others([snapshot_id], []) if deleted is None else self._push([snapshot_id])
        if others:
            self._editing.hide(others, handle="", until=0)
        return deleted or (Deleted("") if others else None)

    def hide(self, ids: Sequence[str], *, handle: str, seconds: float) -> list[str]:
        own = self._journal.hide(ids, handle=handle, seconds=seconds)
        others = [*self._push(own), *self._others(ids, own)]
        if others:
            self._editing.hide(others, handle=handle, until=time.time() + seconds)
        return _each_once(own, others)

    def unhide(self, handle: str) -> list[str]:
        own = self._journal.unhide(handle)
        self._push(own)
        others = list[str]()
        with suppress(IndexUnavailable):
            others = self._editing.unhide(handle, now=time.time())
        return _each_once(own, others)

    def hidden_until(self, handle: str) -> float:
        until = self._journal.hidden_until(handle)
        with suppress(IndexUnavailable):
            until = until or self._editing.hidden_until(handle)
        return until

    def tidy(self) -> None:
        """Delete the copies of other replicas' pictures whose events somebody has deleted, and learn for whom changes
        wait; as far as one can ask."""
        with suppress(IndexUnavailable):  # the outlet says so
            self._pictures.sweep(self._editing.known)
            self._database.learn_what_waits()

    # ----------------------------------------------------------------------------------------------

    def _asked(self, ask: Callable[[EventIndex | IndexReading], T]) -> T:
        was_there = not self.away
        try:
            return ask(self._reading)
        except IndexUnavailable as error:
            if was_there:
                log.warning("the album shows this machine's events only", reason=str(error))
            return ask(self._journal)

    def _matching(self, filter: Filter, ask: Callable[[EventIndex | IndexReading, Filter], T]) -> T:
        return self._asked(lambda index: ask(index, self._for(index, filter)))

    def _for(self, index: EventIndex | IndexReading, filter: Filter) -> Filter:
        """The filter with the number that its visit has there."""
        return replace(filter, visit=self._number_in(index, filter.visit)) if filter.visit else filter

    def _number_in(self, index: EventIndex | IndexReading, visit: int) -> int:
        return local_visit(visit) if index is self._journal and is_of(visit, self._database.owner) else visit

    def _entries(self, ask: Callable[[EventIndex | IndexReading], list[Entry]]) -> list[Entry]:
        return self._here(self._asked(ask))

    def _here(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries with what there is of their pictures on this machine."""
        own = [entry.id for entry in entries if not entry.owner]
        paths = self._journal.paths_of(own) if own else {}
        return [self._pictures.of(one) if one.owner else self._numbered(_with_paths(one, paths)) for one in entries]

    def _numbered(self, entry: Entry) -> Entry:
        """One of this machine's, under the number that its visit has in the index, whoever was asked."""
        return replace(entry, visit=visit_number(local_visit(entry.visit), self._database.owner))

    def _push(self, ids: Sequence[str]) -> list[str]:
        """Have the next page show it. It is pending as well: where this fails, the outlet does it.

        Returns those that are another replica's in the index: two have the same one where the first died before it
        had acknowledged the trigger.
        """
        others = list[str]()
        with suppress(IndexUnavailable), self._database.in_turn:
            if ids:
                changes = self._journal.changes_of(ids)
                others = self._writing.write(changes)
                self._journal.mirrored(changes)
        return others

    def _others(self, ids: Sequence[str], own: Sequence[str]) -> list[str]:
        """Those of these that other replicas have. Raises `IndexUnavailable` where nobody can say."""
        rest = [one for one in ids if one not in set(own)]
        return [one for one, is_own in self._editing.known(rest).items() if not is_own] if rest else []


def _each_once(own: Sequence[str], others: Sequence[str]) -> list[str]:
    return list(dict.fromkeys([*own, *others]))


def _with_paths(entry: Entry, paths: dict[str, tuple[str, str]]) -> Entry:
    path, video = paths.get(entry.id, ("", ""))
    inspection = entry.inspection
    return replace(entry, inspection=replace(inspection, snapshot=replace(inspection.snapshot, path=path, video=video)))
