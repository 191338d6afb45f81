"""Conditions on JSON."""

from __future__ import annotations

import math
from typing import Any

import pytest

from app.sources.conditions import Condition, at

FRIGATE = {"type": "new", "after": {"label": "person", "score": 0.83, "zones": ["porch", "street"], "gone": False}}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("type", "new"),
        ("after.label", "person"),
        ("after.zones.1", "street"),
        ("after.zones.2", None),
        ("after.zones.x", None),
        ("after.zones.-1", None),
        ("after.zones.99999999999999999999", None),
        ("after.nobody", None),
        ("type.deeper", None),
        ("", FRIGATE),
    ],
)
def test_a_dotted_path_leads_into_maps_and_lists(path: str, found: object) -> None:
    assert at(FRIGATE, path) == found


def test_a_key_with_dots_is_found_as_it_stands() -> None:
    assert at({"params": {"sensor.door": {"open": True}}}, "params.sensor.door") == {"open": True}
    assert at({"a.b": 1}, "a.b") == 1


@pytest.mark.parametrize(
    ("wanted", "value", "holds"),
    [
        ({}, {}, True),
        ({"contact": False}, {"contact": False}, True),
        ({"contact": False}, {"contact": True}, False),
        ({"contact": False}, {"contact": 0}, False),
        ({"contact": False}, {"contact": None}, False),
        ({"contact": False}, {}, False),
        ({"state": True}, {"state": "ON"}, True),
        ({"state": True}, {"state": "OFF"}, False),
        ({"state": False}, {"state": "off"}, True),
        ({"count": 1}, {"count": True}, False),
        ({"count": 1}, {"count": 1.0}, True),
        ({"count": 1}, {"count": "1"}, False),
        ({"gone": None}, {"gone": None}, True),
        ({"gone": None}, {}, True),
        ({"gone": None}, {"gone": 0}, False),
        ({"label": ["person", "car"]}, {"label": "car"}, True),
        ({"label": ["person", "car"]}, {"label": "dog"}, False),
        ({"score": {"above": 0.5}}, {"score": 0.51}, True),
        ({"score": {"above": 0.5}}, {"score": 0.5}, False),
        ({"score": {"below": 0.5}}, {"score": 0.49}, True),
        ({"score": {"below": 0.5}}, {"score": 0.5}, False),
        ({"score": {"above": 0, "below": 1}}, {"score": "0.7"}, True),
        ({"score": {"above": 0, "below": 1}}, {"score": 1.7}, False),
        ({"score": {"above": 0}}, {"score": True}, False),
        ({"score": {"above": 0}}, {"score": "many"}, False),
        ({"score": {"above": 0}}, {"score": math.inf}, False),
        ({"score": {"above": 0}}, {"score": 10**400}, False),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, False),
        ({"": "ON"}, "ON", True),
        ({"": "ON"}, {"": "ON"}, False),
    ],
)
def test_all_paths_have_to_hold(wanted: dict[str, object], value: object, holds: bool) -> None:
    assert Condition(wanted).holds(value) is holds


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"contact": False}, "contact is true, not false"),
        ({"label": ["person", "car"]}, "label is 'dog', not 'person' or 'car'"),
        ({"score": {"above": 0.5, "below": 1}}, "score is 0.41, not above 0.5 and below 1"),
        ({"nobody": 3}, "nobody is nothing, not 3"),
        ({"list": "x"}, "list is a list, not 'x'"),
        ({"long": "x"}, "long is 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...', not 'x'"),
        ({"huge": 1}, "huge is a huge number, not 1"),
    ],
)
def test_what_does_not_hold_is_said(wanted: dict[str, object], sentence: str) -> None:
    value: dict[str, Any] = {"contact": True, "label": "dog", "score": 0.41, "list": [], "long": "y" * 99}
    assert Condition(wanted).unmet(value | {"huge": 10**5000}) == sentence


@pytest.mark.parametrize(
    ("expected", "complaint"),
    [
        ([], "an empty list"),
        ({}, "bounds are"),
        ({"over": 3}, "bounds are"),
        ({"above": "3"}, "above must be a number"),
        ({"above": True}, "above must be a number"),
        ({"above": 3, "below": 3}, "nothing is above 3 and below 3"),
        (math.nan, "expects text"),
        ([{"above": 1}], "expects text"),
        (object(), "expects text"),
    ],
)
def test_what_can_never_hold_is_refused(expected: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=f"score: {complaint}"):
        Condition({"score": expected})
