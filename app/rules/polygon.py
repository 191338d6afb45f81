"""Polygons in settings and rules: corners in fractions of a picture."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema

from app.rules.geometry import Point, area, crosses_itself

MOST_POINTS = 50
LEAST_AREA = 1e-5
"""Share of the picture below which a polygon covers nothing: 20 pixels of a large picture."""


def _is_a_polygon(points: tuple[Point, ...]) -> tuple[Point, ...]:
    if not 3 <= len(points) <= MOST_POINTS:
        raise ValueError(f"must have 3 to {MOST_POINTS} corners, and has {len(points)}")
    if not all(0 <= value <= 1 for point in points for value in point):
        raise ValueError("must have corners from 0 to 1: fractions of the picture's width and height")
    if crosses_itself(points):
        raise ValueError("must not cross its own edges")
    return points


Corner = Annotated[
    Point,
    WithJsonSchema(
        {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 1}, "minItems": 2, "maxItems": 2}
    ),
]

Polygon = Annotated[tuple[Corner, ...], AfterValidator(_is_a_polygon)]
"""3 to 50 corners in order, whose edges do not cross."""


def covers_something(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The same. Raises ValueError for a polygon without an inside, which would hide nothing."""
    if area(points) < LEAST_AREA:
        raise ValueError("must cover something: its corners lie on one line")
    return points


Mask = Annotated[Polygon, AfterValidator(covers_something)]
"""A polygon that something can lie in."""
