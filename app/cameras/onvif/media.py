"""A device's profiles, and where their pictures and streams are.

After the ONVIF Media Service Specification (media.wsdl, 5.2 and 5.16) and its second edition, Media2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from app.cameras import CameraRejected
from app.cameras.http.connection import Attempt
from app.cameras.onvif.device import Device, DeviceFault
from app.cameras.onvif.place import Place
from app.cameras.onvif.soap import MEDIA, MEDIA2

SHOWN = 10
"""Profiles that an error names."""
_RESOLUTIONS = (("VideoEncoderConfiguration", "Resolution"), ("Configurations", "VideoEncoder", "Resolution"))
_SETUP = (
    "<StreamSetup><t:Stream>RTP-Unicast</t:Stream>"
    "<t:Transport><t:Protocol>RTSP</t:Protocol></t:Transport></StreamSetup>"
)


@dataclass(frozen=True, slots=True)
class Profile:
    """One of the ways in which a device encodes what it sees."""

    token: str
    name: str
    width: int = 0
    """Pixels; 0 where it does not say."""
    height: int = 0

    def __str__(self) -> str:
        size = f" {self.width}x{self.height}" if self.width else ""
        return f"{self.name or self.token}{size}"


class Media:
    """The media service of a device: the first edition, or the second where there is no first."""

    def __init__(self, device: Device, attempt: Attempt) -> None:
        """Raises `CameraError`."""
        self._device = device
        self._attempt = attempt
        first, second = device.service(MEDIA, attempt), device.service(MEDIA2, attempt)
        if first is None and second is None:
            raise CameraRejected("no_profiles", f"{device.target.shown} has no media service")
        self._place: Place = first or second  # type: ignore[assignment]
        self._namespace = MEDIA if first else MEDIA2

    def profiles(self) -> list[Profile]:
        """All, in the device's order. Raises `CameraError`."""
        own = "<Type>VideoEncoder</Type>" if self._namespace == MEDIA2 else ""
        answer = self._device.ask(
            f'<GetProfiles xmlns="{self._namespace}">{own}</GetProfiles>', self._attempt, at=self._place
        )
        found = []
        for profile in answer.all("GetProfilesResponse", "Profiles"):
            size = next((size for path in _RESOLUTIONS if (size := profile.first(*path)) is not None), None)
            width, height = (_pixels(size.text_of(side)) if size is not None else 0 for side in ("Width", "Height"))
            found.append(Profile(profile.attributes.get("token", ""), profile.text_of("Name"), width, height))
        return found

    def snapshot_uri(self, profile: Profile) -> str:
        """Where a picture of it is, in the device's words; empty where it has none."""
        return self._uri("GetSnapshotUri", profile)

    def stream_uri(self, profile: Profile) -> str:
        """Where its stream is, in the device's words; empty where it has none."""
        own = "<Protocol>RTSP</Protocol>" if self._namespace == MEDIA2 else _SETUP
        return self._uri("GetStreamUri", profile, own)

    def _uri(self, call: str, profile: Profile, own: str = "") -> str:
        token = f"<ProfileToken>{escape(profile.token)}</ProfileToken>"
        body = f'<{call} xmlns="{self._namespace}">{own}{token}</{call}>'
        try:
            answer = self._device.ask(body, self._attempt, at=self._place)
        except DeviceFault:
            return ""
        response = answer.first(f"{call}Response")
        return (response.text_of("MediaUri", "Uri") or response.text_of("Uri")) if response is not None else ""


def chosen(profiles: Sequence[Profile], wanted: str, shown: str) -> Profile:
    """The profile of this token or name, else the one with most pixels, the first of several.

    Raises `CameraRejected`: `no_profiles`, `no_such_profile`.
    """
    if not profiles:
        raise CameraRejected("no_profiles", f"{shown} has no profile")
    if not wanted:
        return max(profiles, key=lambda profile: profile.width * profile.height)
    for exact in (str, str.casefold):
        for profile in profiles:
            if exact(wanted) in (exact(profile.token), exact(profile.name)):
                return profile
    there = ", ".join(profile.name[:50] or profile.token[:50] for profile in profiles[:SHOWN])
    raise CameraRejected("no_such_profile", f"{shown} has no profile {wanted!r}; there are: {there}")


def _pixels(text: str) -> int:
    return int(text) if len(text) < 6 and text.isascii() and text.isdigit() else 0
