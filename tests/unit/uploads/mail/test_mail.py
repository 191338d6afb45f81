"""Pictures out of mails: whatever a camera's firmware makes of MIME, and whose they are."""

from __future__ import annotations

import asyncio
import base64
from binascii import a2b_qp, b2a_uu
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest
from aiosmtpd.smtp import Envelope, Session
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.uploads.camera_folders import CameraFolders, PushingCamera
from app.uploads.inbox import Inbox, InboxFile, InboxUnavailable
from app.uploads.mail import mime, recipients
from app.uploads.mail.admission import Admission
from app.uploads.mail.mime import MAX_BOUNDARY, MAX_DELIMITERS, MAX_PARAMETERS, MAX_PARTS, BadMail
from app.uploads.mail.pictures import MAX_NAME, pictures_in, safe_name
from app.uploads.mail.postbox import MailHandler
from app.uploads.mail.recipients import Recipients
from app.uploads.mail.settings import MailSettings
from pylib.net.login_throttle import LoginThrottle
from pylib.settings.credentials import Secret
from tests.fakes.pictures import busy, encoded

JPEG = encoded(busy(48, 32))
PNG = encoded(busy(20, 20), "PNG")
BASE64 = base64.encodebytes(JPEG).replace(b"\n", b"\r\n")


def taken(mail: bytes, *, most: int = 20) -> list[tuple[str, bytes]]:
    return [(picture.name, picture.data) for picture in pictures_in(mail, most=most)]


def with_headers(*headers: bytes, body: bytes = BASE64) -> bytes:
    """A mail that is one picture and nothing else."""
    return b"\r\n".join([b"Subject: Motion", *headers, b"", body])


def mixed(*parts: bytes, boundary: bytes = b"xx", subtype: bytes = b"mixed") -> bytes:
    head = b'Content-Type: multipart/%s; boundary="%s"\r\n\r\nA preamble.\r\n' % (subtype, boundary)
    return head + b"".join(b"--%s\r\n%s\r\n" % (boundary, part) for part in parts) + b"--%s--\r\n" % boundary


def part(*headers: bytes, body: bytes = BASE64) -> bytes:
    return b"\r\n".join([*headers, b"Content-Transfer-Encoding: base64", b"", body])


def test_an_attached_picture_is_taken_byte_for_byte_under_its_name() -> None:
    mail = EmailMessage()
    mail.set_content("Somebody is at the door.")
    mail.add_attachment(JPEG, maintype="image", subtype="jpeg", filename="20260304-050607.jpg")
    assert taken(mail.as_bytes()) == [("20260304-050607.jpg", JPEG)]


def test_inline_and_attached_pictures_in_nested_parts_are_taken_in_their_order() -> None:
    inline = part(b"Content-Type: image/png", b"Content-ID: <a>", body=base64.encodebytes(PNG))
    page = part(b"Content-Type: text/html", body=base64.encodebytes(b"<img src='cid:a'>"))
    related = mixed(page, inline, boundary=b"inner", subtype=b"related")
    attached = part(b"Content-Type: image/jpeg", b'Content-Disposition: attachment; filename="a.jpg"')
    assert taken(mixed(related, attached)) == [("picture-1.png", PNG), ("a.jpg", JPEG)]


def test_a_picture_in_a_forwarded_mail_is_taken() -> None:
    inside = with_headers(b"Content-Type: image/jpeg; name=a.jpg", b"Content-Transfer-Encoding: base64")
    assert taken(mixed(b"Content-Type: message/rfc822\r\n\r\n" + inside)) == [("a.jpg", JPEG)]


@pytest.mark.parametrize("kind", [b"application/octet-stream", b"text/plain", b"image/gif", b"picture", b""])
def test_a_wrong_content_type_is_outvoted_by_the_content(kind: bytes) -> None:
    mail = mixed(part(b"Content-Type: " + kind, b'Content-Disposition: attachment; filename="a.dat"'))
    assert taken(mail) == [("a.dat.jpg", JPEG)]


def test_what_says_that_it_is_a_picture_is_taken_even_if_it_is_none_to_be_looked_at_later() -> None:
    mail = mixed(
        part(b"Content-Type: image/jpeg; name=cut.jpg", body=base64.encodebytes(b"no picture")),
        part(b"Content-Type: application/x; name=cut2.JPG", body=base64.encodebytes(b"none either")),
        part(b"Content-Type: video/mp4; name=clip.mp4", body=base64.encodebytes(b"\0\0\0\x18ftypmp42")),
    )
    assert [name for name, _ in taken(mail)] == ["cut.jpg", "cut2.JPG"]


def test_videos_are_taken_by_their_name_or_type_where_they_are_wanted() -> None:
    film = base64.encodebytes(b"\0\0\0\x18ftypmp42")
    mail = mixed(
        part(b"Content-Type: image/jpeg; name=a.jpg"),
        part(b"Content-Type: application/octet-stream; name=../clip.AVI", body=film),
        part(b"Content-Type: video/quicktime", body=film),
    )
    found = pictures_in(mail, most=3, videos=True)
    assert [(one.name, one.is_video) for one in found] == [("a.jpg", False), ("clip.AVI", True), ("video-3.mp4", True)]
    assert found[2].data == b"\0\0\0\x18ftypmp42"
    assert [name for name, _ in taken(mail)] == ["a.jpg"]
    with pytest.raises(BadMail, match="more than 2"):
        pictures_in(mail, most=2, videos=True)


def test_a_mail_that_is_nothing_but_a_picture_is_taken() -> None:
    assert taken(with_headers(b"Content-Type: image/jpeg", b"Content-Transfer-Encoding: BASE64")) == [
        ("picture-1.jpg", JPEG)
    ]


def test_base64_in_one_endless_line_or_with_bare_line_feeds_is_taken() -> None:
    for body in (base64.b64encode(JPEG), base64.encodebytes(JPEG)):
        assert taken(mixed(part(b"Content-Type: image/jpeg", body=body))) == [("picture-1.jpg", JPEG)]


@pytest.mark.parametrize(
    "encoding",
    [b"base64 ", b"base64;", b'"base64"', b"'base64'", b" Base64 (RFC 2045)", b"base64, base64", b"8bit", b"", b"7bit"],
)
def test_base64_is_recognised_whatever_stands_around_its_name_or_instead_of_it(encoding: bytes) -> None:
    mail = mixed(b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + BASE64)
    assert taken(mail) == [("picture-1.jpg", JPEG)]


def test_a_picture_that_says_base64_and_is_none_is_taken_as_it_is() -> None:
    assert taken(mixed(part(b"Content-Type: image/jpeg", body=JPEG))) == [("picture-1.jpg", JPEG)]


@pytest.mark.parametrize("size", [1, 2, 3, 55, 1000])
@pytest.mark.parametrize("between", [b"", b"\r\n", b"\n", b"  \r\n", b"!\r\n\r\n"])
def test_base64_in_pieces_that_are_padded_each_is_one_picture(size: int, between: bytes) -> None:
    pieces = [base64.b64encode(JPEG[at : at + size]) for at in range(0, len(JPEG), size)]
    assert taken(mixed(part(b"Content-Type: image/jpeg", body=between.join(pieces)))) == [("picture-1.jpg", JPEG)]


@pytest.mark.parametrize("chunk", [1, 2, 3, 4, 7, 64])
def test_what_is_decoded_piece_by_piece_is_what_it_would_be_at_once(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mime, "CHUNK", chunk)
    assert mime.from_base64(BASE64) == JPEG
    quoted = b"a=3D=\r\nb=C3=BC\r\n=\r\n=41"
    assert b"".join(map(a2b_qp, mime.pieces(quoted, b"="))) == a2b_qp(quoted)
    stuffed = b"..\r\n..\r\n\r\n.x\r\r\n."
    joined = b"".join(piece.replace(b"\r\n.", b"\r\n") for piece in mime.pieces(stuffed, b"\r"))
    assert joined == stuffed.replace(b"\r\n.", b"\r\n")


def test_a_uuencoded_picture_is_taken() -> None:
    lines = [b2a_uu(JPEG[at : at + 45]) for at in range(0, len(JPEG), 45)]
    body = b"begin 644 a.jpg\n" + b"".join(lines) + b"`\nend\n"
    mail = mixed(b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n" + body)
    assert taken(mail) == [("picture-1.jpg", JPEG)]


def test_binary_and_quoted_printable_pictures_are_taken_byte_for_byte() -> None:
    quoted = b"".join(b"=%02X" % byte if at % 25 else b"=\r\n=%02X" % byte for at, byte in enumerate(JPEG))
    binary = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: binary\r\n\r\n" + JPEG
    printable = b"Content-Type: image/jpeg\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + quoted
    assert [data for _, data in taken(mixed(binary, printable, boundary=b"a-boundary"))] == [JPEG, JPEG]


def test_a_part_without_an_empty_line_and_one_without_headers_are_read() -> None:
    forgotten = b"Content-Type: image/jpeg; name=a.jpg\r\nContent-Transfer-Encoding: base64\r\n" + BASE64
    assert taken(mixed(forgotten, b"\r\n" + JPEG)) == [("a.jpg", JPEG), ("picture-2.jpg", JPEG)]


def test_mails_in_a_digest_need_not_say_that_they_are_mails() -> None:
    mail = with_headers(b"Content-Type: image/jpeg; name=a.jpg", b"Content-Transfer-Encoding: base64")
    assert taken(mixed(b"\r\n" + mail, subtype=b"digest")) == [("a.jpg", JPEG)]


@pytest.mark.parametrize("end", [b"\r", b"\n"])
def test_lines_may_end_with_cr_or_lf_alone(end: bytes) -> None:
    headers = b"Subject: Motion\r\nContent-Type: multipart/mixed;\r\n boundary=in\r\n\r\n"
    inner = headers + mixed(part(b"Content-Type: image/jpeg;\r\n name=a.jpg"), boundary=b"in").partition(b"\r\n\r\n")[2]
    mail = mixed(inner, part(b"Content-Type: image/png; name=b.png", body=base64.encodebytes(PNG)))
    assert taken(mail.replace(b"\r\n", b"\n").replace(b"\n", end)) == [("a.jpg", JPEG), ("b.png", PNG)]


def test_a_header_that_ends_with_cr_alone_hides_no_other() -> None:
    mail = b"X-Camera: gate\rContent-Transfer-Encoding: base64\r\n" + with_headers(b"X-Event: motion")
    assert taken(mail) == [("picture-1.jpg", JPEG)]


def test_a_boundary_within_a_line_divides_nothing() -> None:
    text = b"Content-Type: text/plain\r\n\r\nsee --xx\r\n"
    assert taken(mixed(text, part(b"Content-Type: image/jpeg; name=a.jpg"))) == [("a.jpg", JPEG)]
    assert [one.body for one in mime.parts(mixed(text))] == [b"see --xx\r\n"]


def test_a_mail_whose_last_boundary_is_missing_is_read_to_its_end() -> None:
    mail = mixed(part(b"Content-Type: image/jpeg")).removesuffix(b"--xx--\r\n")
    assert taken(mail) == [("picture-1.jpg", JPEG)]


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        (b"filename*=utf-8''Haust%C3%BCr%20vorn.jpg", "Haustür vorn.jpg"),
        (b"filename*0*=utf-8''Haust%C3%BC; filename*1=r.jpg", "Haustür.jpg"),
        (b"filename*=iso-8859-1'de'Haust%FCr.jpg", "Haustür.jpg"),
        (b"filename*=no-such-charset''Haust%FCr.jpg", "Haustür.jpg"),
        (b'filename="=?utf-8?B?SGF1c3TDvHIuanBn?="', "Haustür.jpg"),
        (b'filename="=?gb2312?B?x7DDxQ==?=.jpg"', "前门.jpg"),
        (b'filename="=?no-such-charset?B?x7DDxQ==?="', "picture-1.jpg"),
        (b'filename="=?utf-8?B?broken"', "=_utf-8_B_broken.jpg"),
        ('filename="Haustür.jpg"'.encode(), "Haustür.jpg"),
        ('filename="Haustür.jpg"'.encode("latin-1"), "Haust_r.jpg"),
        (b"filename=front door.jpg", "front door.jpg"),
        (b'filename="../../etc/cron.d/x.jpg"', "x.jpg"),
        (rb'filename="C:\\DVR\\ch1\\x.jpg"', "x.jpg"),
        (b'filename="a.jpg\tb\x07.jpg"', "a.jpg_b_.jpg"),
        (b'filename=".."', "picture-1.jpg"),
        (b'filename=".hidden.jpg"', "hidden.jpg"),
        (b'filename=".jpg"', "jpg.jpg"),
        (b'filename=""', "picture-1.jpg"),
        (b'filename="' + b"n" * 300 + b'.jpeg"', "n" * (MAX_NAME - 5) + ".jpeg"),
    ],
)
def test_file_names_in_any_spelling_become_one_harmless_part_of_a_path(disposition: bytes, name: str) -> None:
    mail = mixed(part(b"Content-Type: image/jpeg", b"Content-Disposition: attachment; " + disposition))
    assert taken(mail) == [(name, JPEG)]


@given(name=st.text(max_size=300), suffix=st.sampled_from([".jpg", ".png"]))
def test_no_name_at_all_leads_out_of_the_folder(name: str, suffix: str) -> None:
    safe = safe_name(name, fallback="picture-1", suffix=suffix)
    assert PurePosixPath("folder", safe).parts == ("folder", safe)
    assert safe not in (".", "..")
    assert not safe.startswith(".")
    assert not set(safe) & set('\0/\\\r\n\t:*?"<>|')
    assert len(safe.encode()) <= MAX_NAME
    assert safe == safe_name(safe, fallback="picture-1", suffix=suffix)


# Without line ends: those Python writes as they are, which ends the header, and with some luck all of them.
@given(name=st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=120))
def test_any_name_that_python_writes_into_a_mail_comes_with_its_picture(name: str) -> None:
    mail = EmailMessage()
    mail.set_content("x")
    mail.add_attachment(PNG, maintype="image", subtype="png")
    next(mail.iter_attachments()).set_param("filename", name, "Content-Disposition", charset="utf-8")
    assert [data for _, data in taken(mail.as_bytes())] == [PNG]


@given(garbage=st.binary(max_size=2000), headers=st.binary(max_size=200))
def test_garbage_is_never_more_than_a_mail_without_a_picture(garbage: bytes, headers: bytes) -> None:
    for mail in (garbage, mixed(headers + b"\r\n\r\n" + garbage, part(b"Content-Disposition: " + headers))):
        try:
            pictures_in(mail, most=20)
        except BadMail:
            pytest.fail("a small mail is refused")


def test_too_many_pictures_are_refused_as_a_whole_with_the_setting_s_name() -> None:
    mail = mixed(*[part(b"Content-Type: image/jpeg")] * 3)
    assert len(taken(mail, most=3)) == 3
    with pytest.raises(BadMail, match="MAIL_MAX_PICTURES"):
        pictures_in(mail, most=2)


ENDLESS = [
    b'Content-Disposition: attachment; filename="=?a?q?' + b"x" * 60_000 + b'"',
    b'Content-Type: image/jpeg; name="' + b";" * 80_000 + b'"',
    b'Content-Type: image/jpeg; name="' + b";" * (MAX_PARAMETERS + 1) + b'"',
    b"Content-Type: multipart/mixed; boundary=" + b"b" * 3_000_000,
    b"Content-Type: multipart/mixed; boundary=" + b"b" * (MAX_BOUNDARY + 1),
    b"Content-Transfer-Encoding: base64" + b"\r\n " * 20_000,
    b"Subject: " + b"s" * 200_000,
    b"a:\r\n" * 100_000,
]


@pytest.mark.parametrize("header", ENDLESS, ids=range(len(ENDLESS)))
def test_a_header_beyond_measure_is_refused_before_it_is_read(header: bytes) -> None:
    for mail in (with_headers(header), mixed(part(b"Content-Type: text/plain"), part(header))):
        with pytest.raises(BadMail) as refused:
            pictures_in(mail, most=20)
        assert refused.value.code == "header_too_long"


def test_headers_of_a_mail_that_went_a_long_way_are_not_beyond_measure() -> None:
    way = [b"Received: from a.example by b.example\r\n\t" + b"x" * 900] * 30 + [b"To: " + b"me@home, " * 1_000]
    mail = with_headers(*way, b"Content-Type: image/jpeg", b"Content-Transfer-Encoding: base64")
    assert taken(mail) == [("picture-1.jpg", JPEG)]


def test_boundaries_of_which_one_begins_as_the_other_are_kept_apart() -> None:
    inner = mixed(part(b"Content-Type: image/jpeg; name=a.jpg"), boundary=b"xx2", subtype=b"related")
    assert taken(mixed(inner, part(b"Content-Type: image/jpeg; name=b.jpg"), boundary=b"xx")) == [
        ("a.jpg", JPEG),
        ("b.jpg", JPEG),
    ]


NESTED = b"".join(b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n) for n in range(500))


@pytest.mark.parametrize(
    ("mail", "reason"),
    [
        (NESTED, "nested"),
        (mixed(*[b""] * (MAX_PARTS + 1)), str(MAX_PARTS)),
        (mixed(*[b""] * (MAX_DELIMITERS + 1)), "boundaries"),
        (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + b"--xx\r\n" * (MAX_DELIMITERS + 1), "boundaries"),
    ],
    ids=["nested", "parts", "boundaries", "nearly boundaries"],
)
def test_a_mail_that_is_divided_beyond_measure_is_refused(mail: bytes, reason: str) -> None:
    with pytest.raises(BadMail, match=reason) as refused:
        pictures_in(mail, most=20)
    assert refused.value.code == "too_many_parts"


# -- whose -----------------------------------------------------------------------------------------

FRONT, YARD = PurePosixPath("uploads/snapshots/frontdoor"), PurePosixPath("uploads/snapshots/yard")
OWNERS = CameraFolders(
    [
        PushingCamera("Front Door Camera", "Front", "frontdoor"),
        PushingCamera("Yard Camera", "Yard", "yard", address="192.168.1.9"),
    ]
)
RECIPIENTS = Recipients(OWNERS)


@pytest.mark.parametrize(
    ("recipients", "sender", "peer", "folder"),
    [
        (["frontdoor@anything"], "", "", FRONT),
        (["Front-Door@anything.example"], "", "", FRONT),
        (["frontdoor"], "", "", FRONT),
        (["me@home", "frontdoor@home"], "yard@home", "192.168.1.9", FRONT),
        (["me@home"], "front_door@home", "192.168.1.9", FRONT),
        (["YARD@example.org"], "frontdoor@home", "", YARD),
        (["me@home"], "yard@example.org", "", YARD),
        (["me@home"], "", "192.168.1.9", YARD),
        (["me@home"], "", "::ffff:192.168.1.9", YARD),
        (["me@frontdoor"], "<>", "192.168.1.10", None),
    ],
)
def test_the_recipient_counts_before_the_sender_and_both_before_the_address(
    recipients: list[str], sender: str, peer: str, folder: PurePosixPath | None
) -> None:
    assert RECIPIENTS.folders(recipients, sender, peer) == ([folder] if folder else [])


def test_a_mail_to_two_cameras_is_one_for_each() -> None:
    named = ["yard@home", "me@home", "front-door@home", "Yard@elsewhere"]
    assert RECIPIENTS.folders(named, "frontdoor@home", "192.168.1.9") == [YARD, FRONT]


def test_a_refusal_can_name_addresses_that_do() -> None:
    assert RECIPIENTS.examples == "frontdoor@home, yard@home"


UMLAUTS = ["haustür", "front#door(left)", "前门", "tör", "tór", "ecke"]


def test_each_address_that_a_refusal_names_is_one_that_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipients, "EXAMPLES", len(UMLAUTS))
    found = Recipients(CameraFolders(PushingCamera(f"{name} Camera", "", name) for name in UMLAUTS))
    examples = found.examples.split(", ")
    assert examples == ["haustuer@home", "frontdoorleft@home", "toer@home", "ecke@home", "前门@home", "tór@home"]
    assert {folder.name for example in examples for folder in found.folders([example], "", "")} == set(UMLAUTS)


@pytest.mark.parametrize(
    "local", ["haustur", "Haus.Tuer", "haustür", "hausttür"[:5] + "u\u0308r", "haust\udcfcr", '"haust ür"']
)
def test_a_camera_with_an_umlaut_has_mail_in_each_spelling(local: str) -> None:
    found = Recipients(CameraFolders([PushingCamera("Haustür Camera", "", "haustür")]))
    assert [folder.name for folder in found.folders([f"{local}@home"], "", "")] == ["haustür"]


def test_an_address_that_may_mean_two_cameras_means_none() -> None:
    found = Recipients(CameraFolders(PushingCamera(f"{name} Camera", "", name) for name in ("tör", "tór")))
    assert found.folders(["tor@home"], "", "") == []


# -- who -------------------------------------------------------------------------------------------


def gate(**changes: object) -> Admission:
    settings = MailSettings.model_validate({"username": "cam", "password": "pässword", **changes})
    return Admission(settings, LoginThrottle("mail", after=3, within=60, wait=60))


def test_a_login_is_right_only_with_name_and_password() -> None:
    door = gate()
    assert door.admits("10.0.0.1", b"cam", "pässword".encode())
    assert not door.admits("10.0.0.1", b"cam", b"password")
    assert not door.admits("10.0.0.1", b"\xff", "pässword".encode())


def test_without_a_configured_login_none_is_right() -> None:
    assert not gate(username="", password="").admits("10.0.0.1", b"", b"")


def test_in_an_open_network_any_login_is_right_and_none_is_needed() -> None:
    door = gate(open_networks=["10.1.0.0/16"])
    assert door.is_open("10.1.2.3")
    assert door.admits("10.1.2.3", b"whoever", b"whatever")
    assert not door.is_open("10.2.0.1")
    assert not door.is_open("")


def test_in_an_open_network_no_camera_that_sends_a_login_is_banned() -> None:
    settings = MailSettings.model_validate({"username": "cam", "password": "x", "open_networks": ["10.1.0.0/16"]})
    throttle = LoginThrottle("mail", after=1, within=60, wait=60)
    throttle.failed("10.1.2.3", "cam", "guess")
    throttle.failed("10.2.0.1", "cam", "guess")
    door = Admission(settings, throttle)
    assert (door.banned("10.1.2.3"), door.banned("10.2.0.1")) == (False, True)


def test_wrong_logins_lead_to_a_ban_of_that_address_only() -> None:
    door = gate()
    for number in range(3):
        door.admits("10.0.0.1", b"cam", b"wrong %d" % number)
    assert door.banned("10.0.0.1")
    assert not door.banned("10.0.0.2")


# -- what becomes of a mail -------------------------------------------------------------------------


class Counting:
    """A postbox with the order of what it did: each picture put and handed over, and how the mail counts."""

    def __init__(self, tmp_path: Path, **settings: object) -> None:
        self.steps: list[str] = []
        self.room = 100
        self.inbox = Inbox(tmp_path)
        self.inbox.open()
        self.failure: Exception | None = None
        self.gate = gate(**settings)
        put = self.inbox.put

        def noted(data: bytes, name: PurePosixPath, *, origin: str, sender: str) -> InboxFile:
            if self.failure is not None:
                raise self.failure
            self.room -= 1
            if self.room < 0:
                raise InboxUnavailable("inbox_unavailable", "No space left on device")
            taken = put(data, name, origin=origin, sender=sender)
            self.steps.append(f"put {name}")
            return taken

        self.inbox.put = noted  # type: ignore[method-assign, assignment]
        self.box = MailHandler(
            self.inbox,
            recipients=RECIPIENTS,
            gate=self.gate,
            max_pictures=2,
            on_taken=self.hand_over,
            count=lambda outcome: self.steps.append(outcome),
        )

    def hand_over(self, taken: InboxFile, origin: str) -> None:
        self.steps.append(f"hand over {taken.name.name} of {origin}")
        if taken.name.name == "broken.jpg":
            raise RuntimeError

    def receive(self, mail: bytes, *, to: tuple[str, ...] = ("frontdoor@home",)) -> str:
        envelope = Envelope()
        envelope.rcpt_tos, envelope.mail_from, envelope.content = list(to), "", mail

        async def receive() -> str:
            return await self.box.handle_DATA(None, Session(asyncio.get_running_loop()), envelope)  # type: ignore[arg-type]

        return asyncio.run(receive())


@pytest.fixture
def postbox(tmp_path: Path) -> Iterator[Counting]:
    counting = Counting(tmp_path)
    yield counting
    asyncio.run(counting.box.finish(5))


def pictures(*names: bytes) -> bytes:
    return mixed(*[part(b"Content-Type: image/jpeg; name=" + name) for name in names])


def test_a_mail_is_accepted_when_each_picture_is_in_the_inbox(postbox: Counting) -> None:
    assert postbox.receive(pictures(b"a.jpg", b"b.jpg")) == "250 2.0.0 OK, pictures taken: 2"
    assert postbox.steps == [
        f"put {FRONT}/a.jpg",
        f"put {FRONT}/b.jpg",
        "hand over a.jpg of mail",
        "hand over b.jpg of mail",
        "taken",
    ]
    assert sorted(one.name.name for one in postbox.inbox.waiting()) == ["a.jpg", "b.jpg"]


def test_what_is_not_handed_over_is_accepted_for_it_is_in_the_inbox(postbox: Counting) -> None:
    assert postbox.receive(pictures(b"broken.jpg", b"b.jpg")).startswith("250")
    assert postbox.steps[-2:] == ["hand over b.jpg of mail", "taken"]


def test_a_mail_to_two_cameras_is_taken_for_each(postbox: Counting) -> None:
    assert postbox.receive(pictures(b"a.jpg"), to=("frontdoor@home", "yard@home")).startswith("250")
    assert sorted(str(one.name) for one in postbox.inbox.waiting()) == [f"{FRONT}/a.jpg", f"{YARD}/a.jpg"]
    assert postbox.steps[-1] == "taken"


def test_a_mail_that_does_not_fit_leaves_nothing_and_is_taken_when_it_is_sent_again(postbox: Counting) -> None:
    postbox.room = 3
    mail = pictures(b"a.jpg", b"b.jpg")
    assert postbox.receive(mail, to=("frontdoor@home", "yard@home")).startswith("452")
    assert list(postbox.inbox.waiting()) == []
    assert not [step for step in postbox.steps if step.startswith("hand over")]
    postbox.room = 4
    assert postbox.receive(mail, to=("frontdoor@home", "yard@home")).startswith("250")
    assert len(list(postbox.inbox.waiting())) == 4


def test_a_damaged_picture_is_refused_by_its_name_and_the_whole_ones_beside_it_are_taken(postbox: Counting) -> None:
    cut = base64.encodebytes(JPEG[: len(JPEG) // 2])
    damaged = part(b"Content-Type: image/jpeg; name=cut.jpg", body=cut)
    answer = postbox.receive(mixed(damaged, part(b"Content-Type: image/jpeg; name=b.jpg")))
    assert answer.startswith(
        "554 5.6.0 Pictures taken: 1; not taken: picture 1, cut.jpg: The JPEG picture is cut short"
    )
    assert len(answer) <= 510
    assert [one.name.name for one in postbox.inbox.waiting()] == ["b.jpg"]
    assert postbox.steps[-1] == "damaged"


def attached(content_type: str, data: bytes) -> bytes:
    return part(b"Content-Type: " + content_type.encode(), body=base64.encodebytes(data))


NO_PICTURES = {
    "logo": attached("image/gif; name=logo.gif", encoded(busy(8, 8), "GIF")),
    "icon": attached("image/x-icon; name=a.ico", b"\0\0\1\0" + b"\1" * 100),
    "drawing": attached("image/emf; name=a.emf", b"\1\0\0\0" * 30),
    "winmail": attached("application/ms-tnef; name=winmail.dat", b"\x78\x9f\x3e\x22" + b"q" * 400),
    "layers": attached("image/vnd.adobe.photoshop; name=a.psd", b"8BPS" + b"\0" * 100),
}


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_what_no_camera_takes_pictures_in_is_no_harm_alone_or_beside_one(postbox: Counting, kind: str) -> None:
    other = NO_PICTURES[kind]
    assert postbox.receive(mixed(other)) == "250 2.0.0 OK, but there is no picture in it"
    assert postbox.receive(mixed(part(b"Content-Type: image/jpeg"), other)).startswith(
        "250 2.0.0 OK, pictures taken: 1"
    )
    assert [step for step in postbox.steps if " " not in step] == ["no_picture", "taken"]


def test_text_that_is_labelled_as_a_picture_is_refused_alone_and_named_beside_one(postbox: Counting) -> None:
    text = attached("image/jpeg; name=b.jpg", b"Motion was detected")
    reason = "not taken: picture {}, b.jpg: This is text, not a picture"
    assert postbox.receive(mixed(text)) == f"554 5.6.0 Pictures taken: 0; {reason.format(1)}"
    assert postbox.receive(mixed(part(b"Content-Type: image/jpeg"), text)) == (
        f"250 2.0.0 OK, pictures taken: 1; {reason.format(2)}"
    )


def test_what_claims_more_pixels_than_the_limit_is_refused(postbox: Counting) -> None:
    postbox.box._max_pixels = 100
    assert postbox.receive(pictures(b"a.jpg")).startswith("554")


@pytest.mark.parametrize(
    ("mail", "failure", "answer", "outcome"),
    [
        (b"Subject: none\r\n\r\ntext", None, "250 2.0.0 OK, but", "no_picture"),
        (pictures(b"a.jpg", b"b.jpg", b"c.jpg"), None, "554", "too_many_pictures"),
        (pictures(b"a.jpg"), InboxUnavailable("inbox_unavailable", "full"), "452", "inbox_unavailable"),
        (pictures(b"a.jpg"), RuntimeError(), "451", "failed"),
    ],
)
def test_what_cannot_be_taken_is_answered_so_that_the_camera_does_what_helps(
    postbox: Counting, mail: bytes, failure: Exception | None, answer: str, outcome: str
) -> None:
    postbox.failure = failure
    assert postbox.receive(mail).startswith(answer)
    assert postbox.steps == [outcome]


@pytest.mark.parametrize(
    ("authenticated", "peer", "answer"),
    [
        (True, "10.0.0.1", "250"),
        (False, "10.0.0.1", "530"),
        (False, "10.1.0.1", "250"),
        (False, "::ffff:10.1.0.1", "250"),
    ],
)
def test_who_has_not_logged_in_sends_only_from_an_open_network(
    tmp_path: Path, peer: str, answer: str, *, authenticated: bool
) -> None:
    box = Counting(tmp_path, open_networks=["10.1.0.0/16"]).box
    session = SimpleNamespace(authenticated=authenticated, peer=(peer, 1))
    assert asyncio.run(box.handle_MAIL(None, session, Envelope(), "me@home", [])).startswith(answer)  # type: ignore[arg-type]


def test_a_recipient_that_is_no_camera_is_refused_with_one_that_is(postbox: Counting) -> None:
    session, envelope = SimpleNamespace(authenticated=True, peer=("10.0.0.1", 1)), Envelope()
    envelope.mail_from = "me@home"
    for recipient, answer in (("nobody@home", "550"), ("yard@home", "250")):
        said = asyncio.run(postbox.box.handle_RCPT(None, session, envelope, recipient, []))  # type: ignore[arg-type]
        assert said.startswith(answer)
    assert envelope.rcpt_tos == ["yard@home"]
    assert postbox.steps == ["unknown_camera"]


def test_a_mail_for_more_cameras_than_ten_is_to_be_sent_in_two(postbox: Counting) -> None:
    session, envelope = SimpleNamespace(authenticated=True, peer=("10.0.0.1", 1)), Envelope()
    postbox.box._recipients = Recipients(CameraFolders(PushingCamera(f"{n}", "", f"gate{n}") for n in range(11)))
    sent = (asyncio.run(postbox.box.handle_RCPT(None, session, envelope, f"gate{n}@home", [])) for n in range(11))  # type: ignore[arg-type]
    assert [answer[:3] for answer in sent] == ["250"] * 10 + ["452"]


# -- settings --------------------------------------------------------------------------------------


def test_it_is_off_unless_asked_for() -> None:
    assert not MailSettings().enabled


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"enabled": True}, "open_networks"),
        ({"username": "cam"}, "username and password"),
        ({"password": Secret("x")}, "username and password"),
        ({"certificate_file": "a.pem"}, "key_file"),
        ({"open_networks": ["everywhere"]}, "must be a network"),
    ],
)
def test_half_a_configuration_is_refused_with_what_is_missing(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        MailSettings.model_validate(changes)
