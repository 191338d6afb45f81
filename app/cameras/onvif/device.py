"""One ONVIF device: its clock, the login that it wants, its services, and calls of them.

After the ONVIF Core Specification (5.9 security, 8.1 capabilities, 8.3 system) and devicemgmt.wsdl.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.cameras import CameraRejected, CameraUnavailable
from app.cameras.address import CameraTarget
from app.cameras.http.answer import CameraAnswer, login_refused
from app.cameras.http.connection import Attempt
from app.cameras.http.download import Downloader
from app.cameras.http.login import Login
from app.cameras.onvif.place import Place, place_of, port_of
from app.cameras.onvif.soap import DEVICE, EVENTS, MEDIA, Addressed, Fault, Token, envelope, fault_in
from app.cameras.onvif.xml import BadXML, Element, parse

PATH = "/onvif/device_service"
"""Of the device service, as the specification fixes it."""
CLOCK_MOVED_S = 2.0
"""Seconds by which a clock has to differ from what was known to be the reason of a refusal."""


class DeviceFault(CameraUnavailable):
    """The device answered with a fault that says nothing of the login."""

    def __init__(self, fault: Fault, shown: str) -> None:
        super().__init__("onvif_fault", f"{shown} refuses: {fault}")


class _TokenWanted(Exception):
    """It wants a login that stands in the message."""


class Device:
    """A device, and what became known of it. Used by one thread at a time."""

    def __init__(self, target: CameraTarget, downloader: Downloader, *, https: bool) -> None:
        self.target = target
        self.clock_ahead: float | None = None
        """Seconds by which its clock is ahead of ours, negative when it is behind; None while that is unknown."""
        self._downloader = downloader
        self._https = https
        self._entry = f"{'https' if https else 'http'}://{target.place}{PATH}"
        self._login = Login("auto")
        self._wants_token = False
        self._services: dict[str, Place] = {}
        self._inner_port: int | None = None

    def service(self, namespace: str, attempt: Attempt) -> Place | None:
        """Where the device has this service, if it has it. Raises `CameraError`."""
        if not self._services:
            self._meet(attempt)
        return self._services.get(namespace)

    def ask(
        self, body: str, attempt: Attempt, *, at: Place | None = None, addressed: Addressed | None = None
    ) -> Element:
        """The body of the answer of a service (the device's own unless `at` names one).

        Raises `DeviceFault`, and `CameraError`: `not_onvif`, `login_refused`, or what a request over HTTP may raise.
        """
        url = at.url if at else self._entry
        if at:
            attempt = replace(attempt, target=at.target)
        if not self._wants_token:
            with suppress(_TokenWanted):
                return self._exchange(url, envelope(body, addressed=addressed), attempt)
        return self._ask_with_token(url, body, attempt, addressed)

    def place_of(self, said: str) -> Place:
        """An address that the device gave. Raises `CameraUnavailable`."""
        return place_of(said, self.target, https=self._https, inner_port=self._inner_port)

    def _meet(self, attempt: Attempt) -> None:
        """Read its clock, which is free to all, then find its services."""
        self._read_clock(attempt)
        said: dict[str, str] = {}
        with suppress(DeviceFault):
            said = self._listed_services(attempt)
        if MEDIA not in said:  # devices older than GetServices, which also know no other media service
            with suppress(DeviceFault):
                said = self._capabilities(attempt) | said
        self._inner_port = port_of(said.get(DEVICE) or said.get(MEDIA) or "")
        for namespace, address in said.items():
            with suppress(CameraUnavailable):
                self._services[namespace] = self.place_of(address)
        if not self._services:
            raise CameraRejected("not_onvif", f"{self.target.shown} names no services of ONVIF")

    def _listed_services(self, attempt: Attempt) -> dict[str, str]:
        body = f'<GetServices xmlns="{DEVICE}"><IncludeCapability>false</IncludeCapability></GetServices>'
        found = self.ask(body, attempt).all("GetServicesResponse", "Service")
        return {service.text_of("Namespace"): service.text_of("XAddr") for service in found}

    def _capabilities(self, attempt: Attempt) -> dict[str, str]:
        body = f'<GetCapabilities xmlns="{DEVICE}"><Category>All</Category></GetCapabilities>'
        answer = self.ask(body, attempt)
        names: Mapping[str, str] = {"Device": DEVICE, "Media": MEDIA, "Events": EVENTS}
        found = {
            namespace: answer.text_of("GetCapabilitiesResponse", "Capabilities", name, "XAddr")
            for name, namespace in names.items()
        }
        return {namespace: address for namespace, address in found.items() if address}

    def _ask_with_token(self, url: str, body: str, attempt: Attempt, addressed: Addressed | None) -> Element:
        """The same with a login in the message, made at the time that the device's clock shows."""
        try:
            return self._exchange_token(url, body, attempt, addressed)
        except _TokenWanted:
            before = self.clock_ahead
        self._read_clock(attempt)
        # Each wrong login counts towards the device locking us out: a second try is for another time only.
        if before is None or self.clock_ahead is None or abs(self.clock_ahead - before) < CLOCK_MOVED_S:
            raise login_refused(attempt.target.shown, "wrong user name or password")
        try:
            return self._exchange_token(url, body, attempt, addressed)
        except _TokenWanted:
            raise login_refused(attempt.target.shown, "wrong user name or password") from None

    def _exchange_token(self, url: str, body: str, attempt: Attempt, addressed: Addressed | None) -> Element:
        at = datetime.now(UTC) + timedelta(seconds=self.clock_ahead or 0.0)
        token = Token(self.target.username, self.target.password, at)
        try:
            answer = self._exchange(url, envelope(body, token=token, addressed=addressed), attempt)
        except DeviceFault:
            self._wants_token = True
            raise
        self._wants_token = True
        return answer

    def _exchange(self, url: str, message: bytes, attempt: Attempt) -> Element:
        try:
            answer = self._login.ask(self._downloader, url, attempt, soap=message)
        except CameraRejected as error:
            if error.code != "login_refused" or not self.target.username:
                raise
            raise _TokenWanted from None  # it offers none of HTTP that we know
        shown = attempt.target.shown
        if answer.challenges and answer.status == 401:
            raise login_refused(shown, "wrong user name or password (status 401)")
        root = _parsed(answer, shown)
        fault = fault_in(root)
        if fault is None:
            return root.first("Body") or root
        if not fault.is_refusal:
            raise DeviceFault(fault, shown)
        if not self.target.username:
            raise login_refused(shown, "it asks for one, and none is configured")
        raise _TokenWanted

    def _read_clock(self, attempt: Attempt) -> None:
        """Nobody has to log in to ask the time; where a device sees that otherwise, ours has to do."""
        message = envelope(f'<GetSystemDateAndTime xmlns="{DEVICE}"/>')
        answer = self._downloader.ask(self._entry, attempt, soap=message)
        if answer.status in (401, 403):
            return
        date_time = _parsed(answer, attempt.target.shown).first(
            *("Body", "GetSystemDateAndTimeResponse", "SystemDateAndTime", "UTCDateTime")
        )
        if date_time is None:
            return
        with suppress(ValueError, OverflowError):
            date = [int(date_time.text_of("Date", part)) for part in ("Year", "Month", "Day")]
            time = [int(date_time.text_of("Time", part)) for part in ("Hour", "Minute", "Second")]
            theirs = datetime(date[0], date[1], date[2], time[0], time[1], min(time[2], 59), tzinfo=UTC)
            self.clock_ahead = (theirs - datetime.now(UTC)).total_seconds()


def _parsed(answer: CameraAnswer, shown: str) -> Element:
    try:
        root = parse(answer.body)
    except BadXML:
        root = None
    if root is None or root.name != "Envelope":
        if answer.status in (401, 403):
            raise login_refused(shown, f"status {answer.status}")
        if answer.status >= 500 or answer.status == 429:
            raise CameraUnavailable("camera_error", f"{shown} cannot answer now (status {answer.status})")
        raise CameraRejected("not_onvif", f"{shown} does not speak ONVIF (status {answer.status})")
    return root
