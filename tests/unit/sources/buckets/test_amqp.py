"""Notifications by AMQP: which objects a message brings, and when it is acknowledged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.journal import Journal
from app.messages import ObjectCreated, decode, encode
from app.pipeline.collect import ObjectUnavailable
from app.rules.telling import Telling
from app.sources import CheckedSource, Found, ObjectSource, SourceContext
from app.sources.buckets import amqp, reading
from app.sources.buckets.amqp import BucketAmqp, BucketAmqpSettings, subscription
from app.sources.buckets.notifications import NotAnEvent
from pylib.rabbitmq.delivery import Delivery
from pylib.runtime.relay import Codec, Transport
from tests.fakes.bucket import FakeS3, refused
from tests.fakes.notifications import body, ceph, minio, s3_event

OWN = {"server_address": "mq.example", "exchange": "ceph", "topic": "pictures", "buckets": [{"bucket": "photos"}]}


class Bench:
    """A source whose messages come from the test, and whose listener is a list of calls."""

    connected = False

    def __init__(self, transport: Transport) -> None:
        self.calls: list[tuple[str, str, float]] = []
        self.counted: list[str] = []
        journal = Journal(Path("never-opened"))
        context = SourceContext(
            name="bucket_amqp",
            app_name="test",
            cameras={"Yard Camera": "Yard"},
            telling=Telling(journal),
            transport=transport,
            address="inproc://triggers",
            settled=lambda _receipts: None,
            count=lambda _origin, code: self.counted.append(code),
            journal=journal,
            objects_address="inproc://objects",
        )
        self.source = BucketAmqp(BucketAmqpSettings.model_validate(OWN), context)
        self.source.thread = self  # type: ignore[assignment]

    def acknowledge(self, receipt: str) -> None:
        self.calls.append(("acknowledge", receipt, 0))

    def retry(self, receipt: str, *, after: float) -> None:
        self.calls.append(("retry", receipt, after))

    def deliver(self, event: Any, *, receipt: str = "1:1", **more: Any) -> list[ObjectCreated]:
        return self.source.objects_of(Delivery(body(event), receipt=receipt, **more))


@pytest.fixture
def bench() -> Iterator[Bench]:
    transport = Transport(Codec(encode, decode))
    yield Bench(transport)
    transport.close()


def several(*keys: str) -> Any:
    return {"Records": [ceph(key)["Records"][0] for key in keys]}


def test_an_object_is_acknowledged_when_it_has_an_outcome(bench: Bench) -> None:
    for number, event in enumerate((ceph("yard/a b.jpg"), minio("yard/a b.jpg"), s3_event("yard/a b.jpg"))):
        (found,) = bench.deliver(event, receipt=f"1:{number}", redelivered=True)
        assert (found.key, found.camera, found.origin) == ("yard/a b.jpg", "Yard Camera", "bucket_amqp")
        assert found.redelivered
        assert bench.calls == []
        bench.source.acknowledge(found.receipt)
        assert bench.calls.pop() == ("acknowledge", f"1:{number}", 0)


def test_a_message_of_several_objects_is_acknowledged_when_all_have_one(bench: Bench) -> None:
    first, second = bench.deliver(several("yard/a.jpg", "yard/notes.txt", "yard/b.jpg"))
    bench.source.acknowledge(second.receipt)
    assert bench.calls == []
    bench.source.acknowledge(first.receipt)
    assert bench.calls == [("acknowledge", "1:1", 0)]


def test_a_message_whose_objects_do_not_count_brings_none(bench: Bench) -> None:
    assert bench.deliver(several("yard/notes.txt")) == []
    assert bench.deliver(s3_event(name="ObjectRemoved:Delete")) == []


def test_what_is_no_event_is_a_dead_letter(bench: Bench) -> None:
    with pytest.raises(NotAnEvent):
        bench.deliver({"hello": "world"})


def test_a_record_that_cannot_be_read_harms_no_other_of_its_message(bench: Bench) -> None:
    broken = {"Records": [{"eventName": 7}, *several("yard/a.jpg")["Records"]]}
    assert [one.key for one in bench.deliver(broken)] == ["yard/a.jpg"]
    assert bench.counted == ["not_an_event"]


def test_what_cannot_be_read_now_has_its_message_delivered_again(bench: Bench) -> None:
    first, second = bench.deliver(several("yard/a.jpg", "yard/b.jpg"))
    bench.source.retry(first.receipt, after=30)
    bench.source.acknowledge(second.receipt)
    assert bench.calls == [("retry", "1:1", 30)]
    again = bench.deliver(several("yard/a.jpg", "yard/b.jpg"), receipt="1:2", redelivered=True)
    for found in again:
        bench.source.acknowledge(found.receipt)
    assert bench.calls[1:] == [("acknowledge", "1:2", 0)]


def test_nothing_is_remembered_of_messages_that_are_settled(bench: Bench) -> None:
    (found,) = bench.deliver(ceph())
    bench.source.acknowledge(found.receipt)
    bench.source._settled(["1:1"])
    (other,) = bench.deliver(ceph(), receipt="1:2")
    bench.source.retry(other.receipt, after=1)
    assert not bench.source._parts._all
    assert not bench.source._parts._open


def test_it_is_a_source_of_objects_from_a_queue_whose_health_is_that_of_its_connection(bench: Bench) -> None:
    assert isinstance(bench.source, ObjectSource)
    assert bench.source.queued
    assert bench.source.problem == "not connected to mq.example:5672"
    bench.connected = True
    assert (bench.source.connected, bench.source.problem) == (True, "")


def test_a_bucket_that_cannot_be_read_is_no_connected_source(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.connected = True
    s3 = FakeS3(failure=refused("NoSuchBucket", 404, code="not_found", kind="missing"))
    monkeypatch.setattr(reading, "AwsClient", lambda *_, **__: s3)
    (found,) = bench.deliver(ceph())
    with pytest.raises(ObjectUnavailable):
        bench.source.read(found)
    assert not bench.source.connected
    assert bench.source.problem.startswith("photos: no_such_bucket")


def test_its_queue_is_durable_and_bound_to_the_topic() -> None:
    own = subscription(BucketAmqpSettings.model_validate(OWN), app_name="house", name="ceph")
    assert own.exchange is not None
    assert (own.queue, own.routing_keys, own.exchange.name) == ("house.ceph.objects", ("pictures",), "ceph")
    assert (own.exchange.type, own.exchange.durable, own.dead_letters) == ("topic", True, "house.ceph.objects.dead")


def test_the_check_looks_for_the_exchange_and_the_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    there = [True, False]
    monkeypatch.setattr(amqp, "exchange_exists", lambda broker, name: there.pop() if name == "ceph" else None)
    monkeypatch.setattr(reading, "AwsClient", lambda *_, **__: FakeS3())
    settings = BucketAmqpSettings.model_validate(OWN)
    assert isinstance(BucketAmqp, CheckedSource)
    assert list(BucketAmqp.check(settings)) == [
        Found("no exchange ceph on mq.example:5672: the service makes it", "name it as the bucket's server does"),
        Found("photos/ can be listed, and is empty"),
    ]
    assert next(BucketAmqp.check(settings)) == Found("exchange ceph on mq.example:5672")


def test_without_a_broker_it_says_what_to_set() -> None:
    with pytest.raises(ValidationError, match="set server_address"):
        BucketAmqpSettings.model_validate({**OWN, "server_address": ""})
