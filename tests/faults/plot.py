"""Curves over time, one below the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.bench.chart import COLOURS, Frame, page, text

WIDTH, HEIGHT, LEFT, RIGHT, TOP, GAP = 760, 110, 64, 32, 56, 40
COLOUR, FAULT = COLOURS[:2]


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity over hours."""

    title: str
    points: Sequence[tuple[float, float]]


def plot(curves: Sequence[Curve], *, title: str, faults: Iterable[float]) -> str:
    """All over the same hours; a tick below each curve for each fault."""
    hours = max((x for curve in curves for x, _ in curve.points), default=1.0)
    ticks = list(faults)
    panels = (_panel(curve, TOP + number * (HEIGHT + GAP), hours, ticks) for number, curve in enumerate(curves))
    return page(WIDTH, TOP + len(curves) * (HEIGHT + GAP), text(LEFT, 22, title), *panels)


def _panel(curve: Curve, top: int, hours: float, faults: Sequence[float]) -> str:
    highest = max((y for _, y in curve.points), default=0.0) * 1.1 or 1.0
    frame = Frame(LEFT, top, WIDTH - LEFT - RIGHT, HEIGHT, x=(0, hours), y=(0, highest))
    axes = frame.axes({0: "0", hours: f"{hours:.2f} h"}, {y: f"{y:.3g}" for y in (0.0, highest / 2, highest)})
    ticks = "".join(f'<path d="M{frame.at(x, 0)[0]} {top + HEIGHT}v6" stroke="{FAULT}"/>' for x in faults)
    return axes + text(LEFT, top - 6, curve.title, size=12) + ticks + frame.line(curve.points, COLOUR)
