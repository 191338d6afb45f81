"""One FTP session: pyftpdlib's handler, extended only for the habits of cameras."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

import structlog
from pyftpdlib.handlers import FTPHandler

from app.naming import text_of
from app.uploads.ftp.accounts import Accounts
from app.uploads.ftp.data import NoPassivePort, Passive, Receiving
from app.uploads.ftp.storage import Storage, StoreRefused
from app.uploads.ftp.view import View
from pylib.net.addresses import written
from pylib.net.limiter import HEAD_S
from pylib.net.login_throttle import LoginThrottle

log = structlog.get_logger(__name__)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_USUAL = {
    "125 ": "150 ",
    "227 Entering passive mode": "227 Entering Passive Mode",
    "229 Entering extended passive mode": "229 Entering Extended Passive Mode",
    "220 Other commands": "200 Other commands",
}
"""How a reply of pyftpdlib begins -> how firmware expects it, of which some looks for exactly this; the last one
answers EPSV ALL."""
_COMMANDS = {name: about | {"arg": about["arg"] or None} for name, about in FTPHandler.proto_cmds.items()}
_COMMANDS["OPTS"] |= {"auth": False}
"""As pyftpdlib's, but what stands behind a command that takes nothing is passed over, and UTF-8 may be set before the
login, as old clients do."""
_TYPES = {"A": "ASCII", "I": "binary", "L": "binary"}


class FtpSession(FTPHandler):  # type: ignore[misc]
    """The control connection of one client. The server sets the class attributes of a subclass.

    DELE and RMD are refused (550, no permission): a camera that tests its settings stores a probe, asks for its
    SIZE and deletes it, and takes the refusal of the last for what it is.
    """

    storage: Storage
    throttle: LoginThrottle
    authorizer: Accounts
    count: Callable[[str], None]
    folder_by_address: Callable[[str], PurePosixPath | None]
    names_camera: Callable[[PurePosixPath], bool]
    respelled: Callable[[PurePosixPath], PurePosixPath]
    stall_timeout: float
    balancers: tuple[str, ...]
    """Networks from which data connections begin with a PROXY header, too."""
    fs: View
    data_channel: Any
    ioloop: Any
    _restart_position: int
    _rnfr: str | None

    dtp_handler = Receiving
    passive_dtp = Passive
    abstracted_fs = View
    proto_cmds = _COMMANDS
    banner = "snapshot-processor ready."
    use_sendfile = False
    max_login_attempts = 3
    auth_failed_timeout = 1

    username: str
    _login_due: Any = None
    camera_folder: PurePosixPath | None = None
    """That of the camera at the client's address, below the upload area; for the shared login alone."""

    # Binary always: a client that omits TYPE I would have its pictures' line ends converted, and its SIZE and
    # REST refused.
    _current_type = property(lambda _self: "i", lambda _self, _value: None)

    @property
    def address(self) -> str:
        """The client's, IPv4 written as such on a socket for both."""
        return written(self.remote_ip)

    # -- what comes in ----------------------------------------------------------------------------

    def decode(self, line: bytes) -> str:
        return text_of(line)

    def respond(self, resp: str, logfun: Any = log.debug) -> None:
        for theirs, usual in _USUAL.items():
            if resp.startswith(theirs):
                resp = usual + resp.removeprefix(theirs)
        super().respond(resp, logfun)

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        if _CONTROL.search(line):
            self.respond("501 Control characters are not understood.")
        elif cmd == "SITE" and self.authenticated and arg.split(" ")[0].upper() != "HELP":
            self.respond("200 Ignored.")  # CHMOD, UMASK, UTIME, IDLE: nothing that a camera needs done
        else:
            super().pre_process_command(line, cmd, arg)

    def ftp_ALLO(self, _line: str) -> None:  # noqa: N802
        # One family of cameras takes pyftpdlib's 202 for "not yet" and asks for ever.
        self.respond("200 There is room.")

    def ftp_TYPE(self, line: str) -> None:  # noqa: N802
        # With whatever second word (format, bits of a byte): the bytes are stored as they come.
        kind = _TYPES.get(line[:1].upper())
        self.respond(f"200 Type set to {kind}." if kind else "504 Types are A, I and L.")

    def ftp_CWD(self, path: str) -> None:  # noqa: N802
        try:
            self.fs.chdir(path)
        except OSError as error:
            self.respond(f"550 {error.strerror}.")
        else:
            self.respond(f'250 "{self.fs.cwd}" is the current directory.')

    # -- files ------------------------------------------------------------------------------------

    def ftp_STOR(self, file: str, mode: str = "w") -> None:  # noqa: N802
        offset, self._restart_position = self._restart_position, 0
        self._receive("APPE" if mode == "a" else "STOR", Path(file), offset=offset)

    def ftp_STOU(self, line: str) -> None:  # noqa: N802
        given = Path(self.fs.ftp2fs(line or "upload"))
        path = given.with_name(f"{given.stem}-{uuid.uuid4().hex[:12]}{given.suffix}")
        if self._restart_position:
            self.respond("450 Can't STOU while REST request is pending.")
        elif not self.fs.validpath(str(path)):
            self.respond("550 Not there.")
        else:
            self._receive("STOU", path)

    def ftp_RNTO(self, path: str) -> None:  # noqa: N802
        source, self._rnfr = self._rnfr, None
        if not source:
            self.respond("503 Bad sequence of commands: use RNFR first.")
            return
        try:
            self.storage.rename(Path(source), Path(path), sender=self.address)
        except StoreRefused as refused:
            self.respond(str(refused))
        else:
            self.respond("250 Renaming ok.")

    def ftp_RNFR(self, path: str) -> None:  # noqa: N802
        if not self.fs.isfile(path):  # folders stay where they are: they are the cameras'
            self.respond("550 No such file.")
            return
        self._rnfr = path
        self.respond("350 Ready for destination name.")

    def _receive(self, cmd: str, path: Path, *, offset: int = 0) -> None:
        if self.server.closing:
            self.respond("421 The service is stopping; try again.")
            return
        try:
            upload = self.storage.receive(path, append=cmd == "APPE", offset=offset, sender=self.address)
        except StoreRefused as refused:
            self.respond(str(refused))
            return
        self.respond(f"150 FILE: {path.name}" if cmd == "STOU" else "150 Go ahead.")
        if self.data_channel is not None:
            self.data_channel.file_obj = upload
            self.data_channel.enable_receiving("i", cmd)
        else:
            self._in_dtp_queue = (upload, cmd)

    # -- connections ------------------------------------------------------------------------------

    def handle(self) -> None:
        self._login_due = self.ioloop.call_later(HEAD_S, self._end_without_login, _errback=self.handle_error)
        super().handle()

    def _end_without_login(self) -> None:
        """A handshake or login that takes for ever is none, whatever is said in between."""
        if not self.authenticated:
            log.warning("ftp connection without a login closed", address=self.address)
            self.close()

    def _make_epasv(self, extmode: bool = False) -> None:
        try:
            super()._make_epasv(extmode)
        except NoPassivePort:
            log.warning("no passive port is free", address=self.address, ports=str(self.passive_ports))
            self.respond("425 No port is free; try again.")

    def close(self) -> None:
        if self._login_due is not None and not self._login_due.cancelled:
            self._login_due.cancel()
        if not self._closed and self.data_channel is not None:
            self.data_channel.drain()
        super().close()

    # -- logins -----------------------------------------------------------------------------------

    def ftp_PASS(self, line: str) -> None:  # noqa: N802
        if self.throttle.wait(self.address, self._login):
            self._turn_away()
        else:
            super().ftp_PASS(line)

    def handle_auth_failed(self, msg: str, password: str) -> None:
        self.count("bad_login")
        if self.throttle.failed(self.address, self._login, (self.username, password)):
            self._turn_away()
        else:
            super().handle_auth_failed(msg, "")

    def handle_auth_success(self, home: str, _password: str, msg_login: str) -> None:
        self.throttle.succeeded(self.address, self._login)
        if self.authorizer[self.username].shared:
            self.camera_folder = self.folder_by_address(self.address)
        super().handle_auth_success(home, "", msg_login)  # the password is not kept

    @property
    def _login(self) -> str:
        """The name that the client gave; empty for one that nobody has."""
        return self.username if self.authorizer.has_user(self.username) else ""

    def _turn_away(self) -> None:
        self.respond("421 Too many bad logins.")
        self.close_when_done()

    # -- pyftpdlib's log lines, which contain clients' input: one of ours where it matters --------

    def log(self, msg: str, logfun: Any = None) -> None:
        """Nothing."""

    def logline(self, msg: str, logfun: Any = None) -> None:
        """Nothing."""

    def log_cmd(self, cmd: str, arg: str, respcode: int, respstr: str) -> None:
        """Nothing."""

    def log_transfer(self, **_about: Any) -> None:
        """Nothing."""

    def log_exception(self, _instance: object) -> None:
        log.exception("ftp session failed", address=self.address)
