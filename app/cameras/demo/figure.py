"""Draws a walking person: head, trunk, arms and two legs, in the proportions that people detectors know."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Point = tuple[float, float]

OVERSAMPLING = 3
"""Drawn this many times larger and scaled down, for smooth edges."""

WIDTH = 70
"""Of the picture, in hundredths of the person's height: room for a long stride."""


@dataclass(frozen=True, slots=True)
class Clothes:
    """A person's clothes."""

    coat: Colour
    trousers: Colour
    hair: Colour
    skin: Colour = (224, 180, 150)
    shoes: Colour = (38, 34, 34)


def draw_person(height: int, stride: float, *, facing: int, clothes: Clothes) -> Image.Image:
    """A transparent picture of a person `height` pixels tall, the feet in the middle of its lower edge.

    `stride` counts strides of two steps each; `facing` is 1 for walking to the right, -1 to the left.
    """
    unit = height * OVERSAMPLING / 100
    canvas = Image.new("RGBA", (round(WIDTH * unit), round(103 * unit)))
    _Sketch(ImageDraw.Draw(canvas), unit, facing).person(stride, clothes)
    size = (canvas.width // OVERSAMPLING, canvas.height // OVERSAMPLING)
    return canvas.resize(size, Image.Resampling.LANCZOS)


class _Sketch:
    """Draws in hundredths of the person's height: x from the middle in walking direction, y up from the ground."""

    def __init__(self, draw: ImageDraw.ImageDraw, unit: float, facing: int) -> None:
        self._draw = draw
        self._unit = unit
        self._facing = facing

    def person(self, stride: float, clothes: Clothes) -> None:
        swing = math.sin(stride * math.tau)
        lift = -0.8 * abs(swing)  # legs apart carry the body lower
        self._arm((-8.8, 80 + lift), -swing, _shade(clothes.coat, 0.72), clothes.skin)
        self._leg((-2.1, 50 + lift), swing, _shade(clothes.trousers, 0.75), clothes.shoes)
        self._leg((2.1, 50 + lift), -swing, clothes.trousers, clothes.shoes)
        self._coat(lift, clothes.coat)
        self._head(lift, clothes)
        self._arm((8.8, 80 + lift), swing, _shade(clothes.coat, 0.86), clothes.skin)

    def _leg(self, hip: Point, swing: float, colour: Colour, shoe: Colour) -> None:
        angle = math.copysign(0.03, hip[0]) + 0.22 * swing
        bend = 0.15 * max(0.0, -swing)  # the leg behind lifts its heel
        knee = _along(hip, angle, 23.5)
        ankle = _along(knee, angle - bend, 22.5)
        self._limb(hip, knee, 13.0, 7.0, colour)
        self._limb(_along(ankle, -0.6, 2.0), _along(ankle, 1.2, 7.5), 4.6, 3.6, shoe)
        self._limb(knee, ankle, 7.0, 9.5, colour, round_end=False)

    def _arm(self, shoulder: Point, swing: float, colour: Colour, skin: Colour) -> None:
        angle = math.copysign(0.06, shoulder[0]) + 0.36 * swing
        elbow = _along(shoulder, angle, 16)
        wrist = _along(elbow, angle + 0.22, 14)
        self._limb(shoulder, elbow, 6.2, 5.8, colour)
        self._limb(elbow, wrist, 5.8, 4.4, colour)
        self._limb(wrist, _along(wrist, angle + 0.22, 2.5), 4.6, 4.2, skin)

    def _coat(self, lift: float, colour: Colour) -> None:
        right = [(5.0, 84.5), (10.0, 83.0), (12.8, 79.5), (10.2, 66.0), (9.4, 58.0), (13.2, 47.0)]
        outline = right + [(-x, y) for x, y in reversed(right)]
        self._shape([(x, y + lift) for x, y in outline], colour)
        seam = [(0.4, 83.0), (1.2, 83.0), (1.2, 47.5), (0.4, 47.5)]
        self._shape([(x, y + lift) for x, y in seam], _shade(colour, 0.6))

    def _head(self, lift: float, clothes: Clothes) -> None:
        self._limb((0.0, 82 + lift), (0.4, 87 + lift), 6.0, 5.6, _shade(clothes.skin, 0.85))
        self._oval((0.8, 92 + lift), 5.7, 8.0, clothes.skin)
        self._oval((-0.2, 95 + lift), 6.0, 5.0, clothes.hair)
        self._oval((-3.2, 92.5 + lift), 3.0, 4.4, clothes.hair)

    def _limb(
        self, start: Point, end: Point, thick: float, thin: float, colour: Colour, *, round_end: bool = True
    ) -> None:
        length = math.dist(start, end) or 1.0
        across = ((end[1] - start[1]) / length / 2, (start[0] - end[0]) / length / 2)
        self._shape(
            [
                (start[0] + across[0] * thick, start[1] + across[1] * thick),
                (end[0] + across[0] * thin, end[1] + across[1] * thin),
                (end[0] - across[0] * thin, end[1] - across[1] * thin),
                (start[0] - across[0] * thick, start[1] - across[1] * thick),
            ],
            colour,
        )
        self._oval(start, thick / 2, thick / 2, colour)
        if round_end:
            self._oval(end, thin / 2, thin / 2, colour)

    def _shape(self, points: list[Point], colour: Colour) -> None:
        self._draw.polygon([self._pixel(point) for point in points], fill=colour)

    def _oval(self, centre: Point, across: float, up: float, colour: Colour) -> None:
        x, y = self._pixel(centre)
        right, down = across * self._unit, up * self._unit
        self._draw.ellipse((x - right, y - down, x + right, y + down), fill=colour)

    def _pixel(self, point: Point) -> Point:
        return (WIDTH / 2 + self._facing * point[0]) * self._unit, (101 - point[1]) * self._unit


def _along(start: Point, angle: float, length: float) -> Point:
    """The point `length` below `start`, `angle` radians forward of straight down."""
    return start[0] + math.sin(angle) * length, start[1] - math.cos(angle) * length


def _shade(colour: Colour, factor: float) -> Colour:
    red, green, blue = colour
    return round(red * factor), round(green * factor), round(blue * factor)
