"""Messages to browsers: to a double of a push service that checks signature and encryption, well and broken."""

from __future__ import annotations

import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.publishers import PublisherContext, PublishRejected, PublishUnavailable, webpush
from app.publishers.webpush import PAUSE_S, WebPush, WebPushSettings
from app.rules.push import KEY_FILE
from pylib.net.vapid import public_part, vapid_key
from pylib.runtime.circuit_breaker import Breaker
from tests.fakes.archives import event_id
from tests.fakes.browser import FakeBrowser, signed_by
from tests.fakes.http_double import HttpDouble, Reply, Seen, http_double
from tests.fakes.messages import FakeSubscribers, an_event

SUBJECT = "mailto:ann@home.example"


@pytest.fixture
def service() -> Iterator[HttpDouble]:
    with http_double() as double:
        yield double


@pytest.fixture
def browsers(service: HttpDouble) -> list[FakeBrowser]:
    return [FakeBrowser(f"{service.url}/send/{number}", person=f"Ann {number}") for number in range(3)]


@pytest.fixture
def known(browsers: list[FakeBrowser]) -> FakeSubscribers:
    return FakeSubscribers(*(browser.subscriber for browser in browsers))


@pytest.fixture
def push(known: FakeSubscribers, tmp_path: Path) -> Callable[..., WebPush]:
    def make(**settings: Any) -> WebPush:
        context = PublisherContext(
            "push",
            subscribers=known,
            data_dir=tmp_path,
            event_url=lambda event_id: f"https://home.example/snapshots/{event_id}",
            thumbnail_url=lambda event_id: f"https://home.example/api/snapshots/{event_id}/thumbnail?signature=x",
            snooze_url=lambda camera: "https://home.example/snooze?signature=x",
        )
        values = {"subject": SUBJECT, "allow_private": True, **settings}
        return WebPush(WebPushSettings.model_validate(values), context)

    return make


def told(service: HttpDouble) -> list[str]:
    """Which browsers were told, and how often."""
    return sorted(seen.path for seen in service.seen)


def test_each_browser_gets_a_message_that_only_it_can_read_signed_by_the_service(
    push: Callable[..., WebPush],
    service: HttpDouble,
    browsers: list[FakeBrowser],
    tmp_path: Path,
) -> None:
    service.answer = lambda _: 201
    push(ttl=600).publish(an_event(7, folder=tmp_path, seen=[("Person", 2)]))
    assert told(service) == ["/send/0", "/send/1", "/send/2"]
    for seen in service.seen:
        browser = browsers[int(seen.path[-1])]
        assert browser.read(seen.body) == {
            "title": "2 persons at Front Door",
            "body": "21:10, Person 97 %",
            "tag": event_id(7),
            "time": 1772658600000,
            "url": f"https://home.example/snapshots/{event_id(7)}",
            "thumbnail": f"https://home.example/api/snapshots/{event_id(7)}/thumbnail?signature=x",
            "snooze": "https://home.example/snooze?signature=x",
        }
        headers = {name.lower(): value for name, value in seen.headers.items()}
        assert (headers["ttl"], headers["urgency"], headers["content-encoding"]) == ("600", "high", "aes128gcm")
        key, claims = signed_by(headers["authorization"])
        assert key == public_part(vapid_key(tmp_path / KEY_FILE))
        assert (claims["aud"], claims["sub"]) == (service.url, SUBJECT)
        assert 0 < claims["exp"] - time.time() <= 86_400
    with pytest.raises(Exception, match=r"Decryption|Tag"):
        browsers[1].read(next(seen.body for seen in service.seen if seen.path == "/send/0"))


def test_the_key_is_made_once_and_private(push: Callable[..., WebPush], service: HttpDouble, tmp_path: Path) -> None:
    push().publish(an_event(1))
    file = tmp_path / KEY_FILE
    before = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    push().publish(an_event(2))
    assert file.read_bytes() == before
    file.write_bytes(b"not a key")
    with pytest.raises(PublishUnavailable, match="bad_key"):
        push().publish(an_event(3))


@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_its_push_service_no_longer_knows_is_unsubscribed(
    push: Callable[..., WebPush], service: HttpDouble, known: FakeSubscribers, status: int
) -> None:
    service.answer = lambda seen: status if seen.path == "/send/1" else 201
    push().publish(an_event())
    assert [one.person for one in known.subscribers("push")] == ["Ann 0", "Ann 2"]


@pytest.mark.parametrize("last", [410, 201])
def test_it_is_told_only_where_a_browser_has_it(
    push: Callable[..., WebPush], service: HttpDouble, known: FakeSubscribers, last: int
) -> None:
    answers = {"/send/0": 410, "/send/1": 410 if last == 410 else 201, "/send/2": 503}
    service.answer = lambda seen: answers[seen.path]
    outlet = push()
    with pytest.raises(PublishUnavailable):
        outlet.publish(an_event())
    answers["/send/2"] = 410  # nobody is left, whose answer could be a good one
    if last == 201:
        outlet.publish(an_event())  # the second has had it
        return
    with pytest.raises(PublishRejected, match=r"target_gone: No browser takes .* status page"):
        outlet.publish(an_event())
    assert known.subscribers() == []


def test_a_browser_that_could_not_be_told_is_tried_again_and_the_others_are_not_told_twice(
    push: Callable[..., WebPush], service: HttpDouble
) -> None:
    answers = {"/send/0": 201, "/send/1": 503, "/send/2": 0}  # the last hangs up
    service.answer = lambda seen: Reply(answers[seen.path])
    outlet = push()
    with pytest.raises(PublishUnavailable, match=r"2 of 3 browsers wait for it; Ann 1 at 127\.0\.0\.1: answer 503"):
        outlet.publish(an_event())
    service.answer = lambda _: 201
    outlet.publish(an_event(2))
    assert told(service).count("/send/0") == 2  # the first message and the second
    outlet.publish(an_event())
    assert told(service) == ["/send/0"] * 2 + ["/send/1"] * 3 + ["/send/2"] * 3


def test_a_digest_is_one_message_and_is_not_told_twice_either(
    push: Callable[..., WebPush], service: HttpDouble, browsers: list[FakeBrowser]
) -> None:
    service.answer = lambda seen: 500 if seen.path == "/send/0" else 201
    outlet, events = push(language="es"), [an_event(number) for number in (1, 2, 3)]
    with pytest.raises(PublishUnavailable):
        outlet.publish_digest(events)
    service.answer = lambda _: 201
    outlet.publish_digest(events)
    assert told(service) == ["/send/0", "/send/0", "/send/1", "/send/2"]
    assert browsers[0].read(service.seen[-1].body)["title"] == "3 fotos: Front Door entre las 21:10 y las 21:10"


def test_a_digest_that_grows_while_one_browser_is_away_is_not_told_again_to_the_others(
    push: Callable[..., WebPush], service: HttpDouble, browsers: list[FakeBrowser]
) -> None:
    service.answer = lambda seen: 503 if seen.path == "/send/0" else 201
    outlet = push()
    for many in (2, 3, 3):
        with pytest.raises(PublishUnavailable):
            outlet.publish_digest([an_event(number, place=f"Door {number}") for number in range(1, many + 1)])
    titles = [browsers[1].read(seen.body)["title"] for seen in service.seen if seen.path == "/send/1"]
    assert titles == ["2 pictures of 2 cameras between 21:10 and 21:10", "Person at Door 3"]
    service.answer = lambda _: 201
    outlet.publish_digest([an_event(number) for number in (1, 2, 3)])
    assert browsers[0].read(service.seen[-1].body)["title"].startswith("3 ")
    assert told(service).count("/send/1") == 2


@pytest.mark.parametrize(
    ("status", "code"), [(400, "message_refused"), (403, "login_refused"), (413, "message_refused")]
)
def test_what_all_push_services_refuse_is_given_up_and_what_one_refuses_is_not_repeated(
    push: Callable[..., WebPush], service: HttpDouble, known: FakeSubscribers, status: int, code: str
) -> None:
    service.answer = lambda seen: status if seen.path == "/send/1" else 201
    push().publish(an_event())
    service.answer = lambda _: status
    with pytest.raises(PublishRejected) as failed:
        push().publish(an_event())
    assert failed.value.code == code
    assert len(known.subscribers()) == 3


def test_one_that_hangs_takes_its_time_and_no_more(
    push: Callable[..., WebPush], service: HttpDouble, known: FakeSubscribers
) -> None:
    service.hold.clear()
    with pytest.raises(PublishUnavailable) as failed:
        push(timeout=1).publish(an_event())
    assert failed.value.code == "target_silent"


def test_one_that_was_silent_is_paused_so_that_it_holds_no_other_back(
    push: Callable[..., WebPush], known: FakeSubscribers, service: HttpDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(webpush, "Breaker", partial(Breaker, clock=lambda: clock[0]))
    service.answer = lambda _: 201
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tablet = FakeBrowser(f"http://127.0.0.1:{silent.getsockname()[1]}/", person="tablet")
        known.subscribe(tablet.subscriber)
        outlet = push(timeout=1)
        for number in (1, 2, 3):
            with pytest.raises(PublishUnavailable, match=r"target_silent: 1 of 4 browsers .* tablet .*: no answer"):
                outlet.publish(an_event(number))
        assert told(service) == ["/send/0"] * 3 + ["/send/1"] * 3 + ["/send/2"] * 3
        assert asked(silent) == 1
        clock[0] += PAUSE_S
        with pytest.raises(PublishUnavailable):
            outlet.publish(an_event(1))
        assert asked(silent) == 1


def asked(silent: socket.socket) -> int:
    """How many connections have come since the last look."""
    silent.setblocking(False)
    found = 0
    with suppress(BlockingIOError):
        while True:
            silent.accept()[0].close()
            found += 1
    return found


def test_browsers_are_told_at_the_same_time(push: Callable[..., WebPush], service: HttpDouble) -> None:
    together = threading.Barrier(3)

    def answer(_: Seen) -> int:
        together.wait(10)
        return 201

    service.answer = answer
    push().publish(an_event())
    assert told(service) == ["/send/0", "/send/1", "/send/2"]


def test_no_private_address_is_asked_unless_it_may_be(
    push: Callable[..., WebPush], service: HttpDouble, known: FakeSubscribers
) -> None:
    with pytest.raises(PublishUnavailable, match="target_away"):  # a name may lead home for a moment
        push(allow_private=False).publish(an_event())
    assert (service.seen, len(known.subscribers())) == ([], 3)


def test_without_a_browser_it_says_where_to_allow_messages(
    push: Callable[..., WebPush], known: FakeSubscribers
) -> None:
    known.known.clear()
    outlet = push()
    with pytest.raises(PublishUnavailable, match="status page") as failed:
        outlet.publish(an_event())
    assert outlet.abandon_after[failed.value.code] <= 60


def test_a_message_is_cut_to_what_push_services_take(
    push: Callable[..., WebPush], service: HttpDouble, browsers: list[FakeBrowser]
) -> None:
    service.answer = lambda _: 201
    push(text_template="😀" * 1000, title_template="{{ place }}").publish(an_event(place="€" * 300))
    for seen in service.seen:
        assert len(seen.body) <= 4096
        message = browsers[int(seen.path[-1])].read(seen.body)
        assert message["body"].endswith("😀…")
        assert 500 < len(message["body"]) < 1000
