"""An ONVIF device on loopback, good or as bad as they are: faults, nothing, wrong hosts, wrong clocks, odd logins.

Beside it, a responder of WS-Discovery. Both check what they are asked: names, digests, times.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import unquote
from xml.etree import ElementTree

USERNAME, PASSWORD = "viewer", "p@ss:w<o&rd"
REALM = "ONVIF"
TOLERANCE = timedelta(seconds=5)
"""By which the time of a login may differ from the device's."""
HTML = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
DEVICE, MEDIA = "http://www.onvif.org/ver10/device/wsdl", "http://www.onvif.org/ver10/media/wsdl"
MEDIA2, EVENTS = "http://www.onvif.org/ver20/media/wsdl", "http://www.onvif.org/ver10/events/wsdl"
FREE = ("GetSystemDateAndTime", "GetServices", "GetCapabilities")
"""Calls before any login (PRE_AUTH of the specification)."""


@dataclass
class OnvifDevice:
    """What it does, and what became known of the calls. A context manager."""

    picture: bytes = b""
    login: Literal["none", "digest", "token"] = "digest"
    clock_ahead: timedelta = timedelta()
    media: str = MEDIA
    snapshot: Literal["ok", "fault", "nothing", "html"] = "ok"
    named: str = ""
    """host[:port] that it takes for its own."""
    knows_services: bool = True
    """It answers GetServices; older devices know GetCapabilities only."""
    profiles: list[tuple[str, str, int, int]] = field(
        default_factory=lambda: [
            ("P_sub", "Sub", 640, 360),
            ("P_main", "Main", 1920, 1080),
            ("P_more", "More", 1920, 1080),
        ]
    )
    body: bytes | None = None
    """What is answered to every call, if set."""
    calls: list[str] = field(default_factory=list)
    refused: int = 0
    """Logins that were wrong."""
    renewable: bool = True
    subscriptions: dict[str, list[str]] = field(default_factory=dict)
    """Messages that wait, by id."""
    port: int = 0

    def __post_init__(self) -> None:
        self.boot = 1
        self.unsubscribed: list[str] = []
        self.connections: list[socket.socket] = []
        self._news = threading.Condition()
        self._nonces: set[str] = set()

    def __enter__(self) -> OnvifDevice:
        device = self

        class Handler(_Handler):
            double = device

        self._server = _Server(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._news:
            self._news.notify_all()
        self._server.shutdown()
        self._server.server_close()
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def now(self) -> datetime:
        """By its own clock."""
        return datetime.now(UTC) + self.clock_ahead

    def restart(self) -> None:
        """Its pictures get another address, and it forgets who listens."""
        self.boot += 1
        with self._news:
            self.subscriptions.clear()
            self._news.notify_all()

    def tell(self, topic: str, operation: str = "Changed", *, source: str = "1", **data: str) -> None:
        """Something happens."""
        items = "".join(f'<tt:SimpleItem Name="{name}" Value="{value}"/>' for name, value in data.items())
        said = f' PropertyOperation="{operation}"' if operation else ""
        message = (
            f"<wsnt:NotificationMessage><wsnt:Topic>tns1:{topic}</wsnt:Topic><wsnt:Message>"
            f'<tt:Message UtcTime="{self.now:%Y-%m-%dT%H:%M:%SZ}"{said}>'
            f'<tt:Source><tt:SimpleItem Name="Token" Value="{source}"/></tt:Source><tt:Data>{items}</tt:Data>'
            "</tt:Message></wsnt:Message></wsnt:NotificationMessage>"
        )
        with self._news:
            for waiting in self.subscriptions.values():
                waiting.append(message)
            self._news.notify_all()

    # -- in the server's threads ------------------------------------------------------------------

    def answer(self, call: str, root: ElementTree.Element, namespace: str) -> str:
        """The body of the answer to a call. Raises `_Fault`."""
        self.calls.append(call)
        own = self.named or self.address
        urls = {DEVICE: f"http://{own}/onvif/device_service", self.media: f"http://{own}/onvif/media"}
        urls[EVENTS] = f"http://{own}/onvif/events"
        if call == "GetSystemDateAndTime":
            return f"<SystemDateAndTime><UTCDateTime>{_date_time(self.now)}</UTCDateTime></SystemDateAndTime>"
        if call == "GetServices" and self.knows_services:
            return "".join(
                f"<Service><Namespace>{name}</Namespace><XAddr>{url}</XAddr></Service>" for name, url in urls.items()
            )
        if call == "GetCapabilities":
            known = {"Device": DEVICE, "Media": MEDIA, "Events": EVENTS}
            found = "".join(f"<{word}><XAddr>{urls[n]}</XAddr></{word}>" for word, n in known.items() if n in urls)
            return f"<Capabilities>{found}</Capabilities>"
        if call == "GetDeviceInformation":
            return "<Manufacturer>Acme</Manufacturer><Model>Eye 1</Model><FirmwareVersion>1.2</FirmwareVersion>"
        if namespace == self.media:
            return self._media(call, root)
        return self._event(call, root)

    def _media(self, call: str, root: ElementTree.Element) -> str:
        if call == "GetProfiles":
            return "".join(self._profile(*profile) for profile in self.profiles)
        token = next((each.text or "" for each in root.iter() if each.tag.endswith("}ProfileToken")), "")
        if token not in [profile[0] for profile in self.profiles]:
            raise _Fault("Sender", "NoProfile", "no such profile")
        own = self.named or self.address
        uri = f"http://admin:secret@{own}/snap/{self.boot}/{token}?x=1"
        if call == "GetStreamUri":
            uri = f"rtsp://admin:secret@{own.partition(':')[0]}:8554/live/{token}"
        elif self.snapshot == "fault":
            raise _Fault("Receiver", "ActionNotSupported", "not supported")
        elif self.snapshot == "nothing":
            uri = ""
        return f"<MediaUri><Uri>{uri}</Uri></MediaUri>" if self.media == MEDIA else f"<Uri>{uri}</Uri>"

    def _profile(self, token: str, name: str, width: int, height: int) -> str:
        size = f"<Resolution><Width>{width}</Width><Height>{height}</Height></Resolution>"
        encoder = f"<VideoEncoderConfiguration>{size}</VideoEncoderConfiguration>"
        if self.media == MEDIA2:
            encoder = f"<Configurations><VideoEncoder>{size}</VideoEncoder></Configurations>"
        return f'<Profiles token="{token}"><Name>{name}</Name>{encoder}</Profiles>'

    def _event(self, call: str, root: ElementTree.Element) -> str:
        if call == "CreatePullPointSubscription":
            name = secrets.token_hex(4)
            with self._news:
                self.subscriptions[name] = []
            address = f"http://{self.named or self.address}/onvif/events"
            return (
                f"<SubscriptionReference><wsa:Address>{address}</wsa:Address><wsa:ReferenceParameters>"
                f'<x:Id xmlns:x="urn:acme">{name}</x:Id></wsa:ReferenceParameters></SubscriptionReference>'
            )
        name = next((each.text or "" for each in root.iter("{urn:acme}Id")), "")
        if name not in self.subscriptions:
            raise _Fault("Sender", "InvalidArgs", "no such subscription")
        if call == "Unsubscribe":
            with self._news:
                self.unsubscribed.append(name)
                del self.subscriptions[name]
        if call == "Renew" and not self.renewable:
            raise _Fault("Receiver", "ActionNotSupported", "not supported")
        return self._pulled(name, root) if call == "PullMessages" else ""

    def _pulled(self, name: str, root: ElementTree.Element) -> str:
        wait = next(each.text or "" for each in root.iter(f"{{{EVENTS}}}Timeout"))
        with self._news:
            self._news.wait_for(
                lambda: self.subscriptions.get(name) or name not in self.subscriptions, float(wait[2:-1])
            )
            if name not in self.subscriptions:
                raise _Fault("Sender", "InvalidArgs", "no such subscription")
            messages, self.subscriptions[name] = self.subscriptions[name], []
        return "".join(messages)

    def admits_token(self, root: ElementTree.Element) -> bool:
        """Whether a message has a login of WS-Security that is right, and of now."""
        found = {each.tag.rpartition("}")[2]: each.text or "" for each in root.iter()}
        if found.get("Username") != USERNAME:
            return False
        created = datetime.fromisoformat(found["Created"])
        plain = base64.b64decode(found["Nonce"]) + found["Created"].encode() + PASSWORD.encode()
        right = base64.b64encode(hashlib.sha1(plain).digest()).decode()
        return found["Password"] == right and abs(created - self.now) < TOLERANCE

    def admits_digest(self, header: str, method: str) -> bool:
        """Whether a login of HTTP is right."""
        said: dict[str, str] = {
            name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', header)
        }
        if not said or said.get("nonce") not in self._nonces:
            return False
        secret, line = _md5(f"{USERNAME}:{REALM}:{PASSWORD}"), _md5(f"{method}:{said['uri']}")
        right: str = _md5(":".join((secret, *(said[name] for name in ("nonce", "nc", "cnonce", "qop")), line)))
        return said["response"] == right

    def challenge(self) -> str:
        nonce = secrets.token_hex(8)
        self._nonces.add(nonce)
        return f'Digest realm="{REALM}", qop="auth", nonce="{nonce}", algorithm=MD5'


class _Fault(Exception):
    def __init__(self, code: str, subcode: str, reason: str) -> None:
        super().__init__(reason)
        self.xml = (
            f"<s:Fault><s:Code><s:Value>s:{code}</s:Value><s:Subcode><s:Value>ter:{subcode}</s:Value></s:Subcode>"
            f'</s:Code><s:Reason><s:Text xml:lang="en">{reason}</s:Text></s:Reason></s:Fault>'
        )


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that gave up is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    double: OnvifDevice
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    timeout = 30

    def setup(self) -> None:
        super().setup()
        self.double.connections.append(self.request)

    def do_GET(self) -> None:
        device = self.double
        device.calls.append("picture")
        if device.login != "none" and not device.admits_digest(self.headers.get("Authorization", ""), "GET"):
            self._refuse()
        elif device.snapshot == "html" or not self.path.startswith(f"/snap/{device.boot}/"):
            self._send(200, HTML, "text/html")
        else:
            self._send(200, device.picture, "image/jpeg")

    def do_POST(self) -> None:
        device = self.double
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if device.body is not None:
            self._send(200, device.body, "text/xml")
            return
        root = ElementTree.fromstring(data)
        body = root.find("{http://www.w3.org/2003/05/soap-envelope}Body")
        assert body is not None
        namespace, _, call = body[0].tag[1:].partition("}")
        if call not in FREE:
            if device.login == "digest" and not device.admits_digest(self.headers.get("Authorization", ""), "POST"):
                self._refuse()
                return
            if device.login == "token" and not device.admits_token(root):
                device.refused += b"UsernameToken" in data
                self._soap(400, _Fault("Sender", "NotAuthorized", "Sender not Authorized").xml)
                return
        try:
            answer = device.answer(call, root, namespace)
        except _Fault as fault:
            self._soap(500, fault.xml)
        else:
            self._soap(200, f'<d:{call}Response xmlns:d="{namespace}" xmlns="{namespace}">{answer}</d:{call}Response>')

    def _refuse(self) -> None:
        self.double.refused += "Authorization" in self.headers
        self._send(401, b"", "text/plain", ("WWW-Authenticate", self.double.challenge()))

    def _soap(self, status: int, body: str) -> None:
        spaces = {
            "s": "http://www.w3.org/2003/05/soap-envelope",
            "ter": "http://www.onvif.org/ver10/error",
            "tt": "http://www.onvif.org/ver10/schema",
            "tns1": "http://www.onvif.org/ver10/topics",
            "wsa": "http://www.w3.org/2005/08/addressing",
            "wsnt": "http://docs.oasis-open.org/wsn/b-2",
        }
        named = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in spaces.items())
        envelope = f'<?xml version="1.0"?><s:Envelope {named}><s:Body>{body}</s:Body></s:Envelope>'
        self._send(status, envelope.encode(), "application/soap+xml")

    def _send(self, status: int, body: bytes, kind: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(body))), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests stay quiet."""


def _date_time(at: datetime) -> str:
    date = f"<Year>{at.year}</Year><Month>{at.month}</Month><Day>{at.day}</Day>"
    time = f"<Hour>{at.hour}</Hour><Minute>{at.minute}</Minute><Second>{at.second}</Second>"
    return f"<Time>{time}</Time><Date>{date}</Date>"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


MATCH = """<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"
 xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery">
<s:Header><a:RelatesTo>{probe}</a:RelatesTo></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch>
<a:EndpointReference><a:Address>{name}</a:Address></a:EndpointReference><d:Types>{types}</d:Types>
<d:Scopes>{scopes}</d:Scopes><d:XAddrs>{addresses}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"""


@dataclass
class Responder:
    """A device as it answers probes: to one of the two types only, and not to the first ones, as many do."""

    addresses: str = "http://169.254.1.9:8000/onvif/device_service http://127.0.0.1:8899/onvif/device_service"
    scopes: str = "onvif://www.onvif.org/name/Acme%20Eye onvif://www.onvif.org/hardware/Eye-1 onvif://www.onvif.org/location/porch"
    type: str = "NetworkVideoTransmitter"
    deaf: int = 1
    """Probes that it does not hear."""
    name: str = "urn:uuid:1"
    raw: list[bytes] = field(default_factory=list)
    """What it sends besides."""
    probes: list[str] = field(default_factory=list)
    """The types that it was asked for."""


@contextmanager
def responding(*responders: Responder) -> Iterator[tuple[str, int]]:
    """Where they listen, on loopback."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listening.bind(("127.0.0.1", 0))

    def run() -> None:
        while True:
            data, sender = listening.recvfrom(65_536)
            if data == b"end":
                return
            for responder in responders:
                _respond(responder, data, sender, listening)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()
    finally:
        with suppress(OSError):
            listening.sendto(b"end", listening.getsockname())
        thread.join(5)
        listening.close()


def _respond(responder: Responder, data: bytes, sender: Any, listening: socket.socket) -> None:
    root = ElementTree.fromstring(data)
    found = {each.tag.rpartition("}")[2]: each.text or "" for each in root.iter()}
    wanted = found["Types"].rpartition(":")[2]
    responder.probes.append(wanted)
    if responder.deaf:
        responder.deaf -= 1
        return
    for raw in responder.raw:
        listening.sendto(raw, sender)
    if wanted == responder.type:
        match = MATCH.format(
            probe=unquote(found["MessageID"]),
            name=responder.name,
            types=f"dn:{wanted}",
            scopes=responder.scopes,
            addresses=responder.addresses,
        )
        listening.sendto(match.encode(), sender)
