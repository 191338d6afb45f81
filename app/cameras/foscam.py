"""Foscam cameras of the HD series (FI98xx, C1, R2 ...), over their CGI."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import quote

from pydantic import Field, field_validator

from app.cameras import CameraError, CameraRejected, CameraUnavailable, Frame
from app.cameras.address import CameraTarget, HostPort, Networks, choose_target
from app.cameras.http.answer import login_refused, picture
from app.cameras.http.connection import Attempt
from app.cameras.http.download import Downloader, HTTPCameraSettings

HTTP_PORT = 88
"""The port of a new Foscam."""
HTTPS_PORT = 443

CODES = {
    "wrong_command": (
        "The camera does not know the configured command.",
        "compare this camera's kind and `command` with its manual",
    ),
    "access_denied": (
        "The camera's account may not take pictures.",
        "use another account, or a password without special characters, in the camera",
    ),
}
"""Code -> what happened, and what to do about it."""


class FoscamSettings(HTTPCameraSettings):
    """A Foscam camera. Triggers may bring address and login instead, in `device_params`."""

    kind: Literal["foscam"] = "foscam"
    address: str = Field(
        default="", description="host[:port]; port 88 unless given, 443 with https. Empty: triggers bring the address."
    )
    https: bool = Field(default=False, description="Use TLS.")
    command: str = Field(
        default="snapPicture2", pattern="^[A-Za-z0-9]+$", description="CGI command that takes the picture."
    )

    @field_validator("address")
    @classmethod
    def _readable(cls, address: str) -> str:
        if address:
            HostPort.parse(address, default_port=HTTP_PORT)
        return address


class Foscam:
    """One Foscam camera."""

    Settings = FoscamSettings
    made_late = True

    def __init__(self, settings: FoscamSettings, *, networks: Networks) -> None:
        self._settings = settings
        self._networks = networks
        self._default_port = HTTPS_PORT if settings.https else HTTP_PORT
        self._configured = self._configured_target()
        self._downloader = Downloader(settings)

    def snapshot(self, device_params: str | None = None) -> Frame:
        target = choose_target(
            self._configured, device_params, networks=self._networks, default_port=self._default_port
        )
        attempt = Attempt.start(target, timeout=self._settings.timeout)
        answer = self._downloader.get(self._url(target), attempt)
        failure = _failure(answer.body, target.shown)
        if failure is not None:
            raise failure
        return Frame(picture(answer, target.shown))

    def close(self) -> None:
        self._downloader.close()

    def _configured_target(self) -> CameraTarget | None:
        if not self._settings.address:
            return None
        place = HostPort.parse(self._settings.address, default_port=self._default_port)
        return CameraTarget(place, self._settings.username, self._settings.password.get_secret_value())

    def _url(self, target: CameraTarget) -> str:
        # It supports no other login. Every character is encoded: unencoded ones get a -3.
        scheme = "https" if self._settings.https else "http"
        login = f"usr={quote(target.username, safe='')}&pwd={quote(target.password, safe='')}"
        return f"{scheme}://{target.place}/cgi-bin/CGIProxy.fcgi?cmd={self._settings.command}&{login}"


def _failure(body: bytes, shown: str) -> CameraError | None:
    """The error in `<CGI_Result>`, which comes with HTTP status 200.

    The codes are those of the Foscam IPCamera CGI User Guide, "cgi execute result".
    """
    match = re.search(rb"<CGI_Result>.*?<result>\s*(-?\d{1,3})\s*</result>", body[:2_000], re.DOTALL)
    if match is None:
        return None
    code = int(match[1])
    if code == 0:
        return CameraRejected("wrong_command", f"{shown} ran `command`, which yields no picture")
    if code == -1:
        return CameraRejected("wrong_command", f"{shown} does not understand the request (code -1)")
    if code == -2:
        return login_refused(shown, "wrong user name or password (code -2)")
    if code == -3:
        return CameraRejected(
            "access_denied",
            f"{shown} denies access (code -3): the account lacks the right to take pictures, or its password "
            "has a character that this firmware does not take",
        )
    meaning = {-4: "the command failed", -5: "it timed out inside"}.get(code, "for an unknown reason")
    return CameraUnavailable("camera_error", f"{shown} gave no picture: {meaning} (code {code})")
