"""Two detectors as one: what they find and cost together, beside the paid one alone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from app.detectors import Detector, Question
from app.detectors.in_service import InService
from app.detectors.tiers import Tiers, TiersSettings
from app.messages import Detection
from tests.bench.detect.pictures import LabelledPicture
from tests.bench.detect.score import Candidate, Score, score
from tests.bench.detect.simulated import Simulated, triggers

RECALL_KEPT, COST_LEFT = 0.99, 0.2
"""What tiers should reach: so much of the paid detector's recall, for at most so much of its cost."""
TRIGGERS = 5000
PAID_USD = 0.001


class Remembered:
    """A detector that looks at each picture once."""

    def __init__(self, detector: Detector) -> None:
        self.name, self.cost_usd, self.concurrency = detector.name, detector.cost_usd, detector.concurrency
        self.detect = cache(detector.detect)
        self.close = detector.close


def confirmed(first: Detector, second: Detector, *, name: str, timed: bool = False) -> Candidate:
    """Both as the service has them together, unless set otherwise: the second where the first saw a person."""
    tiers = Tiers(TiersSettings(), first=InService(first), second=InService(second))

    def look(picture: bytes) -> tuple[Detection, float]:
        seen = tiers.look(picture, Question())
        return seen.detection, seen.cost_usd

    return Candidate(name, look, timed)


def paid(pictures: Sequence[LabelledPicture]) -> Simulated:
    """As good as a paid one is: misses 2 of 100 persons, sees somebody in 1 of 100 pictures without one."""
    return Simulated("paid (simulated)", pictures, misses=0.02, invents=0.01, cost_usd=PAID_USD)


class Compared(NamedTuple):
    """The paid detector alone, a local one alone, and both."""

    paid: Score
    local: Score
    tiers: Score

    @property
    def recall_kept(self) -> float:
        """Share of the paid detector's events that both together find."""
        return self.tiers.recall_of_pictures / self.paid.recall_of_pictures

    @property
    def cost_left(self) -> float:
        """Share of the paid detector's cost that both together need."""
        return self.tiers.usd / self.paid.usd

    @property
    def reached(self) -> bool:
        return self.recall_kept >= RECALL_KEPT and self.cost_left <= COST_LEFT


def compared(count: int = TRIGGERS, *, misses: float = 0.005, invents: float = 0.03, seed: int = 1) -> Compared:
    """Of so many triggers; `misses` and `invents`: the local detector's errors, at a low minimum confidence."""
    pictures = triggers(count, seed=seed)
    local = Simulated("local (simulated)", pictures, misses=misses, invents=invents)
    candidates = (
        Candidate.of(paid(pictures), timed=False),
        Candidate.of(local, timed=False),
        confirmed(local, paid(pictures), name="tiers (simulated)"),
    )
    return Compared(*(score(candidate, pictures) for candidate in candidates))
