"""A loopback RTSP server that behaves like cameras, good ones and bad: told apart by the path of their stream.

It sends H.264 over the connection itself (RFC 2326, 10.12; RFC 6184), one grey frame after another: each is lighter
than the one before, and every tenth is a keyframe.
"""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import socketserver
import struct
import threading
import time
from fractions import Fraction
from functools import cache
from itertools import count
from typing import Self

USERNAME = "viewer"
PASSWORD = "p@ss:w/o%41rd"
SIZE = (320, 240)
FRAMES = 30
GOP = 10
DRIP_S = 0.05


@cache
def frames() -> list[list[bytes]]:
    """The NAL units of each frame."""
    import av
    import numpy as np

    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = SIZE
    encoder.pix_fmt, encoder.framerate = "yuv420p", Fraction(25)
    encoder.options = {"g": str(GOP), "bf": "0", "preset": "ultrafast", "sc_threshold": "0", "tune": "zerolatency"}
    found: list[list[bytes]] = []
    for index in range(FRAMES):
        shade = np.full((SIZE[1], SIZE[0], 3), grey(index), dtype=np.uint8)
        packets = encoder.encode(av.VideoFrame.from_ndarray(shade, format="rgb24"))
        found += [[unit for unit in re.split(rb"\x00?\x00\x00\x01", bytes(packet)) if unit] for packet in packets]
    return found


def grey(index: int) -> int:
    """The shade of this frame, 0 to 255."""
    return 40 + 6 * index


class RtspSimulator:
    """A context manager. What a path does:

    `live`: frames at once, one after another; `steps`: a frame for each `release` of `steps`; `login`, `basic`: as
    `live`, with the login only; `late`: no keyframe; `ends`: hangs up after three frames that are no keyframes;
    `silent`: plays nothing; `hangs`, `drips`: does not (soon) describe the stream; `audio`, `odd`: has no video, or an
    unknown one; `web`: is a web server; `full`: has no place for another viewer; anything else is not found.
    """

    def __init__(self) -> None:
        self.steps = threading.Semaphore(0)
        self.requests: list[str] = []
        """Method and path of each, with the kind of login behind it."""
        self.closing = threading.Event()
        simulator = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                _Session(simulator, self.connection).run()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler, bind_and_activate=True)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that are gone

    def __enter__(self) -> Self:
        frames()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def url(self, path: str) -> str:
        return f"rtsp://127.0.0.1:{self.port}/{path}"


class _Session:
    def __init__(self, simulator: RtspSimulator, connection: socket.socket) -> None:
        self._simulator = simulator
        self._socket = connection
        self._file = connection.makefile("rb")
        self._lock = threading.Lock()

    def run(self) -> None:
        while (head := self._head()) is not None:
            method, url, headers = head
            path = re.sub(r"^rtsp://[^/]*/", "", url).split("/")[0].split("?")[0]
            login = headers.get("authorization", "").split(" ")[0].lower()
            self._simulator.requests.append(f"{method} {path} {login}".strip())
            if not self._answer(method, path, url, headers):
                return

    def _head(self) -> tuple[str, str, dict[str, str]] | None:
        while (first := self._file.peek(1)[:1]) == b"$":  # a report on what was received
            (length,) = struct.unpack(">xxH", self._file.read(4))
            self._file.read(length)
        lines = []
        while first and (line := self._file.readline()) not in (b"\r\n", b""):
            lines.append(line.decode().strip())
        if not lines:
            return None
        method, url, _ = lines[0].split(" ")
        return method, url, {k.lower(): v for k, _, v in (line.partition(": ") for line in lines[1:])}

    def _answer(self, method: str, path: str, url: str, headers: dict[str, str]) -> bool:
        if path == "web":
            self._send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return False
        if method == "OPTIONS":
            return self._reply(headers, "200 OK", "Public: DESCRIBE, SETUP, PLAY, TEARDOWN")
        if method == "DESCRIBE":
            return self._describe(path, url, headers)
        if method == "SETUP":
            if path == "full":
                return self._reply(headers, "503 Service Unavailable")
            return self._reply(headers, "200 OK", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 1")
        if method == "PLAY":
            self._reply(headers, "200 OK", "Session: 1")
            threading.Thread(target=self._play, args=(path,), daemon=True).start()
            return True
        self._reply(headers, "200 OK", "Session: 1")
        return method != "TEARDOWN"

    def _describe(self, path: str, url: str, headers: dict[str, str]) -> bool:
        if path in ("login", "basic") and not _is_login(path, headers.get("authorization", ""), url):
            kind = "Basic" if path == "basic" else "Digest"
            return self._reply(headers, "401 Unauthorized", f'WWW-Authenticate: {kind} realm="cam", nonce="n0"')
        if path == "hangs":
            self._simulator.closing.wait()
            return False
        known = ("live", "steps", "login", "basic", "late", "ends", "silent", "drips", "audio", "odd", "full")
        if path not in known:
            return self._reply(headers, "404 Not Found")
        media = "audio 0 RTP/AVP 0" if path == "audio" else "video 0 RTP/AVP 96"
        codec = "X-UNKNOWN/90000" if path == "odd" else "H264/90000"
        sdp = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=T\xfcr\r\nt=0 0\r\nm={media}\r\n"
        sdp += "" if path == "audio" else f"a=rtpmap:96 {codec}\r\n"
        sdp += "a=control:track1\r\n"
        return self._reply(headers, "200 OK", "Content-Type: application/sdp", body=sdp, drip=path == "drips")

    def _play(self, path: str) -> None:
        try:
            self._send_frames(path)
        except OSError:
            return
        self._socket.close() if path != "silent" else self._simulator.closing.wait()

    def _send_frames(self, path: str) -> None:
        numbers = count()
        for index in count() if path != "silent" else ():
            if self._simulator.closing.is_set() or (path == "ends" and index == 3):
                self._socket.shutdown(socket.SHUT_RDWR)
                return
            if path == "steps":
                self._simulator.steps.acquire()
            else:
                time.sleep(0.01)
            units = frames()[index % FRAMES if path not in ("late", "ends") else 1 + index % (GOP - 1)]
            for unit in units:
                last = 0x80 if unit is units[-1] else 0
                rtp = struct.pack(">BBHII", 0x80, 96 | last, next(numbers) & 0xFFFF, index * 3600, 1) + unit
                self._send(b"$\x00" + struct.pack(">H", len(rtp)) + rtp)

    def _reply(self, headers: dict[str, str], status: str, *more: str, body: str = "", drip: bool = False) -> bool:
        lines = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('cseq', '0')}", *more]
        lines += [f"Content-Length: {len(body)}"] if body else []
        data = ("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1")  # as cameras write their names
        if not drip:
            self._send(data)
            return True
        for byte in data:
            self._send(bytes([byte]))
            if self._simulator.closing.wait(DRIP_S):
                return False
        return True

    def _send(self, data: bytes) -> None:
        with self._lock:
            self._socket.sendall(data)


def _is_login(path: str, authorization: str, url: str) -> bool:
    if path == "basic":
        return authorization == "Basic " + base64.b64encode(f"{USERNAME}:{PASSWORD}".encode()).decode()
    fields = dict(re.findall(r'(\w+)="([^"]*)"', authorization))
    one = hashlib.md5(f"{USERNAME}:cam:{PASSWORD}".encode()).hexdigest()
    two = hashlib.md5(f"DESCRIBE:{url}".encode()).hexdigest()
    return fields.get("response") == hashlib.md5(f"{one}:n0:{two}".encode()).hexdigest()
