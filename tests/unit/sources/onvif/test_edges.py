"""Which messages mean that something begins, and which only that it goes on."""

from __future__ import annotations

import pytest

from app.cameras.onvif.events import Notification
from app.sources.onvif.edges import MOST_STATES, QUIET_S, Edges, watched
from tests.fakes.clock import Clock

MOTION, CELLS = "VideoSource/MotionAlarm", "RuleEngine/CellMotionDetector/Motion"


def message(topic: str, operation: str = "Changed", *, about: str = "1", **data: str) -> Notification:
    return Notification(topic, operation, {"Token": about}, data, "2026-03-04T12:00:00Z")


@pytest.fixture
def edges(clock: Clock) -> Edges:
    return Edges(watched(["motion", "person", "line", "input", "tns1:Acme/acme:Bell"]), clock)


def begun(edges: Edges, clock: Clock, *messages: Notification) -> list[str]:
    clock.now += 10
    return [one.event for one in edges.begun(messages)]


def test_motion_begins_once_however_often_and_by_whatever_topics_it_is_told(edges: Edges, clock: Clock) -> None:
    assert begun(edges, clock, message(MOTION, State="true"), message(CELLS, IsMotion="true")) == ["motion"]
    assert begun(edges, clock, message(MOTION, State="true")) == []
    assert begun(edges, clock, message(MOTION, State="false")) == []
    assert begun(edges, clock, message(MOTION, State="true")) == [], "the other topic says that it goes on"
    assert begun(edges, clock, message(MOTION, State="0"), message(CELLS, IsMotion="false")) == []
    assert begun(edges, clock, message(CELLS, IsMotion="1")) == ["motion"]


def test_how_things_were_before_we_came_is_no_trigger_but_counts(edges: Edges, clock: Clock) -> None:
    assert begun(edges, clock, message(MOTION, "Initialized", State="true")) == []
    assert begun(edges, clock, message(MOTION, State="true")) == []
    edges.forget()
    assert begun(edges, clock, message(MOTION, State="true")) == ["motion"]
    assert begun(edges, clock, message(MOTION, "Deleted", State="true")) == []
    assert begun(edges, clock, message(MOTION, State="true")) == ["motion"]


def test_a_crossed_line_has_no_state(edges: Edges, clock: Clock) -> None:
    crossed = message("RuleEngine/LineDetector/Crossed", "", ObjectId="1")
    assert begun(edges, clock, crossed) == ["line"]
    assert begun(edges, clock, crossed, crossed) == ["line"], "within a second it is the same"
    assert begun(edges, clock, message("RuleEngine/LineDetector/Crossed", "Initialized", ObjectId="0")) == []


def test_each_input_is_a_thing_of_its_own(edges: Edges, clock: Clock) -> None:
    topic = "Device/Trigger/DigitalInput"
    first, second = (message(topic, about=about, LogicalState="true") for about in ("1", "2"))
    assert begun(edges, clock, first, second) == ["input", "input"]
    assert begun(edges, clock, first, second) == []


def test_a_message_may_tell_one_of_several_things(edges: Edges, clock: Clock) -> None:
    topic = "RuleEngine/TPSmartEventDetector/TPSmartEvent"
    assert begun(edges, clock, message(topic, IsVehicle="true")) == []
    assert begun(edges, clock, message(topic, IsPeople="true", State="false")) == ["person"]
    assert begun(edges, clock, message(topic, IsLineCross="true")) == ["line"]


def test_a_topic_of_ones_own_covers_what_is_below_it(edges: Edges, clock: Clock) -> None:
    assert begun(edges, clock, message("Acme/Bell/Front", "", Count="3")) == ["tns1:Acme/acme:Bell"]
    assert begun(edges, clock, message("Acme/Bells", "", Count="3")) == []


def test_a_device_that_invents_things_without_end_fills_no_memory(edges: Edges, clock: Clock) -> None:
    inputs = [message("Device/Trigger/DigitalInput", about=str(i), State="true") for i in range(2 * MOST_STATES)]
    states = [message(MOTION, about=str(i), State="true") for i in range(2 * MOST_STATES)]
    begun(edges, clock, *inputs, *states)
    assert len(edges._on) == MOST_STATES
    assert max(map(len, edges._on.values())) <= MOST_STATES
    assert len(edges._last) <= MOST_STATES


def test_movement_of_whose_end_nobody_speaks_is_over_after_a_while(edges: Edges, clock: Clock) -> None:
    assert begun(edges, clock, message(MOTION, State="true")) == ["motion"]
    clock.now += QUIET_S - 20
    assert begun(edges, clock, message(MOTION, State="true")) == [], "said again, it goes on"
    clock.now += QUIET_S
    assert begun(edges, clock, message(MOTION, State="true")) == ["motion"]
    door = message("Device/Trigger/DigitalInput", LogicalState="true")
    assert begun(edges, clock, door) == ["input"]
    clock.now += 10 * QUIET_S
    assert begun(edges, clock, door) == [], "a door may be open all day"


def test_an_end_that_names_less_than_the_beginning_ends_it(edges: Edges, clock: Clock) -> None:
    begins = Notification(CELLS, "Changed", {"Token": "1", "ObjectId": "7"}, {"IsMotion": "true"}, "")
    assert begun(edges, clock, begins) == ["motion"]
    assert begun(edges, clock, message(CELLS, about="2", IsMotion="false"), begins) == []
    assert begun(edges, clock, message(CELLS, IsMotion="false"), begins) == ["motion"]
