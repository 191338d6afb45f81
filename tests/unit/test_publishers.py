"""Which failures to publish an event are for later, and which for ever; nothing is told as delivered that is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import pytest
from structlog.testing import capture_logs

from app.messages import Inspection
from app.publishers import PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.rabbitmq import RabbitMQ
from pylib.errors import Failure, Permanent, Transient
from pylib.rabbitmq.settings import RabbitMQSettings
from tests.fakes.archives import a_picture, event_id

ID = event_id(1)


class Confirming:
    """A `ConfirmedPublisher` that keeps what it is given, or raises."""

    def __init__(self, failure: Failure | None = None) -> None:
        self.failure = failure
        self.sent: list[dict[str, Any]] = []

    def publish(self, exchange: str, routing_key: str, body: bytes, **options: Any) -> None:
        if self.failure is not None:
            raise self.failure
        (entry,) = msgpack.unpackb(body)["inputs"]
        self.sent.append({"exchange": exchange, "key": routing_key, "entry": entry, **options})


def target(publisher: Confirming) -> RabbitMQ:
    context = PublisherContext(
        device_name="pi",
        storage_url=lambda: "https://drive",
        thumbnail_url=lambda event: f"https://album/{event}",
        animation_url=lambda event: f"https://album/{event}/animation",
    )
    made = RabbitMQ(RabbitMQSettings(server_address="broker", exchange="home"), context)
    made.connection = publisher  # type: ignore[assignment]
    return made


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(b"\xff\xd8 a picture")
    return path


def of(path: Path, problem: str = "") -> Inspection:
    one = a_picture(None, problem=problem)
    return replace(one, snapshot=replace(one.snapshot, path=str(path) if path.name else ""))


def test_an_event_goes_out_with_its_picture_and_links_and_has_to_reach_somebody(picture: Path) -> None:
    publisher = Confirming()
    target(publisher).publish(of(picture))
    (sent,) = publisher.sent
    assert sent["entry"]["image"] == b"\xff\xd8 a picture"
    assert sent["entry"]["storage_url"] == "https://drive"
    assert sent["entry"]["thumbnail_url"] == f"https://album/{ID}"
    assert (sent["exchange"], sent["key"]) == ("home", "event.notify.snapshot.pi.image")
    assert (sent["message_id"], sent["mandatory"], sent["timeout"]) == (ID, True, 15.0)


@pytest.mark.parametrize(("frames", "url"), [(3, f"https://album/{ID}/animation"), (1, ""), (0, "")])
def test_an_event_with_several_pictures_has_a_link_to_its_animation(picture: Path, frames: int, url: str) -> None:
    publisher, one = Confirming(), of(picture)
    target(publisher).publish(replace(one, snapshot=replace(one.snapshot, frames=frames)))
    assert publisher.sent[0]["entry"]["animation_url"] == url


def test_a_picture_that_is_gone_costs_the_event_its_picture_only(tmp_path: Path) -> None:
    publisher = Confirming()
    with capture_logs() as logs:
        target(publisher).publish(of(tmp_path / "gone.jpg"))
        target(publisher).publish(of(tmp_path / "gone.jpg", problem="timeout: no answer"))
        target(publisher).publish(of(Path(), problem="timeout: no answer"))
    problems = [sent["entry"]["problem"] for sent in publisher.sent]
    assert problems == ["picture_missing: No such file or directory", "timeout: no answer", "timeout: no answer"]
    assert {sent["entry"]["thumbnail_url"] for sent in publisher.sent} == {""}
    assert {sent["entry"]["image"] for sent in publisher.sent} == {b""}
    assert len(logs) == 2


@pytest.mark.parametrize(
    ("failure", "kind", "code"),
    [
        (Transient("unroutable", "x"), PublishUnavailable, "nobody_listens"),
        (Transient("nack", "x"), PublishUnavailable, "nack"),
        (Transient("broker_away", "x"), PublishUnavailable, "broker_away"),
        (Permanent("access_refused", "x"), PublishUnavailable, "access_refused"),
        (Permanent("unsendable", "x"), PublishUnavailable, "unsendable"),
        (Permanent("too_large", "x"), PublishRejected, "too_large"),
        (Permanent("broke_connection", "x"), PublishRejected, "broke_connection"),
    ],
)
def test_only_what_no_broker_would_ever_take_is_given_up(
    picture: Path, failure: Failure, kind: type[PublishError], code: str
) -> None:
    with pytest.raises(PublishError) as raised:
        target(Confirming(failure)).publish(of(picture))
    assert (type(raised.value), raised.value.code) == (kind, code)
