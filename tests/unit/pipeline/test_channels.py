"""Cameras are made for their first picture; one that was never asked for is as if it were well."""

from __future__ import annotations

import pytest

from app.pipeline.channel import Channel
from app.pipeline.channels import Channels
from pylib.runtime.circuit_breaker import State
from tests.fakes.cameras import FakeCamera

KEYS = {f"Place {number} Camera": number for number in range(1_000)}


@pytest.fixture
def made() -> list[int]:
    return []


@pytest.fixture
def channels(made: list[int]) -> Channels[int]:
    def make(number: int) -> Channel:
        made.append(number)
        return Channel(FakeCamera(), label="", timeout=1)

    return Channels(KEYS, make)


def test_of_a_thousand_cameras_only_the_one_that_is_asked_for_is_made_and_once(
    channels: Channels[int], made: list[int]
) -> None:
    assert len(channels) == 1_000
    assert {channels.state(key) for key in channels} == {State.CLOSED}
    assert {channels.retry_in(key) for key in channels} == {0.0}
    assert "Place 7 Camera" in channels
    assert made == []
    assert channels["Place 7 Camera"] is channels.get("Place 7 Camera")
    assert made == [7]


def test_one_that_is_not_configured_is_not_there(channels: Channels[int]) -> None:
    assert channels.get("Gone Camera") is None
    assert "Gone Camera" not in channels


def test_a_circuit_that_opened_shows(channels: Channels[int]) -> None:
    channels["Place 7 Camera"].breaker.failed(final=True)
    assert channels.state("Place 7 Camera") == State.OPEN
    assert channels.retry_in("Place 7 Camera") > 0
    assert channels.state("Place 8 Camera") == State.CLOSED


def test_closing_closes_those_that_were_made_and_makes_none(channels: Channels[int], made: list[int]) -> None:
    camera = channels["Place 7 Camera"].camera
    channels.close()
    assert isinstance(camera, FakeCamera)
    assert camera.closed
    assert made == [7]
