"""An FTP server of ours on loopback, and the cameras that upload to it."""

from __future__ import annotations

import contextlib
import ftplib
import io
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from app.uploads.ftp.accounts import Account
from app.uploads.ftp.server import FtpServer
from app.uploads.ftp.settings import FtpSettings
from app.uploads.inbox import Inbox, InboxFile
from pylib.settings.credentials import Secret
from tests.broker import free_range
from tests.fakes.pictures import busy, encoded

UPLOADS = "uploads/snapshots"
DOOR = f"{UPLOADS}/frontdoor"
USER, PASSWORD = "home", "s3cret @:,%"
DOOR_USER, DOOR_PASSWORD = "door", "open"
PICTURE = encoded(busy(160, 120))


class Ftp:
    """A running server and what it has handed over."""

    def __init__(self, home: Path, *, alone: bool = False, passive: int = 20, **changes: Any) -> None:
        self.home = home
        self.area = home / "ftp"
        self.taken: list[InboxFile] = []
        self.outcomes: list[str] = []
        names = ("folder_by_address", "names_camera", "respelled", "folders", "limiter")
        options = {name: changes.pop(name) for name in names if name in changes}
        accounts = [
            Account(USER, Secret(PASSWORD)),
            Account(DOOR_USER, Secret(DOOR_PASSWORD), PurePosixPath(DOOR)),
        ]
        accounts += changes.pop("accounts", [])
        ports = free_range(passive)
        default = {"host": "127.0.0.1", "port": 0, "passive_ports": f"{ports[0]}-{ports[-1]}", "tls": "off"}
        self.settings = FtpSettings().model_copy(update=default | changes)
        if not alone:
            Inbox(self.area).open()
        self.server = FtpServer(
            self.settings,
            accounts,
            inbox=Inbox(self.area),
            data_dir=home,
            on_taken=None if alone else lambda taken, _origin: self.taken.append(taken),
            count=self.outcomes.append,
            **options,
        )
        self.port = 0

    def __enter__(self) -> Ftp:
        self.port = self.server.open()
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        assert self.server.join(60)
        assert self.server.error is None

    @property
    def names(self) -> list[str]:
        """What was handed over, in order."""
        return [str(taken.name) for taken in self.taken]

    @property
    def contents(self) -> list[bytes]:
        return [taken.path.read_bytes() for taken in self.taken]

    @property
    def lying(self) -> dict[str, bytes]:
        """What lies in the area under its name."""
        return {
            str(path.relative_to(self.area)): path.read_bytes()
            for path in self.area.rglob("*")
            if path.is_file() and not path.is_relative_to(self.area / ".taken")
        }

    def connect(self, source: str = "127.0.0.1") -> ftplib.FTP:
        """A connection from an address of the loopback network."""
        ftp = ftplib.FTP()
        ftp.connect(self.settings.host, self.port, timeout=10, source_address=(source, 0) if source else None)
        return ftp

    @contextlib.contextmanager
    def login(self, username: str = USER, password: str = PASSWORD, source: str = "127.0.0.1") -> Iterator[ftplib.FTP]:
        """A session."""
        with contextlib.closing(self.connect(source)) as ftp:
            ftp.login(username, password)
            yield ftp

    def tls_client(self) -> ftplib.FTP_TLS:
        """A client that trusts the server's certificate, not yet connected."""
        context = ssl.create_default_context(cafile=str(self.home / "ftp-certificate.pem"))
        return ftplib.FTP_TLS(context=context, timeout=10)

    @contextlib.contextmanager
    def tls(self, username: str = USER, password: str = PASSWORD) -> Iterator[ftplib.FTP_TLS]:
        """An encrypted session."""
        with contextlib.closing(self.tls_client()) as ftp:
            ftp.connect("localhost", self.port)
            ftp.login(username, password)
            ftp.prot_p()
            yield ftp

    def run(self, *command: str, fails: bool = False) -> str:
        """Run a client of the distribution; its output."""
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, cwd=self.home)
        assert (done.returncode != 0) == fails, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr


def store(ftp: ftplib.FTP, path: str, data: bytes = PICTURE) -> str:
    try:
        return ftp.storbinary(f"STOR {path}", io.BytesIO(data))
    except (BrokenPipeError, ConnectionResetError):  # refused while the rest was still being sent
        return ftp.voidresp()


def picture(comment: str) -> bytes:
    """A JPEG like no other: with this comment in it."""
    text = comment.encode()
    return PICTURE[:2] + b"\xff\xfe" + (2 + len(text)).to_bytes(2, "big") + text + PICTURE[2:]


def eventually(condition: Callable[[], object], within: float = 60.0) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def at_once(*calls: Callable[[], None]) -> None:
    """Run all in threads of their own; raises the first error."""
    errors: list[BaseException] = []

    def guarded(call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
