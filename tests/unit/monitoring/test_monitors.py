"""Monitors outside hear how the service is; their absence or slowness costs it nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from app.monitoring.monitors import Cronitor, Healthchecks, Monitor, Monitors
from pylib.observability import logs
from tests.fakes.http_double import HttpDouble, http_double
from tests.fakes.logging_state import restored_logging

KEY = "0b9a1c7e-secret"


@pytest.fixture
def watcher() -> Iterator[HttpDouble]:
    with http_double() as double:
        yield double


def healthchecks(double: HttpDouble) -> Healthchecks:
    return Healthchecks(SecretStr(f"{double.url}/{KEY}"))


def cronitor(double: HttpDouble) -> Cronitor:
    return Cronitor(SecretStr("snapshot processor"), host="garage", base_url=double.url)


def no_problem() -> str:
    return ""


def test_healthchecks_hears_the_start_and_then_that_all_is_well(watcher: HttpDouble) -> None:
    job = Monitors([healthchecks(watcher)], no_problem)
    job()
    job()
    asked = [(seen.method, seen.target) for seen in watcher.seen]
    assert asked == [("GET", f"/{KEY}/start"), ("GET", f"/{KEY}"), ("GET", f"/{KEY}")]


def test_healthchecks_hears_a_failure_with_its_reason(watcher: HttpDouble) -> None:
    Monitors([healthchecks(watcher)], lambda: "broker: not connected")()
    failure = watcher.seen[-1]
    assert (failure.method, failure.path) == ("POST", f"/{KEY}/fail")
    assert failure.body == b"broker: not connected"


def test_a_ping_address_may_have_a_query_and_a_closing_slash(watcher: HttpDouble) -> None:
    Monitors([Healthchecks(SecretStr(f"{watcher.url}/ping/slug/?create=1\n"))], lambda: "ill")()
    assert [seen.target for seen in watcher.seen] == ["/ping/slug/start?create=1", "/ping/slug/fail?create=1"]


def test_cronitor_hears_each_state(watcher: HttpDouble) -> None:
    problem = ""
    job = Monitors([cronitor(watcher)], lambda: problem)
    job()
    problem = "disk: 0.1 GB free"
    job()
    assert [seen.path for seen in watcher.seen] == ["/snapshot%20processor/ok", "/snapshot%20processor/fail"]
    assert [seen.query for seen in watcher.seen] == [
        {"host": ["garage"]},
        {"host": ["garage"], "msg": ["disk: 0.1 GB free"]},
    ]


def test_a_long_reason_is_cut(watcher: HttpDouble) -> None:
    Monitors([healthchecks(watcher)], lambda: "x" * 100_000)()
    assert len(watcher.seen[-1].body) == 500


def test_an_outage_costs_one_warning_and_its_end_one_line(watcher: HttpDouble) -> None:
    job = Monitors([healthchecks(watcher), cronitor(watcher)], no_problem)
    job()
    with capture_logs() as lines:
        watcher.answer = lambda seen: 503 if KEY in seen.target else 200
        for _ in range(3):
            job()
        watcher.answer = lambda _: 200
        for _ in range(3):
            job()
    assert [(line["log_level"], line["monitor"]) for line in lines] == [
        ("warning", "healthchecks.io"),
        ("info", "healthchecks.io"),
    ]
    assert lines[0]["reason"] == "answered 503"


def closed_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.mark.parametrize(
    "address",
    [lambda: f"http://127.0.0.1:{closed_port()}", lambda: "htp:/mistyped", lambda: "http://[::1", lambda: ""],
)
def test_no_key_is_ever_logged(address: Callable[[], str], capsys: pytest.CaptureFixture[str]) -> None:
    with restored_logging():
        logs.configure(level="debug", format="json")
        base = address()
        monitors: list[Monitor] = [
            Healthchecks(SecretStr(f"{base}/{KEY}")),
            Cronitor(SecretStr(KEY), host="garage", base_url=base),
        ]
        Monitors(monitors, lambda: "ill")()
    text = capsys.readouterr().err
    assert text.count("does not take our reports") == 2
    assert KEY not in text
    assert all(KEY not in repr(monitor.call("ok", "")) for monitor in monitors)


@pytest.mark.timeout(30)
def test_a_monitor_that_drips_holds_nobody_up_and_is_not_asked_again_meanwhile() -> None:
    asked: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as server, capture_logs() as lines:
        done = threading.Event()

        def drip() -> None:
            server.settimeout(0.05)  # a byte so often that no timeout of the library ends it
            while not done.is_set():
                with suppress(TimeoutError):
                    asked.append(server.accept()[0])
                for connection in asked:
                    connection.sendall(b"H")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        try:
            ping = Healthchecks(SecretStr(f"http://127.0.0.1:{server.getsockname()[1]}/{KEY}"))
            job = Monitors([ping], no_problem, timeout=0.3)
            job()
            job()
        finally:
            done.set()
            thread.join(5)
            for connection in asked:
                connection.close()
    assert [line["reason"] for line in lines] == ["no answer in time"]
    assert len(asked) == 1
