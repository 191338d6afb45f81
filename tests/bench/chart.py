"""The frame of a chart in SVG, written by hand: axes, lines and dots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

COLOURS = ("#3a4bc8", "#c2410c", "#15803d", "#7e22ce", "#0e7490", "#a16207")

Point = tuple[float, float]


def page(width: int, height: int, *parts: str) -> str:
    """A whole drawing on white."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">'
        f'<rect width="{width}" height="{height}" fill="white"/>{"".join(parts)}</svg>\n'
    )


def text(x: float, y: float, words: str, *, fill: str = "black", anchor: str = "start", size: int = 16) -> str:
    """Words that begin, end or have their middle there."""
    return f'<text x="{x}" y="{y}" fill="{fill}" text-anchor="{anchor}" font-size="{size}">{escape(words)}</text>'


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle of the page, in its units, and the values at its edges."""

    left: float
    top: float
    width: float
    height: float
    x: Point
    y: Point

    def at(self, x: float, y: float) -> Point:
        """Where these values are on the page."""
        right = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return round(self.left + right * self.width, 1), round(self.top + (1 - up) * self.height, 1)

    def axes(self, xs: Mapping[float, str], ys: Mapping[float, str]) -> str:
        """A thin line, and its words, at each of these values."""
        (left, bottom), (right, top) = self.at(self.x[0], self.y[0]), self.at(self.x[1], self.y[1])
        upright = "".join(f"M{self.at(x, 0)[0]} {bottom}V{top}" for x in xs)
        level = "".join(f"M{left} {self.at(0, y)[1]}H{right}" for y in ys)
        below = "".join(text(self.at(x, 0)[0], bottom + 18, words, anchor="middle") for x, words in xs.items())
        beside = "".join(text(left - 8, self.at(0, y)[1] + 4, words, anchor="end") for y, words in ys.items())
        return f'<path d="{upright}{level}" stroke="#ddd"/>{below}{beside}'

    def line(self, points: Iterable[Point], colour: str, *, dashed: bool = False) -> str:
        """Through these values."""
        path = "L".join(f"{x} {y}" for x, y in (self.at(*point) for point in points))
        dashes = ' stroke-dasharray="4 5"' if dashed else ""
        return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>'

    def dot(self, point: Point, colour: str) -> str:
        """At these values."""
        x, y = self.at(*point)
        return f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}"/>'
