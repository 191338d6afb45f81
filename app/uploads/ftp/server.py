"""The FTP server's thread: pyftpdlib with its own event loop, watched like every other thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import structlog
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

from app.uploads.ftp.accounts import Account, Accounts
from app.uploads.ftp.data import Receiving
from app.uploads.ftp.quota import Quota
from app.uploads.ftp.settings import BANS_FILE, FtpSettings
from app.uploads.ftp.storage import Storage
from app.uploads.inbox import ARRIVING, Inbox, InboxFile
from pylib.errors import Permanent
from pylib.net.limiter import ConnectionLimiter, Gate
from pylib.net.listening import BACKLOG, listen
from pylib.net.login_throttle import LoginThrottle
from pylib.runtime.supervisor import Supervisor
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

TICK_S = 0.25
"""Longest wait of the loop, and so the delay until it notices a request to stop."""
FAREWELL = b"421 No more connections now; try again.\r\n"
DRAIN_S = 3.0
"""Given to uploads in progress when the service stops; the camera sends those again that are cut then."""


class AreaUnusable(Permanent):
    """The folders of the upload area cannot be made."""


class FtpServer(ManagedThread):
    """Takes cameras' uploads until it is stopped."""

    def __init__(
        self,
        settings: FtpSettings,
        accounts: Iterable[Account],
        *,
        inbox: Inbox,
        data_dir: Path,
        on_taken: Callable[[InboxFile, str], None] | None,
        folders: Iterable[PurePosixPath] = (),
        folder_by_address: Callable[[str], PurePosixPath | None] = lambda _address: None,
        names_camera: Callable[[PurePosixPath], bool] = lambda _name: True,
        respelled: Callable[[PurePosixPath], PurePosixPath] = lambda name: name,
        wanted: Callable[[PurePosixPath], bool] = lambda _name: True,
        ignored: Callable[[PurePosixPath], bool] = lambda _name: False,
        count: Callable[[str], None] = lambda _outcome: None,
        limiter: ConnectionLimiter | None = None,
    ) -> None:
        """`limiter`: that of the process.

        Callbacks run in the server's thread:

        `on_taken(taken, "ftp")` for each complete picture, taken out of the area; with None everything stays there.
        `folder_by_address` gives the folder (below the area) of the camera at an address, for files of the
        shared login whose path names no camera by `names_camera`; `respelled` gives a path in the area with its
        camera's folder as that is called there; a file whose name is not `wanted` is accepted and deleted, one whose
        name is `ignored` stays in the area. `count` gets `taken`, `ignored`, `left` (incomplete, or no picture: the
        watcher's), `failed`, `over_quota`, `stalled`, `bad_login`, `banned`. `folders` are made besides those of
        accounts and settings. `inbox.open()` is the caller's, and comes first: it deletes what others were writing.

        Raises `app.uploads.ftp.accounts.DuplicateLogin`.
        """
        super().__init__("ftp")
        self.settings = settings
        self.accounts = Accounts(accounts, area=inbox.area.resolve())
        self.throttle = LoginThrottle(
            "ftp",
            after=settings.ban_after,
            within=settings.ban_within,
            wait=settings.ban_for,
            path=data_dir / BANS_FILE,
            on_ban=lambda _address: count("banned"),
        )
        self._gate = (limiter or ConnectionLimiter()).gate(
            "ftp",
            most=settings.max_connections,
            per_address=settings.max_per_address,
            farewell=FAREWELL,
            remedy="set FTP_MAX_PER_ADDRESS",
        )
        self._inbox = Inbox(inbox.area.resolve())  # clients' paths are compared with it, links resolved
        self._data_dir = data_dir
        self._on_taken = on_taken
        self._folders = [*folders, *self.accounts.folders, *map(PurePosixPath, settings.create_dirs)]
        self._folder_by_address, self._names_camera = folder_by_address, names_camera
        self._respelled, self._wanted = respelled, wanted
        self._ignored = ignored
        self._count = count
        self._socket: socket.socket | None = None
        self._session: type[Any] | None = None
        self._pausing = threading.Event()
        self._abandoned = threading.Event()

    def open(self) -> int:
        """Make the folders and the certificate, take the address, and return the port (for 0: which one).

        Raises `pylib.net.listening.AddressInUse`, `AreaUnusable`, `app.uploads.certificate.CertificateUnusable`.
        """
        self._make_folders()
        self.throttle.open()
        self._session = self._session_class()
        self._socket = listen(
            self.settings.host, self.settings.port, code="ftp_address", remedy="set FTP_HOST or FTP_PORT"
        )
        port = int(self._socket.getsockname()[1])
        log.info("ftp server listens", host=self.settings.host, port=port, logins=len(self.accounts))
        return port

    def pause(self) -> None:
        self._pausing.set()

    def abandon(self) -> None:
        self._abandoned.set()

    def run(self) -> None:
        if self._socket is None:
            self.open()
        assert self._socket is not None  # noqa: S101 - `open` raises or sets it
        ioloop = IOLoop()
        # A copy of the socket, so that this thread can be started again after a crash without losing the port.
        listener = self._gate.guarding(self._socket, balancers=self.settings.trusted_proxies)
        server = _Server(listener, self._session, ioloop, gate=self._gate)
        try:
            self._serve(ioloop)
        finally:
            server.close_all()
            self.throttle.save()
            if self.stopping.is_set():
                self._socket.close()
                self._socket = None

    def _serve(self, ioloop: Any) -> None:
        # Not pyftpdlib's own loop: that one does not end, and sets up logging to stderr.
        wait, deadline = 0.0, float("inf")
        while not (self.stopping.is_set() and (time.monotonic() > deadline or not _receiving(ioloop))):
            self.beat()
            self._gate.closing = self._pausing.is_set() or self.stopping.is_set()
            if self.stopping.is_set():
                deadline = min(deadline, time.monotonic() + DRAIN_S)
            if self._abandoned.is_set():
                return
            ioloop.poll(wait)
            due = ioloop.sched.poll()
            wait = TICK_S if due is None else min(TICK_S, due)
            self.throttle.save()

    def _make_folders(self) -> None:
        area = self._inbox.area
        try:
            for folder in (PurePosixPath(ARRIVING), PurePosixPath(self.settings.upload_dir), *self._folders):
                (area / folder).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AreaUnusable("ftp_area", f"cannot make folders in {area}: {error.strerror}") from error

    def _session_class(self) -> type[Any]:
        """A class and not an object, for pyftpdlib makes one of it for each connection."""
        settings = self.settings
        quota = Quota(self._inbox.area, limit=settings.quota, upload_dir=PurePosixPath(settings.upload_dir))
        quota.measure()
        storage = Storage(
            self._inbox,
            quota=quota,
            on_taken=self._on_taken,
            count=self._count,
            wanted=self._wanted,
            ignored=self._ignored,
        )
        attributes: dict[str, Any] = {
            "storage": storage,
            "throttle": self.throttle,
            "authorizer": self.accounts,
            "count": staticmethod(self._count),
            "folder_by_address": staticmethod(self._folder_by_address),
            "names_camera": staticmethod(self._names_camera),
            "respelled": staticmethod(self._respelled),
            "stall_timeout": settings.stall_timeout,
            "timeout": settings.stall_timeout,
            "passive_ports": settings.passive_range,
            "masquerade_address": settings.masquerade_address or None,
            "balancers": settings.trusted_proxies,
        }
        if settings.tls == "off":
            from app.uploads.ftp.handler import FtpSession

            return type("PlainSession", (FtpSession,), attributes)
        from app.uploads.certificate import make_certificate, tls_context
        from app.uploads.ftp.tls import TlsSession

        if settings.certificate_file is not None and settings.key_file is not None:
            files = settings.certificate_file, settings.key_file
        else:
            names = (settings.masquerade_address,) if settings.masquerade_address else ()
            files = make_certificate(self._data_dir, names=names)
        attributes["ssl_context"] = tls_context(*files)
        attributes["tls_control_required"] = attributes["tls_data_required"] = settings.tls == "required"
        return type("EncryptedSession", (TlsSession,), attributes)


class _Server(FTPServer):  # type: ignore[misc]
    """The listening socket."""

    max_cons = 0  # the gate counts: pyftpdlib would count data connections, too

    def __init__(self, sock: socket.socket, session: Any, ioloop: Any, *, gate: Gate) -> None:
        self._gate = gate
        super().__init__(sock, session, ioloop=ioloop, backlog=BACKLOG)

    @property
    def closing(self) -> bool:
        """Whether nothing new is taken."""
        return self._gate.closing

    def handle_error(self) -> None:
        # pyftpdlib's closes the listening socket for good, when file descriptors run out for a moment.
        log.exception("cannot accept an ftp connection, trying again")
        self.del_channel()
        self.ioloop.call_later(1.0, self.add_channel)


def run_alone(
    settings: FtpSettings,
    accounts: Iterable[Account],
    *,
    inbox: Inbox,
    data_dir: Path,
    folders: Iterable[PurePosixPath] = (),
) -> int:
    """Run the server without the pipeline until a signal; returns the exit status.

    Uploads lie under their names in the area, for the watcher of a service that runs now or later.
    Raises what `FtpServer` and its `open` raise.
    """
    server = FtpServer(settings, accounts, inbox=inbox, data_dir=data_dir, on_taken=None, folders=folders)
    server.open()
    return Supervisor([server], grace=2 * DRAIN_S).run()


def _receiving(ioloop: Any) -> bool:
    return any(isinstance(one, Receiving) and one.receive for one in list(ioloop.socket_map.values()))
