"""A guest's way: the whole of it, once more, given up, and left alone at any point."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.booth.machine import LIMITS, READY, Event, Machine, NotNow, State
from tests.fakes.clock import Clock

EVENTS: tuple[Event, ...] = ("start", "picture", "made", "retake", "keep", "stay", "kept", "finish", "cancel")
WAY: tuple[Event, ...] = ("start", "picture", "picture", "made", "keep", "kept", "finish")


def machine(clock: Clock, *events: Event) -> Machine:
    made = Machine(pictures=2, clock=clock)
    for event in events:
        made.on(event, "ada")
    return made


def test_the_whole_way() -> None:
    clock = Clock()
    booth = machine(clock)
    states = [booth.on(event, "ada").state for event in WAY]
    assert states == ["countdown", "pictures", "animation", "choice", "guest", "done", "preview"]
    clock.now += LIMITS["preview"]
    assert booth.turn == READY


def test_once_more_begins_without_pictures() -> None:
    turn = machine(Clock(), "start", "picture", "picture", "made", "retake").turn
    assert (turn.state, turn.guest, turn.taken) == ("countdown", "ada", 0)


@pytest.mark.parametrize("end", range(1, len(WAY)))
def test_left_alone_every_state_ends_and_the_guest_is_forgotten(end: int) -> None:
    clock = Clock()
    booth = machine(clock, *WAY[:end])
    state = booth.turn.state
    clock.now += LIMITS[state] - 0.1
    assert booth.turn.state == state
    clock.now += 0.1
    assert booth.turn.state == ("preview" if state == "done" else "ready")
    clock.now += LIMITS["preview"]
    assert booth.turn == READY


def test_who_types_has_time() -> None:
    clock = Clock()
    booth = machine(clock, *WAY[:5])
    for _ in range(5):
        clock.now += LIMITS["guest"] - 1
        assert booth.on("stay", "ada").state == "guest"


def test_what_comes_for_an_earlier_guest_changes_nothing() -> None:
    booth = machine(Clock(), "start", "cancel")
    booth.on("start", "ben")
    before = booth.turn
    for event in EVENTS[1:]:
        with pytest.raises(NotNow):
            booth.on(event, "ada")
    assert booth.turn == before


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.booleans(), st.floats(0, 200)), max_size=60))
def test_whatever_happens_it_comes_back_to_ready_and_knows_nobody(happening: list[tuple[Event, bool, float]]) -> None:
    clock = Clock()
    booth = Machine(pictures=4, clock=clock)
    known: set[str] = set()
    for event, by_another, seconds in happening:
        clock.now += seconds
        here = booth.turn.guest
        guest = uuid.uuid4().hex if event == "start" or by_another else here
        before = booth.turn
        try:
            turn = booth.on(event, guest)
        except NotNow:
            assert booth.turn == before
            continue
        assert (turn.state == "ready") == (turn.guest == "")
        assert turn.taken <= 4
        if event == "start":
            assert turn.guest not in known, "a guest began with what was another's"
            assert turn.taken == 0
            known.add(turn.guest)
    longest: dict[State, float] = dict(LIMITS)
    clock.now += max(longest.values()) + LIMITS["preview"]
    assert booth.turn == READY
    assert booth.seconds_left is None
