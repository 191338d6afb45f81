"""Notifications of a bucket from a real RabbitMQ, published as Ceph and MinIO do."""

from __future__ import annotations

from pathlib import Path

import pytest
import zmq
from pika.exceptions import UnroutableError

from app.journal import Journal
from app.messages import ObjectCreated, decode, encode
from app.rules.telling import Telling
from app.sources import SourceContext
from app.sources.buckets.amqp import BucketAmqp, BucketAmqpSettings
from pylib.runtime.relay import Codec, Transport
from tests.broker import Broker
from tests.fakes.notifications import body, ceph, minio, s3_event
from tests.integration.rabbit import eventually


def test_each_notification_is_kept_until_its_objects_have_outcomes(broker: Broker, name: str) -> None:
    transport = Transport(Codec(encode, decode))
    counted: list[tuple[str, str]] = []
    journal = Journal(Path("never-opened"))
    context = SourceContext(
        name=name,
        app_name="test",
        cameras={},
        telling=Telling(journal),
        transport=transport,
        address="inproc://triggers",
        settled=lambda _receipts: None,
        count=lambda origin, code: counted.append((origin, code)),
        journal=journal,
        objects_address="inproc://objects",
    )
    own = {"server_address": broker.url, "exchange": name, "topic": "pictures", "buckets": [{"bucket": "photos"}]}
    queue = f"test.{name}.objects"

    with transport.context.socket(zmq.PULL) as pull:
        pull.bind("inproc://objects")

        def take() -> ObjectCreated:
            assert pull.poll(60_000), "no object came"
            found = decode(pull.recv())
            assert isinstance(found, ObjectCreated)
            return found

        source = BucketAmqp(BucketAmqpSettings.model_validate(own), context)
        source.thread.start()
        eventually(lambda: source.connected)
        two = {"Records": [ceph(key)["Records"][0] for key in ("b.jpg", "c.jpg")]}
        messages = ceph("a b+c%20ü.jpg"), two, minio("d.jpg"), s3_event(name="ObjectRemoved:Delete")
        broker.publish(name, "pictures", *map(body, messages), b"no event")
        with pytest.raises(UnroutableError):  # another topic's
            broker.publish(name, "others", body(ceph()))

        first, second, third, fourth = (take() for _ in range(4))
        assert [one.key for one in (first, second, third, fourth)] == ["a b+c%20ü.jpg", "b.jpg", "c.jpg", "d.jpg"]
        assert [dead for _, dead in broker.take(f"{queue}.dead", 1)] == [b"no event"]
        assert counted == [(name, "not_an_event")]

        source.retry(first.receipt, after=0.01)  # the bucket is away
        again = take()
        assert (again.key, again.redelivered) == (first.key, True)
        source.acknowledge(second.receipt)  # and the other object of its message is not done yet
        source.acknowledge(fourth.receipt)
        source.thread.stop()
        assert source.thread.join(60)

        source = BucketAmqp(BucketAmqpSettings.model_validate(own), context)  # the next start
        source.thread.start()
        left = [take() for _ in range(3)]
        assert sorted(one.key for one in left) == ["a b+c%20ü.jpg", "b.jpg", "c.jpg"]
        assert all(one.redelivered for one in left)
        for one in left:
            source.acknowledge(one.receipt)
        source.thread.stop()
        assert source.thread.join(60)
    assert broker.waiting(queue) == 0
    transport.close()
