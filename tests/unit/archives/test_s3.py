"""What the S3 archive says of a picture, within what S3 takes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from hashlib import md5
from types import SimpleNamespace
from urllib.parse import unquote

import pytest
from botocore import exceptions as boto
from hypothesis import given
from hypothesis import strategies as st

from app.archives import (
    ArchiveBlocked,
    ArchiveError,
    ArchiveRejected,
    ArchiveUnavailable,
    RemoteObject,
    event_id_in,
)
from app.archives.s3 import METADATA_BYTES, S3, metadata
from app.archives.s3.settings import S3Settings
from app.messages import Label
from pylib.net.deadline import passed
from tests.fakes.archives import a_picture, event_id
from tests.fakes.s3 import BucketClient, refused

KEY = f"home/2026/03/04/yard-camera/120001-{event_id(1)}.jpg"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> BucketClient:
    client = BucketClient()
    monkeypatch.setattr("app.archives.s3._client", lambda _settings: client)
    return client


@pytest.fixture
def s3(bucket: BucketClient) -> S3:
    return S3(S3Settings(bucket="b", prefix="/home/", timeout=12))


def flip(body: bytes) -> bytes:
    return body[:-1] + bytes([body[-1] ^ 1])


def cut(body: bytes) -> bytes:
    return body[:-1]


@pytest.mark.parametrize(
    ("proof", "alter"), [("sha256", flip), ("sha256", cut), ("etag", flip), ("etag", cut), ("none", cut)]
)
def test_what_arrived_other_than_it_was_sent_is_sent_again_and_never_counts_as_kept(
    s3: S3, bucket: BucketClient, proof: str, alter: Callable[[bytes], bytes]
) -> None:
    bucket.proof = proof
    bucket.alterations += [alter]
    s3.store(a_picture(None), b"a picture")
    assert bucket.objects[KEY]["Body"] == b"a picture"
    assert [call for call in bucket.calls if call != "head"] == ["put new", "put"]
    bucket.alterations += [alter, alter]
    with pytest.raises(ArchiveUnavailable, match="wrong_copy"):
        s3.store(a_picture(None, 2), b"another picture")


@pytest.mark.parametrize("proof", ["sha256", "etag", "none"])
@pytest.mark.parametrize("conditional", [True, False])
def test_the_same_is_put_once_and_something_else_is_looked_at_before_it_is_put_over(
    s3: S3, bucket: BucketClient, proof: str, *, conditional: bool
) -> None:
    bucket.proof, bucket.conditional = proof, conditional
    for _ in range(3):
        s3.store(a_picture(None), b"a picture")
    done = [call for call in bucket.calls if call == "put" or (call == "put new" and conditional)]
    assert len(done) == (3 if conditional else 1)  # of the three, S3 refuses two
    assert bucket.calls.count("put") == (0 if conditional else 1)
    bucket.calls.clear()
    s3.store(a_picture(None), b"A picture, longer")
    assert bucket.objects[KEY]["Body"] == b"A picture, longer"
    assert bucket.calls.index("head") < bucket.calls.index("put")


@pytest.mark.parametrize("proof", ["sha256", "etag", "none"])
def test_a_server_that_knows_no_conditions_is_asked_for_one_once(s3: S3, bucket: BucketClient, proof: str) -> None:
    bucket.proof, bucket.conditional = proof, False
    s3.store(a_picture(None), b"a picture")
    s3.store(a_picture(None, 2), b"another")
    assert bucket.calls.count("put new") == 1
    assert len(bucket.objects) == 2


def test_all_calls_for_one_picture_share_one_deadline(
    s3: S3, bucket: BucketClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr("pylib.net.deadline.time", SimpleNamespace(monotonic=lambda: now[0]))
    over: list[bool] = []

    def asked() -> None:
        over.append(passed())
        now[0] += 7

    bucket.asked = asked
    bucket.alterations += [flip]
    s3.store(a_picture(None), b"a picture")
    assert over == [False, False, True]


@pytest.mark.parametrize(
    ("failure", "kind", "code"),
    [
        (refused("BadDigest", 400), ArchiveUnavailable, "damaged_on_the_way"),
        (refused("XAmzContentChecksumMismatch", 400), ArchiveUnavailable, "damaged_on_the_way"),
        (refused("EntityTooLarge", 400), ArchiveRejected, "too_large"),
        (refused("", 413), ArchiveRejected, "too_large"),
        (refused("SlowDown", 503), ArchiveUnavailable, "throttled"),
        (refused("", 429), ArchiveUnavailable, "throttled"),
        (refused("", 401), ArchiveBlocked, "bad_credentials"),
        (refused("", 403), ArchiveBlocked, "access_denied"),
        (refused("", 307), ArchiveBlocked, "wrong_region"),
        (refused("NoSuchKey", 404), ArchiveUnavailable, "not_there"),
        (refused("InternalError", 500), ArchiveUnavailable, "unavailable"),
        (refused("Teapot", 418), ArchiveUnavailable, "refused"),
        (boto.ReadTimeoutError(endpoint_url="https://s3"), ArchiveUnavailable, "timeout"),
        (boto.ConnectTimeoutError(endpoint_url="https://s3"), ArchiveUnavailable, "timeout"),
        (boto.SSLError(endpoint_url="https://s3", error=OSError()), ArchiveUnavailable, "tls"),
        (boto.EndpointConnectionError(endpoint_url="https://s3"), ArchiveUnavailable, "unreachable"),
        (boto.NoRegionError(), ArchiveBlocked, "wrong_region"),
        (boto.ParamValidationError(report=""), ArchiveBlocked, "bad_setting"),
        (boto.NoCredentialsError(), ArchiveBlocked, "no_credentials"),
        (RecursionError(), ArchiveBlocked, "wrong_region"),
        (KeyError("x"), ArchiveUnavailable, "bad_answer"),
    ],
)
def test_each_failure_is_told_apart(
    s3: S3, bucket: BucketClient, failure: Exception, kind: type[ArchiveError], code: str
) -> None:
    bucket.failure = failure
    with pytest.raises(ArchiveError) as raised:
        s3.store(a_picture(None), b"a picture")
    assert (type(raised.value), raised.value.code) == (kind, code)


@pytest.mark.parametrize("proof", ["etag", "none"])
def test_all_pages_below_the_prefix_are_listed(s3: S3, bucket: BucketClient, proof: str) -> None:
    bucket.proof, bucket.page = proof, 2
    for number in range(1, 6):
        s3.store(a_picture(None, number), b"a picture")
    bucket.objects["elsewhere.jpg"] = {"Body": b"not below our prefix"}
    told = md5(b"a picture").hexdigest() if proof == "etag" else ""
    assert list(s3.entries()) == [
        RemoteObject(event_id(number), f"2026/03/04/yard-camera/12000{number}-{event_id(number)}.jpg", 9, told)
        for number in range(1, 6)
    ]


def test_a_picture_says_what_kind_it_is(s3: S3, bucket: BucketClient) -> None:
    one = a_picture(None)
    for suffix in (".png", ".webp", ".gif", ".mp4", ".x"):
        snapshot = dataclasses.replace(one.snapshot, path=one.snapshot.path.replace(".jpg", suffix))
        s3.store(dataclasses.replace(one, snapshot=snapshot), b"a picture")
    kinds = [there["ContentType"] for there in bucket.objects.values()]
    assert kinds == ["image/png", "image/webp", "image/gif", "video/mp4", "application/octet-stream"]


def test_it_lets_go_of_its_connections(s3: S3, bucket: BucketClient) -> None:
    s3.close()
    assert bucket.closed


@given(camera=st.text(min_size=1), names=st.lists(st.text(min_size=1), max_size=60))
def test_metadata_are_ascii_of_one_line_and_never_too_much(camera: str, names: list[str]) -> None:
    labels = tuple(Label(name, 0.5) for name in names)
    told = metadata(a_picture(None, camera=camera, labels=labels), sha256="x" * 44)
    assert sum(len(name) + len(value) for name, value in told.items()) <= METADATA_BYTES
    for value in told.values():
        assert value.isascii()
        assert value.isprintable()
        assert value == value.strip()


def test_metadata_of_any_script_can_be_read_back() -> None:
    labels = (Label("Person", 0.97), Label("Hund 🐕", 0.5))
    told = metadata(a_picture(None, camera="玄関 100% Café", labels=labels), sha256="")
    assert unquote(told["labels"]) == "Person 0.97, Hund 🐕 0.50"
    assert unquote(told["camera"]) == "玄関 100% Café"


def test_names_in_archives_are_those_of_the_cache_and_tell_the_event() -> None:
    snapshot = a_picture(None, 7).snapshot
    assert snapshot.dated_name == f"2026/03/04/yard-camera/120007-{event_id(7)}.jpg"
    assert event_id_in(snapshot.dated_name) == event_id(7)
    assert event_id_in("2026/holiday.jpg") == ""


def test_the_link_for_people_leads_to_the_console_or_to_the_server() -> None:
    amazon = S3(S3Settings(bucket="home", prefix="cameras", region="eu-central-1"))
    assert amazon.url == "https://console.aws.amazon.com/s3/buckets/home?region=eu-central-1&prefix=cameras/"
    own = S3(S3Settings(bucket="home", endpoint_url="http://user:secret@minio:9000"))
    assert own.url == "http://minio:9000/home/"


def test_a_picture_is_deleted_with_what_lies_under_its_name_and_nothing_else(s3: S3, bucket: BucketClient) -> None:
    for number in (1, 2):
        s3.store(a_picture(None, number), b"a picture")
    frame, other = KEY.replace(".jpg", "-00.jpg"), KEY.replace(".jpg", "0.jpg")
    bucket.objects |= {frame: {"Body": b"frame"}, other: {"Body": b"another's"}}
    s3.remove(a_picture(None, 1))
    s3.remove(a_picture(None, 2, problem="no picture"))
    assert sorted(bucket.objects) == [other, KEY.replace("120001", "120002").replace(event_id(1), event_id(2))]
