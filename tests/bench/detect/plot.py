"""Precision over recall as a plot."""

from __future__ import annotations

from collections.abc import Sequence

from tests.bench.chart import COLOURS, Frame, page, text
from tests.bench.detect.score import Score

WIDTH, HEIGHT, MARGIN = 640, 480, 56
FRAME = Frame(MARGIN, MARGIN, WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN, (0, 1), (0, 1))
TENTHS = {tenth / 10: f"{tenth / 10:g}" for tenth in range(0, 11, 2)}


def plot(scores: Sequence[Score], *, title: str) -> str:
    """One line for each detector; a dot where all its boxes count."""
    return page(
        WIDTH,
        HEIGHT,
        text(MARGIN, 24, title),
        FRAME.axes(TENTHS, TENTHS),
        text(WIDTH / 2, HEIGHT - 12, "recall"),
        f'<g transform="rotate(-90 14 {HEIGHT / 2})">{text(14, HEIGHT / 2, "precision")}</g>',
        *(_line(score, number) for number, score in enumerate(scores)),
    )


def _line(score: Score, number: int) -> str:
    colour, legend = COLOURS[number % len(COLOURS)], HEIGHT - MARGIN - 14 - 18 * number
    name = text(MARGIN + 12, legend, score.name, fill=colour)
    points = list(score.curve)
    return FRAME.line(points, colour) + FRAME.dot(points[-1], colour) + name if points else name
