"""What counts as a new object in what servers send, and that nothing they send does harm."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.messages import decode, encode
from app.sources.buckets.cameras import WatchedObjects
from app.sources.buckets.notifications import (
    MAX_BODY,
    MAX_DEPTH,
    MAX_KEY,
    MAX_RECORDS,
    FoundObject,
    NotAnEvent,
    etag,
    parse,
)
from app.sources.buckets.settings import BucketSourceSettings, WatchedBucket
from tests.fakes.notifications import (
    ETAG,
    SEQUENCER,
    TEST_EVENT,
    VERSION,
    body,
    by_sns,
    ceph,
    event_bridge,
    minio,
    s3_event,
)

WRITTEN = datetime(2026, 3, 4, 12, 0, 0, 123_000, tzinfo=UTC)
ODD_KEYS = ("a b+c%20d/Küche ü&=#?.jpg", "100%.jpg", "%2B+ .jpg", "猫/🐕.png", "x" * MAX_KEY, "a\tb\n.jpg", "/a.jpg")


def only(event: object) -> FoundObject:
    (found,) = parse(body(event))
    return found


def in_record(**changes: Any) -> Any:
    """AWS's event with other fields in its record."""
    event = s3_event()
    event["Records"][0] |= changes
    return event


def keyed(key: object) -> Any:
    """AWS's event with this as its key, word for word."""
    event = s3_event()
    event["Records"][0]["s3"]["object"]["key"] = key
    return event


def in_object(**changes: Any) -> FoundObject:
    return only(s3_event(**changes))


def test_all_fields_of_s3s_event_are_read() -> None:
    assert only(s3_event()) == FoundObject("photos", "yard/a.jpg", WRITTEN, 1024, ETAG, VERSION, SEQUENCER)


def test_all_fields_of_event_bridges_are_read() -> None:
    at = WRITTEN.replace(microsecond=0)
    assert only(event_bridge()) == FoundObject("photos", "yard/a.jpg", at, 1024, ETAG, VERSION, SEQUENCER)


@pytest.mark.parametrize("event", [s3_event(), event_bridge(), TEST_EVENT], ids=["s3", "event_bridge", "test"])
def test_what_sns_wraps_is_the_same(event: Any) -> None:
    assert parse(body(by_sns(event))) == parse(body(event))


@pytest.mark.parametrize("version", ["2.0", "2.1", "2.2", "2.3", "2.4", "2.5", "2.17"])
@pytest.mark.parametrize("name", ["Put", "Post", "Copy", "CompleteMultipartUpload", "SomethingNew"])
def test_every_version_that_begins_with_2_counts_and_every_way_to_create(version: str, name: str) -> None:
    assert only(s3_event(version=version, name=f"ObjectCreated:{name}")).key == "yard/a.jpg"


@pytest.mark.parametrize("key", ODD_KEYS)
def test_keys_are_decoded_where_they_are_encoded_and_only_there(key: str) -> None:
    for event in (s3_event(key), event_bridge(key), minio(key), ceph(key), by_sns(s3_event(key)), by_sns(ceph(key))):
        assert only(event).key == key


def test_minios_event_counts() -> None:
    found = only(minio())
    assert (found.bucket, found.size, found.etag, found.version) == ("photos", 1024, ETAG, "")
    assert found.sequencer == "17A4B5C6D7E8F901"


def test_cephs_event_counts_and_its_sequencer_orders() -> None:
    found = only(ceph())
    assert found.timestamp == datetime(2026, 3, 4, 12, 0, 0, 123_456, tzinfo=UTC)
    assert found.sequencer == "69a7c84000bc614e"
    earlier, later = (only(ceph(sequencer=f"{second}A76900000000")).sequencer for second in ("FFC8", "00C9"))
    assert earlier < later
    assert only(ceph(sequencer="0A")).sequencer == ""
    old = ceph()
    old["Records"][0]["s3"]["object"]["etag"] = old["Records"][0]["s3"]["object"].pop("eTag")
    assert only(old).etag == ETAG


@pytest.mark.parametrize(
    "event",
    [
        TEST_EVENT,
        s3_event(name="ObjectRemoved:Delete"),
        s3_event(name="s3:ObjectRemoved:DeleteMarkerCreated"),
        s3_event(name="ObjectRestore:Completed"),
        s3_event(name="ObjectTagging:Put"),
        s3_event(name="LifecycleExpiration:Delete"),
        s3_event("yard/"),
        {"Records": []},
        event_bridge(kind="Object Deleted"),
        event_bridge(kind="Object Tags Added"),
        event_bridge(kind="Object Restore Completed"),
        event_bridge("yard/"),
    ],
)
def test_what_creates_no_object_is_passed_over(event: Any) -> None:
    assert parse(body(event)) == []


def test_each_record_of_a_message_counts_by_itself() -> None:
    several = [s3_event(key)["Records"][0] for key in ("a.jpg", "folder/", "b.jpg")]
    several.insert(1, s3_event("gone.jpg", name="ObjectRemoved:Delete")["Records"][0])
    assert [found.key for found in parse(body({"Records": several}))] == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (body([s3_event()]), "must be a map, not a list"),
        (b"7", "must be a map, not a number"),
        (body({}), "neither S3's Records nor EventBridge's"),
        (body({"Records": {}}), "neither"),
        (body({"Type": "SubscriptionConfirmation", "Message": "You have chosen"}), "neither"),
        (body(by_sns(by_sns(s3_event()))), "neither"),
        (body(by_sns("hello")), "not a map|must be a map"),
        (body({"Records": ["a"]}), "map with eventSource"),
        (body({"Records": [None] * (MAX_RECORDS + 1)}), "records, more than"),
        (body(in_record(eventSource="aws:dynamodb")), "another service"),
        (body(in_record(eventVersion="3.0")), "none that begins with 2."),
        (body(in_record(eventName=None)), "no eventName"),
        (body(in_record(s3=None)), "map with object"),
        (body(in_record(s3={"object": {"key": "a.jpg"}})), "map with name"),
        (body(in_record(s3={"object": {"key": "a.jpg"}, "bucket": {"name": ""}})), "names no bucket"),
        (body(keyed("")), "no key"),
        (body(keyed(7)), "no key"),
        (body(keyed("x" * (MAX_KEY + 1))), "no key"),
        (body(keyed("%41" * (MAX_KEY + 1))), "no key"),
        (body(keyed("ü" * (MAX_KEY // 2 + 1))), "no key"),
        (body(keyed("a%00.jpg")), "no key"),
        (body(keyed("%FF%FE.jpg")), "no UTF-8"),
        (body(keyed("\ud800.jpg")), "no UTF-8"),
        (body(ceph("\ud800.jpg")), "no UTF-8"),
        (body(event_bridge(kind="AWS API Call via CloudTrail")), "have the rule match `Object Created`"),
        (body({**event_bridge(), "source": "aws.ec2"}), "have the rule match"),
        (body({**event_bridge(), "detail": None}), "map with object"),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), "levels deep"),
        (b" " * MAX_BODY + b"{}", "bytes, more than"),
    ],
)
def test_what_is_no_event_says_why(event: bytes, sentence: str) -> None:
    with pytest.raises(NotAnEvent, match=sentence) as refused:
        parse(event)
    assert refused.value.code == "not_an_event"


def test_what_is_left_out_or_odd_counts_as_unknown() -> None:
    bare = in_object(size=None, eTag=None, versionId=None, sequencer=None)
    assert (bare.size, bare.etag, bare.version, bare.sequencer) == (-1, "", "", "")
    odd = in_object(size=-5, eTag='a"\r\nX: y', versionId="v\n", sequencer="0x1")
    assert (odd.size, odd.etag, odd.version, odd.sequencer) == (-1, "", "", "")
    assert in_object(size=True).size == in_object(size=2**63).size == in_object(size="7").size == -1
    assert in_object(versionId="null").version == ""
    assert etag(f'"{ETAG}-12"') == f"{ETAG}-12"


@pytest.mark.parametrize("time", [None, "", "yesterday", 7, "9999-12-31T23:59:59-12:00", "2026-13-01"])
def test_an_object_whose_time_cannot_be_read_was_written_now(time: Any) -> None:
    assert abs(datetime.now(UTC) - only(in_record(eventTime=time)).timestamp) < timedelta(minutes=1)


WATCHED = WatchedObjects(BucketSourceSettings(buckets=(WatchedBucket(bucket="photos"),), suffixes=()), cameras={})
JSON: st.SearchStrategy[Any] = (
    st.sampled_from([None, True, [], {}, [None], {"name": [1]}, {"key": {"key": "a.jpg"}}, [[[]]], float("nan"), 1e300])
    | st.integers()
    | st.text(max_size=20)
)
FIELDS = st.sampled_from(
    [
        ("Records",),
        ("Records", 0),
        *(("Records", 0, name) for name in ("eventSource", "eventVersion", "eventName", "eventTime", "s3")),
        *(("Records", 0, "s3", name) for name in ("bucket", "object")),
        ("Records", 0, "s3", "bucket", "name"),
        *(("Records", 0, "s3", "object", name) for name in ("key", "size", "eTag", "versionId", "sequencer")),
        *((name,) for name in ("detail-type", "source", "time", "detail", "Type", "Message")),
        *(("detail", "object", name) for name in ("key", "size", "etag", "version-id", "sequencer")),
    ]
)


def safe(message: bytes) -> None:
    """Whatever it is, it is refused, or becomes messages that the pipeline can carry."""
    try:
        found = parse(message)
    except NotAnEvent:
        return
    for one in found:
        assert 1 <= len(one.key.encode()) <= MAX_KEY
        assert one.timestamp.utcoffset() == timedelta(0)
        assert (one.etag + one.version + one.sequencer).isprintable()
        if created := WATCHED.created(one, origin="queue"):
            assert decode(encode(created)) == created
            assert created.camera.isprintable()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_safe(message: bytes) -> None:
    safe(message)


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(["s3", "event_bridge", "minio", "ceph"]), FIELDS, JSON)
def test_any_value_in_any_field_is_safe(kind: str, path: tuple[Any, ...], value: Any) -> None:
    event = deepcopy({"s3": s3_event, "event_bridge": event_bridge, "minio": minio, "ceph": ceph}[kind]())
    place = event
    for step in path[:-1]:
        place = place[step] if isinstance(place, list) or step in place else {}
    place[path[-1]] = value
    safe(json.dumps(event).encode())
    safe(body(by_sns(event)))


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40))
def test_any_key_is_read_as_it_is(key: str) -> None:
    for event in (s3_event(key), event_bridge(key), ceph(key)):
        assert [found.key for found in parse(body(event))] == ([] if key.endswith("/") else [key])
