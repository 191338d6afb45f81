"""Cameras of any make that speak ONVIF: their pictures, over the address that they give for them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field, field_validator

from app.cameras import CameraError, CameraRejected, CameraUnavailable, Frame, Remark
from app.cameras.address import CameraTarget, HostPort, Networks, choose_target
from app.cameras.http.answer import picture
from app.cameras.http.connection import Attempt
from app.cameras.http.download import Downloader, HTTPCameraSettings
from app.cameras.http.login import Login
from app.cameras.onvif.device import Device, DeviceFault
from app.cameras.onvif.media import Media, Profile, chosen
from app.cameras.onvif.place import Place
from app.cameras.onvif.soap import DEVICE

CLOCK_OFF_S = 60.0
"""Seconds by which a device's clock may be off before people are told."""
SHOWN = 100
"""Characters of a device's own words."""
_LOGIN = re.compile(r"@|:|(?:user|usr|login|pass|pwd|psw|auth|token|key)[a-z]{0,10}[=:_/]", re.IGNORECASE)
"""What in a path or query says that a login is near: many makes put it there."""
_AWAY = ("timeout", "unreachable", "unresolvable", "refused")
"""The device itself does not answer: to ask for another address is no use."""

CODES = {
    "not_onvif": (
        "What answers at the camera's address does not speak ONVIF.",
        "switch ONVIF on in the camera, and correct `address`: its port for ONVIF may be another one than 80",
    ),
    "login_refused": (
        "The camera did not accept user name and password.",
        "correct username and password; many cameras want a user of their own for ONVIF, made in their settings",
    ),
    "onvif_fault": ("The camera refused what ONVIF asked of it.", "restart the camera; update its firmware"),
    "bad_address": ("The camera gave an address that is none.", "restart the camera; update its firmware"),
    "no_profiles": ("The camera has no profile whose picture could be taken.", "make a profile in the camera"),
    "no_such_profile": (
        "The camera has no profile of the configured name.",
        "leave `profile` out, or set one of those that snapshot-processor cameras test names",
    ),
    "no_still_pictures": (
        "The camera has no still pictures over ONVIF.",
        "use kind rtsp with the address that the failure names, or kind still with an address from its manual",
    ),
    "no_events": (
        "The camera tells no events over ONVIF.",
        "switch events on in the camera; else have it send pictures, or call a hook",
    ),
    "picture_address_lies": (
        "There is no picture where the camera says that there is one.",
        "choose another `profile`, update the camera's firmware, or use kind rtsp",
    ),
}
"""Code -> what happened, and what to do about it."""


class OnvifSettings(HTTPCameraSettings):
    """A camera of any make over ONVIF. Triggers may bring address and login instead, in `device_params`."""

    kind: Literal["onvif"] = "onvif"
    address: str = Field(
        default="", description="host[:port]; port 80 unless given, 443 with https. Empty: triggers bring the address."
    )
    https: bool = Field(default=False, description="Use TLS.")
    profile: str = Field(
        default="", max_length=200, description="Name or token of the profile to take; the largest picture unless set."
    )

    @field_validator("address")
    @classmethod
    def _readable(cls, address: str) -> str:
        if address:
            HostPort.parse(address, default_port=80)
        return address

    @property
    def default_port(self) -> int:
        """Where a device listens unless its address says otherwise."""
        return 443 if self.https else 80

    def target(self) -> CameraTarget | None:
        """The configured address and login."""
        if not self.address:
            return None
        place = HostPort.parse(self.address, default_port=self.default_port)
        return CameraTarget(place, self.username, self.password.get_secret_value())


@dataclass(frozen=True, slots=True)
class _Found:
    """What a device said of its pictures."""

    place: Place
    taken: Profile
    profiles: list[Profile]


class Onvif:
    """One ONVIF camera. What it said of its pictures counts until it no longer does."""

    Settings = OnvifSettings
    made_late = True

    def __init__(self, settings: OnvifSettings, *, networks: Networks) -> None:
        self._settings = settings
        self._networks = networks
        self._downloader = Downloader(settings)
        self._login = Login("auto")
        self._device: Device | None = None
        self._picture: Place | None = None
        """Where the device's picture was last time."""

    def snapshot(self, device_params: str | None = None) -> Frame:
        attempt, device = self._begin(device_params)
        if self._picture is not None:
            try:
                return self._fetch(self._picture, attempt)
            except CameraError as error:
                self._picture = None  # another one after each restart
                if error.code in _AWAY:
                    raise
        try:
            place = self._find(device, attempt).place
            frame = self._fetch(place, attempt)
        except CameraError:
            self._device = None
            raise
        self._picture = place
        return frame

    def describe(self) -> Iterator[Remark]:
        attempt, device = self._begin(None)
        yield from _make_and_model(device, attempt)
        yield from _clock(device)
        found = self._find(device, attempt)
        profiles = ", ".join(map(str, found.profiles[:SHOWN]))
        yield Remark(f"its profiles are {profiles}; the picture is that of {found.taken}")
        if found.place.named:
            yield Remark(
                f"it names {found.place.named} for its pictures; {device.target.place.host} is asked instead",
                "nothing, behind NAT; else correct the network settings in the camera",
            )

    def close(self) -> None:
        self._downloader.close()

    def _begin(self, device_params: str | None) -> tuple[Attempt, Device]:
        settings = self._settings
        target = choose_target(
            settings.target(), device_params, networks=self._networks, default_port=settings.default_port
        )
        if self._device is None or self._device.target != target:
            self._device = Device(target, self._downloader, https=settings.https)
            self._picture = None
        return Attempt.start(target, timeout=settings.timeout), self._device

    def _find(self, device: Device, attempt: Attempt) -> _Found:
        """Ask the device where its picture is. Raises `CameraError`."""
        media = Media(device, attempt)
        profiles = media.profiles()
        taken = chosen(profiles, self._settings.profile, device.target.shown)
        if said := media.snapshot_uri(taken):
            return _Found(device.place_of(said), taken, profiles)
        stream = _without_login(media.stream_uri(taken), device.target)
        hint = f"use kind rtsp with url {stream}" if stream else "nor a stream over RTSP"
        detail = f"{device.target.shown} has no still pictures of profile {taken}: {hint}"
        raise CameraRejected("no_still_pictures", detail)

    def _fetch(self, place: Place, attempt: Attempt) -> Frame:
        shown = place.target.shown
        answer = self._login.ask(self._downloader, place.url, replace(attempt, target=place.target))
        try:
            return Frame(picture(answer, shown))
        except CameraError as error:
            if error.code not in ("wrong_address", "not_a_picture", "empty"):
                raise
            path = urlsplit(place.url).path[:SHOWN]  # a query may hold a login
            why = error.detail.removeprefix(shown).strip()
            detail = f"{shown} names {path} for its pictures, and there {why}"
            raise CameraUnavailable("picture_address_lies", detail) from None


def _make_and_model(device: Device, attempt: Attempt) -> Iterator[Remark]:
    with suppress(DeviceFault):
        device.service(DEVICE, attempt)
        answer = device.ask(f'<GetDeviceInformation xmlns="{DEVICE}"/>', attempt)
        words = [answer.text_of("GetDeviceInformationResponse", word) for word in ("Manufacturer", "Model")]
        firmware = answer.text_of("GetDeviceInformationResponse", "FirmwareVersion")
        yield Remark(" ".join(filter(None, words))[:SHOWN] + (f", firmware {firmware[:SHOWN]}" if firmware else ""))


def _clock(device: Device) -> Iterator[Remark]:
    ahead = device.clock_ahead
    if ahead is None:
        yield Remark("it does not tell its time")
    elif abs(ahead) > CLOCK_OFF_S:
        way = "ahead of" if ahead > 0 else "behind"
        text = f"its clock is {_span(abs(ahead))} {way} this machine's; the login allows for it"
        yield Remark(text, "set the camera's clock, or let it ask a time server (NTP)")


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "hours")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 60:.0f} minutes"


def _without_login(stream: str, target: CameraTarget) -> str:
    """A stream's address as the device names it, at the host where the device is, without any login.

    A path or query that looks as if it held one is left out.
    """
    with suppress(ValueError):
        parts = urlsplit(stream)
        if parts.scheme in ("rtsp", "rtsps") and stream.isprintable():
            place = HostPort(target.place.host, parts.port or 554)
            way = f"{parts.path}?{parts.query}".removesuffix("?")[:300]
            if _LOGIN.search(way) or (target.password and target.password in unquote(way)):
                way = "/... (the rest holds a login)"
            return f"{parts.scheme}://{place}{way}"
    return ""
