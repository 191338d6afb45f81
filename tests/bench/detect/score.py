"""Scores of a detector: what it found of what is there, and what it cost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from app.detectors import Detector, DetectorError
from app.messages import PERSON, Box, Detection
from app.rules.geometry import overlap
from tests.bench.detect.pictures import LabelledPicture

ENOUGH = 0.5
"""Overlap (intersection over union) from which on a box is that of a thing."""
RANKS = 101
"""Points of recall at which the precision is averaged (COCO's evaluation)."""


class Candidate(NamedTuple):
    """A detector to be scored."""

    name: str
    look: Callable[[bytes], tuple[Detection, float]]
    """What is in a picture, and what that cost in US dollars. Raises `DetectorError`."""
    timed: bool = True
    """Whether its time means something: that of a simulated one does not."""

    @classmethod
    def of(cls, detector: Detector, *, name: str = "", timed: bool = True) -> Candidate:
        """A detector that looks at every picture."""
        return cls(name or detector.name, lambda picture: (detector.detect(picture), detector.cost_usd), timed)


class Find(NamedTuple):
    """One box of a detector."""

    confidence: float
    true: bool


@dataclass(slots=True)
class Score:
    """What became of one detector's look at a set of pictures."""

    name: str
    pictures: int = 0
    failed: int = 0
    finds: list[Find] = field(default_factory=list)
    things: Counter[str] = field(default_factory=Counter)
    """How many there were, by size, and by group."""
    found: Counter[str] = field(default_factory=Counter)
    people: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    """Pictures by whether somebody is there, and whether somebody was seen."""
    seconds: list[float] = field(default_factory=list)
    """Of each picture; empty for a simulated one."""
    usd: float = 0.0

    @property
    def precision(self) -> float:
        """Share of the boxes that are right."""
        return _share(sum(find.true for find in self.finds), len(self.finds))

    def recall(self, of: str = "all") -> float:
        """Share of the things that were found: of all, of a size, or of a group."""
        return _share(self.found[of], self.things[of])

    @property
    def recall_of_pictures(self) -> float:
        """Share of the pictures with somebody in which somebody was seen: the events that count."""
        return _share(self.people[True, True], self.people[True, True] + self.people[True, False])

    @property
    def precision_of_pictures(self) -> float:
        """Share of the pictures in which somebody was seen that have somebody."""
        return _share(self.people[True, True], self.people[True, True] + self.people[False, True])

    @property
    def usd_per_1000(self) -> float:
        """US dollars for a thousand triggers like these."""
        return 1000 * self.usd / self.pictures if self.pictures else 0.0

    @property
    def curve(self) -> list[tuple[float, float]]:
        """Recall and precision from the surest box to all of them."""
        points, true = [], 0
        for number, find in enumerate(sorted(self.finds, key=lambda one: -one.confidence), 1):
            true += find.true
            points.append((_share(true, self.things["all"]), true / number))
        return points

    @property
    def average_precision(self) -> float:
        """AP at an overlap of 0.5, over 101 points of recall."""
        curve = self.curve
        ranks = [rank / (RANKS - 1) for rank in range(RANKS)]
        best = [max((precision for recall, precision in curve if recall >= rank), default=0.0) for rank in ranks]
        return sum(best) / RANKS


def score(candidate: Candidate, pictures: Iterable[LabelledPicture], *, label: str = PERSON) -> Score:
    """Have it look at each picture once."""
    result = Score(candidate.name)
    for picture in pictures:
        began = time.perf_counter()
        try:
            seen, usd = candidate.look(picture.data)
        except DetectorError:
            result.failed += 1
            seen, usd = Detection(), 0.0
        if candidate.timed:
            result.seconds.append(time.perf_counter() - began)
        result.usd += usd
        _count(result, picture, seen, label)
    return result


def _count(result: Score, picture: LabelledPicture, seen: Detection, label: str) -> None:
    there = picture.of(label)
    boxes = [(one.confidence, box) for one in seen.labels if one.name == label for box in one.boxes]
    matched = _matched([box for _, box in boxes], there)
    result.pictures += 1
    result.finds += [Find(confidence, number in matched) for number, (confidence, _) in enumerate(boxes)]
    result.people[bool(there), any(one.name == label for one in seen.labels)] += 1
    for number, box in enumerate(there):
        kinds = ["all", picture.size_of(box), *([picture.group] if picture.group else [])]
        result.things.update(kinds)
        result.found.update(kinds if number in matched.values() else ())


def _matched(boxes: Sequence[Box], there: Sequence[Box]) -> dict[int, int]:
    """Number of a box -> number of the thing that it found: the surest box first, each thing once."""
    found: dict[int, int] = {}
    for number, box in enumerate(boxes):
        free = [one for one in range(len(there)) if one not in found.values()]
        best = max(free, key=lambda one: overlap(box, there[one]), default=None)
        if best is not None and overlap(box, there[best]) >= ENOUGH:
            found[number] = best
    return found


def _share(part: float, whole: float) -> float:
    """0 of nothing."""
    return part / whole if whole else 0.0
