"""Syslog: lines arrive in the form that servers expect, and a dead server costs nobody anything."""

from __future__ import annotations

import json
import logging
import re
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from pylib.observability import logs, syslog
from pylib.observability.syslog import SyslogHandler, SyslogTarget
from tests.fakes.logging_state import restored_logging

RFC5424 = re.compile(r"<(\d+)>1 \d{4}-\d\d-\d\dT[\d:.]+\+00:00 \S+ snapshot (\d+) - - (\{.*\})")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with restored_logging():
        yield


def configured(syslog: str) -> Any:
    logs.configure(level="info", format="json", syslog=syslog, program="snapshot")
    return structlog.get_logger("app.test")


def parsed(line: bytes) -> tuple[int, dict[str, Any]]:
    match = RFC5424.fullmatch(line.decode())
    assert match, line
    return int(match[1]), json.loads(match[3])


def test_over_udp_each_line_is_a_datagram_with_its_severity() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        log = configured(f"udp://127.0.0.1:{server.getsockname()[1]}")
        log.warning("first", password="hunter2")
        log.error("second")
        priority, line = parsed(server.recv(9000))
        assert (priority, line["event"], line["password"]) == (3 * 8 + 4, "first", "***")
        assert parsed(server.recv(9000))[0] == 3 * 8 + 3


def test_over_tcp_each_line_ends_with_a_newline_whatever_it_holds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        configured(f"tcp://127.0.0.1:{server.getsockname()[1]}").info("a\nb", text="ü" * 10_000)
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as stream:
            line = stream.readline()
            assert line.startswith(b"<30>1 ")
            assert len(line) < 9000
            structlog.get_logger("app.test").info("next")
            assert parsed(stream.readline().rstrip(b"\n"))[1]["event"] == "next"


def test_to_a_local_socket_it_writes_as_the_c_library_does() -> None:
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        path = Path(folder) / "log"
        server.bind(str(path))
        server.settimeout(60)
        configured(str(path)).info("hello")
        assert re.match(rb'<30>snapshot\[\d+\]: \{.*"hello"', server.recv(9000))


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "target", ["tcp://127.0.0.1:{}", "udp://127.0.0.1:{}", "tcp://no-such-host.invalid:{}", "/no/socket"]
)
def test_a_dead_server_neither_blocks_nor_raises(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    log = configured(target.format(closed_port()))
    for number in range(1100):  # more than may wait
        log.info("line", number=number)
    assert capsys.readouterr().err.count('"event": "line"') == 1100


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Released for each attempt to connect, which soon follow each other."""
    begun, connect = threading.Semaphore(0), socket.create_connection

    def counted(*arguments: Any, **options: Any) -> socket.socket:
        begun.release()
        return connect(*arguments, **options)

    monkeypatch.setattr(socket, "create_connection", counted)
    monkeypatch.setattr(syslog, "_FIRST_RETRY", 0.01)
    return begun


def test_a_dead_server_costs_one_warning(capsys: pytest.CaptureFixture[str], attempts: threading.Semaphore) -> None:
    log = configured(f"tcp://127.0.0.1:{closed_port()}")
    log.info("line")
    assert all(attempts.acquire(timeout=60) for _ in range(3))  # the third begins when the second was told of
    assert capsys.readouterr().err.count("syslog does not answer") == 1


@pytest.mark.timeout(60)
def test_a_server_that_does_not_read_blocks_nobody() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        log = configured(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        for _ in range(1800):
            log.info("line", text="x" * 8000)


def test_a_server_that_comes_back_gets_what_waited(attempts: threading.Semaphore) -> None:
    port = closed_port()
    log = configured(f"tcp://127.0.0.1:{port}")
    log.info("while it was away")
    assert all(attempts.acquire(timeout=60) for _ in range(2))  # the second begins when the first has failed
    with socket.create_server(("127.0.0.1", port)) as server:
        server.settimeout(60)
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as stream:
            assert parsed(stream.readline().rstrip(b"\n"))[1]["event"] == "while it was away"


def test_lines_that_were_lost_and_each_outage_are_told_of_once() -> None:
    port = closed_port()
    with capture_logs() as told:

        def eventually(event: str, times: int) -> list[dict[str, Any]]:
            deadline = time.monotonic() + 10
            while len(found := [dict(line) for line in told if line["event"] == event]) < times:
                assert time.monotonic() < deadline, told
                time.sleep(0.01)
            return found

        def emit(text: str) -> None:
            handler.emit(logging.makeLogRecord({"msg": text, "levelno": logging.INFO}))

        handler = SyslogHandler(SyslogTarget("tcp", "127.0.0.1", port), program="snapshot", capacity=2)
        for number in range(10):
            emit(f"line {number}")
        eventually("syslog does not answer", 1)
        with socket.create_server(("127.0.0.1", port)) as server:
            server.settimeout(10)
            connection, _ = server.accept()
            with connection, connection.makefile("rb") as stream:
                (lost,) = eventually("syslog was unreachable too long", 1)
                for _ in range(10 - lost["lines_lost"]):
                    assert b"line" in stream.readline()
        emit("it is away again")
        assert len(eventually("syslog does not answer", 2)) == 2
        assert len(eventually("syslog was unreachable too long", 1)) == 1
        handler.close()


def test_a_server_that_was_restarted_loses_no_later_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        log = configured(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        log.info("first")
        connection, _ = server.accept()
        with connection:
            connection.recv(9000)
        time.sleep(0.05)
        log.info("second")
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as stream:
            assert parsed(stream.readline().rstrip(b"\n"))[1]["event"] == "second"


def test_the_last_lines_leave_before_the_handler_is_closed() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(60)
        log = configured(f"udp://127.0.0.1:{server.getsockname()[1]}")
        for _ in range(50):
            log.info("going down")
        logs.configure(level="info", format="json")
        assert sum(1 for _ in range(50) if server.recv(9000)) == 50
        for thread in threading.enumerate():
            if thread.name == "syslog":
                thread.join(10)
                assert not thread.is_alive()
