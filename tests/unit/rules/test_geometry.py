"""Boxes and polygons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messages import Box
from app.rules.geometry import Point, crosses_itself, feet, inside, overlap

SQUARE: tuple[Point, ...] = ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8))
HORSESHOE: tuple[Point, ...] = ((0, 0), (1, 0), (1, 1), (0.7, 1), (0.7, 0.3), (0.3, 0.3), (0.3, 1), (0, 1))


@pytest.mark.parametrize(
    ("point", "polygon", "within"),
    [
        ((0.5, 0.5), SQUARE, True),
        ((0.1, 0.5), SQUARE, False),
        ((0.5, 0.9), SQUARE, False),
        ((0.5, 0.8), HORSESHOE, False),
        ((0.9, 0.8), HORSESHOE, True),
        ((0.5, 0.1), HORSESHOE, True),
    ],
)
def test_a_point_is_inside_a_polygon_whichever_way_round_it_is_drawn(
    point: Point, polygon: tuple[Point, ...], within: bool
) -> None:
    assert inside(point, polygon) is within
    assert inside(point, polygon[::-1]) is within


@pytest.mark.parametrize(
    ("polygon", "crosses"),
    [
        (SQUARE, False),
        (HORSESHOE, False),
        (((0, 0), (1, 1), (1, 0), (0, 1)), True),
        (((0, 0), (1, 0), (1, 1), (0.5, 0), (0, 1)), True),  # a corner on an edge
        (((0, 0), (0.5, 0), (1, 0), (0.5, 1)), False),  # three corners in a line
        (((0, 0), (1, 0), (0.5, 0), (0.5, 1)), True),  # back along an edge
    ],
)
def test_a_polygon_that_crosses_itself_is_recognised(polygon: tuple[Point, ...], crosses: bool) -> None:
    assert crosses_itself(polygon) is crosses


def test_a_thing_stands_where_its_feet_are() -> None:
    assert feet(Box(0.2, 0.1, 0.4, 0.5)) == pytest.approx((0.4, 0.6))


SHARE = st.floats(0.01, 0.5)


@given(st.builds(Box, SHARE, SHARE, SHARE, SHARE), st.builds(Box, SHARE, SHARE, SHARE, SHARE))
def test_the_overlap_of_two_boxes_is_a_share_and_the_same_both_ways(one: Box, other: Box) -> None:
    assert 0 <= overlap(one, other) <= 1 + 1e-9
    assert overlap(one, other) == pytest.approx(overlap(other, one))
    assert overlap(one, one) == pytest.approx(1)


def test_boxes_side_by_side_overlap_by_nothing_and_halves_by_a_third() -> None:
    assert overlap(Box(0, 0, 0.5, 1), Box(0.5, 0, 0.5, 1)) == 0
    assert overlap(Box(0, 0, 0.4, 0.4), Box(0.2, 0, 0.4, 0.4)) == pytest.approx(1 / 3)
