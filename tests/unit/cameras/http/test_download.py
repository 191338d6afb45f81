"""Whatever a camera answers, there is a picture or one clear error, within its time and bytes."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.cameras import CameraError, CameraRejected, CameraUnavailable
from app.cameras.address import CameraTarget, HostPort
from app.cameras.http import connection, download
from app.cameras.http.answer import CameraAnswer
from app.cameras.http.answer import picture as picture_in
from app.cameras.http.connection import Attempt
from app.cameras.http.download import Downloader, HTTPCameraSettings
from app.media.picture import BadPicture, examine
from tests.simulators.camera import CameraSimulator

TIMEOUT = 0.2
"""Seconds, for what never comes."""
PATIENCE = 60.0
"""For what comes."""


@pytest.fixture
def downloader() -> Iterator[Downloader]:
    one = Downloader(HTTPCameraSettings(kind="test", location="Test", max_bytes=1_000_000))
    yield one
    one.close()


def fetch(downloader: Downloader, simulator: CameraSimulator, behaviour: str, timeout: float = PATIENCE) -> bytes:
    target = CameraTarget(HostPort.parse(simulator.address, default_port=80))
    attempt = Attempt.start(target, timeout=timeout)
    url = simulator.url(behaviour) + "?usr=somebody&pwd=hush"
    return picture_in(downloader.get(url, attempt), target.shown)


def ask(downloader: Downloader, place: HostPort, timeout: float = PATIENCE) -> None:
    attempt = Attempt.start(CameraTarget(place), timeout=timeout)
    downloader.get(f"http://{place}/?pwd=hush", attempt)


@pytest.mark.parametrize("behaviour", ["ok", "unannounced", "chunked", "bad-headers"])
def test_a_picture_arrives_however_its_length_is_announced(
    downloader: Downloader, cameras: CameraSimulator, picture: bytes, behaviour: str
) -> None:
    assert fetch(downloader, cameras, behaviour) == picture


MISLABELLED = [
    *("long-length", "long-length-closed", "unfinished-chunks", "never-closed", "packed", "said-packed", "followed"),
    *("said-stream", "one-part", "one-part-open"),
]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("behaviour", MISLABELLED)
def test_a_whole_picture_is_taken_whatever_is_said_of_it_and_the_next_one_too(
    downloader: Downloader,
    cameras: CameraSimulator,
    picture: bytes,
    behaviour: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(download, "NEXT_PART_S", 0.2)
    assert fetch(downloader, cameras, behaviour) == picture
    assert fetch(downloader, cameras, "ok") == picture


@pytest.mark.parametrize("behaviour", ["chunked", "packed"])
def test_what_stands_behind_a_picture_is_read_to_keep_the_connection(
    downloader: Downloader, cameras: CameraSimulator, behaviour: str
) -> None:
    fetch(downloader, cameras, behaviour)
    fetch(downloader, cameras, behaviour)
    assert cameras.connections == 1


BAD_ANSWERS = [
    ("hang", CameraUnavailable, "timeout"),
    ("slow", CameraUnavailable, "timeout"),
    ("drip", CameraUnavailable, "timeout"),
    ("drip-headers", CameraUnavailable, "timeout"),
    ("refuse", CameraUnavailable, "disconnected"),
    ("disconnect", CameraUnavailable, "disconnected"),
    ("gibberish", CameraUnavailable, "not_http"),
    ("401", CameraRejected, "login_refused"),
    ("403", CameraRejected, "login_refused"),
    ("404", CameraRejected, "wrong_address"),
    ("redirect", CameraRejected, "wrong_address"),
    ("redirect-huge", CameraRejected, "wrong_address"),
    ("stream", CameraRejected, "wrong_address"),
    ("frames", CameraRejected, "wrong_address"),
    ("long-head", CameraUnavailable, "not_http"),
    ("429", CameraUnavailable, "camera_error"),
    ("500", CameraUnavailable, "camera_error"),
    ("html", CameraUnavailable, "not_a_picture"),
    ("json", CameraUnavailable, "not_a_picture"),
    ("not-an-image", CameraUnavailable, "not_a_picture"),
    ("empty", CameraUnavailable, "empty"),
    ("truncated", CameraUnavailable, "truncated"),
    ("truncated-unannounced", CameraUnavailable, "truncated"),
    ("huge", CameraUnavailable, "too_large"),
    ("huge-unannounced", CameraUnavailable, "too_large"),
]


@pytest.mark.timeout(30)
@pytest.mark.parametrize(("behaviour", "kind", "code"), BAD_ANSWERS)
def test_every_bad_answer_has_one_code_in_bounded_time(
    downloader: Downloader, cameras: CameraSimulator, behaviour: str, kind: type[CameraError], code: str
) -> None:
    with pytest.raises(kind) as caught:
        fetch(downloader, cameras, behaviour, TIMEOUT if code == "timeout" else PATIENCE)
    assert caught.value.code == code
    assert cameras.address in caught.value.detail
    assert "hush" not in repr(caught.value)


@pytest.mark.parametrize("behaviour", ["hang", "500", "truncated", "huge", "drip", "redirect-huge", "401"])
def test_a_bad_answer_does_not_spoil_the_next(
    downloader: Downloader, cameras: CameraSimulator, picture: bytes, behaviour: str
) -> None:
    with pytest.raises(CameraError):
        fetch(downloader, cameras, behaviour, TIMEOUT if behaviour in ("hang", "drip") else PATIENCE)
    assert fetch(downloader, cameras, "ok") == picture


def test_a_bad_answer_of_fifty_megabytes_is_not_read_to_keep_the_connection(
    downloader: Downloader, cameras: CameraSimulator
) -> None:
    with pytest.raises(CameraRejected):
        fetch(downloader, cameras, "redirect-huge")
    fetch(downloader, cameras, "ok")
    assert cameras.connections == 2


@pytest.mark.parametrize("behaviour", ["ok", "chunked"])
def test_a_picture_may_have_as_many_bytes_as_are_allowed_and_not_one_more(
    cameras: CameraSimulator, picture: bytes, behaviour: str
) -> None:
    def fetched(most: int) -> bytes:
        downloader = Downloader(HTTPCameraSettings(kind="test", location="Test", max_bytes=most))
        try:
            return fetch(downloader, cameras, behaviour)
        finally:
            downloader.close()

    assert fetched(len(picture)) == picture
    with pytest.raises(CameraUnavailable) as caught:
        fetched(len(picture) - 1)
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("status", "headers", "kind", "code", "why"),
    [
        (204, {}, CameraUnavailable, "unexpected_status", "status 204"),
        (301, {"Location": "https://cam/"}, CameraRejected, "wrong_address", "to https, so configure that"),
        (308, {"Location": "/elsewhere"}, CameraRejected, "wrong_address", "elsewhere, which is not followed"),
        (400, {}, CameraUnavailable, "unexpected_status", "status 400"),
        (503, {}, CameraUnavailable, "camera_error", "cannot answer now"),
    ],
)
def test_what_a_status_means_for_whoever_set_the_camera_up(
    status: int, headers: dict[str, str], kind: type[CameraError], code: str, why: str
) -> None:
    with pytest.raises(kind) as caught:
        picture_in(CameraAnswer(status, headers, (), b""), "cam.lan")
    assert caught.value.code == code
    assert why in caught.value.detail


def test_a_pixel_bomb_is_passed_on_small_and_undecoded_and_refused_when_examined(
    downloader: Downloader, cameras: CameraSimulator
) -> None:
    bomb = fetch(downloader, cameras, "bomb")
    assert len(bomb) < 200_000
    with pytest.raises(BadPicture) as caught:
        examine(bomb)
    assert caught.value.code == "pixel_bomb"


def test_a_closed_port_refuses(downloader: Downloader) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        with pytest.raises(CameraUnavailable) as caught:
            ask(downloader, HostPort("127.0.0.1", unheard.getsockname()[1]))
    assert caught.value.code == "refused"


def test_a_name_that_does_not_resolve_is_said_so(downloader: Downloader) -> None:
    with pytest.raises(CameraUnavailable) as caught:
        ask(downloader, HostPort("x" * 64 + ".invalid", 80))
    assert caught.value.code == "unresolvable"


def test_a_name_that_can_be_no_host_is_a_wrong_address(downloader: Downloader) -> None:
    with pytest.raises(CameraRejected) as caught:
        ask(downloader, HostPort("ü" * 70, 80))
    assert caught.value.code == "wrong_address"


def test_of_several_addresses_the_one_that_answers_is_asked_within_the_time(
    downloader: Downloader, cameras: CameraSimulator, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    with full_listener() as silent, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ports = (silent.port, closed.getsockname()[1], cameras.port)
        addresses = [(socket.AF_INET, ("127.0.0.1", port)) for port in ports]
        monkeypatch.setattr(connection, "resolve", lambda _place, *, timeout: addresses)
        assert fetch(downloader, cameras, "ok", timeout=1) == picture


@pytest.mark.timeout(30)
def test_a_host_that_never_accepts_times_out_in_all_its_addresses_together(downloader: Downloader) -> None:
    with full_listener() as place, pytest.raises(CameraUnavailable) as caught:
        ask(downloader, place, TIMEOUT)
    assert caught.value.code == "timeout"


@contextmanager
def full_listener() -> Iterator[HostPort]:
    """A port whose queue of connections is full, so that one more hangs while connecting."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(8)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield HostPort("127.0.0.1", listener.getsockname()[1])
        for one in waiting:
            one.close()


def test_connections_are_kept_alive(downloader: Downloader, cameras: CameraSimulator) -> None:
    for _ in range(5):
        fetch(downloader, cameras, "ok")
    assert cameras.connections == 1


def test_a_connection_is_kept_through_an_error_page(downloader: Downloader, cameras: CameraSimulator) -> None:
    with pytest.raises(CameraUnavailable):
        fetch(downloader, cameras, "500")
    fetch(downloader, cameras, "ok")
    assert cameras.connections == 1


def test_a_connection_the_camera_closed_meanwhile_is_replaced(
    downloader: Downloader, cameras: CameraSimulator, picture: bytes
) -> None:
    fetch(downloader, cameras, "ok")
    cameras.hang_up()
    assert fetch(downloader, cameras, "ok") == picture
    assert cameras.connections == 2


def test_a_stale_connection_that_looks_alive_is_tried_once_more_and_a_fresh_one_is_not() -> None:
    """The camera answers the first request of each connection and hangs up on the second."""
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    requests: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        for answers in ([answer], [answer], []):
            connection = listener.accept()[0]
            with connection:
                for reply in answers:
                    requests.append(connection.recv(4096))
                    connection.sendall(reply)
                requests.append(connection.recv(4096))

    downloader = Downloader(HTTPCameraSettings(kind="test", location="Test"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = HostPort("127.0.0.1", listener.getsockname()[1])
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        url = f"http://{place}/"
        bodies = [downloader.get(url, Attempt.start(CameraTarget(place), timeout=PATIENCE)).body for _ in range(2)]
        with pytest.raises(CameraUnavailable) as caught:
            downloader.get(url, Attempt.start(CameraTarget(place), timeout=PATIENCE))
        server.join()
    downloader.close()
    assert bodies == [b"hello", b"hello"]
    assert caught.value.code == "disconnected"
    assert len(requests) == 5


def test_a_fresh_connection_that_is_hung_up_on_is_not_tried_again(
    downloader: Downloader, cameras: CameraSimulator
) -> None:
    with pytest.raises(CameraUnavailable):
        fetch(downloader, cameras, "disconnect")
    assert len(cameras.seen) == 1


def test_what_urllib3_logs_holds_no_query(
    downloader: Downloader, cameras: CameraSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fetch(downloader, cameras, "bad-headers")
    assert "Failed to parse headers" in caplog.text
    assert "hush" not in caplog.text


def test_proxies_and_netrc_of_the_environment_are_not_asked(
    downloader: Downloader, cameras: CameraSimulator, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert fetch(downloader, cameras, "ok") == picture


def test_a_camera_is_asked_for_the_bare_picture_and_not_recognised(
    downloader: Downloader, cameras: CameraSimulator
) -> None:
    fetch(downloader, cameras, "cookie")
    fetch(downloader, cameras, "ok")
    assert [request.headers.get("cookie") for request in cameras.seen] == [None, None]
    assert cameras.seen[0].headers["accept-encoding"] == "identity"


def test_a_login_goes_with_its_own_request_alone(downloader: Downloader, cameras: CameraSimulator) -> None:
    target = CameraTarget(HostPort.parse(cameras.address, default_port=80))
    for authorize in (None, lambda _uri, _method: "Basic bG9naW4=", None):
        downloader.get(cameras.url("ok"), Attempt.start(target, timeout=PATIENCE), authorize=authorize)
    assert [request.headers.get("authorization") for request in cameras.seen] == [None, "Basic bG9naW4=", None]


def test_a_camera_in_use_by_several_threads_in_turn_keeps_its_connection(
    downloader: Downloader, cameras: CameraSimulator
) -> None:
    for _ in range(3):
        thread = threading.Thread(target=fetch, args=(downloader, cameras, "ok"))
        thread.start()
        thread.join()
    assert cameras.connections == 1
