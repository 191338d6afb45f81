"""A model of how a cost grows: a line through what was measured, and how wrong it is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import linear_regression


@dataclass(frozen=True, slots=True)
class Model:
    """`base + slope · log10 n`, or `base + slope · n`, by least squares."""

    base: float
    slope: float
    logarithmic: bool

    @classmethod
    def of(cls, measured: Mapping[int, float], *, logarithmic: bool = True) -> Model:
        """Through these costs by n; of two at least."""
        slope, base = linear_regression([_scaled(n, logarithmic) for n in measured], list(measured.values()))
        return cls(base, slope, logarithmic)

    def at(self, n: int) -> float:
        """The cost at this n."""
        return self.base + self.slope * _scaled(n, self.logarithmic)

    def __str__(self) -> str:
        return f"{self.base:.3g} {'-' if self.slope < 0 else '+'} {abs(self.slope):.2g} {self.term}"

    @property
    def term(self) -> str:
        """What the slope is multiplied by."""
        return "log10 n" if self.logarithmic else "n"


def left_out(measured: Mapping[int, float], *, logarithmic: bool = True) -> dict[int, float]:
    """For each n: by which share of what was measured a model of all the others misses it. Of three at least."""
    return {
        n: Model.of({m: cost for m, cost in measured.items() if m != n}, logarithmic=logarithmic).at(n) / cost - 1
        for n, cost in measured.items()
    }


def _scaled(n: int, logarithmic: bool) -> float:
    return math.log10(n) if logarithmic else n
