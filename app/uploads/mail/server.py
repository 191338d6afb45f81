"""The mail server's thread: aiosmtpd's protocol on an event loop of its own, watched like every other thread."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import weakref
from collections.abc import Callable
from pathlib import Path

import structlog

from app.media.picture import MAX_PIXELS
from app.uploads.certificate import make_certificate, tls_context
from app.uploads.inbox import Inbox, InboxFile
from app.uploads.mail.admission import Admission
from app.uploads.mail.connection import Connection
from app.uploads.mail.postbox import MailHandler
from app.uploads.mail.recipients import Recipients
from app.uploads.mail.settings import MailSettings
from pylib.net.limiter import HEAD_S, ConnectionLimiter
from pylib.net.listening import listen
from pylib.net.login_throttle import LoginThrottle
from pylib.runtime.threads import ManagedThread

log = structlog.get_logger(__name__)

TICK_S = 0.2
DRAIN_S = 3.0
"""Given to mails that are complete but not yet in the inbox when the service stops."""
ANSWER_S = 0.05
"""Given to the replies to these mails, until the connections are closed."""
FAREWELL = b"421 4.3.2 No more connections now, come back later\r\n"


class MailServer(ManagedThread):
    """Takes cameras' mails until it is stopped."""

    def __init__(
        self,
        settings: MailSettings,
        *,
        inbox: Inbox,
        data_dir: Path,
        throttle: LoginThrottle,
        recipients: Recipients,
        on_taken: Callable[[InboxFile, str], None],
        max_pixels: int = MAX_PIXELS,
        videos: bool = False,
        count: Callable[[str], None] = lambda _outcome: None,
        limiter: ConnectionLimiter | None = None,
    ) -> None:
        """`limiter`: that of the process; `videos`: whether they are taken too.

        `throttle` is not the FTP server's object, `data_dir` is for the certificate.

        `on_taken(taken, "mail")` is called for each picture and `count` for each mail, from several threads:
        `taken`, `damaged` (not all of its pictures), `no_picture`, `unknown_camera` (each recipient),
        `too_many_pictures`, `too_many_parts`, `header_too_long`, `inbox_unavailable`, `failed`.
        """
        super().__init__("mail")
        self.settings = settings
        self.throttle = throttle
        self._data_dir = data_dir
        self._connections = (limiter or ConnectionLimiter()).gate(
            "mail",
            most=settings.max_connections,
            per_address=settings.max_per_address,
            farewell=b"" if settings.tls == "implicit" else FAREWELL,
            remedy="set MAIL_MAX_PER_ADDRESS",
        )
        self._gate = Admission(settings, throttle)
        self._new_postbox: Callable[[], MailHandler] = lambda: MailHandler(
            inbox,
            recipients=recipients,
            gate=self._gate,
            max_pictures=settings.max_pictures,
            max_pixels=max_pixels,
            videos=videos,
            on_taken=on_taken,
            count=count,
        )
        self._socket: socket.socket | None = None
        self._tls: ssl.SSLContext | None = None

    def open(self) -> int:
        """Read or make the certificate, take the address, and return the port (for 0: which one).

        Raises `pylib.net.listening.AddressInUse`, `app.uploads.certificate.CertificateUnusable`.
        """
        self.throttle.open()
        self._tls = None if self.settings.tls == "off" else self._context()
        self._socket = listen(
            self.settings.host, self.settings.port, code="mail_address", remedy="set MAIL_HOST or MAIL_PORT"
        )
        port = int(self._socket.getsockname()[1])
        log.info("mail server listens", host=self.settings.host, port=port, tls=self.settings.tls)
        return port

    def pause(self) -> None:
        self._connections.closing = True

    def run(self) -> None:
        if self._socket is None:
            self.open()
        assert self._socket is not None  # noqa: S101 - `open` raises or sets it
        # aiosmtpd logs every command at INFO, and warns of its own use of deprecated parts.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        # A copy of the socket, so that this thread can be started again after a crash without losing the port.
        listener = self._connections.guarding(self._socket, balancers=self.settings.trusted_proxies)
        asyncio.run(self._serve(listener))
        if self.stopping.is_set():
            self._socket.close()
            self._socket = None

    async def _serve(self, listener: socket.socket) -> None:
        postbox = self._new_postbox()
        connections: weakref.WeakSet[Connection] = weakref.WeakSet()
        implicit = self.settings.tls == "implicit"

        def connection() -> Connection:
            one = Connection(
                postbox,
                self._gate,
                max_bytes=self.settings.max_message_bytes,
                starttls=None if implicit else self._tls,
                require_tls=self.settings.tls == "required",
            )
            connections.add(one)
            return one

        server = await asyncio.get_running_loop().create_server(
            connection,
            sock=listener,
            ssl=self._tls if implicit else None,
            ssl_handshake_timeout=HEAD_S if implicit else None,
        )
        try:
            while not self.stopping.is_set():
                self.beat()
                self.throttle.save()
                await asyncio.sleep(TICK_S)
        finally:
            server.close()
            await postbox.finish(DRAIN_S)
            await asyncio.sleep(ANSWER_S)
            for one in list(connections):
                one.end()
            self.throttle.save()

    def _context(self) -> ssl.SSLContext:
        settings = self.settings
        if settings.certificate_file is not None and settings.key_file is not None:
            files = settings.certificate_file, settings.key_file
        else:
            files = make_certificate(self._data_dir)
        return tls_context(*files, code="mail_certificate")
