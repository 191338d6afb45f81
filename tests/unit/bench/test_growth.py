"""Growth is fitted, judged and drawn as it says."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from tests.bench.fit import Model, left_out
from tests.bench.growth import Curve, plot, table

SVG = "{http://www.w3.org/2000/svg}"


def test_a_model_goes_through_what_grows_as_it_says() -> None:
    assert Model.of({10: 5.0, 100: 7.0, 1_000: 9.0}).at(10_000) == pytest.approx(11.0)
    assert Model.of({1: 3.0, 2: 5.0, 4: 9.0}, logarithmic=False).at(8) == pytest.approx(17.0)
    assert str(Model.of({10: 5.0, 100: 4.0})) == "6 - 1 log10 n"


def test_each_point_is_judged_by_a_model_of_the_others() -> None:
    missed = left_out({10: 1.0, 100: 2.0, 1_000: 6.0})
    assert missed[1_000] == pytest.approx(3 / 6 - 1)
    assert missed[100] == pytest.approx(3.5 / 2 - 1)
    assert Curve("cameras", "an event", "ms", {10: 1.0, 100: 2.0, 1_000: 6.0}).error == pytest.approx(3.0)


def test_what_is_modelled_is_marked_in_the_table_and_dashed_in_the_plot() -> None:
    curves = [
        Curve("cameras", "an event", "ms", {10: 5.0, 100: 6.0, 1_000: 7.0}),
        Curve("cameras", "memory", "MB", {10: 100.0, 100: 101.0, 1_000: 110.0}, logarithmic=False),
        Curve("replicas", "an <event>", "ms", {1: 6.0, 2: 6.0, 4: 6.0}),
    ]
    shown = table(curves)
    assert "| by cameras | 10 | 100 | 1,000 | *50,000* | model | error |" in shown
    assert "| an event, ms | 5.0 | 6.0 | 7.0 | *8.7* | 4 + 1 log10 n | 0% |" in shown
    drawn = ElementTree.fromstring(plot(curves))
    assert len(drawn.findall(f"{SVG}circle")) == 6, "only what is measured, and only milliseconds"
    assert sum("stroke-dasharray" in path.attrib for path in drawn.findall(f"{SVG}path")) == 2
