"""What strangers hold open is counted at accept, in all, at each server and from each address."""

from __future__ import annotations

import gc
import resource
import socket
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from structlog.testing import capture_logs

from pylib.net import limiter
from pylib.net.limiter import PACE, ConnectionLimiter, Gate, Pace, Progress, room_for_connections
from pylib.net.listening import listen


def test_connections_are_counted_in_all_and_for_each_address() -> None:
    connections = ConnectionLimiter(100)
    gate = connections.gate("ftp", most=3, per_address=2)
    assert [gate.enter("10.0.0.1") for _ in range(3)] == [True, True, False]
    assert [gate.enter("10.0.0.2") for _ in range(2)] == [True, False]
    gate.leave("10.0.0.1")
    assert gate.enter("10.0.0.3")
    assert connections.open == 3


def test_one_server_leaves_a_quarter_of_all_to_the_others() -> None:
    connections = ConnectionLimiter(8)
    web, ftp = connections.gate("web", per_address=100), connections.gate("ftp", per_address=100)
    assert [web.enter("10.0.0.1") for _ in range(8)].count(True) == 6
    assert [ftp.enter("10.0.0.1") for _ in range(8)].count(True) == 2


def test_an_ipv6_home_is_one_address() -> None:
    gate = ConnectionLimiter(100).gate("web", per_address=2)
    assert [gate.enter(f"2001:db8:1:2::{number}") for number in range(3)] == [True, True, False]
    assert gate.enter("2001:db8:1:3::1")
    assert [gate.enter(address) for address in ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.1")] == [True, True, False]


def test_cameras_of_one_ipv6_lan_are_counted_one_by_one() -> None:
    gate = ConnectionLimiter(100).gate("ftp", per_address=1)
    cameras = [f"fd12:3456::{number}" for number in range(1, 9)] + [f"fe80::{number}%eth0" for number in range(1, 9)]
    assert all(gate.enter(camera) for camera in cameras)
    assert not any(gate.enter(camera) for camera in cameras)


def test_a_proxy_may_bring_many_clients() -> None:
    gate = ConnectionLimiter(100).gate("web", per_address=2, proxies=["10.0.0.0/24"])
    assert all(gate.enter("10.0.0.7") for _ in range(20))
    assert [gate.enter("10.0.1.7") for _ in range(3)] == [True, True, False]


def test_a_server_that_is_about_to_stop_takes_nobody_in() -> None:
    gate = ConnectionLimiter(100).gate("mail", per_address=2)
    gate.closing = True
    assert not gate.enter("10.0.0.1")


def test_the_log_says_who_was_refused_and_why() -> None:
    gate = ConnectionLimiter(100).gate("web", per_address=0, remedy="set WEB_MAX_PER_ADDRESS")
    with capture_logs() as lines:
        gate.enter("10.0.0.1")
    assert lines == [
        {
            "event": "connection refused",
            "server": "web",
            "address": "10.0.0.1",
            "reason": "too many connections from this address: set WEB_MAX_PER_ADDRESS",
            "log_level": "warning",
        }
    ]


@pytest.mark.parametrize(("files", "connections"), [(20, 8), (1024, 384), (4096, 1536), (65_536, 4096)])
def test_a_quarter_of_all_descriptors_is_never_a_connection_s(
    monkeypatch: pytest.MonkeyPatch, files: int, connections: int
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (files, files))
    assert room_for_connections() == connections


def test_the_limit_of_open_files_is_raised_as_far_as_the_system_permits(monkeypatch: pytest.MonkeyPatch) -> None:
    raised = []
    monkeypatch.setattr(resource, "getrlimit", lambda _what: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _what, limits: raised.append(limits))
    limiter.allow_many_files()
    assert raised == [(4096, 4096)]


def test_a_byte_now_and_then_is_no_progress() -> None:
    progress = Progress(2)
    assert not any(progress.made(1) for _ in range(2 * PACE - 1))
    assert progress.made(1)
    assert not progress.made(2 * PACE - 1)


def looked_at(pace: Pace, amounts: list[float]) -> list[bool]:
    """What is said of a transfer that is looked at each second, when so many bytes had come."""
    return [pace.stalled(int(count), now) for now, count in enumerate(amounts, 1)]


def test_a_transfer_that_is_silent_for_a_window_has_stalled() -> None:
    assert looked_at(Pace(4, 0), [9000, 9000, 9000, 9000, 9000]) == [False, False, False, False, True]
    assert looked_at(Pace(4, 0), [0, 0, 0, 0]) == [False, False, False, True]


def test_a_slow_one_has_stalled_after_two_windows_in_a_row() -> None:
    slow = [0.8 * PACE * second for second in range(1, 9)]
    assert looked_at(Pace(4, 0), slow) == [False] * 7 + [True]
    one_window_is_fast = [*slow[:4], *(count + PACE for count in slow[4:])]
    assert not any(looked_at(Pace(4, 0), one_window_is_fast))
    assert not any(looked_at(Pace(4, 0), [PACE * second for second in range(1, 60)]))


# -- at a real socket -------------------------------------------------------------------------------


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with listen("127.0.0.1", 0, code="x", remedy="x") as sock:
        yield sock


def connected(listener: socket.socket) -> socket.socket:
    return socket.create_connection(listener.getsockname(), timeout=10)


def test_a_place_is_free_again_when_its_connection_is_closed_or_forgotten(listener: socket.socket) -> None:
    connections = ConnectionLimiter(100)
    with connections.gate("web", per_address=9).guarding(listener) as guarded:
        for ends in (socket.socket.close, lambda _sock: None):
            with connected(listener):
                accepted, _ = guarded.accept()
                assert connections.open == 1
                ends(accepted)
                del accepted
                assert connections.open == 0


@pytest.fixture
def collected_by_hand() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("collected_by_hand")
def test_the_garbage_collector_may_take_a_connection_while_another_one_enters(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections = ConnectionLimiter(100)
    gate = connections.gate("web", per_address=1)
    # Asked for while the lock is held, to see whether the address is a proxy's.
    monkeypatch.setattr("pylib.net.limiter.normal", lambda _text: gc.collect() and None)
    with gate.guarding(listener) as guarded, connected(listener):
        cycle: list[object] = [guarded.accept()[0]]
        cycle.append(cycle)
        del cycle
        entering = threading.Thread(target=gate.enter, args=("127.0.0.1",), daemon=True)
        entering.start()
        entering.join(10)
        assert not entering.is_alive()
        assert connections.open == 0


def test_who_is_refused_hears_why_and_is_gone(listener: socket.socket) -> None:
    gate: Gate = ConnectionLimiter(100).gate("ftp", per_address=1, farewell=b"421 Too many.\r\n")
    with gate.guarding(listener) as guarded, connected(listener):
        accepted, _ = guarded.accept()
        with closing(accepted), connected(listener) as second:
            with pytest.raises(ConnectionAbortedError):
                guarded.accept()
            assert second.recv(100) == b"421 Too many.\r\n"
            assert second.recv(100) == b""


def test_another_copy_listens_on_when_one_is_closed(listener: socket.socket) -> None:
    gate = ConnectionLimiter(100).gate("ftp", per_address=1)
    gate.guarding(listener).close()
    with gate.guarding(listener) as guarded, connected(listener):
        guarded.accept()[0].close()
