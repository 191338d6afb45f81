"""Reports the service's health to external monitors (healthchecks.io, Cronitor), which notice its silence."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol
from urllib.parse import quote

import requests
import structlog

from pylib.settings.credentials import Secret

log = structlog.get_logger(__name__)

State = Literal["start", "ok", "fail"]

_REASON_CHARS = 500


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request; kept out of every repr, since the address is the key."""

    url: str = field(repr=False)
    params: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Monitor(Protocol):
    """An external monitor."""

    name: str

    def call(self, state: State, reason: str) -> Call | None:
        """The request that reports this state; None when the monitor has none for it."""
        ...


class Healthchecks:
    """healthchecks.io, or a private instance (https://healthchecks.io/docs/http_api/)."""

    name = "healthchecks.io"

    def __init__(self, ping_url: Secret) -> None:
        self._base, self._mark, self._query = ping_url.get_secret_value().strip().partition("?")

    def call(self, state: State, reason: str) -> Call:
        address = self._base.rstrip("/") + ("" if state == "ok" else f"/{state}")
        return Call(f"{address}{self._mark}{self._query}", body=reason.encode())


class Cronitor:
    """Cronitor (https://cronitor.io/docs/telemetry-api), at the address of a single monitor, which needs no API key.

    Accounts may switch it off.
    """

    name = "cronitor"

    def __init__(
        self,
        monitor_key: Secret,
        *,
        host: str,
        base_url: str = "https://cronitor.link",
    ) -> None:
        self._key = quote(monitor_key.get_secret_value().strip(), safe="")
        self._host = host
        self._base = base_url.rstrip("/")

    def call(self, state: State, reason: str) -> Call | None:
        if state == "start":
            # `run` would open a job that never completes; a heartbeat has no beginning.
            return None
        params = {"host": self._host} | ({"msg": reason} if reason else {})
        return Call(f"{self._base}/{self._key}/{state}", params)


class Monitors:
    """The job that reports: run it from a `Periodic`, every minute for example.

    `problem` describes what is wrong with the service in one line, empty when nothing is (`Health.problem`). A
    round takes at most `timeout` seconds whatever the network does; a silent monitor costs one warning.
    """

    def __init__(self, monitors: Sequence[Monitor], problem: Callable[[], str], *, timeout: float = 5.0) -> None:
        self._lines = [_Line(monitor, timeout) for monitor in monitors]
        self._problem = problem
        self._timeout = timeout

    def __call__(self) -> None:
        reason = self._problem()[:_REASON_CHARS]
        deadline = time.monotonic() + self._timeout
        for line in self._lines:
            line.report(reason)
        for line in self._lines:
            line.settle(deadline)


class _Line:
    """The connection to one monitor: one request in flight at most, one warning for each outage."""

    def __init__(self, monitor: Monitor, timeout: float) -> None:
        self._monitor = monitor
        self._timeout = timeout
        self._thread: threading.Thread | None = None
        self._trouble = ""
        self._greeted = False
        self._silent = False

    def report(self, reason: str) -> None:
        # A thread each time: the library's timeout bounds neither name lookup nor an answer that drips.
        if self._thread is not None and self._thread.is_alive():
            return
        calls = [self._monitor.call("fail" if reason else "ok", reason)]
        if not self._greeted:
            self._greeted = True
            calls.insert(0, self._monitor.call("start", ""))
        self._trouble = "no answer in time"
        self._thread = threading.Thread(
            target=self._work, args=([call for call in calls if call],), name=self._monitor.name, daemon=True
        )
        self._thread.start()

    def settle(self, deadline: float) -> None:
        if self._thread is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        trouble = self._trouble
        if trouble and not self._silent:
            log.warning("monitor does not take our reports", monitor=self._monitor.name, reason=trouble)
        if self._silent and not trouble:
            log.info("monitor takes our reports again", monitor=self._monitor.name)
        self._silent = bool(trouble)

    def _work(self, calls: list[Call]) -> None:
        self._trouble = next((trouble for call in calls if (trouble := _send(call, self._timeout))), "")


def _send(call: Call, timeout: float) -> str:
    """Empty, or what went wrong, in our own words: the library's contain the address, which is the key."""
    method = "POST" if call.body else "GET"
    try:
        with requests.request(
            method, call.url, params=call.params, data=call.body or None, timeout=timeout, stream=True
        ) as response:
            return "" if response.status_code < 300 else f"answered {response.status_code}"
    except requests.Timeout:
        return "no answer in time"
    except requests.ConnectionError:
        return "no connection"
    except Exception as error:  # noqa: BLE001 - no thread of ours dies of a mistyped address
        return f"request failed ({type(error).__name__})"
