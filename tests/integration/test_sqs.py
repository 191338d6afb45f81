"""The SQS source against moto's server: what S3 announces in each of its ways, dead letters, queues that are away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.journal import Journal
from app.messages import ObjectCreated, decode, encode
from app.rules.telling import Telling
from app.sources import SourceContext
from app.sources.sqs import Sqs
from app.sources.sqs.settings import SqsSettings
from pylib.runtime import reconnection
from pylib.runtime.relay import Codec, Transport
from tests.aws import ACCOUNT, LOGIN, REGION, Aws, arn
from tests.e2e.process import until

KEY = "yard/Größe 1+1=2 100%25.jpg"
Make = Callable[..., Sqs]


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in LOGIN.items():
        monkeypatch.setenv(variable, value)
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SQS", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture
def make(aws: Aws, journal: Journal, name: str) -> Iterator[Make]:
    """Makes sources of the test's bucket, which end with the test."""
    transport = Transport(Codec(encode, decode))
    made: list[Sqs] = []

    def source(queue_url: str, **settings: Any) -> Sqs:
        context = SourceContext(
            name="pictures",
            app_name="test",
            cameras={},
            telling=Telling(journal),
            transport=transport,
            address="inproc://triggers",
            settled=lambda _receipts: None,
            count=lambda _origin, _code: None,
            journal=journal,
            objects_address="inproc://objects",
        )
        own = {"queue_url": queue_url, "buckets": [{"bucket": name}], "endpoint_url": aws.url, "path_style": True}
        made.append(Sqs(SqsSettings.model_validate({**own, **settings}), context))
        return made[-1]

    yield source
    for one in made:
        one.close()
    transport.close()


def brought(source: Sqs) -> ObjectCreated:
    """The next object that it brings."""
    found = until(lambda: list(source.poll(0.05)), what="an object")
    assert len(found) == 1
    return found[0]


def directly(aws: Aws, bucket: str, queue_url: str) -> None:
    aws.announce(bucket, queue_url)


def by_sns(aws: Aws, bucket: str, queue_url: str) -> None:
    sns = aws.client("sns")
    topic = sns.create_topic(Name=bucket)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn("sqs", queue_url))
    configuration = {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]}
    aws.client("s3").put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=configuration)


def by_event_bridge(aws: Aws, bucket: str, queue_url: str) -> None:
    events = aws.client("events")
    pattern = {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": {"bucket": {"name": [bucket]}}}
    events.put_rule(Name=bucket, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=bucket, Targets=[{"Id": "queue", "Arn": arn("sqs", queue_url)}])
    aws.client("s3").put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
    )


@pytest.mark.parametrize("route", [directly, by_sns, by_event_bridge])
def test_an_object_is_announced_read_and_its_message_deleted(
    aws: Aws, make: Make, name: str, route: Callable[[Aws, str, str], None]
) -> None:
    bucket, queue_url = aws.bucket(name), aws.queue(name)
    route(aws, bucket, queue_url)
    aws.client("s3").put_object(Bucket=bucket, Key=KEY, Body=b"a picture", Metadata={"Camera": "x"})
    source = make(queue_url)
    found = brought(source)
    assert (found.bucket, found.key, found.size, found.camera) == (bucket, KEY, 9, "yard Camera")
    assert found.etag
    assert source.connected
    content = source.read(found)
    assert (content.data, content.metadata) == (b"a picture", {"camera": "x"})
    list(source.poll(0.05))  # S3's test message goes
    assert aws.waiting(queue_url) == 1
    source.acknowledge(found.receipt)
    list(source.poll(0.05))
    assert aws.waiting(queue_url) == 0


def test_what_is_in_hand_is_not_delivered_again_and_at_the_end_it_is(aws: Aws, make: Make, name: str) -> None:
    bucket, queue_url = aws.bucket(name), aws.queue(name)
    directly(aws, bucket, queue_url)
    aws.client("s3").put_object(Bucket=bucket, Key="a.jpg", Body=b"a picture")
    source = make(queue_url)
    found = brought(source)
    source.retry(found.receipt, after=0)
    assert brought(source) == found
    source._in_hand._visibility = 1000.0  # half of it is over for what was received with less
    assert source._in_hand.expiring()
    list(source.poll(0.05))
    assert not source._in_hand.expiring()
    source.close()
    again = brought(make(queue_url))
    assert (again.id, again.redelivered) == (found.id, True)


def test_a_message_that_is_no_event_goes_to_the_dead_letters_with_its_reason(
    aws: Aws, make: Make, name: str, journal: Journal
) -> None:
    queue_url, dead = aws.queue(name), aws.queue(f"{name}-dead")
    sqs = aws.client("sqs")
    sqs.send_message(QueueUrl=queue_url, MessageBody="no event")
    source = make(queue_url, dead_letter_queue=dead, max_receives=2)
    until(lambda: source.poll(0.05) == [] and journal.rejected_messages("pictures").count, what="it is rejected")
    assert aws.waiting(dead) == 0
    aws.let_time_pass(queue_url)
    until(lambda: source.poll(0.05) == [] and aws.waiting(dead) == 1, what="it has come too often")
    list(source.poll(0.05))
    assert aws.waiting(queue_url) == 0
    (letter,) = sqs.receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    assert letter["Body"] == "no event"
    assert letter["MessageAttributes"]["reason"]["StringValue"] == "not_an_event: it is not JSON"


def test_a_redrive_policy_of_the_queue_is_seen(aws: Aws, make: Make, name: str) -> None:
    dead = aws.queue(f"{name}-dead")
    policy = json.dumps({"deadLetterTargetArn": arn("sqs", dead), "maxReceiveCount": 10})
    assert make(aws.queue(name, RedrivePolicy=policy))._queue.redrives
    assert not make(dead)._queue.redrives


def test_a_queue_that_is_not_there_is_told_and_found_when_it_is_made(
    aws: Aws, make: Make, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconnection, "REFUSED_DELAY", 0.0)
    source = make(f"{aws.url}/{ACCOUNT}/{name}")
    assert list(source.poll(0.05)) == []
    assert not source.connected
    assert source.problem.startswith("not_found: SQS knows nothing by this name")
    aws.queue(name)
    list(source.poll(0.05))
    assert source.connected


def test_a_queue_in_another_region_is_not_there(aws: Aws, make: Make, name: str) -> None:
    aws.queue(name)
    source = make(f"{aws.url}/{ACCOUNT}/{name}", region="eu-west-2")
    assert REGION != "eu-west-2"
    assert list(source.poll(0.05)) == []
    assert source.problem.startswith("not_found: ")


def test_an_end_within_a_long_poll_takes_no_longer_than_the_poll(aws: Aws, make: Make, name: str) -> None:
    source = make(aws.queue(name))
    source.thread.start()
    until(lambda: source._reconnection._began)
    source.thread.stop()
    assert source.thread.join(10.0)
