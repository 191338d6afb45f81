"""FTP sessions with FTPS offered or required (explicit: AUTH TLS, RFC 4217), on the standard library's `ssl`.

pyftpdlib's own handlers need pyOpenSSL, of which another dependency of ours pins an old release, with an OpenSSL of its
own inside. This one is the interpreter's, which the system keeps up to date.
"""

from __future__ import annotations

import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from pyftpdlib.exceptions import _RetryError

from app.uploads.ftp.data import Receiving
from app.uploads.ftp.handler import FtpSession

log = structlog.get_logger(__name__)

if TYPE_CHECKING:
    from pyftpdlib.ioloop import AsyncChat as _Channel
else:
    _Channel = object


class _TlsChannel(_Channel):  # type: ignore[misc]
    """A connection that may be encrypted; before the classes of pyftpdlib that it is to change."""

    socket: Any
    _plain: Any = None
    """The socket before the handshake, which has lost its descriptor, but is what is counted until it is closed."""
    _shaking_hands = False
    secured = False
    """Whether the handshake is over."""

    def secure(self, context: ssl.SSLContext) -> None:
        """Begin the handshake. What came in the clear behind the command for it is dropped: who knows who sent it."""
        self.ac_in_buffer = b""
        self._plain = self.socket
        try:
            self.socket = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False, suppress_ragged_eofs=False
            )
        except (OSError, ValueError):  # the client is gone
            self.close()
        else:
            self._shaking_hands = True

    def broken(self) -> None:
        """The handshake failed, or what came later is no TLS."""
        raise NotImplementedError

    def readable(self) -> bool:
        return self._shaking_hands or bool(super().readable())

    def writable(self) -> bool:
        return self._shaking_hands or bool(super().writable())

    def handle_read_event(self) -> None:
        self._shake_hands() if self._shaking_hands else super().handle_read_event()

    def handle_write_event(self) -> None:
        self._shake_hands() if self._shaking_hands else super().handle_write_event()

    def recv(self, buffer_size: int) -> bytes:
        try:
            return bytes(super().recv(buffer_size))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
            raise _RetryError from error
        except ssl.SSLEOFError as error:
            if error.reason is None:  # which is how a reset looks
                self.handle_close()
                return b""
        except ssl.SSLError as error:
            self.broken()
            raise _RetryError from error
        self.handle_close()  # a client that closes without a goodbye
        return b""

    def send(self, data: bytes) -> int:
        try:
            return int(super().send(data))
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return 0
        except ssl.SSLError:
            self.broken()
            return 0

    def close(self) -> None:
        if self.secured:
            self.secured = False
            with suppress(OSError, ValueError):
                self.socket.unwrap()  # says goodbye, and does not wait for the client's
        super().close()
        if self._plain is not None:
            self._plain.close()

    def _shake_hands(self) -> None:
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self.modify_ioloop_events(self.ioloop.READ)
        except ssl.SSLWantWriteError:
            self.modify_ioloop_events(self.ioloop.WRITE)
        except (OSError, ValueError):
            self._shaking_hands = False
            self.broken()
        else:
            self._shaking_hands, self.secured = False, True
            self.modify_ioloop_events(self._wanted_io_events)


class TlsReceiving(_TlsChannel, Receiving):
    """A data connection that is encrypted."""

    def __init__(self, sock: Any, session: TlsSession) -> None:
        super().__init__(sock, session)
        if self.connected:
            self.secure(session.ssl_context)

    def broken(self) -> None:
        self._resp = ("522 No TLS with this client; the transfer is given up.", log.debug)
        self.close()


_FLAGS: dict[str, Any] = {"perm": None, "auth": False, "arg": True}


class TlsSession(_TlsChannel, FtpSession):
    """A session that may be encrypted; it must be where `tls_control_required` or `tls_data_required` is set."""

    ssl_context: ssl.SSLContext
    tls_control_required: bool
    tls_data_required: bool

    proto_cmds = FtpSession.proto_cmds | {
        "AUTH": _FLAGS | {"help": "Syntax: AUTH <SP> TLS|SSL (encrypt the control connection)."},
        "PBSZ": _FLAGS | {"help": "Syntax: PBSZ <SP> 0 (of no effect with TLS)."},
        "PROT": _FLAGS | {"help": "Syntax: PROT <SP> C|P (leave data connections clear, or encrypt them)."},
    }

    @property
    def protects_data(self) -> bool:
        """PROT P: data connections are encrypted."""
        return self.dtp_handler is TlsReceiving

    def __init__(self, conn: Any, server: Any, ioloop: Any = None) -> None:
        super().__init__(conn, server, ioloop)
        self._extra_feats = ["AUTH TLS", "AUTH SSL", "PBSZ", "PROT"]

    def broken(self) -> None:
        log.info("no tls with this camera", address=self.address)
        self.close()

    def flush_account(self) -> None:
        super().flush_account()
        self.dtp_handler = Receiving

    def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        if cmd in ("USER", "PASS") and self.tls_control_required and not self.secured:
            self.respond("550 SSL/TLS required on the control channel.")
        elif cmd in ("PASV", "EPSV", "PORT", "EPRT") and self.tls_data_required and not self.protects_data:
            self.respond("550 SSL/TLS required on the data channel.")
        else:
            super().process_command(cmd, *args, **kwargs)

    def handle_timeout(self) -> None:
        if self._shaking_hands:
            self.close()  # there is no way to say anything
        else:
            super().handle_timeout()

    def ftp_AUTH(self, line: str) -> None:  # noqa: N802 - pyftpdlib finds it by this name, as those below
        if self.secured:
            self.respond("503 Already using TLS.")
        elif line.upper() in ("TLS", "TLS-C", "SSL", "TLS-P"):  # RFC 4217: they mean the same
            self.respond(f"234 AUTH {line.upper()} successful.")
            self.secure(self.ssl_context)
        else:
            self.respond("502 Unrecognized encryption type (use TLS or SSL).")

    def ftp_PBSZ(self, _line: str) -> None:  # noqa: N802
        self.respond("200 PBSZ=0 successful." if self.secured else "503 PBSZ not allowed without TLS.")

    def ftp_PROT(self, line: str) -> None:  # noqa: N802
        if not self.secured:
            self.respond("503 PROT not allowed without TLS.")
        elif line.upper() in ("C", "P"):
            self.dtp_handler = TlsReceiving if line.upper() == "P" else Receiving
            self.respond(f"200 Protection set to {'Private' if self.protects_data else 'Clear'}")
        else:
            self.respond("536 Protection levels are C and P.")
