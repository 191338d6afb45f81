"""Mails to guests, by SMTP within a deadline."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from app.booth.guests import ascii_address
from app.booth.settings import BoothMailSettings
from app.jobs import NotYet
from pylib.errors import Permanent, Transient
from pylib.net.deadline import TimedTLSSocket, timed, within

AWAY_S = 60.0
"""Seconds after which a mail is tried again where there was no connection."""


class Mailer:
    """Sends mails, each over a connection of its own."""

    def __init__(self, settings: BoothMailSettings, *, away: float = AWAY_S) -> None:
        """`away`: seconds after which a server is tried again that could not be reached."""
        self._settings = settings
        self._away = away

    def send(self, *, to: str, subject: str, text: str, message_id: str) -> None:
        """Hand a mail to the server. Raises `NotYet`, `Transient` or `Permanent`; none of them names anybody.

        `message_id`: the same for the same mail, by which mailboxes know one that was sent again.
        """
        mail = EmailMessage()
        mail["Subject"], mail["From"], mail["To"] = subject, self._settings.sender, ascii_address(to)
        mail["Message-ID"], mail["Auto-Submitted"] = f"<{message_id}@snapshot-processor>", "auto-generated"
        mail.set_content(text)
        with _said(self._away), within(self._settings.timeout), self._connected() as server:
            server.send_message(mail)

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        settings = self._settings
        context = ssl.create_default_context()
        context.sslsocket_class = TimedTLSSocket
        at: dict[str, Any] = {"host": settings.host, "port": settings.port, "timeout": settings.timeout}
        with _TimedTLSSMTP(context=context, **at) if settings.tls == "implicit" else _TimedSMTP(**at) as server:
            if settings.tls == "starttls":
                server.starttls(context=context)
            if settings.username:
                server.login(settings.username, settings.password.get_secret_value())
            yield server


class _TimedSMTP(smtplib.SMTP):
    """Keeps to the deadline with everything that it reads and writes."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return timed(socket.create_connection((host, port), timeout))


class _TimedTLSSMTP(smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = timed(socket.create_connection((host, port), timeout))
        return self.context.wrap_socket(plain, server_hostname=host)


@contextmanager
def _said(away: float) -> Iterator[None]:
    """Errors in our words, without the server's own, which name people."""
    try:
        yield
    except smtplib.SMTPNotSupportedError:
        raise Permanent("mail_not_supported", "the mail server lacks what the settings or this address need") from None
    except smtplib.SMTPAuthenticationError:
        raise Transient("mail_login", "the mail server does not accept this login") from None
    except smtplib.SMTPRecipientsRefused as error:
        code = max((status for status, _ in error.recipients.values()), default=550)
        raise _refusal("address_refused", "the mail server refuses the guest's address", code) from None
    except smtplib.SMTPServerDisconnected:
        raise NotYet("mail_away", "the mail server ended the connection", after=away) from None
    except smtplib.SMTPResponseException as error:
        raise _refusal("mail_refused", "the mail server refuses the mail", error.smtp_code) from None
    except ssl.SSLError:
        raise Transient("mail_tls", "no trusted connection to the mail server came about") from None
    except OSError:
        raise NotYet("mail_away", "the mail server could not be reached", after=away) from None


def _refusal(code: str, sentence: str, status: int) -> Permanent | Transient:
    """Of a status of SMTP: one that begins with 4 passes (RFC 5321, 4.2.1)."""
    kind = Permanent if status >= 500 else Transient
    return kind(code, f"{sentence} ({status})")
