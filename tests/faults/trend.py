"""The slope of what was measured, by Theil and Sen: the median slope between all pairs, whatever outliers do."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

Z95 = 1.96
"""Standard deviations on each side of 95 % of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Slope:
    """Units of y for each unit of x; with 95 % confidence it lies within `low` and `high`."""

    value: float
    low: float
    high: float

    def exceeds(self, limit: float) -> bool:
        """Whether it is more than that beyond doubt."""
        return self.low > limit

    def __str__(self) -> str:
        return f"{self.value:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


def slope(points: Sequence[tuple[float, float]]) -> Slope:
    """Of points (x, y) with different x, in their order. Raises ValueError for fewer than three.

    The interval is Sen's (1968). It takes points as independent: neighbours that are alike make it too narrow, so
    give it medians of stretches of time.
    """
    count = len(points)
    if count < 3:
        raise ValueError("a slope needs three points")
    slopes = sorted((y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in combinations(points, 2))
    spread = Z95 * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    first, last = math.floor((len(slopes) - spread) / 2), math.ceil((len(slopes) + spread) / 2)
    return Slope(median(slopes), slopes[max(first, 0)], slopes[min(last, len(slopes) - 1)])


def medians(points: Iterable[tuple[float, float]], *, width: float) -> list[tuple[float, float]]:
    """The points of each stretch of so much x as one: its middle, and the median of their y."""
    stretches: dict[int, list[float]] = {}
    for x, y in points:
        stretches.setdefault(int(x // width), []).append(y)
    return [((number + 0.5) * width, median(found)) for number, found in sorted(stretches.items())]
