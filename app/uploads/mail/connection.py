"""One camera's SMTP connection: aiosmtpd's protocol, with limits and with tolerance for firmware."""

from __future__ import annotations

import asyncio
import ssl
from asyncio import IncompleteReadError, LimitOverrunError
from contextlib import suppress
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session, TLSSetupException

from app.uploads.mail.admission import Admission
from app.uploads.mail.mime import pieces
from app.uploads.mail.postbox import MailHandler
from pylib.net.addresses import written
from pylib.net.limiter import HEAD_S, STALL_S, Progress

log = structlog.get_logger(__name__)

SESSION_S = 900.0
"""Seconds that one connection may last beside its mails, which last as long as their pace and their size allow."""
COMMANDS = {"*": 200, "AUTH": 4, "STARTTLS": 2}
"""How often each command may be sent in one connection; `*` for all others."""
MAIL_LINE = 600
"""Bytes of the command with the sender and its parameters. Taking addresses apart costs more than they are long."""
CHUNK = 65_536
_END = b".\r\n"


class Connection(SMTP):
    """A connection; its `peer` is known once it is made."""

    # The prompts of widespread servers: some firmware looks for exactly these.
    AuthLoginUsernameChallenge = "Username:"
    AuthLoginPasswordChallenge = "Password:"
    # The stream's buffer, too. Command lines have a limit of their own; the mail's lines may be of any length,
    # for there are cameras that send a picture's Base64 in one.
    line_length_limit = CHUNK

    def __init__(
        self,
        postbox: MailHandler,
        gate: Admission,
        *,
        max_bytes: int,
        starttls: ssl.SSLContext | None,
        require_tls: bool,
    ) -> None:
        self._gate = gate
        self._progress = Progress(STALL_S)
        self._login_due: asyncio.TimerHandle | None = None
        self._max_bytes = max_bytes
        super().__init__(
            postbox,
            data_size_limit=max_bytes,
            enable_SMTPUTF8=True,
            hostname="snapshot-processor",  # otherwise it asks the name server, each time
            ident="ESMTP",
            tls_context=starttls,
            require_starttls=require_tls,
            timeout=STALL_S,
            auth_require_tls=require_tls,
            authenticator=self._judge,
            command_call_limit=COMMANDS,
        )

    @property
    def peer(self) -> str:
        """The client's IP address; empty when it is gone already."""
        peer = self.session.peer if self.session else None
        return written(str(peer[0])) if peer else ""

    def end(self) -> None:
        """Close the connection."""
        if self.transport is not None:  # not gone already
            self._writer.transport.abort()

    def _timeout_cb(self) -> None:
        log.warning("mail connection closed, it sends too slowly", address=self.peer)
        self.end()  # aiosmtpd would wait for a client that does not read to take the last answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        if self._login_due is None:  # made anew by STARTTLS
            self._login_due = self.loop.call_later(HEAD_S, self._end_without_mail)

    def connection_lost(self, error: Exception | None) -> None:
        if self._login_due is not None:
            self._login_due.cancel()
        super().connection_lost(error)

    def _end_without_mail(self) -> None:
        """A handshake or login that takes for ever is none, whatever is said in between."""
        log.warning("mail connection without a mail closed", address=self.peer)
        self.end()

    def data_received(self, data: bytes) -> None:
        if self._progress.made(len(data)):
            self._reset_timeout()  # by itself it is reset by commands only, and a mail may take long
        super().data_received(data)

    def eof_received(self) -> bool | None:
        # aiosmtpd drops here what it has not processed. Some cameras send everything, close and never listen.
        if self.session is not None and self.session.ssl is None and not self._over_tls():
            return asyncio.StreamReaderProtocol.eof_received(self)
        return super().eof_received()

    async def _handle_client(self) -> None:
        address = self.peer
        with suppress(ConnectionError):
            try:
                async with asyncio.timeout(SESSION_S) as self._time:
                    await super()._handle_client()
            except TimeoutError:
                log.warning("mail connection closed after its time", address=address)
                self.end()

    async def handle_exception(self, error: Exception) -> str:
        """The reply to an error; aiosmtpd's would show the sender our exception."""
        if isinstance(error, IncompleteReadError):  # the end of what the client sends
            self._hang_up()
            if self._handler_coroutine is not None:
                self._handler_coroutine.cancel()
        elif isinstance(error, TLSSetupException):
            log.warning("no tls with this camera", address=self.peer, reason=str(error.__cause__))
        elif isinstance(error, IndexError | UnicodeError):  # what aiosmtpd and email make of garbled addresses
            log.warning("mail command not understood", address=self.peer, reason=type(error).__name__)
            return "501 5.5.2 Cannot understand this"
        else:
            log.error("mail command failed", address=self.peer, exc_info=error)
        return "451 4.3.0 Cannot do this"

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd finds it by this name, as those below
        await super().smtp_EHLO(hostname)
        self.command_size_limits["MAIL"] = MAIL_LINE  # it grows with each EHLO of any client by itself

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        if self._over_tls():
            await self.push("503 5.5.1 TLS is on already")
            return
        await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if self._gate.banned(self.peer):
            await self.push("421 4.7.0 Too many wrong passwords, come back later")
            self._hang_up()
            return
        if self.session is not None and self.session.host_name:
            self.session.extended_smtp = True  # old firmware says HELO, and logs in nevertheless
        mechanism, blank, rest = (arg or "").partition(" ")
        await super().smtp_AUTH(f"{mechanism.upper()}{blank}{rest}")  # RFC 4954: in any case

    async def smtp_MAIL(self, arg: str) -> None:  # noqa: N802
        await super().smtp_MAIL(arg)
        if self.envelope is not None and self.envelope.mail_from is not None and self._login_due is not None:
            self._login_due.cancel()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        """As aiosmtpd's, in memory of the mail's own size where that makes an object of each line."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None  # noqa: S101 - made with the connection
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Need RCPT command")
            return
        if arg:
            await self.push("501 5.5.4 Syntax: DATA")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        left = (self._time.when() or 0.0) - self.loop.time()
        self._time.reschedule(None)
        self.envelope.content = await self._content()
        self._time.reschedule(self.loop.time() + left)
        if self.envelope.content is None:
            log.warning("mail too large", address=self.peer, most=self._max_bytes)
            status = f"552 5.3.4 Mails may have {self._max_bytes} bytes; set MAIL_MAX_MESSAGE_BYTES"
        else:
            self._reset_timeout(SESSION_S)  # it is our turn: the client may be silent
            status = await self._call_handler_hook("DATA")
        self.envelope = self._create_envelope()
        self._reset_timeout()
        await self.push(status)

    async def _content(self) -> bytes | None:
        """The mail without its end mark and the dots that protect others (RFC 5321, 4.5.2); None if too large."""
        data, too_large = bytearray(), False
        while data != _END and not data.endswith(b"\r\n" + _END):
            try:
                data += await self._reader.readuntil(_END)
            except LimitOverrunError as overrun:
                data += await self._reader.readexactly(overrun.consumed)
            if not too_large and len(data) > self._max_bytes + len(_END):
                too_large = True
                self._time.reschedule(self.loop.time() + SESSION_S)
            if too_large:  # read on: the client reads the reply only when it has sent everything
                del data[: -len(b"\r\n" + _END)]
        if too_large:
            return None
        del data[-len(_END) :]
        plain = b"".join(piece.replace(b"\r\n.", b"\r\n") for piece in pieces(bytes(data), b"\r"))
        return plain.removeprefix(b".")

    def _judge(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=self._gate.admits(self.peer, login.login, login.password), handled=False)

    def _over_tls(self) -> bool:
        transport: Any = self.transport
        return transport is not None and transport.get_extra_info("sslcontext") is not None

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()
