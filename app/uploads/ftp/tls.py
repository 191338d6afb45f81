"""FTP sessions with FTPS offered or required (explicit: AUTH TLS, RFC 4217)."""

from __future__ import annotations

from pyftpdlib.handlers import TLS_DTPHandler, TLS_FTPHandler

from app.uploads.ftp.data import Receiving
from app.uploads.ftp.handler import FtpSession


class TlsReceiving(Receiving, TLS_DTPHandler):  # type: ignore[misc]
    """A data connection that may be encrypted."""


class TlsSession(FtpSession, TLS_FTPHandler):  # type: ignore[misc]
    """A session that may be encrypted; it must be where `tls_control_required` or `tls_data_required` is set."""

    dtp_handler = TlsReceiving
    proto_cmds = TLS_FTPHandler.proto_cmds
