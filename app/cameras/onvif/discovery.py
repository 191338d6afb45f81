"""Which ONVIF devices are in this network: WS-Discovery, a question to all by multicast.

After the ONVIF Core Specification, 7.3 (discovery), and WS-Discovery of April 2005.
"""

from __future__ import annotations

import select
import socket
import struct
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from app.cameras.onvif.xml import BadXML, Element, parse

GROUP = ("239.255.255.250", 3702)
TYPES = (
    ("dn", "http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter"),
    ("tds", "http://www.onvif.org/ver10/device/wsdl", "Device"),
)
"""Prefix, namespace and name; each is asked for alone, since many devices answer to one of them only."""
ROUNDS = 3
"""Times that each is asked for: a datagram may be lost, and some devices sleep through the first."""
BETWEEN_S = 0.4
TTL = 4
"""Routers that pass a question on, where they do that at all; of 1, some switches make nothing."""
MOST_ANSWERS = 2_000
MOST_DEVICES = 500
MOST_SCOPES = 100
LONGEST = 100
"""Characters of what a device says of itself."""

_PROBE = """<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"\
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header>\
<a:Action s:mustUnderstand="1">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action>\
<a:MessageID>uuid:{id}</a:MessageID><a:ReplyTo>\
<a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address></a:ReplyTo>\
<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To></s:Header><s:Body>\
<d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">\
<d:Types xmlns:{prefix}="{namespace}">{prefix}:{name}</d:Types></d:Probe></s:Body></s:Envelope>"""


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that answered."""

    address: str
    """host[:port], as a camera of kind onvif has it; the port where it is not 80, or 443 with https."""
    https: bool
    name: str
    hardware: str
    """Its model, as a rule."""
    location: str


def discover(seconds: float, *, group: tuple[str, int] = GROUP) -> list[FoundDevice]:
    """Ask on every interface, collect answers for so long, and return the devices by their addresses."""
    found: dict[str, FoundDevice] = {}
    with ExitStack() as stack:
        sockets = [stack.enter_context(sock) for sock in _sockets(group)]
        for data, sender in _answers(sockets, group, seconds):
            for key, device in _devices(data, sender):
                if len(found) < MOST_DEVICES:
                    found.setdefault(key, device)
    return sorted({device.address: device for device in found.values()}.values(), key=_by_address)


def _sockets(group: tuple[str, int]) -> Iterator[socket.socket]:
    """One for each interface, by which its questions leave; a single address needs one only."""
    interfaces = [index for index, _ in socket.if_nameindex()] if ip_address(group[0]).is_multicast else [0]
    for index in interfaces:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setblocking(False)
        with suppress(OSError):  # one without an address
            request = struct.pack("@4s4si", socket.inet_aton(group[0]), socket.inet_aton("0.0.0.0"), index)  # noqa: S104
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, TTL)
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
        yield sock


def _answers(sockets: list[socket.socket], group: tuple[str, int], seconds: float) -> Iterator[tuple[bytes, str]]:
    """Datagrams with their senders' addresses."""
    began, asked, count = time.monotonic(), 0, 0
    while count < MOST_ANSWERS and (left := began + seconds - time.monotonic()) > 0:
        due = began + asked * BETWEEN_S - time.monotonic()
        if asked < ROUNDS and due <= 0:
            asked += 1
            _probe(sockets, group)
            continue
        ready, _, _ = select.select(sockets, [], [], min(left, due) if asked < ROUNDS else left)
        for sock in ready:
            count += 1
            with suppress(OSError):
                data, sender = sock.recvfrom(65_535)
                yield data, sender[0]


def _probe(sockets: list[socket.socket], group: tuple[str, int]) -> None:
    for prefix, namespace, name in TYPES:
        message = _PROBE.format(id=uuid.uuid4(), prefix=prefix, namespace=namespace, name=name).encode()
        for sock in sockets:
            with suppress(OSError):  # an interface that is down
                sock.sendto(message, group)


def _devices(data: bytes, sender: str) -> Iterator[tuple[str, FoundDevice]]:
    """The devices in an answer, by what tells them apart."""
    with suppress(BadXML):
        for match in parse(data).all("Body", "ProbeMatches", "ProbeMatch"):
            if device := _device(match, sender):
                yield match.text_of("EndpointReference", "Address")[:LONGEST] or device.address, device


def _device(match: Element, sender: str) -> FoundDevice | None:
    offered = [place for said in match.text_of("XAddrs")[:2_000].split() if (place := _place(said))]
    if not offered:
        return None
    # What it answered from can be reached; others may be of a network that only it is in.
    scheme, _, port = min(offered, key=lambda place: (place[1] != sender, place[0] != "http"))
    https = scheme == "https"
    plain = port == (443 if https else 80)
    scopes = match.text_of("Scopes").split()[:MOST_SCOPES]
    name, hardware, location = (_scope(scopes, kind) for kind in ("name", "hardware", "location"))
    return FoundDevice(sender if plain else f"{sender}:{port}", https, name, hardware, location)


def _place(said: str) -> tuple[str, str, int] | None:
    with suppress(ValueError):
        parts = urlsplit(said)
        if parts.scheme in ("http", "https") and parts.hostname:
            return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
    return None


def _scope(scopes: list[str], kind: str) -> str:
    """`Front Door` of `onvif://www.onvif.org/name/Front%20Door`."""
    start = f"onvif://www.onvif.org/{kind}/"
    found = next((scope[len(start) :] for scope in scopes if scope.lower().startswith(start)), "")
    return "".join(letter for letter in unquote(found[: 3 * LONGEST]) if letter.isprintable())[:LONGEST].strip()


def _by_address(device: FoundDevice) -> tuple[int, str]:
    return int(ip_address(device.address.partition(":")[0])), device.address
