"""Messages through SNS, against moto's server: what subscribers get, and what its refusals mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import ValidationError

from app.archives.s3 import S3
from app.archives.s3.settings import S3Settings
from app.publishers import PublisherContext, PublishError, PublishRejected, PublishUnavailable
from app.publishers.sns import Sns, SnsSettings, subject
from tests.fakes.archives import event_id
from tests.fakes.http_double import Reply, http_double
from tests.fakes.messages import an_event
from tests.fakes.s3 import refused

REGION = "eu-central-1"
BUSY = b"<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>"


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "whatever",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(variable, value)
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)


@dataclass(frozen=True)
class Topic:
    """A topic with a queue that gets everything."""

    arn: str
    sqs: Any
    queue: str

    def got(self) -> list[Any]:
        """What has come since the last look, each with its message and attributes."""
        answer = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", ())]


@pytest.fixture
def topic(moto: str, name: str) -> Topic:
    made: dict[str, Any] = {
        service: boto3.client(service, endpoint_url=moto, region_name=REGION) for service in ("sns", "sqs")
    }
    arn = made["sns"].create_topic(Name=name)["TopicArn"]
    queue = made["sqs"].create_queue(QueueName=name)["QueueUrl"]
    made["sns"].subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:{REGION}:123456789012:{name}")
    return Topic(arn, made["sqs"], queue)


@pytest.fixture
def sns(moto: str, topic: Topic) -> Callable[..., Sns]:
    def make(context: PublisherContext | None = None, **settings: Any) -> Sns:
        target = {} if "phone_number" in settings else {"topic_arn": topic.arn}
        values = SnsSettings.model_validate({"endpoint_url": moto, **target, **settings})
        return Sns(values, context or PublisherContext("sns"))

    return make


def test_subscribers_get_subject_text_link_and_attributes(
    sns: Callable[..., Sns], topic: Topic, moto: str, tmp_path: Path
) -> None:
    s3 = S3(S3Settings(bucket="pictures", prefix="home", endpoint_url=moto, path_style=True, region=REGION))
    context = PublisherContext("sns", archived_url=s3.link)
    event = an_event(4, folder=tmp_path, seen=[("Person", 2)])
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    sns(context).publish(replace(event, snapshot=replace(event.snapshot, traceparent=trace)))
    (got,) = topic.got()
    assert got["Subject"] == "2 persons at Front Door"
    first, link = got["Message"].splitlines()
    assert first == "21:10, Person 97 %"
    assert link.startswith(f"{moto}/pictures/home/")
    assert f"{event_id(4)}.jpg?" in link
    assert "X-Amz-Expires=604800" in link or "Expires=" in link
    assert {name: value["Value"] for name, value in got["MessageAttributes"].items()} == {
        "camera": "Front Door Camera",
        "decision": "person",
        "event_id": event_id(4),
        "person_count": "2",
        "traceparent": trace,
    }


def test_without_an_archive_the_link_is_our_own(sns: Callable[..., Sns], topic: Topic, tmp_path: Path) -> None:
    context = PublisherContext("sns", picture_url=lambda event_id: f"https://home.example/{event_id[-1]}")
    outlet = sns(context, language="de")
    outlet.publish_digest([an_event(number, folder=tmp_path, minutes=number) for number in (1, 2)])
    outlet.publish(an_event(3))
    messages = {got["Subject"]: got["Message"].splitlines()[-1] for got in topic.got()}
    assert messages == {
        "2 Bilder: Front Door zwischen 21:11 und 21:12 Uhr": "https://home.example/1",
        "Front Door: Person": "21:10, Person 97 %",  # its picture is gone
    }


def test_a_phone_gets_one_text(sns: Callable[..., Sns]) -> None:
    asked: list[dict[str, Any]] = []
    outlet = sns(phone_number="+4915112345678", region=REGION)
    outlet._client.boto.meta.events.register(
        "before-parameter-build.sns.Publish", lambda params, **_: asked.append(params)
    )
    outlet.publish(an_event())
    assert asked[0]["Message"] == "Person at Front Door\n21:10, Person 97 %"
    assert "Subject" not in asked[0]


def test_an_ordered_topic_is_told_which_event_it_is(sns: Callable[..., Sns], moto: str, name: str) -> None:
    client = boto3.client("sns", endpoint_url=moto, region_name=REGION)
    arn = client.create_topic(Name=f"{name}.fifo", Attributes={"FifoTopic": "true"})["TopicArn"]
    asked: list[dict[str, Any]] = []
    outlet = sns(topic_arn=arn)
    outlet._client.boto.meta.events.register(
        "before-parameter-build.sns.Publish", lambda params, **_: asked.append(params)
    )
    outlet.publish(an_event(9))
    for last in (2, 3, 3):  # one of three is another message, which the topic must not take for the one of two
        outlet.publish_digest([an_event(number) for number in range(1, last + 1)])
    single, two, three, again = (one["MessageDeduplicationId"] for one in asked)
    assert (single, three) == (event_id(9), again)
    assert len({single, two, three}) == 3


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Person at Küche, straße", "Person at Kuche, strasse"),
        ("one\ntwo\tthree", "one two three"),
        ("人", "snapshot-processor"),
        ("x" * 300, "x" * 99),
    ],
)
def test_a_subject_is_what_sns_takes(title: str, plain: str) -> None:
    assert subject(title) == plain


def test_a_topic_that_is_not_there_is_refused_for_good(sns: Callable[..., Sns]) -> None:
    with pytest.raises(PublishRejected) as failed:
        sns(topic_arn=f"arn:aws:sns:{REGION}:123456789012:nowhere").publish(an_event())
    assert failed.value.code == "target_gone"


@pytest.mark.parametrize(
    ("code", "status", "kind", "ours"),
    [
        ("AuthorizationError", 403, PublishRejected, "login_refused"),
        ("EndpointDisabled", 400, PublishRejected, "target_gone"),
        ("InvalidParameter", 400, PublishRejected, "message_refused"),
        ("InvalidClientTokenId", 403, PublishUnavailable, "bad_credentials"),
        ("SomethingNew", 400, PublishUnavailable, "message_failed"),
        ("SignatureDoesNotMatch", 403, PublishUnavailable, "bad_credentials"),
        ("ExpiredToken", 403, PublishUnavailable, "expired_credentials"),
        ("Throttled", 400, PublishUnavailable, "throttled"),
        ("InternalError", 500, PublishUnavailable, "target_busy"),
        ("ServiceUnavailable", 503, PublishUnavailable, "target_busy"),
        ("SomethingNew", 403, PublishUnavailable, "message_failed"),
    ],
)
def test_a_refusal_is_for_good_where_no_later_attempt_can_help(
    sns: Callable[..., Sns], code: str, status: int, kind: type[PublishError], ours: str
) -> None:
    def publish(**_: object) -> None:
        raise refused(code, status)

    outlet = sns()
    outlet._client.boto.publish = publish
    with pytest.raises(PublishError) as failed:
        outlet.publish(an_event())
    assert (type(failed.value), failed.value.code) == (kind, ours)


def test_a_server_that_hangs_fails_or_is_away_is_tried_again(sns: Callable[..., Sns]) -> None:
    with http_double() as double:
        double.answer = lambda _: Reply(503, body=[BUSY])
        with pytest.raises(PublishUnavailable) as busy:
            sns(endpoint_url=double.url).publish(an_event())
        asked = len(double.seen)
        double.hold.clear()
        with pytest.raises(PublishUnavailable) as silent:
            sns(endpoint_url=double.url, timeout=1).publish(an_event())
        double.hold.set()
    with pytest.raises(PublishUnavailable) as away:
        sns(endpoint_url="http://127.0.0.1:9").publish(an_event())
    assert (busy.value.code, silent.value.code, away.value.code) == ("target_busy", "target_silent", "target_away")
    assert asked == 1  # once: a second try at once might tell people twice


def test_exactly_one_target_is_named() -> None:
    for settings in ({}, {"topic_arn": "arn:aws:sns:a:b:c", "phone_number": "+4915112345678"}):
        with pytest.raises(ValidationError, match="exactly one"):
            SnsSettings.model_validate(settings)


def test_without_a_region_it_says_what_to_set() -> None:
    with pytest.raises(PublishError, match="set `region`") as failed:
        Sns(SnsSettings(phone_number="+4915112345678"), PublisherContext("sns"))
    assert failed.value.code == "wrong_region"
