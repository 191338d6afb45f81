"""A stream that stays open: pictures of now, after losses too."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from app.cameras import CameraError, CameraRejected, CameraUnavailable
from app.cameras.rtsp import Rtsp, warm
from app.cameras.rtsp.stream import Stream
from app.cameras.rtsp.warm import Gop
from tests.simulators.rtsp import GOP, RtspSimulator, grey
from tests.unit.cameras.rtsp.test_rtsp import failure, rtsp, shade


@pytest.fixture
def streams() -> Iterator[RtspSimulator]:
    with RtspSimulator() as simulator:
        yield simulator


@pytest.fixture
def started(streams: RtspSimulator) -> Iterator[Any]:
    cameras: list[Rtsp] = []

    def start(path: str, **settings: Any) -> Rtsp:
        cameras.append(rtsp(streams.url(path), warm=True, **settings))
        for thread in cameras[-1].threads:
            thread.start()
        return cameras[-1]

    yield start
    for camera in cameras:
        for thread in camera.threads:
            thread.stop()
            streams.steps.release(3)
            assert thread.join(5)


def test_each_picture_shows_the_newest_frame_over_one_connection(streams: RtspSimulator, started: Any) -> None:
    camera = started("steps")
    streams.steps.release(2)  # FFmpeg knows that a frame is whole when the next one begins
    assert shade(camera.snapshot().data) == pytest.approx(grey(0), abs=4)
    streams.steps.release(GOP + 2)
    wanted = grey(GOP + 2)
    while shade(camera.snapshot().data) < wanted - 4:
        pass
    assert shade(camera.snapshot().data) == pytest.approx(wanted, abs=4)
    assert streams.requests.count("DESCRIBE steps") == 1


def test_it_is_an_ordinary_camera_where_nobody_runs_its_thread(streams: RtspSimulator) -> None:
    camera = rtsp(streams.url("live"), warm=True)
    assert shade(camera.snapshot().data) == pytest.approx(grey(0), abs=4)
    assert streams.requests.count("TEARDOWN live") <= 1


@dataclass
class Packet:
    """A packet as `Gop` looks at it."""

    name: str
    is_keyframe: bool = False
    size: int = 10


class Decoder:
    """A stream whose decoder shows each packet's name."""

    def __init__(self) -> None:
        self.decoded: list[str] = []

    def decode(self, packet: Packet) -> list[str]:
        self.decoded.append(packet.name)
        return [packet.name]

    def forget(self) -> None:
        self.decoded.append("|")


def gop_of(*packets: Packet) -> tuple[Gop, list[str]]:
    decoder = Decoder()
    gop = Gop(cast(Stream, decoder))
    for packet in packets:
        gop.add(packet)
    return gop, decoder.decoded


def test_nothing_is_decoded_before_somebody_asks_and_nothing_twice() -> None:
    gop, decoded = gop_of(Packet("early"), Packet("key", is_keyframe=True), Packet("a"))
    assert decoded == ["|"]
    assert gop.newest() == "a"
    gop.add(Packet("b"))
    assert gop.newest() == gop.newest() == "b"
    assert decoded == ["|", "key", "a", "b"]


def test_what_waits_before_a_keyframe_is_never_decoded() -> None:
    gop, decoded = gop_of(Packet("key", is_keyframe=True), Packet("a"), Packet("next", is_keyframe=True))
    assert gop.newest() == "next"
    assert decoded == ["|", "|", "next"]


def test_packets_that_nobody_asks_for_do_not_pile_up(monkeypatch: pytest.MonkeyPatch) -> None:
    _, decoded = gop_of(Packet("key", is_keyframe=True), Packet("large", size=warm.MOST_BYTES), Packet("a"))
    assert decoded == ["|", "key", "large"]
    monkeypatch.setattr(warm, "MOST_PACKETS", 2)
    _, decoded = gop_of(Packet("key", is_keyframe=True), Packet("a"), Packet("b"))
    assert decoded == ["|", "key", "a"]


def test_packets_that_do_not_decode_make_no_frame_newer(monkeypatch: pytest.MonkeyPatch) -> None:
    gop, _ = gop_of(Packet("key", is_keyframe=True))
    assert gop.newest() == "key"
    shown_at = gop.shown_at
    monkeypatch.setattr(Decoder, "decode", lambda _self, _packet: [])
    gop.add(Packet("damaged"))
    assert gop.newest() == "key"
    assert (gop.shown_at, gop.arrived > shown_at) == (shown_at, True)


def test_a_stream_that_ends_is_opened_again_for_the_next_picture(
    streams: RtspSimulator, started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "FIRST_PAUSE_S", 60)  # which the picture does not wait for
    camera = started("ends")
    assert failure(camera).code == "stream_ended"
    before = streams.requests.count("DESCRIBE ends")
    assert failure(camera).code == "stream_ended"
    assert streams.requests.count("DESCRIBE ends") > before


def test_a_refused_login_is_not_tried_for_each_picture(streams: RtspSimulator, started: Any) -> None:
    camera = started("login", username="u", password="wrong")
    assert failure(camera).code == "login_refused"
    asked = len(streams.requests)
    assert failure(camera).code == "login_refused"
    assert len(streams.requests) == asked


def test_a_stream_that_falls_silent_gives_no_old_picture(
    streams: RtspSimulator, started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = started("steps", timeout=0.5)
    streams.steps.release(3)
    camera.snapshot()
    monkeypatch.setattr(warm, "FRESH_S", -3600)  # no packet is new enough any more
    assert failure(camera).code in ("no_keyframe", "stream_ended")


def test_packets_that_do_not_decode_give_no_old_picture(streams: RtspSimulator) -> None:
    (thread,) = rtsp(streams.url("live"), warm=True).threads
    now = time.monotonic()
    thread._gop = cast(Gop, SimpleNamespace(arrived=now, shown_at=now - 3600, newest=object))
    with pytest.raises(CameraError, match="keyframe"):
        thread.picture(deadline=now + 0.05)


def test_pauses_grow_and_a_refusal_waits_longest(streams: RtspSimulator) -> None:
    (thread,) = rtsp(streams.url("live"), warm=True).threads
    lost = CameraUnavailable("timeout", "")
    assert 0.5 <= thread._lost(lost, lasted=100) <= warm.FIRST_PAUSE_S
    pauses = [thread._lost(lost, lasted=0) for _ in range(8)]
    assert pauses[0] <= 2 * warm.FIRST_PAUSE_S
    assert warm.LAST_PAUSE_S / 2 <= pauses[-1] <= warm.LAST_PAUSE_S
    assert thread._lost(CameraRejected("login_refused", ""), lasted=0) == warm.LAST_PAUSE_S
