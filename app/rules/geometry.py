"""Boxes and polygons in fractions of a picture (0..1, origin top left)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from app.messages import Box

Point = tuple[float, float]


def feet(box: Box) -> Point:
    """Where the thing in a box stands: the middle of its lower edge."""
    return box.left + box.width / 2, box.top + box.height


def inside(point: Point, polygon: Sequence[Point]) -> bool:
    """Whether the point lies in the polygon (even-odd rule)."""
    x, y = point
    within = False
    for (x1, y1), (x2, y2) in _edges(polygon):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            within = not within
    return within


def crosses_itself(polygon: Sequence[Point]) -> bool:
    """Whether two of its edges that do not follow each other have a point in common."""
    edges = list(_edges(polygon))
    last = len(edges) - 1
    return any(
        _meet(edges[one], edges[other])
        for one, other in combinations(range(len(edges)), 2)
        if other - one > 1 and not (one == 0 and other == last)
    )


def area(polygon: Sequence[Point]) -> float:
    """Of a polygon that does not cross itself, 0..1."""
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in _edges(polygon))) / 2


def cover_all(polygons: Sequence[Sequence[Point]]) -> bool:
    """Whether nothing is left of the picture beside these, as far as a grid of 32 x 32 points tells."""
    places = [(step + 0.5) / 32 for step in range(32)]
    return all(any(inside((x, y), polygon) for polygon in polygons) for x in places for y in places)


def overlap(one: Box, other: Box) -> float:
    """How much two boxes have in common (intersection over union), 0..1."""
    width = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    height = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / (one.width * one.height + other.width * other.height - common)


def _edges(polygon: Sequence[Point]) -> zip[tuple[Point, Point]]:
    return zip(polygon, [*polygon[1:], polygon[0]], strict=True)


def _meet(one: tuple[Point, Point], other: tuple[Point, Point]) -> bool:
    (a, b), (c, d) = one, other
    sides = _side(a, b, c), _side(a, b, d), _side(c, d, a), _side(c, d, b)
    if sides[0] * sides[1] < 0 and sides[2] * sides[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(side == 0 and _between(*end) for side, end in zip(sides, ends, strict=True))


def _side(a: Point, b: Point, point: Point) -> float:
    """On which side of the line from a to b the point lies; 0 on it."""
    return (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0])


def _between(a: Point, b: Point, point: Point) -> bool:
    """Whether a point on the line through a and b lies from a to b."""
    return min(a[0], b[0]) <= point[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= point[1] <= max(a[1], b[1])
