"""A camera's address and login, from settings and triggers, and the networks it must be in."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_network
from typing import Any
from urllib.parse import unquote, urlsplit

from app.cameras import CameraRejected
from pylib.net.addresses import normal

HOME_NETWORKS = (
    "10.0.0.0/8",  # RFC 1918, as the next two
    "172.16.0.0/12",
    "192.168.0.0/16",
    "127.0.0.0/8",
    "::1/128",
    "fc00::/7",  # unique local, RFC 4193
)
"""The private and loopback ranges: where cameras are unless the settings differ."""

SocketAddress = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int]]
"""A resolved address as `socket.connect` takes it, with its family."""

_PLACE = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>\w[\w.-]{0,252}))(?::(?P<port>[0-9]{1,5}))?")

CODES = {
    "no_address": (
        "Neither the configuration nor the trigger has the camera's address.",
        "configure `address`, or send device_params with each trigger",
    ),
    "bad_device_params": (
        "The address that the trigger brought cannot be read.",
        "mend the sender: user:password@ip:port[,rtsp_port]",
    ),
    "address_not_allowed": (
        "The address that the trigger brought is outside the cameras' networks.",
        "widen CAMERA_NETWORKS, if that is where your cameras are",
    ),
}
"""Code -> what happened, and what to do about it."""


@dataclass(frozen=True, slots=True)
class HostPort:
    """A host and its port."""

    host: str
    """A name, an IPv4 address, or an IPv6 address without brackets."""
    port: int

    @classmethod
    def parse(cls, text: str, *, default_port: int) -> HostPort:
        """Read `host`, `host:port` or `[IPv6]:port`. Raises ValueError, which does not quote the text."""
        match = _PLACE.fullmatch(text)
        if match is None:
            raise ValueError("expected host, host:port or [IPv6 address]:port")
        if match["v6"]:
            _require_ipv6(match["v6"])
        return cls(match["v6"] or match["host"], _port(match["port"], default=default_port))

    @property
    def literal(self) -> bool:
        """Whether the host is an IP address rather than a name."""
        return normal(self.host) is not None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DeviceParams:
    """The parts of a trigger's `device_params`."""

    place: HostPort
    username: str = field(repr=False)
    password: str = field(repr=False)
    rtsp_port: int | None = None


@dataclass(frozen=True, slots=True)
class CameraTarget:
    """The address of one snapshot, and its login."""

    place: HostPort
    username: str = field(default="", repr=False)
    """Empty when there is no login."""
    password: str = field(default="", repr=False)
    networks: Networks | None = None
    """The networks that the address must be in; None for a configured one, which its owner vouches for."""

    @property
    def shown(self) -> str:
        """The address in error texts: a name from a trigger may be half of a mistyped password."""
        if self.networks is None or self.place.literal:
            return str(self.place)
        return "the host in device_params"


class Networks:
    """The networks that an address from a trigger must be in."""

    def __init__(self, networks: Iterable[str] = HOME_NETWORKS) -> None:
        """`networks` in CIDR notation, IPv4 and IPv6. Raises ValueError naming the one that is malformed."""
        self._networks = [ip_network(network, strict=False) for network in networks]

    def __contains__(self, host: str) -> bool:
        address = normal(host)  # ::ffff:8.8.8.8 reaches 8.8.8.8
        return address is not None and any(address in network for network in self._networks)

    def require(self, addresses: Iterable[SocketAddress]) -> None:
        """Raise `CameraRejected` unless every one of these addresses is in them."""
        for _, address in addresses:
            if address[0] not in self:
                raise CameraRejected(
                    "address_not_allowed",
                    f"{address[0]}, named by a trigger, is outside the camera networks",
                )


def parse_device_params(text: str, *, default_port: int = 80) -> DeviceParams:
    """Read `user:password@ip:port[,rtsp_port]`; the port may be left out, IPv6 goes in brackets.

    Nothing is percent-decoded: a password stands as it is and may hold `:`, `@`, `,` and `%`. That is no
    ambiguity, because a user name holds no colon and an address no at sign.
    Raises `CameraRejected` with code `bad_device_params`, which does not quote the text.
    """
    login, _, rest = text.rpartition("@")
    username, _, password = login.partition(":")
    address, comma, rtsp_port = rest.partition(",")
    try:
        _require_login(login)
        return DeviceParams(
            HostPort.parse(address, default_port=default_port),
            username,
            password,
            _port(rtsp_port) if comma else None,
        )
    except ValueError:
        raise CameraRejected(
            "bad_device_params",
            "the trigger's device_params is not user:password@ip:port[,rtsp_port]",
        ) from None


def choose_target(
    configured: CameraTarget | None,
    device_params: str | None,
    *,
    networks: Networks,
    default_port: int,
    rtsp: bool = False,
) -> CameraTarget:
    """The address and login to use: the trigger's if it brought any, else the configured ones.

    `rtsp`: the trigger's port is its `rtsp_port`. A trigger's address never gets the configured login: whoever can
    send triggers could collect it. Raises `CameraRejected`.
    """
    if device_params:
        params = parse_device_params(device_params, default_port=default_port)
        place = HostPort(params.place.host, params.rtsp_port or default_port) if rtsp else params.place
        return CameraTarget(place, params.username, params.password, networks)
    if configured is None:
        raise CameraRejected(
            "no_address", "neither the configuration nor the trigger's device_params has the camera's address"
        )
    return configured


def login_out_of_url(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Settings in which a login in `url` (`scheme://user:password@host/`) stands in `username` and `password`.

    Raises ValueError, which does not quote the URL, where it is none, or where the login is given twice.
    """
    if not isinstance(values.get("url"), str):
        return values
    try:
        url = urlsplit(values["url"])
    except ValueError:  # its text quotes the login
        raise ValueError("url is not a URL") from None
    login, at, address = url.netloc.rpartition("@")
    if not at:
        return values
    if values.get("username") or values.get("password"):
        raise ValueError("the login stands in url and in username or password: give it once")
    username, _, password = login.partition(":")
    without = url._replace(netloc=address).geturl()
    return {**values, "username": unquote(username), "password": unquote(password), "url": without}


def resolve(place: HostPort, *, timeout: float) -> list[SocketAddress]:
    """All addresses of a host, none if its name is unknown, within `timeout` seconds. Raises TimeoutError."""
    numeric = _lookup(place, socket.AI_NUMERICHOST)
    if numeric:
        return numeric
    # getaddrinfo has no timeout: an unreachable name server would block the camera for half a minute.
    with _LOCK:
        lookup = _pending.get(place)
        if lookup is None:
            lookup = _pending[place] = _Lookup(place)
            lookup.start()
    lookup.join(timeout)
    if lookup.found is None:
        raise TimeoutError
    return lookup.found


class _Lookup(threading.Thread):
    """Looks a host up. Whoever asks meanwhile waits for the same: a name server that hangs holds one thread a host."""

    def __init__(self, place: HostPort) -> None:
        super().__init__(name="resolve", daemon=True)
        self._place = place
        self.found: list[SocketAddress] | None = None

    def run(self) -> None:
        try:
            self.found = _lookup(self._place, 0)
        finally:
            with _LOCK:
                _pending.pop(self._place, None)


_LOCK = threading.Lock()
_pending: dict[HostPort, _Lookup] = {}


def _lookup(place: HostPort, flags: int) -> list[SocketAddress]:
    try:
        entries = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM, flags=flags)
    except (socket.gaierror, UnicodeError):  # UnicodeError: a label too long for IDNA
        return []
    return [(family, address) for family, _, _, _, address in entries]  # type: ignore[misc]


def _require_ipv6(text: str) -> None:
    try:
        IPv6Address(text)
    except ValueError:
        raise ValueError("expected an IPv6 address in the brackets") from None


def _port(text: str | None, *, default: int | None = None) -> int:
    if text is None and default is not None:
        return default
    if text is None or not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65535:
        raise ValueError("expected a port from 1 to 65535")
    return int(text)


def _require_login(text: str) -> None:
    """`user:password` that can go into a header or a query: a line break in it would forge headers."""
    if ":" not in text or re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", text):
        raise ValueError("expected user:password, without control characters")
