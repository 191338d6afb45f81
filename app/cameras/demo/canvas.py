"""The canvas of scenes: painted in full daylight, then lit for the hour."""

from __future__ import annotations

import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from app.cameras.demo.daylight import Colour, Daylight, mix

SIZE = (1280, 720)
"""Pixels of a scene."""

Point = tuple[float, float]

_OVERSAMPLING = 2
"""Drawn this many times larger and scaled down, for smooth edges."""

_LAMPLIGHT = (255, 214, 130)


class Canvas:
    """A picture in progress. Coordinates are pixels of the finished one."""

    def __init__(self, light: Daylight, chance: random.Random) -> None:
        self.light = light
        self.chance = chance
        self._image = Image.new("RGB", (SIZE[0] * _OVERSAMPLING, SIZE[1] * _OVERSAMPLING))
        self._draw = ImageDraw.Draw(self._image)
        self._lamps: list[list[Point]] = []

    def shape(self, colour: Colour, *points: Point) -> None:
        self._draw.polygon(_scaled(points), fill=colour)

    def box(self, colour: Colour, left: float, top: float, right: float, bottom: float) -> None:
        self.shape(colour, (left, top), (right, top), (right, bottom), (left, bottom))

    def oval(self, colour: Colour, x: float, y: float, across: float, up: float) -> None:
        (left, top), (right, bottom) = _scaled([(x - across, y - up), (x + across, y + up)])
        self._draw.ellipse((left, top, right, bottom), fill=colour)

    def line(self, colour: Colour, start: Point, end: Point, width: float = 2) -> None:
        self._draw.line(_scaled([start, end]), fill=colour, width=round(width * _OVERSAMPLING))

    def lamp(self, left: float, top: float, right: float, bottom: float) -> None:
        """A pane that shines when it is dark."""
        self._lamps.append([(left, top), (right, top), (right, bottom), (left, bottom)])

    def shining(self, colour: Colour) -> Colour:
        """The colour to paint so that this one remains after the light is taken away: for sky, sun and moon."""
        red, green, blue = (min(255, c * 255 // by) for c, by in zip(colour, self.light.light, strict=True))
        return red, green, blue

    def finished(self) -> Image.Image:
        """The picture in its light, and in the dark with its lamps on."""
        lit = ImageChops.multiply(self._image, Image.new("RGB", self._image.size, self.light.light))
        if not self.light.lamps:
            return lit.resize(SIZE, Image.Resampling.BOX)
        glow = Image.new("RGB", lit.size)
        for pane in self._lamps:
            ImageDraw.Draw(lit).polygon(_scaled(pane), fill=_LAMPLIGHT)
            ImageDraw.Draw(glow).polygon(_scaled(pane), fill=mix((0, 0, 0), _LAMPLIGHT, 0.5))
        halo = glow.resize(SIZE, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(30))
        return ImageChops.add(lit.resize(SIZE, Image.Resampling.BOX), halo)


def _scaled(points: Sequence[Point]) -> list[Point]:
    return [(x * _OVERSAMPLING, y * _OVERSAMPLING) for x, y in points]
