"""The soak finds the slope of what grows, is not misled by what only jumps, and draws what it saw."""

from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest

from tests.faults.plot import Curve, plot
from tests.faults.soak import Sample, drawn, slopes
from tests.faults.trend import medians, slope


def noisy(growth: float, *, outlier: float = 0.0) -> list[tuple[float, float]]:
    """A measurement a minute of an hour."""
    chance = random.Random(1)
    points = [(minute / 60, 100 + growth * minute / 60 + chance.gauss(0, 0.2)) for minute in range(60)]
    points[-1] = points[-1][0], points[-1][1] + outlier
    return points


def test_what_grows_is_found_with_its_confidence() -> None:
    found = slope(noisy(2.0))
    assert found.low < 2.0 < found.high
    assert found.high - found.low < 0.5
    assert found.exceeds(1.0)
    assert not slope(noisy(1.0)).exceeds(1.0)


def test_one_bad_moment_is_no_growth() -> None:
    assert not slope(noisy(0.0, outlier=500.0)).exceeds(0.1)


def test_a_slope_needs_three_points() -> None:
    with pytest.raises(ValueError, match="three points"):
        slope([(0, 0), (1, 1)])


def test_a_stretch_of_time_counts_once() -> None:
    assert medians([(0.0, 1.0), (0.1, 9.0), (0.2, 2.0), (1.5, 4.0)], width=1.0) == [(0.5, 2.0), (1.5, 4.0)]


def sample(minute: int) -> Sample:
    hours = minute / 60
    return Sample(hours, 100 + 3 * hours, 60, 30, minute, 0.1, 0.05, "line cut" if minute % 20 == 0 else "")


def test_the_slopes_know_what_grows() -> None:
    found = slopes([sample(minute) for minute in range(1, 61)])
    assert found["memory (MB)"].value == pytest.approx(3.0)
    assert (found["descriptors"].value, found["threads"].value) == (0, 0)


def test_the_plot_has_a_panel_for_each_quantity_and_a_tick_for_each_fault() -> None:
    svg = drawn([sample(minute) for minute in range(1, 61)])
    ticks = [path for path in ElementTree.fromstring(svg).iter() if path.get("stroke") == "#c2410c"]
    assert len(ticks) == 5 * 3
    ElementTree.fromstring(plot([Curve("<nothing>", [])], title="&", faults=[]))
