"""Objects that a queue announces: what is received, kept invisible, deleted, rejected and let go."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from app.config.settings import load
from app.journal import Journal
from app.messages import ObjectCreated, decode, encode
from app.pipeline.collect import ObjectUnavailable
from app.rules.telling import Telling
from app.sources import ObjectSource, SourceContext
from app.sources.buckets import reading
from app.sources.buckets.notifications import parse
from app.sources.sqs import PUT_OFF_S, Sqs
from app.sources.sqs.in_hand import InHand
from app.sources.sqs.settings import SqsSettings, region_of
from pylib.aws.calls import AwsFailure
from pylib.runtime.relay import Codec, Transport
from pylib.settings.draft import ConfigError
from pylib.settings.error_texts import error_text
from tests.fakes.bucket import FakeS3
from tests.fakes.clock import Clock
from tests.fakes.journal import full_disk
from tests.fakes.sqs import AWAY, FakeSqs

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/pictures"
DEAD = "https://sqs.eu-central-1.amazonaws.com/123456789012/dead"
YARD = "Yard Camera"


def event(*keys: str, bucket: str = "photos") -> str:
    records = [
        {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "eventTime": "2026-03-04T12:00:00.000Z",
            "eventName": "ObjectCreated:Put",
            "s3": {
                "bucket": {"name": bucket},
                "object": {"key": key, "size": 10, "eTag": "e", "sequencer": "0055AED6DCD90281E5"},
            },
        }
        for key in keys
    ]
    return json.dumps({"Records": records})


class Bench:
    """A source over a queue in memory; its time is the test's."""

    def __init__(self, journal: Journal, clock: Clock, transport: Transport, **settings: Any) -> None:
        self.clock, self.journal = clock, journal
        self.counted: list[tuple[str, str]] = []
        context = SourceContext(
            name="pictures",
            app_name="test",
            cameras={YARD: "Yard"},
            telling=Telling(journal),
            transport=transport,
            address="inproc://triggers",
            settled=lambda _receipts: None,
            count=lambda origin, code: self.counted.append((origin, code)),
            journal=journal,
            objects_address="inproc://objects",
        )
        own = {"queue_url": URL, "buckets": [{"bucket": "photos", "camera": "Yard"}], **settings}
        self.source = Sqs(SqsSettings.model_validate(own), context)
        self.queue = FakeSqs()
        self.source._queue._made = self.queue  # type: ignore[assignment]
        self.source._in_hand = InHand(
            visibility=self.source._settings.visibility, size=self.source._settings.max_in_hand, now=clock
        )

    def poll(self) -> list[ObjectCreated]:
        return list(self.source.poll(0.0))

    def settle(self, *found: ObjectCreated) -> None:
        for one in found:
            self.source.acknowledge(one.receipt)
        self.poll()


@pytest.fixture
def transport() -> Iterator[Transport]:
    transport = Transport(Codec(encode, decode))
    yield transport
    transport.close()


@pytest.fixture
def bench(journal: Journal, clock: Clock, transport: Transport) -> Bench:
    return Bench(journal, clock, transport)


def test_a_message_is_deleted_when_its_object_is_recorded(bench: Bench) -> None:
    bench.queue.send("m1", event("yard/a+b%C3%A4.jpg"))
    (found,) = bench.poll()
    assert (found.bucket, found.key, found.camera, found.origin) == ("photos", "yard/a bä.jpg", YARD, "pictures")
    assert not found.redelivered
    bench.poll()
    assert list(bench.queue.bodies) == ["m1"]
    bench.settle(found)
    assert bench.queue.bodies == {}
    assert bench.queue.asked("delete_message_batch")[0]["QueueUrl"] == URL
    bench.poll()
    assert len(bench.queue.asked("delete_message_batch")) == 1
    assert isinstance(bench.source, ObjectSource)


def test_a_message_of_several_objects_is_deleted_when_all_are_recorded(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg", "b.jpg"))
    first, second = bench.poll()
    assert first.receipt != second.receipt
    bench.settle(first, first)
    assert list(bench.queue.bodies) == ["m1"]
    bench.settle(second)
    assert bench.queue.bodies == {}


def test_a_message_without_an_object_for_us_is_deleted_at_once(bench: Bench) -> None:
    bench.queue.send("test", json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "photos"}))
    bench.queue.send("other", event("a.jpg", bucket="elsewhere"))
    assert bench.poll() == []
    bench.poll()
    assert bench.queue.bodies == {}
    assert bench.counted == []


def test_deletions_go_in_batches_and_those_that_fail_are_tried_again(bench: Bench) -> None:
    found = []
    for number in range(12):
        bench.queue.send(f"m{number}", event(f"{number}.jpg"))
    found += bench.poll()
    found += bench.poll()
    assert len(found) == 12
    bench.queue.refused = {
        bench.queue.handles["m3"]: ("InternalError", False),
        bench.queue.handles["m4"]: ("ReceiptHandleIsInvalid", True),
    }
    bench.settle(*found)
    assert [len(call["Entries"]) for call in bench.queue.asked("delete_message_batch")] == [10, 2]
    assert sorted(bench.queue.bodies) == ["m3", "m4"]
    bench.queue.refused = {}
    bench.poll()
    assert sorted(bench.queue.bodies) == ["m4"]  # visible again: it comes once more
    assert bench.source._in_hand.objects == len(bench.source._in_hand) == 0


def test_no_more_is_received_than_may_be_in_hand(journal: Journal, clock: Clock, transport: Transport) -> None:
    bench = Bench(journal, clock, transport, max_in_hand=5)
    for number in range(30):
        bench.queue.send(f"m{number}", event(f"{number}.jpg"))
    found = bench.poll()
    assert bench.poll() == []
    assert len(bench.queue.asked("receive_message")) == 1
    bench.settle(*found[:6])
    assert len(bench.queue.asked("receive_message")) == 2


def test_what_is_in_hand_stays_invisible_for_as_long_as_it_takes(bench: Bench) -> None:
    for number in range(11):
        bench.queue.send(f"m{number}", event(f"{number}.jpg"))
    found = [*bench.poll(), *bench.poll()]
    bench.source.retry(found[0].receipt, after=10_000)
    bench.clock.now += 59
    bench.poll()
    assert bench.queue.asked("change_message_visibility_batch") == []
    bench.clock.now += 2
    bench.poll()
    calls = bench.queue.asked("change_message_visibility_batch")
    assert [[entry["VisibilityTimeout"] for entry in call["Entries"]] for call in calls] == [[120] * 10, [120]]
    bench.poll()
    assert len(bench.queue.asked("change_message_visibility_batch")) == 2
    bench.clock.now += 61
    bench.settle(found[1])
    extended = bench.queue.asked("change_message_visibility_batch")[2:]
    assert sum(len(call["Entries"]) for call in extended) == 10  # all but the one that is done


def test_a_message_that_cannot_be_kept_longer_comes_again_and_is_not_brought_twice(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg"))
    (found,) = bench.poll()
    bench.queue.refused = {bench.queue.handles["m1"]: ("InvalidParameterValue", True)}
    bench.clock.now += 61
    bench.poll()
    bench.poll()
    assert len(bench.queue.asked("change_message_visibility_batch")) == 1
    bench.queue.visible = ["m1"]
    assert bench.poll() == []
    bench.settle(found)
    assert bench.queue.bodies == {}  # by the handle of its second delivery


def test_an_object_that_could_not_be_read_is_brought_again_in_its_time(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg", "b.jpg"))
    first, second = bench.poll()
    bench.source.retry(second.receipt, after=8)
    bench.source.retry(first.receipt, after=4)
    bench.clock.now += 5
    assert bench.poll() == [first]
    assert bench.queue.asked("receive_message")[-1]["WaitTimeSeconds"] == 0
    bench.clock.now += 5
    assert bench.poll() == [second]
    assert bench.poll() == []
    bench.settle(first, second)
    assert bench.queue.bodies == {}


def test_objects_that_cannot_be_read_keep_no_other_from_coming(
    journal: Journal, clock: Clock, transport: Transport
) -> None:
    bench = Bench(journal, clock, transport, max_in_hand=10)
    for number in range(30):
        bench.queue.send(f"m{number}", event(f"{number}.jpg", f"{number}b.jpg"))
    for _ in range(3):
        for found in bench.poll():
            bench.source.retry(found.receipt, after=60)
    bench.queue.send("good", event("good.jpg"))
    (good,) = [found for found in bench.poll() if found.key == "good.jpg"]
    # Five messages wait with all that they brought; the others come again in half an hour.
    put_off = [
        entry
        for call in bench.queue.asked("change_message_visibility_batch")
        for entry in call["Entries"]
        if entry["VisibilityTimeout"] == PUT_OFF_S
    ]
    assert len(put_off) == 25
    bench.settle(good)
    bench.queue.send("late", event("late.jpg"))
    bench.clock.now += 61
    again = [found.key for found in bench.poll()]
    assert (len(again), again[-1]) == (11, "late.jpg")  # also in the moment when all of those are due


def test_a_message_that_was_put_off_comes_again_whole(journal: Journal, clock: Clock, transport: Transport) -> None:
    bench = Bench(journal, clock, transport, max_in_hand=1)
    bench.queue.send("m1", event("a.jpg"))
    bench.queue.send("m2", event("b.jpg", "c.jpg"))
    first, second, third = bench.poll()
    bench.source.retry(first.receipt, after=60)
    bench.source.retry(second.receipt, after=60)
    bench.source.retry(third.receipt, after=60)
    bench.source.acknowledge(third.receipt)
    bench.poll()
    bench.queue.visible = ["m2"]
    assert [found.receipt for found in bench.poll()] == [second.receipt, third.receipt]
    bench.settle(second, third)
    assert list(bench.queue.bodies) == ["m1"]


def test_a_login_that_may_not_delete_keeps_the_rest_invisible(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg"))
    bench.queue.send("m2", event("b.jpg"))
    first, _ = bench.poll()
    bench.queue.failing = {"delete_message_batch": AwsFailure("access_denied", "SQS does not let it.", kind="denied")}
    bench.source.acknowledge(first.receipt)
    bench.clock.now += 61
    bench.poll()
    assert len(bench.queue.asked("change_message_visibility_batch")) == 1
    assert bench.source.problem.startswith("access_denied")


def test_it_waits_longer_while_nothing_is_in_hand(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg"))
    bench.poll()
    bench.poll()
    waits = [call["WaitTimeSeconds"] for call in bench.queue.asked("receive_message")]
    assert waits == [5, 1]


def test_a_message_that_came_before_says_so(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg"))
    bench.queue.receives["m1"] = 1
    (found,) = bench.poll()
    assert found.redelivered


# -- the queue itself -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failure", "problem"),
    [
        (AWAY, "unreachable: No connection to sqs.example."),
        (AwsFailure("not_found", "SQS knows nothing by this name.", kind="missing"), "not_found: SQS knows"),
        (AwsFailure("access_denied", "SQS does not let this login.", kind="denied"), "access_denied: SQS does"),
        (AwsFailure("throttled", "SQS takes no more calls.", kind="busy"), "throttled: SQS takes"),
    ],
)
def test_a_queue_that_does_not_answer_is_told_and_asked_again_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, failure: AwsFailure, problem: str
) -> None:
    monotonic = Clock()
    monkeypatch.setattr("time.monotonic", monotonic)
    assert not bench.source.connected
    bench.queue.send("m1", event("a.jpg"))
    (found,) = bench.poll()
    assert bench.source.connected
    bench.queue.failing = {"all": failure}
    bench.source.retry(found.receipt, after=1)
    bench.poll()
    calls = len(bench.queue.calls)
    bench.clock.now += 2
    assert bench.poll() == [found]  # what is in hand goes on
    assert len(bench.queue.calls) == calls
    assert not bench.source.connected
    assert bench.source.problem.startswith(problem)
    bench.queue.failing = {}
    monotonic.now += 61
    bench.settle(found)
    assert bench.source.connected
    assert bench.source.problem == ""
    assert bench.queue.bodies == {}


def test_a_bucket_that_cannot_be_read_is_said_until_it_can(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    s3 = FakeS3(failure=AWAY)
    monkeypatch.setattr(reading, "AwsClient", lambda *_, **__: s3)
    bench.queue.send("m1", event("a.jpg"))
    (found,) = bench.poll()
    with pytest.raises(ObjectUnavailable):
        bench.source.read(found)
    assert not bench.source.connected
    assert bench.source.problem == "photos: unreachable: No connection to sqs.example."


def test_a_pause_settles_and_brings_nothing_new(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg"))
    (found,) = bench.poll()
    bench.queue.send("m2", event("b.jpg"))
    bench.queue.on_receive = bench.source.thread.pause
    assert bench.poll() == []
    assert bench.queue.visible == ["m2"]
    received = len(bench.queue.asked("receive_message"))
    bench.settle(found)
    assert len(bench.queue.asked("receive_message")) == received
    assert list(bench.queue.bodies) == ["m2"]


def test_a_pause_brings_nothing_again_that_waits(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg"))
    (found,) = bench.poll()
    bench.source.retry(found.receipt, after=1)
    bench.source.pause()
    bench.clock.now += 2
    assert bench.poll() == []
    bench.source.close()
    assert bench.queue.visible == ["m1"]
    bench.source.acknowledge(found.receipt)  # a worker that took longer


def test_what_is_not_recorded_at_the_end_comes_again_at_once(bench: Bench) -> None:
    for number in range(12):
        bench.queue.send(f"m{number}", event(f"{number}.jpg"))
    found = [*bench.poll(), *bench.poll()]
    bench.source.acknowledge(found[0].receipt)
    bench.source.close()
    assert "m0" not in bench.queue.bodies
    assert sorted(bench.queue.visible) == sorted(f"m{number}" for number in range(1, 12))
    assert bench.queue.calls[-1][0] == "close"


def test_the_end_of_a_source_whose_queue_is_away_is_its_end(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg"))
    bench.poll()
    bench.queue.failing = {"all": AWAY}
    bench.source.close()
    assert bench.queue.calls[-1][0] == "close"


# -- messages that are no events ------------------------------------------------------------------


def rejected_often(bench: Bench, times: int) -> None:
    for _ in range(times):
        bench.queue.visible = ["bad"]
        assert bench.poll() == []
    bench.poll()


def test_a_message_that_is_no_event_is_told_once_and_harms_no_other(bench: Bench) -> None:
    bench.queue.send("bad", "no json")
    bench.queue.send("m1", event("a.jpg"))
    assert [found.key for found in bench.poll()] == ["a.jpg"]
    rejected_often(bench, 2)
    assert bench.counted == [("pictures", "not_an_event")]
    assert bench.journal.rejected_messages("pictures").reason == "not_an_event: it is not JSON"
    assert bench.source.connected
    assert bench.source.problem == (
        "connected; messages that were no events: 1, the last: not_an_event: it is not JSON"
    )
    assert "bad" in bench.queue.bodies
    assert bench.queue.asked("change_message_visibility_batch") == []


def test_a_record_that_cannot_be_read_harms_no_other_of_its_message(bench: Bench) -> None:
    bench.queue.send("m1", event("a.jpg", "%FF.jpg", "b.jpg"))
    found = bench.poll()
    assert [one.key for one in found] == ["a.jpg", "b.jpg"]
    bench.settle(*found)
    assert bench.queue.bodies == {}
    assert bench.counted == [("pictures", "not_an_event")]
    assert bench.journal.rejected_messages("pictures").reason == (
        "not_an_event: 1 of 3 records: the key of a record is no UTF-8"
    )


def test_it_is_sent_to_the_dead_letters_when_it_has_come_too_often(
    journal: Journal, clock: Clock, transport: Transport
) -> None:
    bench = Bench(journal, clock, transport, dead_letter_queue=DEAD, max_receives=3)
    bench.queue.send("bad", "[1]")
    rejected_often(bench, 2)
    assert bench.queue.set_aside == []
    rejected_often(bench, 1)
    ((body, reason),) = bench.queue.set_aside
    assert body == "[1]"
    assert reason.startswith("not_an_event: it must be a map")
    assert bench.queue.asked("send_message")[0]["QueueUrl"] == DEAD
    assert bench.queue.bodies == {}


def test_dead_letters_that_are_away_lose_nothing(journal: Journal, clock: Clock, transport: Transport) -> None:
    bench = Bench(journal, clock, transport, dead_letter_queue=DEAD, max_receives=1)
    bench.queue.failing = {"send_message": AWAY}
    bench.queue.send("bad", "[1]")
    bench.queue.send("m1", event("a.jpg"))
    assert [found.key for found in bench.poll()] == ["a.jpg"]
    bench.poll()
    assert sorted(bench.queue.bodies) == ["bad", "m1"]


def test_a_queue_that_redrives_by_itself_keeps_it(bench: Bench) -> None:
    bench.queue.attributes = {"RedrivePolicy": "{}"}
    bench.queue.send("bad", "[1]")
    rejected_often(bench, 7)
    assert "bad" in bench.queue.bodies
    assert len(bench.queue.asked("get_queue_attributes")) == 1


def test_without_any_dead_letters_it_is_deleted_and_told_as_an_error(bench: Bench) -> None:
    bench.queue.send("bad", "[1]")
    with capture_logs() as logs:
        rejected_often(bench, 4)
        assert "bad" in bench.queue.bodies
        rejected_often(bench, 1)
    assert bench.queue.bodies == {}
    assert [line["message"] for line in logs if line["log_level"] == "error"] == ["bad"]


def test_what_cannot_be_remembered_is_not_set_aside(journal: Journal, clock: Clock, transport: Transport) -> None:
    bench = Bench(journal, clock, transport, dead_letter_queue=DEAD, max_receives=1)
    bench.queue.send("bad", "[1]")
    with full_disk(journal):
        bench.poll()
    bench.poll()
    assert list(bench.queue.bodies) == ["bad"]
    assert bench.queue.set_aside == []


def test_a_fault_of_ours_harms_one_message_only(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    real = parse
    monkeypatch.setattr(
        "app.sources.sqs.parse", lambda body, **more: 1 / 0 if body == b"poison" else real(body, **more)
    )
    bench.queue.send("bad", "poison")
    bench.queue.send("m1", event("a.jpg"))
    assert [found.key for found in bench.poll()] == ["a.jpg"]
    assert bench.journal.rejected_messages("pictures").reason == "internal_error: ZeroDivisionError"


# -- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "region"),
    [
        (URL, "eu-central-1"),
        ("https://eu-west-2.queue.amazonaws.com/123456789012/pictures", "eu-west-2"),
        ("http://127.0.0.1:5000/123456789012/pictures", ""),
        ("https://sqs.evil.example/us-east-1.amazonaws.com/x", ""),
    ],
)
def test_the_region_stands_in_the_address_of_a_queue(url: str, region: str) -> None:
    assert region_of(url) == region


def test_a_queue_has_one_source_which_would_lose_what_another_one_deletes() -> None:
    other_spelling = "https://eu-central-1.queue.amazonaws.com/123456789012/pictures"

    def two(second: str) -> dict[str, str]:
        urls = {"SOURCE_1_QUEUE_URL": URL, "SOURCE_2_QUEUE_URL": second, "SOURCE_2_NAME": "second"}
        kinds = {f"SOURCE_{number}_KIND": "sqs" for number in (1, 2)}
        return {**urls, **kinds, **{f"SOURCE_{number}_BUCKETS": "photos" for number in (1, 2)}}

    assert len(load(environ=two(DEAD)).sources) == 2
    for second in (URL, other_spelling):
        with pytest.raises(ConfigError, match=r"sqs takes all messages from eu-central-1/123456789012/pictures"):
            load(environ=two(second))


@pytest.mark.parametrize("setting", ["queue_url", "dead_letter_queue"])
def test_an_address_holds_no_password(setting: str) -> None:
    given = {"queue_url": URL, "buckets": ["photos"], setting: "https://user:hunter2@mq.example/1/pictures"}
    with pytest.raises(ValidationError) as refused:
        SqsSettings.model_validate(given)
    assert "hunter2" not in error_text(refused.value.errors()[0])


def test_dead_letters_go_to_another_queue() -> None:
    with pytest.raises(ValidationError, match="dead_letter_queue is queue_url itself"):
        SqsSettings.model_validate({"queue_url": URL, "dead_letter_queue": URL, "buckets": ["photos"]})


def test_it_may_do_what_it_does_and_no_more() -> None:
    settings = SqsSettings.model_validate(
        {"queue_url": URL, "dead_letter_queue": DEAD, "buckets": [{"bucket": "photos", "prefix": "in/"}]}
    )
    first, second, *reading = Sqs.permissions(settings)
    assert first.resources == ("arn:aws:sqs:eu-central-1:123456789012:pictures",)
    assert set(first.actions) == {
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
    }
    assert (second.actions, second.resources) == (
        ("sqs:GetQueueAttributes", "sqs:SendMessage"),  # `check` looks whether it is there
        ("arn:aws:sqs:eu-central-1:123456789012:dead",),
    )
    assert any("arn:aws:s3:::photos/in/*" in statement.resources for statement in reading)


def test_in_china_all_is_named_as_it_is_there() -> None:
    url = "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/pictures"
    settings = SqsSettings.model_validate({"queue_url": url, "buckets": ["photos"]})
    resources = [resource for statement in Sqs.permissions(settings) for resource in statement.resources]
    assert "arn:aws-cn:sqs:cn-north-1:123456789012:pictures" in resources
    assert all(resource.startswith("arn:aws-cn:") for resource in resources)
