"""Pages of visits, folded out of the pictures that match a filter, wherever these are recorded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from app.journal.album_order import MILLISECOND, VISIT_LENGTH
from app.journal.columns import moment
from app.journal.entries import Entry, PageCursor

REACH = VISIT_LENGTH + MILLISECOND
"""How far apart the places of two pictures of a visit are, at most."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What one camera saw within a minute, as far as it matches a filter."""

    number: int
    best: Entry
    """The picture to show: people first, then the surest."""
    pictures: int
    first: datetime
    last: datetime
    reviewed: bool
    """Whether all of its pictures were."""
    place: PageCursor
    """Of its newest picture, by which visits are sorted."""


class VisitPage(NamedTuple):
    """Some visits, newest first."""

    visits: list[Visit]
    older: PageCursor | None
    """The place behind which older ones follow; None where none do."""
    last_event: str
    """Id of what became an event last, by when this is true; empty when nothing did."""


class VisitRow(NamedTuple):
    """What is read of a picture."""

    seq: int
    place: int
    visit: int
    person: int
    surest: float
    reviewed: int

    @property
    def saw_nothing(self) -> bool:
        return not self.person and not self.surest


class Pictures(Protocol):
    """The pictures that match a filter, in one record of them."""

    def below(self, place: int | None) -> Iterable[VisitRow]:
        """Those below this place, or all, newest first; read as far as they are wanted."""
        ...

    def visits_above(self, place: int) -> set[int]:
        """The visits with a picture there or above it, as far as one of theirs may be below."""
        ...

    def is_above(self, visit: int, place: int) -> bool:
        """Whether this visit has a picture there or above it, of whatever kind, in the filter's time."""
        ...

    def failures_below(self, visit: int, place: int) -> Iterable[VisitRow]:
        """What this visit has below this place, of whatever kind, newest first, in the filter's time."""
        ...


class VisitFold:
    """The pictures of one visit that were found so far, the newest first."""

    def __init__(self, row: VisitRow) -> None:
        self.newest = self.oldest = self.best = row
        self.pictures = 0
        self.reviewed = True
        self.add(row)

    def add(self, row: VisitRow) -> None:
        self.pictures += 1
        self.oldest = row
        self.reviewed = self.reviewed and bool(row.reviewed)
        if (row.person, row.surest) > (self.best.person, self.best.surest):
            self.best = row

    def add_below(self, pictures: Pictures) -> None:
        """Count what stands farther below than a visit of pictures reaches: failed tries of an outage."""
        if self.best.saw_nothing:
            for row in pictures.failures_below(self.newest.visit, min(self.oldest.place, self.newest.place - REACH)):
                self.add(row)

    @property
    def place(self) -> PageCursor:
        return PageCursor(self.newest.place // MILLISECOND / 1000, self.newest.seq)

    def visit(self, entry: Entry) -> Visit:
        return Visit(
            self.newest.visit,
            entry,
            self.pictures,
            moment(self.oldest.place // MILLISECOND / 1000),
            moment(self.newest.place // MILLISECOND / 1000),
            self.reviewed,
            self.place,
        )


def folded(pictures: Pictures, before: int | None, limit: int) -> tuple[list[VisitFold], PageCursor | None]:
    """The newest visits whose newest picture stands below the place `before`, and where older ones begin, if any do."""
    shown = set[int]() if before is None else pictures.visits_above(before)
    folds: dict[int, VisitFold] = {}
    more = False
    for row in pictures.below(before):
        if fold := folds.get(row.visit):
            fold.add(row)
        elif row.visit not in shown and not _goes_on_above(pictures, row, before):
            if len(folds) == limit:
                more = True
            else:
                folds[row.visit] = fold = VisitFold(row)
                last = fold.newest.place - REACH
        # Behind the last visit, what others have left of theirs is counted too.
        if more and row.place < last:
            break
    for fold in folds.values():
        fold.add_below(pictures)
    found = [*folds.values()]
    return found, found[-1].place if more else None


def _goes_on_above(pictures: Pictures, row: VisitRow, before: int | None) -> bool:
    """Whether this is of an outage, which may be long, that a page before this one has."""
    return before is not None and row.saw_nothing and pictures.is_above(row.visit, before + REACH)
