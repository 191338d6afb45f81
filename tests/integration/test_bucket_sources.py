"""Listing and reading buckets of moto's server, with a proxy between that makes things go wrong."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.journal import Journal
from app.messages import ObjectCreated, decode, encode
from app.pipeline.collect import ObjectRejected, ObjectUnavailable
from app.rules.telling import Telling
from app.sources import SourceContext
from app.sources.buckets.listing import Listing, ListingSettings
from app.sources.buckets.reading import ObjectStore
from app.sources.buckets.settings import BucketSourceSettings, WatchedBucket
from pylib.runtime.relay import Codec, Transport
from tests.aws import LOGIN, Aws
from tests.fakes.clock import Clock
from tests.fakes.objects import an_object
from tests.simulators.s3_proxy import BUSY, CUT, DRIP, HANG, OK, TRICKLE, S3Proxy, s3_proxy

ODD_KEYS = ("a b+c%20d/Küche ü&=#?.jpg", "100%.jpg", "%2B+ .jpg", "猫/🐕.png", "x" * 1024, "../up.jpg", "//a.jpg")


@pytest.fixture(autouse=True)
def login(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in LOGIN.items():
        monkeypatch.setenv(variable, value)


@pytest.fixture
def proxy(aws: Aws) -> Iterator[S3Proxy]:
    with s3_proxy((aws.host, aws.port)) as proxy:
        yield proxy


@pytest.fixture
def owner(aws: Aws, name: str) -> Any:
    """Sees the server without the proxy, and has made the test's bucket."""
    aws.bucket(name)
    return aws.client("s3")


def settings(proxy: S3Proxy, bucket: str, **options: Any) -> dict[str, Any]:
    own = {"endpoint_url": proxy.url, "path_style": True, "timeout": 2, "download_timeout": 2}
    return {"buckets": [{"bucket": bucket}], **own, **options}


@pytest.fixture
def store(proxy: S3Proxy, owner: Any, name: str) -> Iterator[ObjectStore]:
    minutes = itertools.count(step=60)  # from each look at the clock to the next
    own = BucketSourceSettings(**settings(proxy, name, max_bytes=100_000))
    store = ObjectStore(own, clock=lambda: next(minutes))
    yield store
    store.close()


def announced(bucket: str, put: Any, key: str = "a.jpg", **fields: Any) -> ObjectCreated:
    """As a notification says it of what was just written."""
    return an_object(key, **{"bucket": bucket, "etag": put["ETag"].strip('"'), **fields})


@pytest.mark.parametrize("key", ODD_KEYS)
def test_an_object_under_any_key_is_found_and_read(store: ObjectStore, owner: Any, name: str, key: str) -> None:
    put = owner.put_object(Bucket=name, Key=key, Body=b"a picture", Metadata={"Camera": "Yard"})
    (found,) = store.page(WatchedBucket(bucket=name)).objects
    assert (found.key, found.size, f'"{found.etag}"') == (key, 9, put["ETag"])
    content = store.read(announced(name, put, key))
    assert (content.data, content.metadata) == (b"a picture", {"camera": "Yard"})


def test_what_is_not_as_it_was_announced_is_not_read(store: ObjectStore, owner: Any, name: str) -> None:
    first = owner.put_object(Bucket=name, Key="a.jpg", Body=b"one")
    owner.put_object(Bucket=name, Key="a.jpg", Body=b"two")
    with pytest.raises(ObjectRejected, match="object_changed"):
        store.read(announced(name, first))
    owner.delete_object(Bucket=name, Key="a.jpg")
    with pytest.raises(ObjectRejected, match="object_gone"):
        store.read(announced(name, first))


def test_of_a_bucket_with_versions_the_one_that_was_announced_is_read(
    store: ObjectStore, owner: Any, name: str
) -> None:
    owner.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    first, second = (owner.put_object(Bucket=name, Key="a.jpg", Body=body) for body in (b"one", b"two"))
    marker = owner.delete_object(Bucket=name, Key="a.jpg")
    assert store.read(announced(name, first, version=first["VersionId"])).data == b"one"
    assert store.read(announced(name, second, version=second["VersionId"])).data == b"two"
    owner.delete_object(Bucket=name, Key="a.jpg", VersionId=first["VersionId"])
    for version in (first["VersionId"], marker["VersionId"]):
        with pytest.raises(ObjectRejected, match="object_gone"):
            store.read(announced(name, first, version=version))


def test_of_what_is_too_large_or_our_own_the_body_is_not_fetched(store: ObjectStore, owner: Any, name: str) -> None:
    large = owner.put_object(Bucket=name, Key="a.jpg", Body=b"x" * 100_001)
    with pytest.raises(ObjectRejected, match="too_large"):
        store.read(announced(name, large))
    marked = {"snapshot-processor": "thumbnail"}
    own = owner.put_object(Bucket=name, Key="b.jpg", Body=b"a picture", Metadata=marked)
    content = store.read(announced(name, own, "b.jpg"))
    assert (content.data, content.metadata) == (b"", marked)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (BUSY, "throttled"),
        (DRIP, "timeout"),
        (TRICKLE, "timeout"),
        (CUT, "cut_off"),
        (HANG, "timeout"),
        ("InternalError:500", "aws_busy"),
        ("AccessDenied:403", "access_denied"),
        ("NoSuchBucket:404", "no_such_bucket"),
        ("InvalidAccessKeyId:403", "bad_credentials"),
    ],
)
def test_what_cannot_be_read_now_is_read_later(
    store: ObjectStore, proxy: S3Proxy, owner: Any, name: str, fault: str, code: str
) -> None:
    put = owner.put_object(Bucket=name, Key="a.jpg", Body=b"a picture" * 100)
    proxy.always = fault
    with pytest.raises(ObjectUnavailable, match=code):
        store.read(announced(name, put))
    proxy.always = OK
    proxy.released.set()
    assert len(store.read(announced(name, put)).data) == 900


def test_an_object_in_cold_storage_is_never_read(store: ObjectStore, owner: Any, name: str) -> None:
    put = owner.put_object(Bucket=name, Key="a.jpg", Body=b"a picture", StorageClass="GLACIER")
    with pytest.raises(ObjectRejected, match="object_archived"):
        store.read(announced(name, put))


def test_the_probe_says_what_is_there(proxy: S3Proxy, store: ObjectStore, owner: Any, name: str) -> None:
    assert store.probe(WatchedBucket(bucket=name)) == f"{name}/ can be listed, and is empty"
    owner.put_object(Bucket=name, Key="in/a.jpg", Body=b"a picture")
    assert store.probe(WatchedBucket(bucket=name, prefix="in/")) == f"{name}/in/ can be listed and read"
    with pytest.raises(ObjectUnavailable, match="There is no bucket 'nobody-made-this'"):
        store.probe(WatchedBucket(bucket="nobody-made-this"))


def test_a_bucket_that_cannot_notify_is_listed_page_by_page(
    proxy: S3Proxy, owner: Any, journal: Journal, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, transport = Clock(), Transport(Codec(encode, decode))
    context = SourceContext(
        name="bucket",
        app_name="test",
        cameras={},
        telling=Telling(journal),
        transport=transport,
        address="inproc://triggers",
        settled=lambda _receipts: None,
        count=lambda _origin, _code: None,
        journal=journal,
        data_dir=tmp_path,
        objects_address="inproc://objects",
    )

    def look() -> list[str]:
        clock.now += 60
        found = []
        while True:
            for one in source.poll(0):
                assert source.read(one).data == one.key.encode()
                journal.record_object(one, outcome="own output")
                source.acknowledge(one.receipt)
                found.append(one.key)
            if source._look is None:
                return found

    owner.put_object(Bucket=name, Key="old.jpg", Body=b"old.jpg")
    owner.copy_object(Bucket=name, Key="old2.jpg", CopySource=f"{name}/old.jpg")
    source = Listing(ListingSettings(**settings(proxy, name, existing="take")), context, clock=clock)
    monkeypatch.setattr("app.sources.buckets.reading.PAGE", 2)
    for key in ODD_KEYS[:4]:
        owner.put_object(Bucket=name, Key=key, Body=key.encode())
    owner.delete_object(Bucket=name, Key="old2.jpg")
    assert sorted(look()) == sorted(["old.jpg", *ODD_KEYS[:4]])
    assert look() == []
    proxy.faults.append("AccessDenied:403")
    assert look() == []
    assert source.problem.startswith("access_denied")
    owner.put_object(Bucket=name, Key="new.jpg", Body=b"new.jpg")
    owner.delete_object(Bucket=name, Key="old.jpg")
    assert look() == ["new.jpg"]
    assert source.connected
    assert journal.remembered_objects("bucket", name) == sorted(["new.jpg", *ODD_KEYS[:4]])
    source.close()
    transport.close()
