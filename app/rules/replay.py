"""What rules would have told of earlier events, and how two rule books differ in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from app.messages import IMPORTED, Inspection, OutletDecision
from app.rules.digests import Digests
from app.rules.evaluate import Outlets, Situation, evaluate
from app.rules.model import RuleBook
from app.rules.still import StillThings
from app.rules.telling import MODES

Replayed = tuple[Inspection, tuple[OutletDecision, ...]]


@dataclass(frozen=True, slots=True)
class Change:
    """An event of which an outlet is told by one rule book, and not by the other."""

    inspection: Inspection
    before: OutletDecision
    after: OutletDecision

    @property
    def outlet(self) -> str:
        return self.before.outlet


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two rule books would have told of the same events."""

    events: int
    before: int
    """Messages that outlets which tell people would have got by the first; a digest is one."""
    after: int
    """By the second."""
    changes: tuple[Change, ...]
    """Oldest first, those of one event in the order of the outlets."""


def replay(
    inspections: Iterable[Inspection], book: RuleBook, outlets: Outlets, *, zone: tzinfo, mode: str = MODES[0]
) -> Iterator[Replayed]:
    """Each with what would have been decided when its picture was taken: with one mode all the time and no snooze.

    `inspections`: of all cameras, oldest first; `zone`: the home's. Before the first nothing was told or seen.
    """
    past = _Past(book)
    for kept in _decided(inspections):
        inspection = past.marked(kept)
        now = inspection.snapshot.taken_at.timestamp()
        situation = Situation(
            now=now,
            zone=zone,
            mode=mode,
            snooze=None,
            told_at=lambda *message: past.told.get(message),
            digest_at=lambda outlet, now=now: past.digests.digest_at(book.digest, outlet, now),  # type: ignore[misc]
        )
        decisions = evaluate(book, inspection, outlets, situation)
        past.tell(inspection.camera, decisions, now)
        yield inspection, decisions


def compare(
    inspections: Iterable[Inspection],
    before: RuleBook,
    after: RuleBook,
    outlets: Outlets,
    *,
    zone: tzinfo,
    mode: str = MODES[0],
) -> Comparison:
    """Both rule books' replays of these inspections, oldest first, side by side."""
    kept = list(_decided(inspections))
    one = [decisions for _, decisions in replay(kept, before, outlets, zone=zone, mode=mode)]
    other = [decisions for _, decisions in replay(kept, after, outlets, zone=zone, mode=mode)]
    changes = tuple(
        Change(inspection, old, new)
        for inspection, *pair in zip(kept, one, other, strict=True)
        for old, new in zip(*pair, strict=True)
        if old.tell != new.tell
    )
    return Comparison(len(kept), messages(one, outlets), messages(other, outlets), changes)


def messages(decided: Iterable[Sequence[OutletDecision]], outlets: Outlets) -> int:
    """How many messages these are to those that tell people; a digest is one."""
    told = [one for decisions in decided for one in decisions if one.tell and one.outlet in outlets.notifying]
    digests = {(one.outlet, one.digest_at) for one in told if one.digest_at}
    return sum(not one.digest_at for one in told) + len(digests)


def _decided(inspections: Iterable[Inspection]) -> Iterator[Inspection]:
    """Without imported pictures, of which nobody is told."""
    return (inspection for inspection in inspections if inspection.snapshot.origin != IMPORTED)


class _Past:
    """What went before, in a replay."""

    def __init__(self, book: RuleBook) -> None:
        self.told: dict[tuple[str, ...], float] = {}
        """Rule, outlet, camera -> when (Unix seconds)."""
        self.digests = Digests()
        self._book = book
        self._things: dict[str, StillThings] = {}

    def marked(self, kept: Inspection) -> Inspection:
        """The same with what stands still by this book, not by those that held then."""
        things = self._things.setdefault(kept.camera, StillThings(self._book.still))
        return things.marked(_unmarked(kept))

    def tell(self, camera: str, decisions: Iterable[OutletDecision], now: float) -> None:
        for one in decisions:
            if one.tell and one.rule:
                self.told[one.rule, one.outlet, camera] = now


def _unmarked(inspection: Inspection) -> Inspection:
    labels = inspection.detection.labels
    if not any(box.still for label in labels for box in label.boxes):
        return inspection
    moving = tuple(
        dataclasses.replace(label, boxes=tuple(dataclasses.replace(box, still=False) for box in label.boxes))
        for label in labels
    )
    return dataclasses.replace(inspection, detection=dataclasses.replace(inspection.detection, labels=moving))
