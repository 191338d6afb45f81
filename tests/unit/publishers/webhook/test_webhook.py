"""Events as requests: what goes out, what each answer means, and that no target holds the service up."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import ssl
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import format_datetime
from io import BytesIO
from ipaddress import ip_address
from itertools import count, islice, repeat
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image
from structlog.testing import capture_logs

from app.messages import Box, Inspection, Label, OutletDecision
from app.publishers import PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.webhook import Webhook, transport
from app.publishers.webhook.payload import sample
from app.publishers.webhook.settings import WebhookSettings
from pylib.settings.credentials import Secret
from pylib.tracing import Span, TraceContext, Tracer
from tests.fakes.archives import a_picture, event_id
from tests.fakes.cameras import jpeg
from tests.fakes.clock import Clock
from tests.fakes.http_double import HttpDouble, Reply, Seen, http_double
from tests.unit.docs.pages import ROOT

ID = event_id(1)
SCHEMA = jsonschema.Draft202012Validator(json.loads((ROOT / "docs/webhook.schema.json").read_text()))


@pytest.fixture
def target() -> Iterator[HttpDouble]:
    with http_double() as double:
        yield double


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(jpeg(640, 480))
    return path


def hook(target: HttpDouble | str, clock: Clock | None = None, **settings: Any) -> Webhook:
    url = target if isinstance(target, str) else f"{target.url}/in?token=t0ken"
    context = PublisherContext(
        name="home",
        version="1.2.3",
        storage_url=lambda: "https://drive",
        thumbnail_url=lambda event: f"https://album/{event}/thumbnail",
        picture_url=lambda event: f"https://album/{event}/image",
        animation_url=lambda event: f"https://album/{event}/animation",
        animation=lambda _event: b"GIF89a...",
        event_url=lambda event: f"https://album/snapshots/{event}",
        snooze_url=lambda camera: f"https://album/snooze/{camera[:4]}",
    )
    times = clock or Clock()
    return Webhook(WebhookSettings(url=Secret(url), **settings), context, clock=times, monotonic=times)


def event(number: int = 1, *, path: Path | None = None, **changes: Any) -> Inspection:
    one = a_picture(None, number, **changes)
    return one if path is None else replace(one, snapshot=replace(one.snapshot, path=str(path)))


def sent(target: HttpDouble, **settings: Any) -> Seen:
    hook(target, **settings).publish(event(labels=(Label("Person", 0.9, (Box(0, 0, 0.5, 0.5),)),), persons=1))
    (seen,) = target.seen
    return seen


# -- what goes out --------------------------------------------------------------------------------


def test_an_event_goes_out_as_json_of_the_schema(target: HttpDouble) -> None:
    said = OutletDecision("home", tell=True, reason="a person, 90 %", rule="people")
    unruled = OutletDecision("rabbitmq", tell=True, reason="gets every event")  # of which the journal keeps nothing
    hook(target).publish(replace(event(labels=(Label("Person", 0.9),), persons=1), decisions=(unruled, said)))
    (seen,) = target.seen
    body = json.loads(seen.body)
    SCHEMA.validate(body)
    assert (seen.method, seen.target) == ("POST", "/in?token=t0ken")
    assert (seen.headers["Content-Type"], seen.headers["Idempotency-Key"]) == ("application/json", ID)
    assert seen.headers["User-Agent"] == "snapshot-processor/1.2.3"
    assert "X-Snapshot-Signature" not in seen.headers
    assert (body["version"], body["event_id"], body["person_count"]) == (1, ID, 1)
    assert (body["storage_url"], body["thumbnail_url"]) == ("https://drive", f"https://album/{ID}/thumbnail")
    assert body["links"] == {
        "picture": f"https://album/{ID}/image",
        "event": f"https://album/snapshots/{ID}",
        "snooze": "https://album/snooze/Yard",
    }
    assert body["decisions"] == [{"outlet": "home", "told": True, "reason": "a person, 90 %", "rule": "people"}]


def test_an_event_without_a_picture_is_one_of_the_schema_too(target: HttpDouble) -> None:
    one = event(problem="timeout: no answer")
    hook(target).publish(replace(one, snapshot=replace(one.snapshot, active_input={"x": b"\xff", "n": float("nan")})))
    body = json.loads(target.seen[0].body)
    SCHEMA.validate(body)
    assert (body["problem"], body["thumbnail_url"], body["links"]["picture"]) == ("timeout: no answer", "", "")


def test_the_schema_tells_what_is_no_event() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA.schema)
    SCHEMA.validate(sample())
    mistakes: list[dict[str, object]] = [{"version": 2}, {"labels": "x"}, {"links": {}}, {"event_id": "1"}]
    for wrong in mistakes:
        with pytest.raises(jsonschema.ValidationError):
            SCHEMA.validate({**sample(), **wrong})


def parts(seen: Seen) -> list[Message]:
    whole = message_from_bytes(f"Content-Type: {seen.headers['Content-Type']}\r\n\r\n".encode() + seen.body)
    found = whole.get_payload()
    assert isinstance(found, list)
    return [part for part in found if isinstance(part, Message)]


def data(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def test_a_form_has_the_event_and_its_picture(target: HttpDouble, picture: Path) -> None:
    hook(target, format="multipart", method="PUT").publish(event(path=picture))
    (seen,) = target.seen
    said, shown = parts(seen)
    assert (seen.method, said.get_content_type(), json.loads(data(said))["event_id"]) == ("PUT", "application/json", ID)
    assert (shown.get_content_type(), shown.get_filename()) == ("image/jpeg", f"{ID}.jpg")
    assert data(shown) == picture.read_bytes()


def test_a_form_s_picture_says_nothing_of_its_place(target: HttpDouble, picture: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    with Image.open(picture) as image:
        image.save(picture, exif=exif.tobytes(), quality="keep")
    assert b"Maker" in picture.read_bytes()
    hook(target, format="multipart").publish(event(path=picture))
    _, shown = parts(target.seen[0])
    assert b"Maker" not in data(shown)
    assert Image.open(BytesIO(data(shown))).size == (640, 480)


def test_a_picture_is_narrowed(target: HttpDouble, picture: Path) -> None:
    hook(target, format="multipart", picture_width=320).publish(event(path=picture))
    _, shown = parts(target.seen[0])
    assert Image.open(BytesIO(data(shown))).size == (320, 240)


@pytest.mark.parametrize(("frames", "kind"), [(3, "image/gif"), (1, "image/jpeg"), (0, "image/jpeg")])
def test_a_form_moves_where_its_event_has_several_pictures(
    target: HttpDouble, picture: Path, frames: int, kind: str
) -> None:
    one = event(path=picture)
    one = replace(one, snapshot=replace(one.snapshot, frames=frames))
    hook(target, format="multipart", picture="animation", picture_width=320).publish(one)
    said, shown = parts(target.seen[0])
    assert (shown.get_content_type(), shown.get_filename()) == (kind, f"{ID}.{'gif' if frames > 1 else 'jpg'}")
    url = f"https://album/{ID}/animation" if frames > 1 else ""
    assert json.loads(data(said))["animation_url"] == url


def test_a_picture_that_is_gone_costs_the_event_its_picture_only(target: HttpDouble, tmp_path: Path) -> None:
    hook(target, format="multipart").publish(event(path=tmp_path / "gone.jpg"))
    (said,) = parts(target.seen[0])
    assert json.loads(data(said))["problem"].startswith("picture_missing: ")


def test_body_and_headers_by_template(target: HttpDouble) -> None:
    seen = sent(
        target,
        body='{"text": {{ device_label | tojson }}, "sure": {{ (labels[0].confidence * 100) | round }}}',
        headers={"Authorization": "Bearer s3cret", "x-title": "{{ person_count }}\n at {{ device_key }} ü"},
    )
    assert json.loads(seen.body) == {"text": "Yard", "sure": 90.0}
    assert seen.headers["Authorization"] == "Bearer s3cret"
    assert seen.headers["x-title"].encode("latin-1").decode() == "1 at Yard Camera ü"
    assert seen.headers["Content-Type"] == "application/json"


def test_a_login_in_the_address_is_sent_as_one(target: HttpDouble) -> None:
    hook(f"http://user:pw@127.0.0.1:{target.port}/").publish(event())
    assert target.seen[0].headers["Authorization"] == "Basic dXNlcjpwdw=="


def test_text_is_said_to_be_text_and_a_header_of_ones_own_wins(target: HttpDouble) -> None:
    assert sent(target, body="{{ device_label }}!").headers["Content-Type"] == "text/plain; charset=utf-8"
    target.seen.clear()
    assert sent(target, headers={"content-type": "application/cloudevents"}).headers["Content-Type"] == (
        "application/cloudevents"
    )


def test_where_a_template_fails_the_event_goes_out_plain_and_that_is_said_once(target: HttpDouble) -> None:
    made = hook(target, body="{{ labels[0].name }}", headers={"X-First": "s3cret {{ labels[0].name }}"})
    with capture_logs() as logs:
        made.publish(event())
        made.publish(event(2))
    assert [json.loads(seen.body)["event_id"] for seen in target.seen] == [ID, event_id(2)]
    assert "X-First" not in target.seen[0].headers
    assert [log["reason"].split(" fails")[0] for log in logs] == ["The template body", "The template headers.X-First"]
    assert "s3cret" not in str(logs)


def test_who_has_the_key_can_verify(target: HttpDouble) -> None:
    clock = Clock(1_795_201_394.7)
    hook(target, clock, secret="k3y").publish(event())
    (seen,) = target.seen
    assert verified("k3y", seen.headers["X-Snapshot-Signature"], seen.body, now=1_795_201_400)
    assert not verified("k3y", seen.headers["X-Snapshot-Signature"], seen.body, now=1_795_209_999)
    assert not verified("other", seen.headers["X-Snapshot-Signature"], seen.body, now=1_795_201_400)
    assert not verified("k3y", seen.headers["X-Snapshot-Signature"], seen.body + b" ", now=1_795_201_400)


def verified(key: str, header: str, body: bytes, *, now: float) -> bool:
    at, mac = (part.split("=", 1)[1] for part in header.split(","))
    expected = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, mac) and abs(now - int(at)) < 300


# -- what the answers mean ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (408, PublishUnavailable, "webhook_busy"),
        (425, PublishUnavailable, "webhook_busy"),
        (429, PublishUnavailable, "webhook_busy"),
        (500, PublishUnavailable, "webhook_error"),
        (503, PublishUnavailable, "webhook_error"),
        (400, PublishUnavailable, "webhook_refused"),
        (401, PublishUnavailable, "webhook_refused"),
        (404, PublishUnavailable, "webhook_refused"),
        (302, PublishUnavailable, "webhook_redirected"),
        (410, PublishRejected, "webhook_rejected"),
        (413, PublishRejected, "webhook_rejected"),
        (415, PublishRejected, "webhook_rejected"),
        (422, PublishRejected, "webhook_rejected"),
    ],
)
def test_only_what_the_target_will_never_take_is_given_up_at_once(
    target: HttpDouble, status: int, kind: type[PublishError], code: str
) -> None:
    target.answer = lambda _: status
    with pytest.raises(PublishError) as raised:
        hook(target).publish(event())
    assert (type(raised.value), raised.value.code) == (kind, code)
    assert str(status) in raised.value.detail
    assert "token" not in raised.value.detail
    assert len(target.seen) == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_a_receipt(target: HttpDouble, status: int) -> None:
    target.answer = lambda _: status
    hook(target).publish(event())


def test_what_a_person_can_correct_is_given_up_after_a_while() -> None:
    assert hook("http://x", give_up_after=60).abandon_after == {"webhook_refused": 60, "webhook_redirected": 60}


def test_a_target_that_asks_for_rest_gets_it(target: HttpDouble) -> None:
    clock = Clock()
    made = hook(target, clock)
    target.answer = lambda _: Reply(429, {"Retry-After": "30"})
    for moved in (0, 29):
        clock.now += moved
        with pytest.raises(PublishUnavailable, match="webhook_busy"):
            made.publish(event())
    assert len(target.seen) == 1
    clock.now += 2
    target.answer = lambda _: 200
    made.publish(event())


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (lambda: format_datetime(datetime.now(UTC) + timedelta(seconds=600)), 500),
        (lambda: "9" * 400, 3599),
        (lambda: format_datetime(datetime.now(UTC) - timedelta(days=1)), 0),
        (lambda: "soon", 0),
        (lambda: "-5", 0),
    ],
)
def test_a_rest_is_seconds_or_a_date_and_ends(target: HttpDouble, given: Any, seconds: float) -> None:
    clock = Clock()
    made = hook(target, clock)
    target.answer = lambda _: Reply(503, {"Retry-After": given()})
    with pytest.raises(PublishUnavailable, match="webhook_error"):
        made.publish(event())
    clock.now += seconds
    with pytest.raises(PublishUnavailable, match="webhook_busy" if seconds else "webhook_error"):
        made.publish(event())
    clock.now += 3601 - seconds
    with pytest.raises(PublishUnavailable, match="webhook_error"):
        made.publish(event())


@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_redirect_on_the_same_host_is_followed_with_the_same_body(target: HttpDouble, status: int) -> None:
    target.answer = lambda seen: Reply(status, {"Location": "/new"}) if seen.path == "/in" else Reply()
    hook(target).publish(event())
    assert [(seen.method, seen.path) for seen in target.seen] == [("POST", "/in"), ("POST", "/new")]
    assert target.seen[0].body == target.seen[1].body


@pytest.mark.parametrize(
    ("location", "asked"),
    [
        ("http://localhost:{port}/in", 1),
        ("https://127.0.0.1.evil.example/", 1),
        ("http://127.0.0.1:1/", 1),
        ("file:///etc/passwd", 1),
        ("//[::1/", 1),
        ("", 1),
        ("/in", 4),
    ],
)
def test_no_other_redirect_is_followed(target: HttpDouble, location: str, asked: int) -> None:
    target.answer = lambda _: Reply(308, {"Location": location.format(port=target.port)})
    with pytest.raises(PublishUnavailable, match="webhook_redirected"):
        hook(target).publish(event())
    assert len(target.seen) == asked


# -- targets that misbehave -----------------------------------------------------------------------


def fails(made: Webhook, code: str, one: Inspection | None = None) -> None:
    with pytest.raises(PublishUnavailable) as raised:
        made.publish(one or event())
    assert raised.value.code == code
    assert "token" not in raised.value.detail
    assert "/in" not in raised.value.detail


def test_a_target_that_hangs_is_cut(target: HttpDouble) -> None:
    target.hold.clear()
    fails(hook(target, timeout=0.1), "webhook_timeout")


def drip(piece: bytes) -> Iterator[bytes]:
    for one in repeat(piece):
        time.sleep(0.005)
        yield one


def test_a_head_that_drips_is_cut(target: HttpDouble) -> None:
    target.answer = lambda _: Reply(100, {}, islice(drip(b"HTTP/1.1 100 Continue\r\n\r\n"), 300))
    fails(hook(target, timeout=0.1), "webhook_timeout")


def test_the_end_of_a_dripping_body_is_not_waited_for(target: HttpDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "REST_S", 0.02)
    taken = count()
    target.answer = lambda _: Reply(200, {}, (piece for piece, _ in zip(drip(b"z"), taken, strict=False)))
    hook(target, timeout=100).publish(event())
    assert next(taken) < 200


def test_a_target_that_breaks_off_or_is_not_there(target: HttpDouble) -> None:
    target.answer = lambda _: Reply(0)
    fails(hook(target), "webhook_cut")
    fails(hook("http://127.0.0.1:1/in?token=t0ken"), "webhook_unreachable")
    fails(hook("http://no.such.host.invalid/in?token=t0ken"), "webhook_unreachable")


def test_the_address_is_in_no_log(target: HttpDouble, caplog: pytest.LogCaptureFixture) -> None:
    target.answer = lambda _: Reply(200, {"X\r\nno header": "x"})
    with caplog.at_level(logging.DEBUG):
        hook(target).publish(event())
    assert "Failed to parse headers" in caplog.text
    assert "t0ken" not in caplog.text
    assert "/in" not in caplog.text


def test_an_answer_of_20_mb_is_not_read(target: HttpDouble) -> None:
    taken: list[int] = []

    def much() -> Iterator[bytes]:
        for number in range(20):
            taken.append(number)
            yield bytes(1_000_000)

    target.answer = lambda _: Reply(200, {}, much())
    hook(target).publish(event())
    assert len(taken) < 20


def test_events_that_could_not_connect_go_out_in_their_order() -> None:
    with http_double() as target:
        port = target.port
    clock = Clock()
    made = hook(f"http://127.0.0.1:{port}/", clock)
    for number in (1, 2, 3):
        fails(made, "webhook_unreachable", event(number))
    with http_double(port=port) as target:
        fails(made, "webhook_unreachable", event(3))
        fails(made, "webhook_unreachable", event(4))
        for number in (1, 2, 3, 4, 5):
            made.publish(event(number))
        assert [json.loads(seen.body)["event_id"] for seen in target.seen] == [event_id(n) for n in range(1, 6)]


def test_one_that_is_not_offered_again_holds_nobody_up_for_long() -> None:
    with http_double() as target:
        port = target.port
    clock = Clock()
    made = hook(f"http://127.0.0.1:{port}/", clock)
    fails(made, "webhook_unreachable", event(1))
    with http_double(port=port):
        fails(made, "webhook_unreachable", event(2))
        clock.now += 100
        fails(made, "webhook_unreachable", event(2))
        clock.now += 100
        made.publish(event(2))


def test_one_that_is_offered_again_is_waited_for_as_long_as_it_takes() -> None:
    with http_double() as target:
        port = target.port
    clock = Clock()
    made = hook(f"http://127.0.0.1:{port}/", clock)
    for number in (1, 1, 2):
        fails(made, "webhook_unreachable", event(number))
        clock.now += 80
    with http_double(port=port) as target:
        fails(made, "webhook_unreachable", event(2))
        assert target.seen == []


def test_one_that_connects_and_fails_is_not_waited_for() -> None:
    with http_double() as target:
        port = target.port
    made = hook(f"http://127.0.0.1:{port}/")
    fails(made, "webhook_unreachable", event(1))
    with http_double(port=port) as target:
        target.answer = lambda seen: Reply(0) if seen.headers["Idempotency-Key"] == ID else Reply()
        fails(made, "webhook_cut", event(1))
        made.publish(event(2))


def test_one_that_fails_by_itself_holds_nobody_up(target: HttpDouble) -> None:
    target.answer = lambda seen: Reply(0) if seen.headers["Idempotency-Key"] == ID else Reply()
    made = hook(target)
    fails(made, "webhook_cut")
    made.publish(event(2))


def certificate(folder: Path) -> Path:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    signed = made.add_extension(names, critical=True).sign(key, hashes.SHA256())
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "own.pem"
    path.write_bytes(plain + signed.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_certificate_is_checked_unless_that_is_switched_off(tmp_path: Path) -> None:
    own = certificate(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(own)
    with http_double(tls=server) as target:
        url = f"https://127.0.0.1:{target.port}/in?token=t0ken"
        fails(hook(url), "webhook_tls")
        assert not target.seen
        hook(url, ca_file=own).publish(event())
        hook(url, verify=False).publish(event())
        fails(hook(url.replace("127.0.0.1", "localhost"), ca_file=own), "webhook_tls")
        assert len(target.seen) == 2


def test_the_trace_of_an_event_goes_on_in_the_headers(target: HttpDouble) -> None:
    made, one, spans = hook(target), event(), list[Span]()
    above = TraceContext("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", sampled=True)
    traced = replace(one, snapshot=replace(one.snapshot, traceparent=above.traceparent, baggage="door=früh"))
    made.publish(traced)
    with Tracer(spans.append).span("publish home", above, {}):
        made.publish(traced)
    as_it_came, ours = (seen.headers for seen in target.seen)
    assert as_it_came["traceparent"] == above.traceparent
    assert ours["traceparent"] == spans[0].context.traceparent
    assert ours["baggage"].encode("latin-1").decode() == "door=früh"
    target.seen.clear()
    made.publish(one)
    assert "traceparent" not in target.seen[0].headers
