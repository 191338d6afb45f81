"""What is read of an object, and what each refusal means."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import md5
from typing import Any

import pytest
from botocore.exceptions import IncompleteReadError

from app.messages import ObjectCreated
from app.pipeline.collect import ObjectRejected, ObjectUnavailable
from app.sources.buckets import reading
from app.sources.buckets.reading import PIECE, ObjectStore, permissions
from app.sources.buckets.settings import BucketSourceSettings, WatchedBucket
from pylib.aws.calls import AwsFailure
from pylib.net.deadline import passed
from tests.fakes.bucket import FakeS3, refused
from tests.fakes.clock import Clock
from tests.fakes.objects import an_object

KEY = "yard/a.jpg"
PHOTOS = WatchedBucket(bucket="photos")


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> FakeS3:
    s3 = FakeS3()
    monkeypatch.setattr(reading, "AwsClient", lambda *_, **__: s3)
    return s3


@pytest.fixture
def store(s3: FakeS3) -> Iterator[ObjectStore]:
    store = ObjectStore(settings(max_bytes=100_000))
    yield store
    store.close()
    assert all(body.closed for body in s3.bodies)


def settings(**options: Any) -> BucketSourceSettings:
    return BucketSourceSettings(**{"buckets": [{"bucket": "photos"}], **options})


def announced(data: bytes = b"", **fields: Any) -> ObjectCreated:
    return an_object(KEY, **({"etag": md5(data).hexdigest()} if data else {}), **fields)


def test_nothing_is_connected_before_it_is_needed(s3: FakeS3) -> None:
    ObjectStore(settings()).close()
    assert not s3.closed


def test_an_object_is_read_with_what_its_writer_noted(store: ObjectStore, s3: FakeS3) -> None:
    data = bytes(range(256)) * 300  # more than a piece
    assert len(data) > PIECE
    s3.put(KEY, data=data)
    s3.metadata = {"Camera": "Yard", "NOTE": "a fox"}
    content = store.read(announced(data))
    assert content.data == data
    assert content.metadata == {"camera": "Yard", "note": "a fox"}


def test_only_what_was_announced_is_read(store: ObjectStore, s3: FakeS3) -> None:
    s3.put(KEY)
    with pytest.raises(ObjectRejected) as changed:
        store.read(announced(b"another picture"))
    assert changed.value.code == "object_changed"
    store.read(announced(version="v1", etag="e"))
    store.read(announced())
    assert [{name: value for name, value in asked.items() if name != "Key"} for _, asked in s3.calls[1:]] == [
        {"Bucket": "photos", "VersionId": "v1"},
        {"Bucket": "photos"},
    ]


@pytest.mark.parametrize("mark", ["snapshot-processor", "Event-Id"])
def test_of_what_we_wrote_ourselves_only_the_mark_is_read(store: ObjectStore, s3: FakeS3, mark: str) -> None:
    s3.put(KEY, data=b"x" * 200_000)
    s3.metadata = {mark: "thumbnail"}
    assert store.read(announced()).data == b""
    assert s3.bodies[0].taken == 0


def test_what_is_too_large_costs_nothing(store: ObjectStore, s3: FakeS3) -> None:
    with pytest.raises(ObjectRejected, match=r"too_large.*5000000000 bytes"):
        store.read(announced(size=5_000_000_000))
    assert s3.calls == []
    s3.put(KEY, data=b"x" * 100_001)
    with pytest.raises(ObjectRejected, match="too_large"):
        store.read(announced(size=-1))
    assert s3.bodies[0].taken == 0


@pytest.mark.parametrize("length", [None, 10])
def test_a_body_that_is_longer_than_was_said_is_read_no_further_than_the_limit(
    store: ObjectStore, s3: FakeS3, length: int | None
) -> None:
    s3.put(KEY, data=b"x" * 1_000_000)
    s3.changed = {"ContentLength": length}
    with pytest.raises(ObjectRejected, match="too_large"):
        store.read(announced())
    assert s3.bodies[0].taken <= 100_000 + PIECE
    s3.put(KEY, data=b"x" * 100_000)
    assert len(store.read(announced()).data) == 100_000


@pytest.mark.parametrize("error", [IncompleteReadError(actual_bytes=9, expected_bytes=12), ConnectionResetError()])
def test_a_body_that_breaks_off_is_read_again_later(store: ObjectStore, s3: FakeS3, error: Exception) -> None:
    s3.put(KEY)
    s3.breaks = error
    with pytest.raises(ObjectUnavailable, match="cut_off"):
        store.read(announced())


def test_reading_has_a_deadline_of_its_own(s3: FakeS3, monkeypatch: pytest.MonkeyPatch) -> None:
    s3.put(KEY)
    s3.breaks = TimeoutError()
    now = [100.0]
    monkeypatch.setattr("pylib.net.deadline.time.monotonic", lambda: now[0])

    def asked(*_: object) -> None:
        assert not passed()
        now[0] += 61

    s3.fails = asked
    with pytest.raises(ObjectUnavailable, match="timeout"):
        ObjectStore(settings(download_timeout=60)).read(announced())


@pytest.mark.parametrize(
    ("failure", "kind", "code"),
    [
        (refused("NoSuchKey", 404, code="not_found", kind="missing"), ObjectRejected, "object_gone"),
        (refused("NoSuchVersion", 404, code="not_found", kind="missing"), ObjectRejected, "object_gone"),
        (refused("MethodNotAllowed", 405), ObjectRejected, "object_gone"),
        (refused("InvalidArgument", 400), ObjectRejected, "object_gone"),
        (refused("PreconditionFailed", 412), ObjectRejected, "object_changed"),
        (refused("412", 412), ObjectRejected, "object_changed"),
        (refused("InvalidObjectState", 403, code="access_denied", kind="denied"), ObjectRejected, "object_archived"),
        (refused("404", 404, code="not_found", kind="missing"), ObjectUnavailable, "not_found"),
        (refused("NoSuchBucket", 404, code="not_found", kind="missing"), ObjectUnavailable, "no_such_bucket"),
        (refused("AccessDenied", 403, code="access_denied", kind="denied"), ObjectUnavailable, "access_denied"),
        (
            refused("InvalidAccessKeyId", 403, code="bad_credentials", kind="login"),
            ObjectUnavailable,
            "bad_credentials",
        ),
        (refused("PermanentRedirect", 301, code="wrong_region", kind="settings"), ObjectUnavailable, "wrong_region"),
        (refused("SlowDown", 503, code="throttled", kind="busy"), ObjectUnavailable, "throttled"),
        (refused("KMS.DisabledException", 400), ObjectRejected, "call_refused"),
        (AwsFailure("unreachable", "No connection to s3.", kind="away"), ObjectUnavailable, "unreachable"),
    ],
)
def test_each_refusal_is_for_good_or_waits(
    store: ObjectStore, s3: FakeS3, failure: AwsFailure, kind: type[Exception], code: str
) -> None:
    s3.failure = failure
    with pytest.raises(kind) as refusal:
        store.read(announced(version="v1"))
    assert type(refusal.value) is kind
    assert refusal.value.code == code  # type: ignore[attr-defined]


@pytest.mark.parametrize("code", ["InvalidRequest", "KMS.DisabledException", "InvalidArgument"])
def test_what_s3_will_never_give_does_not_wait(store: ObjectStore, s3: FakeS3, code: str) -> None:
    s3.failure = refused(code, 400)
    with pytest.raises(ObjectRejected, match=rf"call_refused: .*\({code}\)"):
        store.read(announced())
    with pytest.raises(ObjectUnavailable, match="call_refused"):
        store.page(PHOTOS)


def test_a_client_that_cannot_be_made_is_tried_again(monkeypatch: pytest.MonkeyPatch, s3: FakeS3) -> None:
    clock = Clock()
    store = ObjectStore(settings(endpoint_url="photos.example"), clock=clock)
    broken = AwsFailure("bad_address", "endpoint_url is no address.", kind="settings")
    with monkeypatch.context() as patched:
        patched.setattr(reading, "AwsClient", lambda *_, **__: (_ for _ in ()).throw(broken))
        with pytest.raises(ObjectUnavailable, match="bad_address"):
            store.read(announced())
    clock.now += 1
    s3.put(KEY)
    assert store.read(announced()).data == b"a picture"


def test_a_page_is_what_the_server_lists(store: ObjectStore, s3: FakeS3) -> None:
    s3.put("yard/a.jpg", "yard/b.jpg", "zoo/", "attic/c.jpg")
    s3.page = 2
    first = store.page(PHOTOS)
    assert [found.key for found in first.objects] == ["attic/c.jpg", "yard/a.jpg"]
    assert (first.objects[0].size, first.objects[0].etag) == (9, md5(b"a picture").hexdigest())
    assert first.objects[0].timestamp == first.asked_at == s3.now
    last = store.page(PHOTOS, first.token)
    assert ([found.key for found in last.objects], last.token) == (["yard/b.jpg", "zoo/"], "")
    assert [found.key for found in store.page(WatchedBucket(bucket="photos", prefix="zoo")).objects] == ["zoo/"]


def test_an_answer_that_is_no_list_is_no_empty_one(store: ObjectStore, s3: FakeS3) -> None:
    s3.changed = {"IsTruncated": None}
    with pytest.raises(ObjectUnavailable, match="bad_answer"):
        store.page(PHOTOS)


def test_the_probe_lists_and_reads_without_changing_anything(store: ObjectStore, s3: FakeS3) -> None:
    assert store.probe(PHOTOS) == "photos/ can be listed, and is empty"
    s3.put(KEY)
    assert store.probe(PHOTOS) == "photos/ can be listed and read"
    assert [operation for operation, _ in s3.calls] == ["list_objects_v2", "list_objects_v2", "head_object"]


@pytest.mark.parametrize(
    ("operation", "lacking"), [("list_objects_v2", "s3:ListBucket"), ("head_object", "s3:GetObject")]
)
def test_the_probe_names_the_permission_that_is_missing(
    store: ObjectStore, s3: FakeS3, operation: str, lacking: str
) -> None:
    s3.put(KEY)
    denied = refused("AccessDenied", 403, code="access_denied", kind="denied")
    s3.fails = lambda asked, _: denied if asked == operation else None
    with pytest.raises(ObjectUnavailable, match=f"'photos': it needs {lacking}"):
        store.probe(PHOTOS)


def test_the_policy_is_about_these_buckets_and_prefixes_only() -> None:
    two = settings(buckets=[{"bucket": "photos", "prefix": "in/"}, {"bucket": "photos", "prefix": "up/"}])
    objects, buckets = permissions(two)
    assert objects.actions == ("s3:GetObject", "s3:GetObjectVersion")
    assert objects.resources == ("arn:aws:s3:::photos/in/*", "arn:aws:s3:::photos/up/*")
    assert (buckets.actions, buckets.resources) == (("s3:ListBucket",), ("arn:aws:s3:::photos",))


def test_other_servers_have_the_bucket_in_the_path_where_it_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[bool] = []

    def client(*_: object, path_style: bool, **__: object) -> FakeS3:
        made.append(path_style)
        return FakeS3()

    monkeypatch.setattr(reading, "AwsClient", client)
    for options in ({}, {"path_style": True}):
        ObjectStore(settings(**options)).probe(PHOTOS)
    assert made == [False, True]
