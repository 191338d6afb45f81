"""The mail server as cameras see it: real connections, and nothing is accepted that is not in the inbox."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import logging
import smtplib
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from app.uploads.camera_folders import CameraFolders, PushingCamera
from app.uploads.certificate import make_certificate
from app.uploads.inbox import Inbox, InboxFile, InboxUnavailable
from app.uploads.mail import connection, server
from app.uploads.mail.recipients import Recipients
from app.uploads.mail.server import MailServer
from app.uploads.mail.settings import MailSettings
from pylib.net.listening import AddressInUse
from pylib.net.login_throttle import LoginThrottle
from tests.fakes.pictures import busy, encoded

LOGIN = {"username": "cam", "password": "s3cret pass"}
OWNERS = CameraFolders(PushingCamera(f"Gate {n} Camera", "Gate", f"gate{n}") for n in range(20))
PICTURES = [encoded(busy(64 + n, 48)) for n in range(30)]


class Site:
    """A running mail server over a real inbox, and what it handed over."""

    def __init__(self, folder: Path, inbox: Inbox | None = None, *, data_dir: Path, **changes: Any) -> None:
        self.inbox = inbox or Inbox(folder / "area")
        self.inbox.open()
        self.taken: list[InboxFile] = []
        self.origins: set[str] = set()
        self.broken = False
        self.counts: Counter[str] = Counter()
        valid = MailSettings.model_validate({"host": "127.0.0.1", **LOGIN, **changes})
        self.throttle = LoginThrottle("mail", after=3, within=60, wait=60)
        self.server = MailServer(
            valid.model_copy(update={"port": 0}),
            inbox=self.inbox,
            data_dir=data_dir,
            throttle=self.throttle,
            recipients=Recipients(OWNERS),
            on_taken=self.hear,
            count=lambda outcome: self.counts.update([outcome]),
        )
        self.port = self.server.open()
        self.server.start()

    def hear(self, taken: InboxFile, origin: str) -> None:
        if self.broken:
            raise RuntimeError("not today")
        self.taken.append(taken)
        self.origins.add(origin)

    def close(self) -> None:
        self.server.pause()
        self.server.stop()
        assert self.server.join(60)
        assert self.server.error is None

    @property
    def pictures(self) -> list[tuple[str, bytes]]:
        return sorted((one.name.parent.name, one.path.read_bytes()) for one in self.taken)

    def client(self, *, source: str = "127.0.0.1", implicit: bool = False) -> smtplib.SMTP:
        where: dict[str, Any] = {"timeout": 10, "source_address": (source, 0)}
        if implicit:
            return smtplib.SMTP_SSL("127.0.0.1", self.port, context=trusting_nobody(), **where)
        return smtplib.SMTP("127.0.0.1", self.port, **where)

    def logged_in(self, **options: Any) -> smtplib.SMTP:
        client = self.client(**options)
        client.login(LOGIN["username"], LOGIN["password"])
        return client

    def raw(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)


def trusting_nobody() -> ssl.SSLContext:
    """As cameras do it: encrypted, whoever it is."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def mail(*pictures: bytes, to: str = "gate1@home", sender: str = "camera@home") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, "Motion"
    message.set_content("Motion was detected.\n.\n..two dots\n")
    for number, picture in enumerate(pictures):
        message.add_attachment(picture, maintype="image", subtype="jpeg", filename=f"{number}.jpg")
    return message


def eventually(condition: Callable[[], bool], *, within: float = 60.0) -> bool:
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's certificate is made once for all tests."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def start(tmp_path: Path, certificates: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Site]]:
    monkeypatch.setattr(server, "TICK_S", 0.02)
    sites: list[Site] = []

    def make(inbox: Inbox | None = None, **changes: Any) -> Site:
        sites.append(Site(tmp_path, inbox, data_dir=certificates, **changes))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.mark.parametrize("tls", ["off", "starttls", "required", "implicit"])
def test_each_attached_picture_is_in_the_inbox_when_the_mail_is_accepted(start: Callable[..., Site], tls: str) -> None:
    site = start(tls=tls)
    with site.client(implicit=tls == "implicit") as client:
        if tls in ("starttls", "required"):
            client.starttls(context=trusting_nobody())
        client.login(LOGIN["username"], LOGIN["password"])
        assert client.send_message(mail(*PICTURES[:3])) == {}
        assert site.pictures == sorted(("gate1", picture) for picture in PICTURES[:3])
    assert [str(one.name) for one in site.taken] == [f"uploads/snapshots/gate1/{n}.jpg" for n in range(3)]
    assert site.origins == {"mail"}
    assert site.counts == {"taken": 1}


def test_where_tls_is_required_nothing_is_said_before_it(start: Callable[..., Site]) -> None:
    with start(tls="required").client() as client:
        client.ehlo()
        assert "auth" not in client.esmtp_features
        assert client.docmd("AUTH", "PLAIN AGNhbQBzM2NyZXQgcGFzcw==")[0] == 530
        assert client.mail("camera@home")[0] == 530


def test_without_a_login_no_mail_is_taken_unless_the_network_is_open(
    start: Callable[..., Site],
) -> None:
    with start().client() as client, pytest.raises(smtplib.SMTPSenderRefused, match="MAIL_USERNAME"):
        client.send_message(mail(PICTURES[0]))
    site = start(open_networks=["127.0.0.0/8"], username="", password="")
    with site.client() as client:
        client.send_message(mail(PICTURES[0]))
    assert len(site.taken) == 1


def test_logins_are_taken_in_the_ways_that_cameras_have(start: Callable[..., Site]) -> None:
    site = start(tls="off")
    with site.client() as client:
        client.user, client.password = LOGIN["username"], LOGIN["password"]
        client.ehlo()
        assert client.auth("LOGIN", client.auth_login, initial_response_ok=False)[0] == 235
    with site.client() as client:
        client.ehlo()
        assert client.docmd("auth", "login") == (334, b"VXNlcm5hbWU6")  # "Username:", which some compare with
        assert client.docmd("Y2Ft") == (334, b"UGFzc3dvcmQ6")
        assert client.docmd("czNjcmV0IHBhc3M=")[0] == 235


def test_old_firmware_logs_in_after_helo(start: Callable[..., Site]) -> None:
    site = start(tls="off")
    with site.client() as client:
        client.helo("cam")
        client.docmd("AUTH", "LOGIN")
        client.docmd("Y2Ft")
        assert client.docmd("czNjcmV0IHBhc3M=")[0] == 235
        client.sendmail("camera@home", ["gate1@home"], mail(PICTURES[0]).as_bytes())
    assert site.pictures == [("gate1", PICTURES[0])]


def test_nobody_logs_in_without_saying_who_it_is_first(start: Callable[..., Site]) -> None:
    with start(tls="off").client() as client:
        assert client.docmd("AUTH", "PLAIN AGNhbQBzM2NyZXQgcGFzcw==")[0] == 503


def test_what_was_sent_in_the_clear_behind_starttls_is_nobody_s_command(start: Callable[..., Site]) -> None:
    site = start(tls="required")
    with site.raw() as plain:
        assert plain.recv(100).startswith(b"220")
        plain.sendall(b"EHLO cam\r\n")
        while not plain.recv(4096).endswith(b"250 HELP\r\n"):
            pass
        plain.sendall(b"STARTTLS\r\nNOOP\r\nEHLO mallory\r\nMAIL FR")
        assert plain.recv(100).startswith(b"220")
        with trusting_nobody().wrap_socket(plain) as camera:
            camera.sendall(b"QUIT\r\n")
            assert camera.recv(100).startswith(b"221")  # the first reply is to the first command inside


def test_a_mail_to_two_cameras_is_a_picture_of_each(start: Callable[..., Site]) -> None:
    site = start()
    with site.logged_in() as client:
        client.sendmail("camera@home", ["gate1@home", "me@home", "gate2@home"], mail(PICTURES[0]).as_bytes())
    assert site.pictures == [("gate1", PICTURES[0]), ("gate2", PICTURES[0])]


def test_a_mail_with_a_damaged_picture_is_refused_with_its_name(start: Callable[..., Site]) -> None:
    site = start()
    with site.logged_in() as client:
        with pytest.raises(smtplib.SMTPDataError, match=r"554, .*picture 2, 1\.jpg: The JPEG picture is cut short"):
            client.send_message(mail(PICTURES[0], PICTURES[1][:-400], PICTURES[2]))
        client.send_message(mail(PICTURES[3]))
    assert site.pictures == sorted(("gate1", PICTURES[n]) for n in (0, 2, 3))
    assert site.counts == {"damaged": 1, "taken": 1}


@pytest.mark.parametrize(
    ("local", "encoding"),
    [
        ("haustür", "utf-8"),
        ("haustür", "latin-1"),
        ("haustu\u0308r", "utf-8"),
        ("haustuer", "ascii"),
        ("Haus-tur", "ascii"),
    ],
)
def test_a_camera_with_an_umlaut_is_reached_in_each_spelling(
    start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch, local: str, encoding: str
) -> None:
    monkeypatch.setattr(
        sys.modules[__name__], "OWNERS", CameraFolders([PushingCamera("Haustür Camera", "", "haustür")])
    )
    site = start()
    with site.logged_in() as client:
        client.mail("camera@home", ["SMTPUTF8"])
        assert client.rcpt("nobody@home")[1].endswith(b"haustuer@home")
        client.command_encoding = encoding
        assert client.rcpt(f"{local}@home")[0] == 250
        assert client.data(mail(PICTURES[0]).as_bytes())[0] == 250
    assert site.pictures == [("haustür", PICTURES[0])]


def plain(name: str, password: str) -> str:
    return base64.b64encode(f"\0{name}\0{password}".encode()).decode()


def test_wrong_passwords_ban_the_address_and_no_other(start: Callable[..., Site]) -> None:
    site = start()
    with site.client() as client:
        client.ehlo()
        wrong = [client.docmd("AUTH", f"PLAIN {plain('cam', f'wrong {n}')}")[0] for n in range(4)]
        assert wrong == [535, 535, 535, 421]
    with site.client() as client:
        client.ehlo()
        assert client.docmd("AUTH", "PLAIN AGNhbQB3cm9uZw==")[0] == 421
    with site.logged_in(source="127.0.0.2") as client:
        client.send_message(mail(PICTURES[0]))
    assert len(site.taken) == 1
    assert [ban.address for ban in site.throttle.bans()] == ["127.0.0.1"]


def test_no_password_is_in_the_log(start: Callable[..., Site], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    site = start(tls="off")
    with site.logged_in() as client:
        client.send_message(mail(PICTURES[0]))
    with site.client() as client, pytest.raises(smtplib.SMTPAuthenticationError):
        client.login("cam", "0ther")
    for secret in ("s3cret", "0ther", "czNjcmV0", "AGNhbQ"):
        assert secret not in caplog.text


def test_a_mail_of_no_known_camera_is_refused_with_what_would_do(start: Callable[..., Site]) -> None:
    site = start()
    with site.logged_in() as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="gate0@home"):
            client.send_message(mail(PICTURES[0], to="me@home"))
        client.send_message(mail(PICTURES[0], to="me@home", sender="gate-7@home"))
    assert site.pictures == [("gate7", PICTURES[0])]
    assert site.counts["unknown_camera"] == 1


def test_a_test_mail_without_a_picture_is_accepted_and_counted(start: Callable[..., Site]) -> None:
    site = start()
    with site.logged_in() as client:
        client.send_message(mail())
    assert (site.taken, site.counts) == ([], {"no_picture": 1})


def test_a_mail_that_is_too_large_is_refused_announced_or_not_and_the_next_is_taken(
    start: Callable[..., Site],
) -> None:
    site = start(max_message_bytes=100_000)
    large = mail(encoded(busy(400, 400), "PNG"))
    with site.logged_in() as client:
        with pytest.raises(smtplib.SMTPSenderRefused, match="size"):
            client.send_message(large)
        del client.esmtp_features["size"]
        with pytest.raises(smtplib.SMTPDataError, match="MAIL_MAX_MESSAGE_BYTES"):
            client.send_message(large)
        client.send_message(mail(PICTURES[0]))
    assert site.pictures == [("gate1", PICTURES[0])]


def test_a_mail_of_several_megabytes_in_one_line_comes_byte_for_byte(start: Callable[..., Site]) -> None:
    import base64

    site, picture = start(), encoded(busy(1600, 1200), "PNG")
    headers = b"Content-Type: image/png; name=a.png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    with site.logged_in() as client:
        client.sendmail("camera@home", ["gate1@home"], headers + base64.b64encode(picture))
    assert len(picture) > 3_000_000
    assert site.pictures == [("gate1", picture)]


def test_binary_lines_that_begin_with_dots_come_byte_for_byte(start: Callable[..., Site]) -> None:
    site = start()
    picture = PICTURES[0] + b"\r\n.\r\n..\r\n...x\r\n. end .\r\n.\r\n"
    headers = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    with site.logged_in() as client:
        client.ehlo()
        client.mail("camera@home")
        client.rcpt("gate1@home")
        client.putcmd("data")
        client.getreply()
        stuffed = (headers + picture).replace(b"\r\n.", b"\r\n..")
        client.send(stuffed + b"\r\n.\r\n")
        assert client.getreply()[0] == 250
    assert [data.rstrip(b"\r\n") for _, data in site.pictures] == [picture.rstrip(b"\r\n")]


def test_thirty_pictures_are_refused_by_default_and_taken_when_allowed(start: Callable[..., Site]) -> None:
    site = start()
    with site.logged_in() as client, pytest.raises(smtplib.SMTPDataError, match="MAIL_MAX_PICTURES"):
        client.send_message(mail(*PICTURES))
    assert (site.taken, site.counts) == ([], {"too_many_pictures": 1})
    patient = start(max_pictures=30)
    with patient.logged_in() as client:
        client.send_message(mail(*PICTURES))
    assert patient.pictures == sorted(("gate1", picture) for picture in PICTURES)


def test_twenty_cameras_at_once_lose_nothing_and_mix_nothing_up(start: Callable[..., Site]) -> None:
    site, together = start(), threading.Barrier(20)

    def camera(number: int) -> None:
        with site.logged_in(source=f"127.0.1.{number + 1}") as client:
            together.wait(10)
            for round_ in range(2):
                message = mail(PICTURES[number], PICTURES[number] + bytes([round_]), to=f"gate{number}@home")
                client.send_message(message)

    with ThreadPoolExecutor(20) as cameras:
        list(cameras.map(camera, range(20)))
    expected = [
        (f"gate{number}", data)
        for number in range(20)
        for data in (*[PICTURES[number]] * 2, PICTURES[number] + b"\0", PICTURES[number] + b"\1")
    ]
    assert site.pictures == sorted(expected)


def test_one_address_cannot_take_all_connections(start: Callable[..., Site]) -> None:
    site = start(max_per_address=2)
    with site.client(source="127.0.0.2"), site.client(source="127.0.0.2") as second:
        with pytest.raises(smtplib.SMTPConnectError, match="No more connections"):
            site.client(source="127.0.0.2")
        with site.logged_in() as other:
            other.send_message(mail(PICTURES[0]))
        second.quit()
        assert eventually(lambda: connects(site, "127.0.0.2"))
    assert len(site.taken) == 1


def until_cut(client: smtplib.SMTP, said: bytes) -> None:
    """Say this again and again until the server has had enough."""
    assert client.sock is not None
    client.sock.settimeout(0.02)
    with contextlib.suppress(ConnectionError):
        for _ in range(3000):
            client.sock.sendall(said)
            with contextlib.suppress(TimeoutError):
                if not client.sock.recv(4096):
                    return
        raise AssertionError("the server waits for ever")


def test_chatter_keeps_no_connection_that_sends_no_mail(
    start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.uploads.mail.connection.HEAD_S", 0.5)
    site = start()
    with site.logged_in() as camera:
        camera.docmd("MAIL", "FROM:<camera@home>")
        stranger = site.client()
        until_cut(stranger, b"x")
        camera.rset()
        camera.send_message(mail(PICTURES[0]))
    assert len(site.taken) == 1


def test_a_mail_that_comes_byte_by_byte_is_cut(start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.uploads.mail.connection.STALL_S", 0.5)
    site = start()
    camera = site.logged_in()
    for command in ("MAIL FROM:<camera@home>", "RCPT TO:<gate1@home>", "DATA"):
        camera.docmd(command)
    until_cut(camera, b"x")
    assert site.taken == []


def connects(site: Site, source: str) -> bool:
    try:
        site.client(source=source).close()
    except smtplib.SMTPConnectError:
        return False
    return True


def conversation(*, cut: int | None = None) -> bytes:
    """All that a camera says that does not listen; `cut` leaves only so many bytes of the mail."""
    login = b"EHLO cam\r\nAUTH PLAIN AGNhbQBzM2NyZXQgcGFzcw==\r\n"
    envelope = b"MAIL FROM:<camera@home>\r\nRCPT TO:<gate1@home>\r\nDATA\r\n"
    body = mail(PICTURES[0]).as_bytes().replace(b"\n", b"\r\n").replace(b"\r\n.", b"\r\n..")
    return login + envelope + (body + b".\r\nQUIT\r\n" if cut is None else body[:cut])


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_what_is_cut_in_the_middle_is_not_taken_and_the_next_try_is(start: Callable[..., Site], how: str) -> None:
    site = start(tls="off", max_per_address=1)  # so each try needs the slot of the one before
    size = len(conversation()) - len(conversation(cut=0))
    for tenth in range(10):
        said = conversation(cut=size * tenth // 10)
        assert eventually(lambda said=said: cut_off(site, said, how)), "the slot is not free"  # type: ignore[misc]
    assert eventually(lambda: sent(site))
    assert site.pictures == [("gate1", PICTURES[0])]


def cut_off(site: Site, said: bytes, how: str) -> bool:
    """Say this and go; False when there was no slot."""
    with site.raw() as camera:
        try:
            camera.sendall(said)
            heard = b""
            while b"\r\n354 " not in heard:
                more = camera.recv(4096)
                if not more:
                    return False
                heard += more
        except ConnectionError:
            return False
        if how == "rst":
            camera.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        return True


def sent(site: Site) -> bool:
    try:
        with site.logged_in() as client:
            client.send_message(mail(PICTURES[0]))
    except smtplib.SMTPConnectError:
        return False
    return True


def test_a_camera_that_sends_everything_at_once_and_never_listens_is_served(
    start: Callable[..., Site],
) -> None:
    site = start(tls="off")
    with site.raw() as camera:
        camera.sendall(conversation())
        camera.shutdown(socket.SHUT_WR)
        assert eventually(lambda: len(site.taken) == 1)
    assert site.pictures == [("gate1", PICTURES[0])]


def test_a_silent_connection_is_closed_and_one_that_goes_on_is_not(
    start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STALL_S", 3.0)
    site = start(tls="off")
    with site.raw() as silent, site.raw() as slow:
        slow.sendall(conversation(cut=0))
        body = conversation()[len(conversation(cut=0)) :]
        for at in range(0, len(body), len(body) // 8 + 1):
            time.sleep(0.1)
            slow.sendall(body[at : at + len(body) // 8 + 1])
        assert eventually(lambda: len(site.taken) == 1)
        silent.settimeout(60)
        assert silent.recv(100).startswith(b"220")
        assert silent.recv(100) == b""


def test_a_conversation_without_end_is_ended(start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SESSION_S", 0.5)
    with start(tls="off").raw() as camera, pytest.raises(OSError, match=r"pipe|reset"):  # noqa: PT012
        for _ in range(200):
            camera.sendall(b"x")
            time.sleep(0.05)


def test_a_mail_that_goes_on_at_pace_outlasts_the_time_of_a_connection(
    start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SESSION_S", 1.0)
    site = start(tls="off")
    with site.raw() as slow:
        slow.sendall(conversation(cut=100))
        time.sleep(1.5)
        slow.sendall(conversation()[len(conversation(cut=100)) :])
        assert eventually(lambda: len(site.taken) == 1)


def test_but_not_beyond_its_largest_size(start: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "SESSION_S", 1.0)
    site = start(tls="off", max_message_bytes=100_000)
    camera = site.logged_in()
    for command in ("MAIL FROM:<camera@home>", "RCPT TO:<gate1@home>", "DATA"):
        camera.docmd(command)
    until_cut(camera, b"x" * 10_000)
    assert site.taken == []


class SlowInbox(Inbox):
    def put(self, *args: Any, **options: Any) -> InboxFile:
        time.sleep(1)
        return super().put(*args, **options)


def test_a_camera_that_waits_for_our_answer_is_not_cut_as_slow(
    start: Callable[..., Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STALL_S", 0.5)
    site = start(inbox=SlowInbox(tmp_path / "area"))
    with site.logged_in() as camera:
        camera.send_message(mail(PICTURES[0]))
    assert len(site.taken) == 1


def test_an_address_does_not_get_longer_by_saying_hello_again_and_again(start: Callable[..., Site]) -> None:
    with start(tls="off", open_networks=["127.0.0.0/8"]).client() as client:
        for _ in range(100):
            client.ehlo()
        assert client.docmd("MAIL", f"FROM:<{'.' * 2000}>") == (500, b"Command line too long")
        assert client.mail("camera@home", ["SIZE=1000000", "BODY=8BITMIME", "SMTPUTF8"])[0] == 250


def test_garbage_is_answered_and_harms_nobody(start: Callable[..., Site]) -> None:
    site = start(tls="off")
    lines = [
        b"MAIL FROM:<",
        b"\xff\xfe",
        b"EHLO \xff",
        b"MAIL FROM:<\xff@x> SIZE=x",
        b"RCPT TO:",
        b"VRFY \xff",
        b"AUTH",
    ]
    for garbage in (
        b"\r\n".join(lines),
        b"A" * 200_000,
        b"\x16\x03\x01\x02\x00" * 100,
        b"AUTH PLAIN =\r\n" * 9,
    ):
        with site.raw() as camera:
            with contextlib.suppress(OSError):  # the server may be quicker
                camera.sendall(b"EHLO x\r\n" + garbage + b"\r\n")
                camera.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionResetError):
                while camera.recv(65_536):
                    pass
    with site.logged_in() as client:
        client.send_message(mail(PICTURES[0]))
    assert len(site.taken) == 1


class FullInbox(Inbox):
    """A disk that is full after so many pictures, for once."""

    room = 2

    def put(self, data: bytes, name: Any, **options: Any) -> InboxFile:
        self.room -= 1
        if self.room == -1:
            raise InboxUnavailable("inbox_unavailable", "No space left on device")
        return super().put(data, name, **options)


def test_a_mail_that_cannot_be_stored_is_to_be_sent_again(start: Callable[..., Site], tmp_path: Path) -> None:
    site = start(FullInbox(tmp_path / "full"))
    with site.logged_in() as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(mail(*PICTURES[:5]))
        assert refused.value.smtp_code == 452
        client.send_message(mail(*PICTURES[:5]))
    assert set(site.pictures) == {("gate1", picture) for picture in PICTURES[:5]}
    assert site.counts == {"inbox_unavailable": 1, "taken": 1}


KILLED = """
import os, sys
from pathlib import Path
from app.uploads.inbox import Inbox
from tests.integration.test_mail import Site
class Deadly(Inbox):
    puts = 0
    def put(self, data, name, **options):
        taken = super().put(data, name, **options)
        self.puts += 1
        if self.puts == int(sys.argv[2]):
            os._exit(9)
        return taken
folder = Path(sys.argv[1])
site = Site(folder, Deadly(folder / "area"), data_dir=Path(sys.argv[3]))
print(site.port, flush=True)
site.server.join(60)
"""


@pytest.mark.parametrize("after", [1, 3])
def test_a_kill_before_the_answer_loses_nothing_and_the_retry_is_recognisable(
    start: Callable[..., Site], tmp_path: Path, certificates: Path, after: int
) -> None:
    command = [sys.executable, "-c", KILLED, str(tmp_path), str(after), str(certificates)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        try:
            assert process.stdout is not None
            port = next(int(line) for line in process.stdout if line.strip().isdecimal())  # not a log line
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.login(LOGIN["username"], LOGIN["password"])
                with pytest.raises(smtplib.SMTPServerDisconnected):
                    client.send_message(mail(*PICTURES[:3]))
        finally:
            process.kill()
    inbox = Inbox(tmp_path / "area")
    left = [(one.name.parent.name, one.path.read_bytes(), one.origin) for one in inbox.waiting()]
    assert sorted(left) == sorted(("gate1", picture, "mail") for picture in PICTURES[:after])
    site = start(inbox)
    with site.logged_in() as client:
        client.send_message(mail(*PICTURES[:3]))
    # What comes after knows a picture by its camera and its content.
    seen = [(folder, hashlib.sha256(data).hexdigest()) for folder, data, _ in left]
    seen += [(folder, hashlib.sha256(data).hexdigest()) for folder, data in site.pictures]
    assert set(seen) == {("gate1", hashlib.sha256(picture).hexdigest()) for picture in PICTURES[:3]}


def test_a_mail_that_is_being_stored_when_the_service_stops_is_answered(
    start: Callable[..., Site], tmp_path: Path
) -> None:
    storing = threading.Event()

    class SlowInbox(Inbox):
        def put(self, data: bytes, name: Any, **options: Any) -> InboxFile:
            storing.set()
            time.sleep(0.5)
            return super().put(data, name, **options)

    site = start(SlowInbox(tmp_path / "slow"))
    with site.logged_in() as client, ThreadPoolExecutor(1) as camera:
        sending = camera.submit(client.send_message, mail(PICTURES[0]))
        assert storing.wait(60)
        site.server.pause()
        site.server.stop()
        assert sending.result(10) == {}
        assert site.server.join(60)
        client.close()
    assert len(site.taken) == 1


def test_what_takes_the_pictures_may_fail_and_they_are_left_to_the_next_start(
    start: Callable[..., Site],
) -> None:
    site = start()
    site.broken = True
    with site.logged_in() as client:
        client.send_message(mail(PICTURES[0]))
    assert [one.path.read_bytes() for one in site.inbox.waiting()] == [PICTURES[0]]


def test_a_port_that_is_taken_is_said_before_anything_starts(start: Callable[..., Site], tmp_path: Path) -> None:
    site = start()
    second = MailServer(
        site.server.settings.model_copy(update={"port": site.port}),
        inbox=site.inbox,
        data_dir=tmp_path,
        throttle=site.throttle,
        recipients=Recipients(OWNERS),
        on_taken=site.hear,
    )
    with pytest.raises(AddressInUse, match="MAIL_PORT"):
        second.open()


def test_a_certificate_of_one_s_own_is_shown_to_the_camera(start: Callable[..., Site], tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    certificate, key = make_certificate(tmp_path / "own")
    site = start(tls="implicit", certificate_file=certificate, key_file=key)
    trusting = ssl.create_default_context(cafile=str(certificate))
    with smtplib.SMTP_SSL("localhost", site.port, context=trusting, timeout=10) as client:
        assert client.ehlo()[0] == 250
