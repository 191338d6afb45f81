"""What a mail server says decides whether a guest's mail is sent later, tried again, or given up."""

from __future__ import annotations

import smtplib
import ssl

import pytest

from app.booth.mail import _said
from app.jobs import NotYet
from pylib.errors import Failure, Permanent, Transient

GUEST = "ada@example.org"


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (smtplib.SMTPNotSupportedError("STARTTLS"), Permanent, "mail_not_supported"),
        (smtplib.SMTPAuthenticationError(535, GUEST.encode()), Transient, "mail_login"),
        (smtplib.SMTPRecipientsRefused({GUEST: (550, b"who?")}), Permanent, "address_refused"),
        (smtplib.SMTPRecipientsRefused({GUEST: (450, b"later")}), Transient, "address_refused"),
        (smtplib.SMTPServerDisconnected(GUEST), NotYet, "mail_away"),
        (smtplib.SMTPDataError(554, GUEST.encode()), Permanent, "mail_refused"),
        (smtplib.SMTPDataError(451, GUEST.encode()), Transient, "mail_refused"),
        (ssl.SSLCertVerificationError(GUEST), Transient, "mail_tls"),
        (ConnectionRefusedError(GUEST), NotYet, "mail_away"),
        (TimeoutError(GUEST), NotYet, "mail_away"),
    ],
    ids=repr,
)
def test_each_error_has_a_code_and_names_no_guest(error: Exception, kind: type[Failure], code: str) -> None:
    with pytest.raises(kind) as raised, _said(7.0):
        raise error
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert GUEST not in str(raised.value)
    assert not isinstance(raised.value, NotYet) or raised.value.after == 7.0
