"""FTP and mail behind HAProxy: the client is who it says, for uploads, bans and data connections alike."""

from __future__ import annotations

import contextlib
import ftplib
import smtplib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.uploads.inbox import Inbox
from pylib.net.limiter import ConnectionLimiter
from tests.haproxy import ADDRESS, balanced
from tests.integration.ftp import DOOR_PASSWORD, DOOR_USER, PASSWORD, USER, Ftp, eventually, picture, store
from tests.integration.test_mail import LOGIN, PICTURES, Site, mail

PROXIES = ("127.0.0.1/32",)
CAMERA, STRANGER = "127.0.0.5", "127.0.0.6"
in_version_2 = pytest.mark.parametrize("site", ["send-proxy-v2"], indirect=True)


class Balanced:
    """An FTP server with a balancer before its ports."""

    def __init__(self, ftp: Ftp) -> None:
        self.ftp = ftp

    def connect(self, source: str) -> ftplib.FTP:
        """A connection of this client's through the balancer."""
        ftp = ftplib.FTP()
        ftp.connect(ADDRESS, self.ftp.port, timeout=30, source_address=(source, 0))
        return ftp


@pytest.fixture(params=["send-proxy-v2", "send-proxy"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Balanced]:
    changes: dict[str, Any] = {
        "trusted_proxies": PROXIES,
        "masquerade_address": ADDRESS,
        "ban_after": 3,
        "tls": "offered",
    }
    with Ftp(tmp_path, **changes, limiter=ConnectionLimiter(100)) as ftp:
        ports = {"ftp": str(ftp.port), "data": ftp.settings.passive_ports}
        with balanced(ports, header=request.param):
            yield Balanced(ftp)


@in_version_2
def test_a_picture_arrives_by_either_way_of_passive_mode(site: Balanced) -> None:
    with contextlib.closing(site.connect(CAMERA)) as ftp:
        ftp.login(DOOR_USER, DOOR_PASSWORD)
        store(ftp, "extended.jpg", picture("extended"))
        ftp.af = socket.AF_UNSPEC  # neither of which it takes for IPv4: then it says EPSV
        store(ftp, "plain.jpg", picture("plain"))
    eventually(lambda: len(site.ftp.taken) == 2)
    assert site.ftp.contents == [picture("extended"), picture("plain")]


def test_who_guesses_a_password_is_banned_and_nobody_else(site: Balanced) -> None:
    with contextlib.closing(site.connect(STRANGER)) as ftp:
        for wrong in ("one", "two", "three"):
            with pytest.raises((ftplib.error_perm, ftplib.error_temp)):
                ftp.login(USER, wrong)
    assert [ban.address for ban in site.ftp.server.throttle.bans()] == [STRANGER]
    with contextlib.closing(site.connect(CAMERA)) as ftp:
        ftp.login(USER, PASSWORD)


@in_version_2
def test_nobody_else_gets_a_camera_s_data_connection(site: Balanced) -> None:
    with contextlib.closing(site.connect(CAMERA)) as ftp:
        ftp.login(DOOR_USER, DOOR_PASSWORD)
        host, port = ftplib.parse227(ftp.sendcmd("PASV"))
        assert host == ADDRESS
        ftp.putcmd("STOR stolen.jpg")
        with socket.create_connection((host, port), timeout=30, source_address=("127.0.1.1", 0)) as other:
            other.sendall(picture("another's"))
            with pytest.raises(ftplib.error_temp, match="foreign address"):
                list(iter(ftp.getresp, None))  # 150 first, unless the other was there before the command
    assert site.ftp.taken == []


@in_version_2
def test_tls_begins_behind_the_header(site: Balanced) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.closing(ftplib.FTP_TLS(context=context, timeout=30)) as ftp:
        ftp.connect(ADDRESS, site.ftp.port)
        ftp.login(DOOR_USER, DOOR_PASSWORD)
        ftp.prot_p()
        store(ftp, "secret.jpg", picture("secret"))
    eventually(lambda: site.ftp.contents == [picture("secret")])


@in_version_2
def test_whoever_comes_past_the_balancer_is_taken_as_ever(site: Balanced) -> None:
    direct = ftplib.FTP()
    with contextlib.closing(direct):
        direct.connect("127.0.0.1", site.ftp.port, timeout=30, source_address=(CAMERA, 0))
        direct.login(DOOR_USER, DOOR_PASSWORD)
        store(direct, "direct.jpg", picture("direct"))
    eventually(lambda: site.ftp.contents == [picture("direct")])


@pytest.mark.parametrize(
    ("tls", "header"), [("off", "send-proxy"), ("starttls", "send-proxy-v2"), ("implicit", "send-proxy-v2")]
)
def test_mail_is_a_camera_s_own_through_a_balancer(tmp_path: Path, header: str, tls: str) -> None:
    site = Site(tmp_path, Inbox(tmp_path / "area"), data_dir=tmp_path, trusted_proxies=PROXIES, tls=tls)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE

    def client(source: str) -> smtplib.SMTP:
        if tls == "implicit":
            return smtplib.SMTP_SSL(ADDRESS, site.port, context=context, timeout=30, source_address=(source, 0))
        plain = smtplib.SMTP(ADDRESS, site.port, timeout=30, source_address=(source, 0))
        if tls == "starttls":
            plain.starttls(context=context)
        return plain

    with contextlib.closing(site), balanced({"mail": str(site.port)}, header=header):
        for wrong in ("one", "two", "three"):
            with client(STRANGER) as stranger, pytest.raises(smtplib.SMTPAuthenticationError):
                stranger.login(LOGIN["username"], wrong)
        assert [ban.address for ban in site.throttle.bans()] == [STRANGER]
        with client(CAMERA) as camera:
            camera.login(LOGIN["username"], LOGIN["password"])
            camera.send_message(mail(PICTURES[0]))
        eventually(lambda: site.pictures == [("gate1", PICTURES[0])])
