"""Thumbnails in a bucket: each is written once, the newest stays, and nothing else is ever written over."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.media.thumbnail import SmallPicture
from app.messages import Snapshot
from app.publishers import PublishRejected
from app.publishers.thumbnails.shelf import Shelf
from pylib.aws.calls import AwsFailure
from tests.fakes.archives import event_id
from tests.fakes.messages import EVENING
from tests.fakes.s3 import FakeBuckets

AT = ("home", "small/cat.jpg")
FIRST = Snapshot(event_id(1), "Yard Camera", "Yard", EVENING, EVENING, 0.1, "queue")
LATER = replace(FIRST, id=event_id(2), timestamp=EVENING + timedelta(seconds=1))
ONE, TWO = SmallPicture(b"one", "JPEG"), SmallPicture(b"two", "WEBP")


RECORDED = [event_id(1), event_id(2)]
"""What the journal knows, in its order."""


def shelf(buckets: FakeBuckets, cache_control: str = "") -> Shelf:
    def order_of(event_id: str) -> int:
        return RECORDED.index(event_id) + 1 if event_id in RECORDED else 0

    return Shelf(buckets, cache_control=cache_control, order_of=order_of)  # type: ignore[arg-type]


@pytest.fixture(params=[True, False], ids=["conditional writes", "none"])
def buckets(request: pytest.FixtureRequest) -> FakeBuckets:
    return FakeBuckets(conditional=request.param)


def test_it_says_what_it_is(buckets: FakeBuckets) -> None:
    shelf(buckets, "max-age=60").put(*AT, TWO, FIRST)
    there = buckets.objects[AT]
    assert (there["Body"], there["ContentType"], there["CacheControl"]) == (b"two", "image/webp", "max-age=60")
    assert there["Metadata"]["snapshot-processor"] == "thumbnail"
    assert there["Metadata"]["event-id"] == FIRST.id


def test_the_usual_one_is_one_call() -> None:
    buckets = FakeBuckets()
    shelf(buckets).put(*AT, ONE, FIRST)
    assert buckets.asked == ["put_object IfNoneMatch"]
    assert "CacheControl" not in buckets.objects[AT]


def test_an_event_that_comes_again_writes_nothing(buckets: FakeBuckets) -> None:
    ours = shelf(buckets)
    ours.put(*AT, ONE, FIRST)
    ours.put(*AT, TWO, FIRST)
    assert buckets.objects[AT]["Body"] == b"one"


def test_of_one_name_the_newest_picture_stays_in_whatever_order_they_come(buckets: FakeBuckets) -> None:
    ours = shelf(buckets)
    for snapshot, made in ((FIRST, ONE), (LATER, TWO), (FIRST, ONE)):
        ours.put(*AT, made, snapshot)
    assert buckets.objects[AT]["Body"] == b"two"


@pytest.mark.parametrize("turn", [1, -1], ids=["in order", "the later one first"])
def test_what_is_written_over_a_key_is_newer_however_old_its_picture(buckets: FakeBuckets, turn: int) -> None:
    ours = shelf(buckets)
    taken_later = replace(FIRST, timestamp=EVENING + timedelta(days=1), bucket="photos", object_key="cover.jpg")
    written_later = replace(taken_later, id=event_id(2), timestamp=EVENING)
    for snapshot, made in ((taken_later, ONE), (written_later, TWO))[::turn]:
        ours.put(*AT, made, snapshot)
    assert buckets.objects[AT]["Body"] == b"two"
    # Under another key it is another picture: there the time says which is the latest of a camera.
    ours.put(*AT, ONE, replace(taken_later, object_key="other.jpg"))
    assert buckets.objects[AT]["Body"] == b"one"


def test_one_of_a_picture_that_nobody_remembers_is_the_older_one(buckets: FakeBuckets) -> None:
    ours = shelf(buckets)
    forgotten = replace(LATER, id=event_id(9), bucket="photos", object_key="cover.jpg")
    for snapshot, made in ((forgotten, ONE), (replace(forgotten, id=event_id(2), timestamp=EVENING), TWO)):
        ours.put(*AT, made, snapshot)
    assert buckets.objects[AT]["Body"] == b"two"


def test_of_two_at_once_the_second_is_tried_again_and_not_lost() -> None:
    class Racing(FakeBuckets):
        def ask(self, operation: str, **options: object) -> object:  # type: ignore[override]
            answer = super().ask(operation, **options)  # type: ignore[arg-type]
            if operation == "head_object":
                answer, self.objects[AT] = dict(answer), {**self.objects[AT], "ETag": "another"}
            return answer

    buckets = Racing()
    ours = shelf(buckets)
    ours.put(*AT, ONE, FIRST)
    with pytest.raises(AwsFailure) as beaten:
        ours.put(*AT, TWO, LATER)
    assert beaten.value.status == 412


@pytest.mark.parametrize("metadata", [{}, {"event-id": event_id(1)}, {"snapshot-processor": "upload"}])
def test_what_is_no_thumbnail_is_left_alone(buckets: FakeBuckets, metadata: dict[str, str]) -> None:
    buckets.objects[AT] = {"Body": b"theirs", "Metadata": metadata, "ETag": "e"}
    with pytest.raises(PublishRejected, match="name_taken"):
        shelf(buckets).put(*AT, ONE, LATER)
    assert buckets.objects[AT]["Body"] == b"theirs"


def test_a_refusal_is_passed_on() -> None:
    class Denied(FakeBuckets):
        def ask(self, operation: str, **_: object) -> object:  # type: ignore[override]
            raise AwsFailure("access_denied", "No.", kind="denied", status=403)

    with pytest.raises(AwsFailure, match="No"):
        shelf(Denied()).put(*AT, ONE, FIRST)
