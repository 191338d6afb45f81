"""Every attack on a running service, one after the other: `python -m tests.hostile.attacks --help`.

Each is one connection, and a megabyte of one kind of nonsense at one place. Answers do not matter: another process asks
the service meanwhile how it is.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import ftplib
import io
import itertools
import random
import socket
import time
import zlib
from collections.abc import Iterator

SIZE = 1_000_000
WAIT_S = 5.0
"""Longest time for one connection."""

NONSENSE: dict[str, bytes] = {
    "zeros": b"\0" * SIZE,
    "random": random.Random(10).randbytes(SIZE),
    "letters": b"a" * SIZE,
    "lines": b"\r\n" * (SIZE // 2),
    "headers": b"a:\r\n" * (SIZE // 4),
    "marks": "\u0315\u0300".encode() * (SIZE // 4),
    "semicolons": b";" * SIZE,
    "quotes": b'"' * SIZE,
    "commas": b"Digest a," * (SIZE // 9),
    "words": b"=?a?q?" + b"x" * SIZE,
    "brackets": b"[" * SIZE,
    "packed": b"\x91" * SIZE,
    "percent": b"%cc" * (SIZE // 3),
    "digits": b"9" * SIZE,
}
"""Name -> a megabyte of it."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)


_PNG = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", b"\0\0\0\1\0\0\0\1\x08\0\0\0\0")
_START = bytes.fromhex("ffd8ffe000104a46494600010100000100010000")


def pictures() -> Iterator[tuple[str, bytes]]:
    """Files that begin like pictures."""
    yield "empty segments", _START + b"\xff\xe5\x00\x02" * (SIZE // 4)
    yield "comments", _START + (b"\xff\xfe\xff\xff" + b"x" * 65_533) * 16
    yield "fill bytes", _START + b"\xff" * SIZE
    yield "scans", _START + b"\xff\xda\x00\x02" * (SIZE // 4)
    yield "chunks", _PNG + _chunk(b"abCd", b"") * 80_000
    yield "text bomb", _PNG + _chunk(b"zTXt", b"x\0\0" + zlib.compress(b"\0" * 100_000_000, 9))
    for name, data in NONSENSE.items():
        yield name, _START + data


def web() -> Iterator[bytes]:
    """Requests to the web side, by who has no login and by who has."""
    headers = (
        b"Authorization: Bearer ",
        b"Authorization: Basic ",
        b"Cookie: snapshot_session=",
        b"Host: ",
        b"Content-Type: multipart/form-data; boundary=",
        b"traceparent: ",
        b"baggage: ",
        b"X-Forwarded-For: ",
        b"Last-Event-ID: ",
        b"If-None-Match: ",
        b"Range: bytes=",
        b"Accept-Language: ",
        b"Transfer-Encoding: ",
        b"Content-Length: ",
        b"X: ",
    )
    for data in NONSENSE.values():
        yield data
        line = data.replace(b"\r\n", b"\x20 ")
        yield b"GET /" + line + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
        yield b"GET /api/snapshots?q=" + line + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
        yield b"GET /api/snapshots HTTP/1.1\r\nHost: localhost\r\n" + data + b"\r\n\r\n"
        for header in headers:
            yield b"GET /api/snapshots HTTP/1.1\r\nHost: localhost\r\n" + header + line + b"\r\n\r\n"
        for path, kind in (
            (b"/login", b"application/x-www-form-urlencoded"),
            (b"/api/cameras/yard/trigger", b"application/json"),
            (b"/api/hooks/yard", b"application/json"),
            (b"/api/cameras/yard/snapshots", b"image/jpeg"),
            (b"/api/cameras/yard/snapshots", b"multipart/form-data; boundary=x"),
            (b"/snapshots/0/star", b"application/x-www-form-urlencoded"),
            (b"/snapshots/0/note", b"multipart/form-data; boundary=x"),
        ):
            head = b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + kind
            yield head + b"\r\nContent-Length: %d\r\n\r\n" % len(data) + data
            yield head + b"\r\nTransfer-Encoding: chunked\r\n\r\nf4240\r\n" + data + b"\r\n0\r\n\r\n"
    for _, picture in pictures():
        head = b"POST /api/cameras/yard/snapshots HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg"
        yield head + b"\r\nContent-Length: %d\r\n\r\n" % len(picture) + picture


def ftp(user: str, password: str) -> Iterator[bytes]:
    """Sessions of the FTP server."""
    login = f"USER {user}\r\nPASS {password}\r\n".encode()
    for data in NONSENSE.values():
        line = data.replace(b"\r\n", b"  ") + b"\r\n"
        yield data
        yield b"USER " + line
        yield b"USER x\r\nPASS " + line
        for command in (b"CWD ", b"MKD ", b"STOR ", b"SIZE ", b"RNFR ", b"OPTS ", b"SITE ", b"PORT ", b"EPRT "):
            yield login + command + line


def mail() -> Iterator[bytes]:
    """Sessions of the mail listener, and mails."""
    begin = b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<yard@cameras>\r\nDATA\r\n"
    for data in NONSENSE.values():
        line = data.replace(b"\r\n", b"  ")
        yield data
        for command in (b"HELO ", b"MAIL FROM:<", b"AUTH PLAIN ", b"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<"):
            yield command + line + b">\r\n"
        for header in (
            b"Subject: ",
            b"From: ",
            b"Date: ",
            b"Content-Type: multipart/mixed; boundary=",
            b'Content-Type: image/jpeg; name="',
            b'Content-Type: image/jpeg\r\nContent-Disposition: attachment; filename="',
            b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: ",
        ):
            yield begin + header + line + b'"\r\n\r\nx\r\n.\r\n'
        yield begin + data + b"\r\n.\r\n"
        yield begin + b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--x\r\n" * 200_000 + b"\r\n.\r\n"
    for _, picture in pictures():
        text = base64.encodebytes(picture).replace(b"\n", b"\r\n")
        yield begin + b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: base64\r\n\r\n" + text + b".\r\n"


def send(port: int, data: bytes, source: str) -> None:
    """One connection: all of it, as far as the other side takes it, and whatever it answers."""
    address = ("127.0.0.1", port)
    with contextlib.suppress(OSError), socket.create_connection(address, WAIT_S, (source, 0)) as connection:
        connection.settimeout(WAIT_S)
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until and connection.recv(65_536):
            pass


def upload(port: int, user: str, password: str, name: str, data: bytes, source: str) -> None:
    """One file by FTP."""
    with contextlib.suppress(OSError, ftplib.Error, EOFError), ftplib.FTP() as client:
        client.connect("127.0.0.1", port, WAIT_S, (source, 0))
        client.login(user, password)
        client.cwd("uploads/snapshots/yard")
        client.storbinary(f"STOR {name}", io.BytesIO(data))


def main() -> None:
    """Send all of them, or every so many, and print how many that were."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile.attacks", description=__doc__)
    parser.add_argument("--web", type=int, required=True, help="port")
    parser.add_argument("--ftp", type=int, required=True, help="port")
    parser.add_argument("--mail", type=int, required=True, help="port")
    parser.add_argument("--login", required=True, help="user:password of FTP")
    parser.add_argument("--every", type=int, default=1, help="leave out all but every so many")
    options = parser.parse_args()
    user, _, password = options.login.partition(":")
    # Each from an address of its own: what one of them is refused for later must not shield from the next.
    sources = (f"127.0.{high}.{low}" for high in range(2, 255) for low in range(1, 255))
    sent = 0
    for port, connections in ((options.web, web()), (options.ftp, ftp(user, password)), (options.mail, mail())):
        for data in itertools.islice(connections, None, None, options.every):
            send(port, data, next(sources))
            sent += 1
    for number, (_, picture) in enumerate(pictures()):
        upload(options.ftp, user, password, f"{number}.jpg", picture, next(sources))
        sent += 1
    print(sent)


if __name__ == "__main__":
    main()
