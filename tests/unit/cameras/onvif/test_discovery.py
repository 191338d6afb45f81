"""Devices that answer a probe, some of them late, twice, or with nonsense."""

from __future__ import annotations

import socket

import pytest

from app.cameras.onvif import discovery
from app.cameras.onvif.discovery import FoundDevice, discover
from tests.simulators.onvif import Responder, responding

EYE = FoundDevice("127.0.0.1:8899", https=False, name="Acme Eye", hardware="Eye-1", location="porch")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "BETWEEN_S", 0.05)


def test_each_type_is_asked_for_alone_and_again() -> None:
    transmitter, device = Responder(deaf=1), Responder(type="Device", name="urn:uuid:2", addresses="https://127.0.0.1/")
    with responding(transmitter, device) as group:
        found = discover(0.4, group=group)
    assert [each.address for each in found] == ["127.0.0.1", "127.0.0.1:8899"]
    assert found[0].https
    assert found[1] == EYE, "the address from which it answered, not one of another network"
    assert transmitter.probes == ["NetworkVideoTransmitter", "Device"] * discovery.ROUNDS


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<",
        b"\xff" * 60_000,
        b"<!DOCTYPE a><a/>",
        b"<a><Body><ProbeMatches><ProbeMatch/></ProbeMatches></Body></a>",
        b"<a><Body><ProbeMatches><ProbeMatch><XAddrs>ftp://x http://[ http://x:y</XAddrs></ProbeMatch></ProbeMatches></Body></a>",
    ],
    ids=range(6),
)
def test_nonsense_is_passed_over(raw: bytes) -> None:
    with responding(Responder(raw=[raw] * 3, deaf=0)) as group:
        assert discover(0.3, group=group) == [EYE]


def test_what_a_device_says_of_itself_is_cut_and_printable() -> None:
    scopes = f"onvif://www.onvif.org/name/{'A' * 500} ONVIF://www.onvif.org/Hardware/x%0Ay%1B[2J onvif://www.onvif.org/location/"
    with responding(Responder(scopes=scopes, deaf=0)) as group:
        (found,) = discover(0.3, group=group)
    assert (found.name, found.hardware, found.location) == ("A" * discovery.LONGEST, "xy[2J", "")


def test_a_flood_of_answers_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "MOST_ANSWERS", 20)
    with responding(Responder(raw=[b"x"] * 30, deaf=0)) as group:
        assert discover(60, group=group) == []


def test_questions_leave_by_every_interface_and_reach_beyond_a_switch() -> None:
    sockets = [*discovery._sockets(discovery.GROUP)]
    assert len(sockets) == len(socket.if_nameindex())
    for sock in sockets:
        assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL) > 1
        sock.close()
