"""Detectors that know the truth and err a little: what tiers cost and find, without paying anybody."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Iterator

from app.messages import PERSON, Box, Detection, Label
from tests.bench.detect.made import EMPTY_SHARE
from tests.bench.detect.pictures import LabelledPicture, Thing


class Simulated:
    """Sees each person with a chance, and now and then somebody where nobody is; the same for the same picture."""

    concurrency = 1

    def __init__(
        self,
        name: str,
        pictures: Iterable[LabelledPicture],
        *,
        misses: float,
        invents: float,
        cost_usd: float = 0.0,
    ) -> None:
        """`misses`: share of the persons; `invents`: share of the pictures that get one too many."""
        self.name = name
        self.cost_usd = cost_usd
        self._misses = misses
        self._invents = invents
        self._truth = {hashlib.sha256(picture.data).digest(): picture.of(PERSON) for picture in pictures}

    def detect(self, picture: bytes) -> Detection:
        digest = hashlib.sha256(picture).digest()
        chance = random.Random(self.name.encode() + digest)
        boxes = [_nearly(box, chance) for box in self._truth[digest] if chance.random() >= self._misses]
        if chance.random() < self._invents:
            boxes.append(Box(chance.uniform(0, 0.8), chance.uniform(0, 0.5), 0.1, 0.4))
        if not boxes:
            return Detection()
        return Detection((Label(PERSON, round(chance.uniform(0.6, 0.99), 4), tuple(boxes)),), len(boxes))

    def close(self) -> None:
        """Nothing is held."""


def triggers(count: int, *, seed: int = 1) -> list[LabelledPicture]:
    """What so many triggers of a home showed, for simulated detectors: boxes of persons in pictures without pixels."""
    chance = random.Random(seed)
    return [
        LabelledPicture(f"{number}", f"picture {seed} {number}".encode(), 1280, 720, tuple(_visitors(chance)))
        for number in range(count)
    ]


def _visitors(chance: random.Random) -> Iterator[Thing]:
    if chance.random() < EMPTY_SHARE:
        return
    for _ in range(chance.choice((1, 1, 1, 2))):
        height = chance.uniform(0.1, 0.7)
        yield Thing(PERSON, Box(chance.uniform(0, 0.8), chance.uniform(0, 1 - height), height / 4, height))


def _nearly(box: Box, chance: random.Random) -> Box:
    """The same within a twentieth of its size."""
    aside, down = (chance.uniform(-0.05, 0.05) * size for size in (box.width, box.height))
    return Box(box.left + aside, box.top + down, box.width, box.height)
