"""Addresses that a device gives: always at the host where it was found, whatever host they name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from app.cameras import CameraUnavailable
from app.cameras.address import CameraTarget, HostPort
from pylib.net.addresses import normal

LONGEST = 2_000
"""Characters of an address."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Place:
    """Where one of a device's services or pictures is."""

    url: str
    target: CameraTarget
    named: str = ""
    """The other IP address that the device named, behind NAT or by mistake."""


def place_of(said: str, target: CameraTarget, *, https: bool, inner_port: int | None = None) -> Place:
    """The place that a device means; it was found at `target`, and so is all that it names.

    `inner_port` is the port that the device itself takes for that of `target`: it differs behind NAT. Without `https`,
    the device decides about TLS. Raises `CameraUnavailable` (`bad_address`).
    """
    try:
        parts = _split(said)
        port = parts.port or _PORTS.get(parts.scheme, target.place.port)
    except ValueError:
        detail = f"{target.shown} names an address that is none"
        raise CameraUnavailable("bad_address", detail) from None
    scheme = "https" if https else (parts.scheme or "http")
    host, told = parts.hostname or "", target.place
    elsewhere = host.lower() != told.host.lower()
    if not host or scheme != (parts.scheme or scheme) or (elsewhere and port == inner_port):
        port = told.port
    own = replace(target, place=HostPort(told.host, port))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = host if elsewhere and told.literal and normal(host) is not None else ""
    return Place(f"{scheme}://{own.place}{path}", own, named)


def port_of(said: str) -> int | None:
    """The port that an address names, if it is one."""
    try:
        parts = _split(said)
        return parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None


def _split(said: str) -> SplitResult:
    parts = urlsplit(said.strip())
    in_order = said.isprintable() and len(said) <= LONGEST
    if not in_order or parts.scheme not in ("", "http", "https") or (not parts.scheme and parts.path[:1] != "/"):
        raise ValueError("no address")
    return parts
