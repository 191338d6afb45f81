"""What replicas tell each other."""

from __future__ import annotations

import math
from typing import Any

import msgpack
import pytest

from app.replicas.presence import LONGEST_KEY, MAX_SIZE, MAX_SWITCHES, Presence
from app.rules.telling import Switch
from pylib.errors import Permanent

PRESENCE = Presence(
    "one", "1.0", 16, "abc", 1000.5, leads=True, switches=(Switch(3.0, "away"), Switch(4.0, "", "Door"))
)


def said(**changes: Any) -> bytes:
    packed: bytes = msgpack.packb({**msgpack.unpackb(PRESENCE.pack()), **changes})
    return packed


def test_it_arrives_as_it_was_said() -> None:
    assert Presence.unpack(PRESENCE.pack()) == PRESENCE


def test_what_a_later_release_says_besides_is_passed_over() -> None:
    more = said(weather="fine", switches=[[3.0, "away", "", 0.0, "more"], [4.0, "", "Door", 0.0, "more"]])
    assert Presence.unpack(more) == PRESENCE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgpack.packb([1, 2]),
        msgpack.packb({"device": "one"}),
        said(device=1),
        said(switches=[1]),
        said(switches=[["now", "away", "", 0.0]]),
        said(switches=[[1.0, "", "Door", "later"]]),
        said(switches=[[math.inf, "away", "", 0.0]]),  # no switch would ever be later
        said(switches=[[1.0, "", "Door", math.nan]]),
        said(switches=[[1.0, "", "D" * (LONGEST_KEY + 1), None]]),
        bytes(MAX_SIZE + 1),
    ],
)
def test_what_no_replica_says_is_refused(body: bytes) -> None:
    with pytest.raises(Permanent, match="not_a_replica"):
        Presence.unpack(body)


def test_of_too_many_switches_the_last_are_told() -> None:
    keys = [f"{number:04}".ljust(LONGEST_KEY, "\U0001f4f7") for number in range(MAX_SWITCHES + 1)]
    many = tuple(Switch(float(number), "", key, 1.5) for number, key in enumerate(keys))
    own = Switch(1e9, "", "D" * (LONGEST_KEY + 1))
    told = Presence.unpack(Presence("one", "1.0", 16, "abc", 1.0, switches=(*many, own)).pack()).switches
    assert told == many[1:]


def test_a_time_that_no_database_holds_becomes_one_that_it_does() -> None:
    (switch,) = Presence.unpack(said(switches=[[1.0, "", "Door", 2**64 - 1]])).switches
    assert isinstance(switch.until, float)
