"""Messages through Apprise: to doubles of ntfy, Telegram and Pushover, and to a mailbox, well and broken."""

from __future__ import annotations

import json
import logging
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from email import message_from_bytes, policy
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope

from app.journal import Journal
from app.media.formats import JPEG_START
from app.media.picture import BadPicture, describe
from app.pipeline.publish import Publish
from app.publishers import PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.apprise import Apprise, AppriseSettings
from tests.fakes.archives import recorded
from tests.fakes.clock import Clock
from tests.fakes.http_double import HttpDouble, Reply, Seen, http_double
from tests.fakes.messages import an_event

CONTEXT = PublisherContext(
    "phone",
    event_url=lambda event_id: f"https://home.example/snapshots/{event_id[-2:]}",
    picture_url=lambda event_id: f"https://home.example/picture/{event_id[-2:]}",
)
PHOTO = "/bot123456789:abcdefg_hijklmnop/sendPhoto"


@pytest.fixture
def service() -> Iterator[HttpDouble]:
    with http_double() as double:
        yield double


@pytest.fixture
def target(service: HttpDouble, tmp_path: Path) -> Callable[..., Apprise]:
    """A target of Apprise's; `url` with `{}` for the double's address."""

    def make(url: str = "ntfy://{}/my-topic", **settings: Any) -> Apprise:
        values = {"url": url.format(f"127.0.0.1:{service.port}"), **settings}
        return Apprise(AppriseSettings.model_validate(values), context_in(tmp_path))

    return make


def context_in(folder: Path) -> PublisherContext:
    return PublisherContext(
        CONTEXT.name, event_url=CONTEXT.event_url, picture_url=CONTEXT.picture_url, data_dir=folder / "data"
    )


def left_in(folder: Path) -> list[Path]:
    return [path for path in (folder / "data").rglob("*") if path.is_file()]


def test_ntfy_gets_title_text_picture_and_priority(
    target: Callable[..., Apprise], service: HttpDouble, tmp_path: Path
) -> None:
    files: list[tuple[int, int]] = []

    def answer(_: Seen) -> int:
        (file,) = left_in(tmp_path)
        files.append((stat.S_IMODE(file.stat().st_mode), stat.S_IMODE(file.parent.stat().st_mode)))
        return 200

    service.answer = answer
    target(priority="high").publish(an_event(folder=tmp_path))
    (seen,) = service.seen
    assert seen.path == "/my-topic"
    assert seen.query["title"] == ["Person at Front Door"]
    assert seen.query["message"] == ["21:10, Person 97 %\nhttps://home.example/snapshots/01"]
    assert (seen.headers["X-Priority"], "X-Icon" in seen.headers) == ("high", False)
    assert describe(seen.body).width == 480
    # While it was sent, nobody else could read the picture; now it is gone.
    assert (files, left_in(tmp_path)) == ([(0o600, 0o700)], [])


def test_many_events_are_one_message(target: Callable[..., Apprise], service: HttpDouble, tmp_path: Path) -> None:
    target(language="de").publish_digest([an_event(number, folder=tmp_path, minutes=number) for number in (1, 2, 3)])
    (seen,) = service.seen
    assert seen.query["title"] == ["3 Bilder: Front Door zwischen 21:11 und 21:13 Uhr"]


@pytest.mark.parametrize(
    ("picture", "link"), [("link", "https://home.example/picture/01"), ("none", "https://home.example/snapshots/01")]
)
def test_the_picture_may_be_a_link_or_left_out(
    target: Callable[..., Apprise], service: HttpDouble, tmp_path: Path, picture: str, link: str
) -> None:
    target(picture=picture).publish(an_event(folder=tmp_path))
    (seen,) = service.seen
    assert json.loads(seen.body)["message"].splitlines()[-1] == link


@pytest.mark.parametrize(
    ("frames", "made", "file"),
    [(3, b"GIF89a...", b".gif"), (1, b"GIF89a...", b".jpg"), (3, BadPicture("one_picture", ""), b".jpg")],
)
def test_a_message_moves_where_its_event_has_several_pictures(
    service: HttpDouble, tmp_path: Path, frames: int, made: bytes | Exception, file: bytes
) -> None:
    def animation(_event_id: str) -> bytes:
        if isinstance(made, Exception):
            raise made
        return made

    context = replace(context_in(tmp_path), animation=animation)
    url = f"ntfy://127.0.0.1:{service.port}/my-topic"
    event = an_event(folder=tmp_path)
    several = replace(event, snapshot=replace(event.snapshot, frames=frames))
    Apprise(AppriseSettings.model_validate({"url": url, "picture": "animation"}), context).publish(several)
    (seen,) = service.seen
    assert file in seen.target.encode() + str(seen.headers).encode()
    assert seen.body.startswith(b"GIF89a" if file == b".gif" else JPEG_START)
    assert left_in(tmp_path) == []


def test_telegram_gets_a_photo_with_a_caption_within_its_limit(
    target: Callable[..., Apprise], service: HttpDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apprise.plugins.telegram.NotifyTelegram.notify_url", f"{service.url}/bot")
    service.answer = lambda _: Reply(body=[b'{"ok": true, "result": {"message_id": 1}}'])
    telegram = target("tgram://123456789:abcdefg_hijklmnop/12315544/", picture="annotated")
    telegram.publish(an_event(folder=tmp_path, seen=[("Person", 2), ("Dog", 1)]))
    (seen,) = service.seen
    assert seen.path == PHOTO
    assert b"2 persons and a dog at Front Door" in seen.body
    telegram.publish(an_event(folder=tmp_path, place="<b>" + "long " * 300))
    texts = [one.body for one in service.seen[1:] if one.path.endswith("sendMessage")]
    captions = [one.body for one in service.seen[1:] if one.path == PHOTO]
    assert len(captions) == 1  # the picture goes in any case, the text under it or by itself
    assert b"&lt;b&gt;long" in b"".join((*texts, *captions))


def test_pushover_gets_sound_and_priority(
    target: Callable[..., Apprise], service: HttpDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apprise.plugins.pushover.NotifyPushover.notify_url", f"{service.url}/1/messages.json")
    target(f"pover://{'u' * 30}@{'a' * 30}", sound="siren", priority="high").publish(an_event(folder=tmp_path))
    (seen,) = service.seen
    assert b'name="sound"\r\n\r\nsiren' in seen.body
    assert b'name="priority"\r\n\r\n1' in seen.body
    assert b"\xff\xd8\xff" in seen.body


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, PublishRejected, "login_refused"),
        (403, PublishRejected, "login_refused"),
        (404, PublishRejected, "target_gone"),
        (410, PublishRejected, "target_gone"),
        (400, PublishRejected, "message_refused"),
        (413, PublishRejected, "message_refused"),
        (302, PublishUnavailable, "target_busy"),
        (429, PublishUnavailable, "target_busy"),
        (500, PublishUnavailable, "target_busy"),
        (507, PublishUnavailable, "target_busy"),
    ],
)
def test_what_is_refused_for_good_is_told_from_what_may_pass_and_no_secret_is_in_the_reason(
    target: Callable[..., Apprise], service: HttpDouble, status: int, kind: type[PublishError], code: str
) -> None:
    elsewhere = {"Location": f"{service.url}/elsewhere"}  # where no login of ours is taken
    service.answer = lambda seen: Reply(status, elsewhere) if seen.method == "POST" else 200
    with pytest.raises(kind, match=f"ntfy answers {status}") as failed:
        target("ntfy://somebody:hunter22@{}/secret-topic").publish(an_event())
    assert failed.value.code == code
    assert not [part for part in ("hunter22", "secret-topic", "somebody") if part in str(failed.value)]


def test_a_target_that_nobody_serves_or_that_hangs_up_is_away(
    target: Callable[..., Apprise], service: HttpDouble
) -> None:
    service.answer = lambda _: Reply(0)
    for url in ("ntfy://127.0.0.1:9/my-topic", "ntfy://{}/my-topic"):
        with pytest.raises(PublishUnavailable, match="ntfy could not be reached") as failed:
            target(url).publish(an_event())
        assert failed.value.code == "target_away"


@contextmanager
def dripping() -> Iterator[socket.socket]:
    """A server that answers its first client with a header now and then, and never ends."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as client, suppress(OSError):
                client.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.05):
                    client.sendall(b"X-A: b\r\n")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server
        ended.set()
        thread.join(5)


def test_a_target_that_drips_for_ever_is_left_after_its_time_and_not_asked_by_a_second_thread(
    target: Callable[..., Apprise],
) -> None:
    with dripping() as server:
        slow = target(f"ntfy://127.0.0.1:{server.getsockname()[1]}/my-topic", timeout=1)
        for _ in range(2):
            with pytest.raises(PublishUnavailable, match="did not answer within 1 s") as failed:
                slow.publish(an_event())
            assert failed.value.code == "target_silent"
        server.settimeout(0.1)
        with pytest.raises(TimeoutError):
            server.accept()


def test_what_apprise_logs_goes_nowhere_else(target: Callable[..., Apprise], service: HttpDouble) -> None:
    written: list[str] = []

    class Log(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(record.name)

    log = Log(logging.DEBUG)
    logging.getLogger().addHandler(log)
    target("ntfy://{}/secret-topic").publish(an_event())
    logging.getLogger().removeHandler(log)
    assert "apprise" not in written


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"url": "ntfz://topic"}, r"knows no service ntfz://; did you mean ntfy"),
        ({"url": "tgarm://123456789:abcdefg_hijklmnop/1"}, r"did you mean tgram\?"),
        ({"url": "my-topic"}, "it begins like ntfy://"),
        ({"url": "123456:secret-token://x"}, r"knows no service this"),
        ({"url": "tgram://secret-token/1"}, r"address for Telegram cannot be used"),
        ({"url": "json://127.0.0.1", "priority": "high"}, "^bad_address: JSON takes no priority"),
        ({"url": "ntfy://topic", "sound": "siren"}, "^bad_address: ntfy takes no sound"),
        ({"url": "ntfy://topic", "text_template": "{{ oops }}"}, "'oops' is undefined"),
    ],
)
def test_an_address_that_cannot_work_is_named_before_anything_is_sent(
    target: Callable[..., Apprise], settings: dict[str, str], reason: str
) -> None:
    with pytest.raises(PublishError, match=reason) as failed:
        target(**settings)
    assert "secret-token" not in str(failed.value)


class Mailbox:
    """Keeps what it is sent; refuses what it is told to."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.refusal = ""

    async def handle_RCPT(self, _: Any, __: Any, envelope: Envelope, address: str, ___: Any) -> str:  # noqa: N802
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.original_content or b"", policy=policy.default))
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield box, port
    controller.stop()


def test_a_mail_has_the_picture_and_one_to_nobody_is_refused_for_good(
    target: Callable[..., Apprise], mailbox: tuple[Mailbox, int], tmp_path: Path
) -> None:
    box, port = mailbox
    mail = target(f"mailto://127.0.0.1:{port}/?from=cam@home.example&to=ann@home.example", language="fr")
    mail.publish(an_event(folder=tmp_path))
    (got,) = box.mails
    assert got["Subject"] == "Front Door : Personne"
    (picture,) = got.iter_attachments()
    assert describe(picture.get_content()).format == "JPEG"

    box.refusal = "550 No such user"
    with pytest.raises(PublishRejected) as failed:
        mail.publish(an_event(folder=tmp_path))
    assert failed.value.code == "target_gone"
    box.refusal = "451 Try again"
    with pytest.raises(PublishUnavailable) as later:
        mail.publish(an_event(folder=tmp_path))
    assert later.value.code == "target_busy"


def test_a_target_that_is_away_for_an_hour_misses_nothing_and_has_each_event_once(
    target: Callable[..., Apprise], service: HttpDouble, journal: Journal, clock: Clock
) -> None:
    stage = Publish(target(text_template="{{ event_id }}"), journal=journal)
    answers = cycle([500, 503, 429])
    service.answer = lambda _: next(answers)
    events = [recorded(journal, an_event(number), "phone") for number in range(1, 6)]
    for event in events:
        stage.handle(event)
    for _ in range(60):
        clock.now += 60
        for pending in list(stage.pending()):
            stage.handle(pending)
    assert journal.backlog("phone").count == 5

    service.seen.clear()
    service.answer = lambda _: 200
    for _ in range(10):
        clock.now += 600
        for pending in list(stage.pending()):
            stage.handle(pending)
    told = [json.loads(seen.body)["message"] for seen in service.seen]
    assert sorted(told) == [event.id for event in events]
    assert journal.backlog("phone").count == 0


def test_what_is_refused_for_good_is_given_up_with_its_reason_and_the_next_goes_on(
    target: Callable[..., Apprise], service: HttpDouble, journal: Journal
) -> None:
    stage = Publish(target("ntfy://ann:hunter22@{}/topic"), journal=journal)
    service.answer = lambda _: 403
    stage.handle(recorded(journal, an_event(1), "phone"))
    service.answer = lambda _: 200
    stage.handle(recorded(journal, an_event(2), "phone"))
    backlog = journal.backlog("phone")
    assert (backlog.count, backlog.given_up) == (0, 1)
    problem = backlog.problem or ""
    assert problem.startswith("login_refused: The login or token is refused: ntfy answers 403")
    assert "hunter22" not in problem
