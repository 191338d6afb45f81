"""Any camera that serves a still picture at an HTTP or HTTPS address, with presets for common makes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self
from urllib.parse import quote, urlencode, urlsplit

from pydantic import Field, field_validator, model_validator

from app.cameras import CameraError, CameraUnavailable, Frame
from app.cameras.address import CameraTarget, HostPort, Networks, choose_target, login_out_of_url
from app.cameras.http.answer import login_refused, picture
from app.cameras.http.connection import Attempt
from app.cameras.http.download import Downloader, HTTPCameraSettings
from app.cameras.http.login import Login

Auth = Literal["auto", "none", "basic", "digest", "query", "bearer"]


@dataclass(frozen=True, slots=True)
class Preset:
    """The address and login of a make's still picture."""

    path: str
    """With `{channel}`, which counts from 1, `{index}`, which counts from 0, or `{stream}`, a name."""
    auth: Auth = "auto"
    """`auto` where firmware of different age or setting asks for basic or for digest login."""
    port: int = 80
    """Unless the address names another."""
    tls_port: int = 443
    """The same with https."""

    @property
    def wants_stream(self) -> bool:
        """Whether it serves several cameras by name."""
        return "{stream}" in self.path


PRESETS = {
    # Hikvision ISAPI, GET /ISAPI/Streaming/channels/<ID>/picture; ID 101 is channel 1, main stream.
    "hikvision": Preset("/ISAPI/Streaming/channels/{channel}01/picture"),
    # Dahua HTTP API, "Get a snapshot"; channels count from 1.
    "dahua": Preset("/cgi-bin/snapshot.cgi?channel={channel}"),
    # Amcrest HTTP API SDK, "Get a snapshot": Dahua's.
    "amcrest": Preset("/cgi-bin/snapshot.cgi?channel={channel}"),
    # Axis VAPIX version 3, Video Streaming API, 2.6.1 JPEG image (snapshot) CGI request.
    "axis": Preset("/axis-cgi/jpg/image.cgi?camera={channel}"),
    # Reolink camera HTTP API, "Snap"; channels count from 0, the login goes as user= and password=.
    "reolink": Preset("/cgi-bin/api.cgi?cmd=Snap&channel={index}", auth="query"),
    # Ubiquiti's cameras themselves, once "Anonymous Snapshots" is switched on in them (github.com/briis/unifiprotect,
    # release 0.5.3): no login then.
    "unifi": Preset("/snap.jpeg"),
    # ESPHome, "ESP32 Camera Web Server Component": mode snapshot; the port is that of its example.
    "esphome": Preset("/", port=8081),
    # Vivotek user's manuals, "Capture Single Snapshot"; channels count from 0.
    "vivotek": Preset("/cgi-bin/viewer/video.jpg?channel={index}"),
    # D-Link DCS cameras (docs of homebridge-camera-ui for the DCS-942L).
    "dlink": Preset("/image/jpeg.cgi"),
    # D-Link DCS cameras that have several profiles of video, which count from 1.
    "dlink-profile": Preset("/dms?nowprofileid={channel}"),
    # TP-Link support, FAQ 4908 "How to configure Snapshot in IPC and NVR": cameras of the series VIGI.
    "vigi": Preset("/snapshot", port=8800, tls_port=8443),
    # go2rtc, internal/mjpeg/README.md: "JPEG snapshots".
    "go2rtc": Preset("/api/frame.jpeg?src={stream}", port=1984),
    # Frigate, frigate/api/media.py: "latest.{extension}"; port 5000 wants no login, 8971 (https) a token.
    "frigate": Preset("/api/{stream}/latest.jpg", auth="bearer", port=5000, tls_port=8971),
}


class StillSettings(HTTPCameraSettings):
    """A camera that serves a still picture: either `url`, or `preset` and `address`."""

    kind: Literal["still"] = "still"
    url: str = Field(default="", repr=False, description="Address of the picture: http://... or https://...")
    preset: (
        Literal[
            "hikvision",
            "dahua",
            "amcrest",
            "axis",
            "reolink",
            "unifi",
            "esphome",
            "vivotek",
            "dlink",
            "dlink-profile",
            "vigi",
            "go2rtc",
            "frigate",
        ]
        | None
    ) = Field(default=None, description="Brand of the camera, which decides path, port and kind of login.")
    address: str = Field(default="", description="host[:port], with a preset. Empty: triggers bring the address.")
    https: bool = Field(default=False, description="Use TLS, with a preset.")
    channel: int = Field(default=1, ge=1, le=256, description="Number of the camera on a recorder, with a preset.")
    stream: str = Field(
        default="", max_length=200, description="Name of the stream in go2rtc, or of the camera in Frigate."
    )
    height: int = Field(
        default=0, ge=0, le=10_000, description="Lines of go2rtc's or Frigate's picture; 0 for all that there are."
    )
    auth: Auth = Field(
        default="auto",
        description="Kind of login; `auto` is what the camera asks for, `bearer` sends the password as a token.",
    )
    username_parameter: str = Field(
        default="user", min_length=1, description="Parameter with the user name, in a `query` login."
    )
    password_parameter: str = Field(
        default="password", min_length=1, description="Parameter with the password, in a `query` login."
    )

    @model_validator(mode="before")
    @classmethod
    def _login_out_of_url(cls, values: Any) -> Any:
        """`http://user:password@host/` becomes `http://host/` and a login, so that no log or error shows it."""
        return login_out_of_url(values) if isinstance(values, Mapping) else values

    @field_validator("url")
    @classmethod
    def _readable_url(cls, url: str) -> str:
        if url and urlsplit(url).scheme not in ("http", "https"):
            raise ValueError("expected http://... or https://...")
        if url:
            HostPort.parse(urlsplit(url).netloc, default_port=80)
        return url

    @field_validator("address")
    @classmethod
    def _readable_address(cls, address: str) -> str:
        if address:
            HostPort.parse(address, default_port=80)
        return address

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.url) == (self.preset is not None):
            raise ValueError("expected either url or preset")
        if self.url and (self.address or self.https):
            raise ValueError("address and https belong to a preset; with url, they stand in it")
        named = self.preset is not None and PRESETS[self.preset].wants_stream
        if bool(self.stream) != named:
            raise ValueError("stream names the camera with the presets go2rtc and frigate, and only there")
        if self.height and not named:
            raise ValueError("height belongs to the presets go2rtc and frigate")
        return self

    @property
    def secure(self) -> bool:
        """Whether the camera is asked over TLS."""
        return self.https or self.url.startswith("https:")


class Still:
    """One camera that serves a still picture."""

    Settings = StillSettings
    made_late = True

    def __init__(self, settings: StillSettings, *, networks: Networks) -> None:
        self._settings = settings
        self._networks = networks
        preset = PRESETS[settings.preset] if settings.preset else Preset("")
        self._default_port = preset.tls_port if settings.secure else preset.port
        self._path, auth = _path_and_auth(settings)
        self._queried = auth == "query"
        self._configured = self._configured_target()
        self._downloader = Downloader(settings)
        self._login = Login("none" if auth == "query" else auth)

    def snapshot(self, device_params: str | None = None) -> Frame:
        target = choose_target(
            self._configured, device_params, networks=self._networks, default_port=self._default_port
        )
        attempt = Attempt.start(target, timeout=self._settings.timeout)
        answer = self._login.ask(self._downloader, self._url(target), attempt)
        failure = _reolink_failure(answer.body, target.shown)
        if failure is not None:
            raise failure
        return Frame(picture(answer, target.shown))

    def close(self) -> None:
        self._downloader.close()

    def _configured_target(self) -> CameraTarget | None:
        address = self._settings.address or urlsplit(self._settings.url).netloc
        if not address:
            return None
        place = HostPort.parse(address, default_port=self._default_port)
        return CameraTarget(place, self._settings.username, self._settings.password.get_secret_value())

    def _url(self, target: CameraTarget) -> str:
        url = f"{'https' if self._settings.secure else 'http'}://{target.place}{self._path}"
        if not self._queried:
            return url
        login = {
            self._settings.username_parameter: target.username,
            self._settings.password_parameter: target.password,
        }
        return f"{url}{'&' if '?' in url else '?'}{urlencode(login, quote_via=quote, safe='')}"


def _path_and_auth(settings: StillSettings) -> tuple[str, Auth]:
    """What follows the place in the URL, and the kind of login."""
    if settings.preset is None:
        url = urlsplit(settings.url)
        return (url.path or "/") + (f"?{url.query}" if url.query else ""), settings.auth
    preset = PRESETS[settings.preset]
    stream = quote(settings.stream, safe="")
    path = preset.path.format(channel=settings.channel, index=settings.channel - 1, stream=stream)
    if settings.height:
        path += f"{'&' if '?' in path else '?'}h={settings.height}"
    return path, preset.auth if settings.auth == "auto" else settings.auth


def _reolink_failure(body: bytes, shown: str) -> CameraError | None:
    """The error in Reolink's JSON, which comes with HTTP status 200; codes as in its API's error list."""
    match = re.search(rb'"rspCode"\s*:\s*(-?\d{1,4})', body[:2_000]) if body.startswith(b"[") else None
    if match is None:
        return None
    code = int(match[1])
    if code in (-6, -7, -27):  # please log in first, login failed, no such user
        return login_refused(shown, f"wrong user name or password (code {code})")
    return CameraUnavailable("camera_error", f"{shown} gave no picture (code {code})")
