"""A loopback HTTP server that behaves like cameras, good ones and bad: many on one port, told apart by path.

    python -m tests.simulators.camera --port 0 --picture FILE --delay 0.2

prints the port on its first line and serves until it is killed.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gzip
import hashlib
import re
import ssl
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

USERNAME = "admin"
PASSWORD = "p@ss:w,o%rd"
REALM = "IP Camera(12345)"
NONCE_USES = 3
"""Requests for which a digest nonce is good, so that tests see it go stale."""

COMMENT = b"\xff\xfe"
"""JPEG's marker for a comment, ITU-T T.81, section B.2.4.5."""

DRIPPED = 100
"""Bytes that come one by one before the rest: so few that whoever has no deadline is found out, and does not hang."""


@dataclass(slots=True)
class Request:
    """One request, as far as a camera cares."""

    path: str
    query: dict[str, str]
    target: str
    """Path and query as they stood in the request line."""
    headers: dict[str, str]
    """Names in lower case."""

    @property
    def camera(self) -> str:
        """Which camera is meant: `?camera=`, the user name of a Foscam, or the last part of the path."""
        return self.query.get("camera") or self.query.get("usr") or self.path.rsplit("/", 1)[-1]


@dataclass(slots=True)
class Load:
    """What reached one camera."""

    requests: int = 0
    now: int = 0
    at_once: int = 0
    """The most requests that were under way at one time."""


@dataclass
class CameraSimulator:
    """The server, in a thread of its own. A context manager.

    `http://127.0.0.1:PORT/BEHAVIOUR/CAMERA` answers as the method of that name says; `behaviours` assigns one
    to a fixed path (`{"/cgi-bin/CGIProxy.fcgi": "foscam"}`). `?delay=`, `?interval=` override the settings.
    """

    picture: bytes
    delay: float = 0.0
    """Seconds before `ok` and logins answer; `slow` takes a second more."""
    interval: float = 1.0
    """Seconds between the bytes of a drip."""
    port: int = 0
    tls: ssl.SSLContext | None = None
    foscam_result: int = 0
    """What `foscam` answers to a right login: 0 for the picture, else this code in XML."""
    reolink_code: int = -6
    """The `rspCode` in the JSON of `json`."""
    behaviours: dict[str, str] = field(default_factory=lambda: {"/cgi-bin/CGIProxy.fcgi": "foscam"})
    loads: dict[str, Load] = field(default_factory=dict)
    """By camera."""
    seen: list[Request] = field(default_factory=list)
    """The latest requests, at most 1000."""
    connections: int = 0
    """Accepted so far."""

    def __post_init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cameras", daemon=True)
        self._open: set[_Connection] = set()
        self._nonces: Counter[str] = Counter()

    def __enter__(self) -> CameraSimulator:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, behaviour: str, camera: str = "cam") -> str:
        return f"{'https' if self.tls else 'http'}://{self.address}/{behaviour}/{camera}"

    def load(self, camera: str = "cam") -> Load:
        return self.loads.setdefault(camera, Load())

    def hang_up(self) -> None:
        """Close every connection that is kept alive, as a camera does when it restarts."""
        done = threading.Event()

        def close() -> None:
            for connection in list(self._open):
                connection.close()
            done.set()

        self._loop.call_soon_threadsafe(close)
        done.wait()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._ready.set()
        self._loop.run_forever()
        for connection in list(self._open):
            connection.abort()
        self._server.close()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _listen(self) -> None:
        self._server = await self._loop.create_server(
            lambda: _Connection(self), "127.0.0.1", self.port, ssl=self.tls, backlog=512
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def answer(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None] | None:
        """Answer at once, or return what will."""
        behaviour = self.behaviours.get(request.path) or request.path.split("/")[1].replace("-", "_")
        method: Callable[[Request, _Connection], Coroutine[Any, Any, None] | None]
        method = getattr(self, f"be_{behaviour}", self.be_404)
        return method(request, connection)

    # Good cameras

    def be_ok(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None] | None:
        delay = float(request.query.get("delay", self.delay))
        if delay:
            return connection.reply_after(delay, self.picture)
        connection.reply(self.picture)
        return None

    def be_stamped(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None] | None:
        """No two pictures are alike: each says whose it is, and which one."""
        picture = stamped(self.picture, f"{request.camera} {self.load(request.camera).requests}")
        delay = float(request.query.get("delay", self.delay))
        if delay:
            return connection.reply_after(delay, picture)
        connection.reply(picture)
        return None

    def be_slow(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None]:
        return connection.reply_after(float(request.query.get("delay", self.delay + 1)), self.picture)

    def be_basic(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None] | None:
        expected = base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
        if request.headers.get("authorization") == f"Basic {expected}":
            return self.be_ok(request, connection)
        connection.challenge(f'Basic realm="{REALM}"')
        return None

    def be_bearer(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None] | None:
        if request.headers.get("authorization") == f"Bearer {PASSWORD}":
            return self.be_ok(request, connection)
        connection.challenge(f'Bearer realm="{REALM}"')
        return None

    def be_digest(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None] | None:
        nonce = _digest_nonce(request)
        if nonce and self._nonces[nonce] and _digest_right(request):
            self._nonces[nonce] -= 1
            return self.be_ok(request, connection)
        stale = nonce in self._nonces and not self._nonces[nonce]
        fresh = hashlib.sha256(str(len(self._nonces)).encode()).hexdigest()[:32]
        self._nonces[fresh] = NONCE_USES
        extra = f'opaque="", algorithm="MD5", stale="{stale}"'
        connection.challenge(f'Digest realm="{REALM}", qop="auth", nonce="{fresh}", {extra}')
        return None

    def be_odd(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None] | None:
        """Takes a basic login, and offers a digest of its own making before it."""
        if request.headers.get("authorization", "").startswith("Basic "):
            return self.be_basic(request, connection)
        connection.challenge(f'Digest realm="{REALM}", nonce="x", algorithm="HOUSE"', f'Basic realm="{REALM}"')
        return None

    def be_locked(self, request: Request, connection: _Connection) -> None:
        """Offers a login and accepts none."""
        connection.challenge(f'Basic realm="{REALM}", Digest realm="{REALM}", qop="auth", nonce="{"0" * 32}"')

    def be_quoting(self, request: Request, connection: _Connection) -> None:
        """Offers a digest for a realm that could be taken for another offer, and accepts nothing."""
        connection.challenge(f'Digest realm="Login to cam, Basic", qop="auth", nonce="{"0" * 32}"')

    def be_query(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None] | None:
        if (request.query.get("user"), request.query.get("password")) == (USERNAME, PASSWORD):
            return self.be_ok(request, connection)
        connection.reply(b"denied", status=401)
        return None

    def be_foscam(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None] | None:
        result = self.foscam_result
        if request.query.get("pwd") != PASSWORD:
            result = -2
        if not result:
            return self.be_ok(request, connection)
        connection.reply(b"<CGI_Result>\n    <result>%d</result>\n</CGI_Result>\n" % result, kind="text/plain")
        return None

    # Bad cameras

    def be_hang(self, request: Request, connection: _Connection) -> None:
        """Never answers."""

    def be_drip(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None]:
        connection.head(len(self.picture))
        return connection.drip(self.picture, float(request.query.get("interval", self.interval)))

    def be_drip_headers(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None]:
        head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(50))
        return connection.drip(head, float(request.query.get("interval", self.interval)))

    def be_refuse(self, request: Request, connection: _Connection) -> None:
        """Resets the connection; a port on which nobody listens is `closed_port()`."""
        connection.abort()

    def be_disconnect(self, request: Request, connection: _Connection) -> None:
        connection.close()

    def be_401(self, request: Request, connection: _Connection) -> None:
        connection.reply(b"no", status=401)

    def be_403(self, request: Request, connection: _Connection) -> None:
        connection.reply(b"no", status=403)

    def be_404(self, request: Request, connection: _Connection) -> None:
        connection.reply(b"not here", status=404)

    def be_429(self, request: Request, connection: _Connection) -> None:
        connection.reply(b"busy", status=429)

    def be_500(self, request: Request, connection: _Connection) -> None:
        connection.reply(b"oops", status=500)

    def be_redirect(self, request: Request, connection: _Connection) -> None:
        connection.reply(b"", status=302, extra=b"Location: https://elsewhere.example/\r\n")

    def be_redirect_huge(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None]:
        connection.head(50_000_000, status=302, extra=b"Location: /ok/cam\r\n")
        return connection.pour(50_000_000)

    def be_html(self, request: Request, connection: _Connection) -> None:
        connection.reply(b"<!DOCTYPE html><html><body>Please sign in</body></html>", kind="text/html")

    def be_json(self, request: Request, connection: _Connection) -> None:
        error = b'[{"cmd": "Snap", "code": 1, "error": {"detail": "an error", "rspCode": %d}}]' % self.reolink_code
        connection.reply(error, kind="text/html")

    def be_empty(self, request: Request, connection: _Connection) -> None:
        connection.reply(b"")

    def be_truncated(self, request: Request, connection: _Connection) -> None:
        """Promises the whole picture and closes after half of it."""
        connection.head(len(self.picture))
        connection.write(self.picture[: len(self.picture) // 2])
        connection.close()

    def be_truncated_unannounced(self, request: Request, connection: _Connection) -> None:
        """Promises nothing and closes after half of the picture."""
        connection.head(None)
        connection.write(self.picture[: len(self.picture) // 2])
        connection.close()

    def be_unannounced(self, request: Request, connection: _Connection) -> None:
        """The whole picture, its length not promised."""
        connection.head(None)
        connection.write(self.picture)
        connection.close()

    def be_chunked(self, request: Request, connection: _Connection) -> None:
        half = len(self.picture) // 2
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (self.picture[:half], self.picture[half:], b""):
            connection.write(b"%x\r\n%b\r\n" % (len(piece), piece))

    def be_unfinished_chunks(self, request: Request, connection: _Connection) -> None:
        """The whole picture, and then neither the last chunk nor an end."""
        connection.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.write(b"%x\r\n%b\r\n" % (len(self.picture), self.picture))

    def be_long_length(self, request: Request, connection: _Connection) -> None:
        """Promises 48 bytes more than there are, and waits."""
        connection.head(len(self.picture) + 48)
        connection.write(self.picture)

    def be_long_length_closed(self, request: Request, connection: _Connection) -> None:
        self.be_long_length(request, connection)
        connection.close()

    def be_never_closed(self, request: Request, connection: _Connection) -> None:
        """Promises nothing, and does not close behind the picture either."""
        connection.head(None)
        connection.write(self.picture)

    def be_packed(self, request: Request, connection: _Connection) -> None:
        """Gzip, though nobody asked for it."""
        connection.reply(gzip.compress(self.picture), extra=b"Content-Encoding: gzip\r\n")

    def be_said_packed(self, request: Request, connection: _Connection) -> None:
        connection.reply(self.picture, extra=b"Content-Encoding: gzip\r\n")

    def be_followed(self, request: Request, connection: _Connection) -> None:
        """Eight megabytes of a video behind the picture, which look like scans of a JPEG."""
        connection.reply(self.picture + b"\xff\xda" * 4_000_000)

    def be_said_stream(self, request: Request, connection: _Connection) -> None:
        """One plain picture under the label of a stream, without an end."""
        connection.head(None, kind="multipart/x-mixed-replace;boundary=x")
        connection.write(self.picture)

    def be_one_part(self, request: Request, connection: _Connection) -> None:
        """A multipart that ends after its first picture."""
        connection.head(None, kind="multipart/x-mixed-replace;boundary=x")
        connection.write(b"--x\r\nContent-Type: image/jpeg\r\n\r\n%b\r\n--x--\r\n" % self.picture)

    def be_one_part_open(self, request: Request, connection: _Connection) -> None:
        """The same without a closing delimiter: nothing more comes."""
        connection.head(None, kind="multipart/x-mixed-replace;boundary=x")
        connection.write(b"--x\r\nContent-Type: image/jpeg\r\n\r\n%b\r\n" % self.picture)

    def be_cookie(self, request: Request, connection: _Connection) -> None:
        """Would like to know its client again."""
        connection.reply(self.picture, extra=b"Set-Cookie: session=1; Path=/\r\n")

    def be_huge(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None]:
        connection.head(50_000_000)
        return connection.pour(50_000_000)

    def be_huge_unannounced(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None]:
        connection.head(None)
        return connection.pour(50_000_000)

    def be_bomb(self, request: Request, connection: _Connection) -> None:
        connection.reply(pixel_bomb(), kind="image/png")

    def be_not_an_image(self, request: Request, connection: _Connection) -> None:
        connection.reply(b"\x00\x01\x02\x03" * 1000)

    def be_stream(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None]:
        """MJPEG without an end."""
        connection.head(None, kind="multipart/x-mixed-replace;boundary=x")
        return connection.pour(50_000_000)

    def be_frames(self, request: Request, connection: _Connection) -> Coroutine[Any, Any, None]:
        """Good pictures without an end, as MJPEG is meant."""
        connection.head(None, kind="multipart/x-mixed-replace;boundary=x")
        frame = b"--x\r\nContent-Type: image/jpeg\r\n\r\n%b\r\n" % self.picture
        return connection.pour(50_000_000, frame)

    def be_long_head(self, request: Request, connection: _Connection) -> None:
        """A hundred headers of 60 kB."""
        connection.write(b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 60_000 + b"\r\n") * 90 + b"\r\n")

    def be_nonsense_login(self, request: Request, connection: _Connection) -> None:
        """Two challenges of 12 kB that begin again and again and never come to an end."""
        connection.challenge("Digest " + "a" * 12_000, "Digest " + 'a="' * 4_000)

    def be_gibberish(self, request: Request, connection: _Connection) -> None:
        """Not HTTP, as when the port is that of RTSP."""
        connection.write(b"RTSP/1.0 400 Bad Request\r\nCSeq: 0\r\n\r\n")

    def be_bad_headers(self, request: Request, connection: _Connection) -> None:
        """A line without a colon, which urllib3 warns of."""
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nno colon here\r\n\r\n" % len(self.picture)
        connection.write(head + self.picture)


class _Connection(asyncio.Protocol):
    """One client's connection: requests one after the other, kept alive."""

    def __init__(self, simulator: CameraSimulator) -> None:
        self._simulator = simulator
        self._received = b""
        self._task: asyncio.Task[None] | None = None
        self._load: Load | None = None
        self._writable = asyncio.Event()
        self._writable.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._simulator.connections += 1
        self._simulator._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._simulator._open.discard(self)
        self._writable.set()
        if self._task is not None:
            self._task.cancel()
        self._ended()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            self._handle(_parse(head.decode("latin-1")))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _handle(self, request: Request) -> None:
        simulator = self._simulator
        if len(simulator.seen) < 1000:
            simulator.seen.append(request)
        self._load = load = simulator.load(request.camera)
        load.requests += 1
        load.now += 1
        load.at_once = max(load.at_once, load.now)
        later = simulator.answer(request, self)
        if later is not None:
            self._task = asyncio.ensure_future(later)

    def _ended(self) -> None:
        if self._load is not None:
            self._load.now -= 1
            self._load = None

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def head(self, length: int | None, *, status: int = 200, kind: str = "image/jpeg", extra: bytes = b"") -> None:
        size = b"Connection: close\r\n" if length is None else b"Content-Length: %d\r\n" % length
        self.write(b"HTTP/1.1 %d X\r\nContent-Type: %b\r\n%b%b\r\n" % (status, kind.encode(), size, extra))

    def reply(self, body: bytes, *, status: int = 200, kind: str = "image/jpeg", extra: bytes = b"") -> None:
        self._ended()
        self.head(len(body), status=status, kind=kind, extra=extra)
        self.write(body)

    def challenge(self, *challenges: str) -> None:
        lines = "".join(f"WWW-Authenticate: {challenge}\r\n" for challenge in challenges)
        self.reply(b"login, please", status=401, kind="text/html", extra=lines.encode())

    async def reply_after(self, delay: float, body: bytes) -> None:
        await asyncio.sleep(delay)
        self.reply(body)

    async def drip(self, data: bytes, interval: float) -> None:
        for byte in data[:DRIPPED]:
            self.write(bytes([byte]))
            await asyncio.sleep(interval)
        self.write(data[DRIPPED:])

    async def pour(self, size: int, piece: bytes = b"\xff\xd8\xff" + bytes(65_533)) -> None:
        for _ in range(0, size, len(piece)):
            if self._transport.is_closing():
                return
            self.write(piece)
            await self._writable.wait()

    def close(self) -> None:
        self._transport.close()

    def abort(self) -> None:
        self._transport.abort()


def stamped(picture: bytes, text: str) -> bytes:
    """The same JPEG with a comment at its beginning."""
    comment = text.encode()
    return picture[:2] + COMMENT + (len(comment) + 2).to_bytes(2, "big") + comment + picture[2:]


@cache
def pixel_bomb(side: int = 30_000) -> bytes:
    """A PNG of about 100 kB that decodes to `side` x `side` pixels of one bit."""
    rows = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    data = b"".join(rows.compress(row) for _ in range(side)) + rows.flush()
    header = side.to_bytes(4, "big") * 2 + bytes([1, 0, 0, 0, 0])
    chunks = [(b"IHDR", header), (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big") for name, body in chunks
    )


def _parse(head: str) -> Request:
    first, *lines = head.split("\r\n")
    target = first.split(" ")[1]
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Request(parts.path, query, target, headers)


def _digest_fields(request: Request) -> dict[str, str]:
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme != "Digest":
        return {}
    return {name: quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', rest)}


def _digest_nonce(request: Request) -> str:
    return _digest_fields(request).get("nonce", "")


def _digest_right(request: Request) -> bool:
    """RFC 7616, section 3.4, with MD5 and qop=auth."""
    fields = _digest_fields(request)

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    a1 = md5(f"{USERNAME}:{REALM}:{PASSWORD}")
    a2 = md5(f"GET:{request.target}")
    expected = md5(f"{a1}:{fields['nonce']}:{fields['nc']}:{fields['cnonce']}:{fields['qop']}:{a2}")
    return fields["response"] == expected and fields["uri"] == request.target


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--picture", type=Path, required=True)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    arguments = parser.parse_args()
    simulator = CameraSimulator(arguments.picture.read_bytes(), delay=arguments.delay, port=arguments.port)
    with simulator:
        print(simulator.port, flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
