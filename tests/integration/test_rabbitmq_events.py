"""Triggers in and events out over a real RabbitMQ, as sensors and consumers see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from app import wire
from app.messages import Detection, Inspection, Label, Snapshot, Trigger, decode, encode
from app.publishers import PublisherContext, PublishRejected, PublishUnavailable
from app.publishers.rabbitmq import RabbitMQ
from app.sources.rabbitmq import decoder
from pylib.rabbitmq.listener import ZMQListener
from pylib.rabbitmq.publisher import ConfirmedPublisher
from pylib.rabbitmq.settings import RabbitMQSettings
from pylib.rabbitmq.topology import Exchange, Subscription
from tests.broker import Broker
from tests.integration.rabbit import eventually

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def publisher(own_broker: Broker, name: str) -> Iterator[ConfirmedPublisher]:
    one = ConfirmedPublisher("publisher", own_broker.address, exchanges=[Exchange(name, "topic")])
    one.start()
    eventually(lambda: one.connected)
    yield one
    one.stop()
    assert one.join(60)


def connected(publisher: ConfirmedPublisher, exchange: str, **context: Any) -> RabbitMQ:
    """What publishes to this exchange over this connection."""
    settings = RabbitMQSettings(server_address="broker", exchange=exchange)
    target = RabbitMQ(settings, PublisherContext(device_name="pi", **context))
    target.connection = publisher
    return target


@pytest.fixture
def target(publisher: ConfirmedPublisher, name: str) -> RabbitMQ:
    return connected(publisher, name)


def inspection(path: Path) -> Inspection:
    snapshot = Snapshot(
        id="0123456789abcdef" * 2,
        camera="Front Door Camera",
        label="Front Door",
        timestamp=NOON,
        taken_at=NOON + timedelta(seconds=1),
        delay_s=1.0,
        origin="rabbitmq",
        path=str(path),
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    )
    return Inspection(snapshot, detector="hog", detection=Detection((Label("Person", 0.9),), 1))


def test_a_consumer_gets_the_event_with_its_picture(
    own_broker: Broker, name: str, target: RabbitMQ, tmp_path: Path
) -> None:
    own_broker.listen(name, "event.notify.snapshot.*.image", queue=name)
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"\xff\xd8 a picture")
    target.publish(inspection(picture))
    ((properties, body),) = own_broker.take(name)
    (entry,) = msgpack.unpackb(body)["inputs"]
    assert entry["image"] == b"\xff\xd8 a picture"
    assert entry["event_detail"] == "1 person(s) and 1 things"
    assert properties.message_id == entry["event_id"] == "0123456789abcdef" * 2
    assert properties.headers["traceparent"].startswith("00-0af7651916cd43dd")
    assert properties.delivery_mode == 2


def test_an_event_whose_picture_is_gone_goes_out_without_it(
    own_broker: Broker, name: str, target: RabbitMQ, tmp_path: Path
) -> None:
    own_broker.listen(name, "#", queue=name)
    target.publish(inspection(tmp_path / "gone.jpg"))
    ((_, body),) = own_broker.take(name)
    (entry,) = msgpack.unpackb(body)["inputs"]
    assert entry["image"] == b""
    assert entry["problem"] == "picture_missing: No such file or directory"


def test_an_event_carries_a_link_to_its_small_picture_where_people_can_reach_the_album(
    own_broker: Broker, publisher: ConfirmedPublisher, name: str, tmp_path: Path
) -> None:
    own_broker.listen(name, "#", queue=name)
    target = connected(publisher, name, thumbnail_url=lambda event: f"https://home/{event}")
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(b"\xff\xd8 a picture")
    target.publish(inspection(picture))
    target.publish(replace(inspection(picture), snapshot=replace(inspection(picture).snapshot, path="")))
    links = [msgpack.unpackb(body)["inputs"][0]["thumbnail_url"] for _, body in own_broker.take(name, 2)]
    assert links == ["https://home/" + "0123456789abcdef" * 2, ""]


def test_an_event_that_nobody_listens_for_is_owed(target: RabbitMQ, tmp_path: Path) -> None:
    with pytest.raises(PublishUnavailable) as caught:
        target.publish(inspection(tmp_path / "gone.jpg"))
    assert caught.value.code == "nobody_listens"


def test_an_event_that_no_broker_would_take_is_rejected(
    own_broker: Broker, name: str, target: RabbitMQ, tmp_path: Path
) -> None:
    own_broker.listen(name, "#", queue=name)
    picture = tmp_path / "picture.jpg"
    picture.write_bytes(bytes(25 * 1024 * 1024))
    with pytest.raises(PublishRejected) as caught:
        target.publish(inspection(picture))
    assert caught.value.code == "too_large"


def test_an_event_is_owed_while_the_broker_is_away(broker: Broker, name: str, tmp_path: Path) -> None:
    away = ConfirmedPublisher("publisher", replace(broker.address, port=1))
    target = connected(away, name)
    with pytest.raises(PublishUnavailable, match="broker_away"):
        target.publish(inspection(tmp_path / "gone.jpg"))


def test_a_sensors_trigger_arrives_as_a_message_of_ours(broker: Broker, name: str) -> None:
    exchange = Exchange(wire.control_exchange(name))
    subscription = Subscription(exchange=exchange, routing_keys=(wire.trigger_key("snapshot"),), queue=name)
    with zmq.Context() as context, context.socket(zmq.PULL) as pull:
        pull.bind("inproc://triggers")
        listener = ZMQListener(
            "listener",
            broker.address,
            [subscription],
            context=context,
            address="inproc://triggers",
            decode=decoder({"Front Door Camera"}),
            encode=encode,
        )
        listener.start()
        try:
            eventually(lambda: listener.connected)
            for camera in ("Back Door Camera", "Front Door Camera"):
                body = wire.trigger_body(camera, "Door", timestamp=NOON, active_input={"type": "Door"})
                broker.publish(exchange.name, "event.trigger.snapshot", body, message_id=f"of {camera}")
            assert pull.poll(10_000)
            trigger = decode(pull.recv())
            assert isinstance(trigger, Trigger)
            assert (trigger.camera, trigger.timestamp) == ("Front Door Camera", NOON)
            assert trigger.active_input == {"type": "Door"}
            assert (trigger.key, trigger.queued) == ("id:of Front Door Camera", False)
            listener.acknowledge(trigger.receipt)
            ((dead, _),) = broker.take(f"{name}.dead")
            assert dead.message_id == "of Back Door Camera"
        finally:
            listener.stop()
            assert listener.join(60)
    assert broker.waiting(name) == 0
