"""The payloads: what peers send is read, or refused in one sentence; what they read keeps its shape."""

from __future__ import annotations

import json
import math
import time
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import wire
from app.messages import Box, Burst, Detection, Inspection, Label, Snapshot
from app.naming import UnknownCamera
from app.sources.rabbitmq import decoder
from app.wire import HeartbeatDevice, MalformedEvent, MalformedTrigger
from pylib.rabbitmq.delivery import Delivery
from pylib.settings.credentials import Secret

NOON = datetime(2026, 5, 1, 12, 0, 0, tzinfo=UTC)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50).filter(str.strip)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2500, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=4),
    max_leaves=20,
)


def trigger(**changes: Any) -> dict[str, Any]:
    """A trigger of the contract's shape; a field that is changed to `...` is left out."""
    output: dict[str, Any] = {"device_key": "Front Door Camera", "device_label": "Front Door"}
    output |= changes.pop("output", {})
    body = {"timestamp": NOON.timestamp(), "output_triggered": left(output)}
    return left(body | changes)


def left(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not ...}


def packed(body: object) -> Delivery:
    return Delivery(msgpack.packb(body))


def refused(delivery: Delivery) -> MalformedTrigger:
    with pytest.raises(MalformedTrigger) as caught:
        wire.parse_trigger(delivery)
    assert "\n" not in str(caught.value)
    return caught.value


# -- triggers that are understood -----------------------------------------------------------------


@given(
    words,
    words,
    moments,
    st.none() | st.dictionaries(words, plain_values, max_size=4),
    st.none() | words,
)
def test_what_the_command_line_sends_is_what_the_service_reads(
    key: str, label: str, moment: datetime, active: dict[str, Any] | None, params: str | None
) -> None:
    body = wire.trigger_body(
        key,
        label,
        timestamp=moment,
        device_params=Secret(params) if params else None,
        active_input=active,
        traceparent=TRACE,
        baggage="a=b",
    )
    read = wire.parse_trigger(Delivery(body))
    assert (read.camera, read.label) == (key.strip(), label.strip())
    assert abs(read.timestamp - moment) < timedelta(milliseconds=1)
    assert read.active_input == active
    assert (read.device_params.get_secret_value() if read.device_params else None) == params
    assert (read.traceparent, read.baggage) == (TRACE, "a=b")
    assert read.origin == "rabbitmq"


@pytest.mark.parametrize(
    ("content_type", "prefix"),
    [
        ("application/json", b""),
        ("application/json; charset=utf-8", b""),
        ("", b""),
        ("", b" \n"),
        ("text/plain", b""),
    ],
)
def test_json_is_read_when_it_is_named_or_begins_like_it(content_type: str, prefix: bytes) -> None:
    body = prefix + json.dumps(trigger()).encode()
    assert wire.parse_trigger(Delivery(body, content_type=content_type)).camera == "Front Door Camera"


@pytest.mark.parametrize(
    "timestamp",
    [
        NOON.timestamp(),
        int(NOON.timestamp()),
        str(int(NOON.timestamp())),
        f" {int(NOON.timestamp())}.0\r\n",
        f"{int(NOON.timestamp())}\n".encode(),
        "2026-05-01T12:00:00Z",
        "2026-05-01t12:00:00z",
        "2026-05-01t14:00:00.0+02:00",
        "2026-05-01T12:00:00",
        "2026-05-01 12:00:00.000",
        "2026-05-01T14:00:00+02:00",
        "20260501T120000Z",
        b"2026-05-01T12:00:00Z",
        msgpack.Timestamp.from_datetime(NOON),
    ],
)
def test_timestamps_come_as_unix_seconds_or_iso_8601(timestamp: object) -> None:
    assert wire.parse_trigger(packed(trigger(timestamp=timestamp))).timestamp == NOON


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as there:
        there.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_a_time_without_an_offset_is_utc_wherever_the_service_runs() -> None:
    assert wire.parse_timestamp("2026-05-01T12:00:00") == NOON


def test_a_clock_that_was_never_set_is_served() -> None:
    zone = timezone(timedelta(hours=2))
    read = wire.parse_timestamp(datetime(1970, 1, 1, tzinfo=zone).isoformat())
    assert read == datetime(1969, 12, 31, 22, tzinfo=UTC)


def test_field_names_and_texts_may_be_bytes_as_old_messagepack_writes_them() -> None:
    output = {b"device_key": b"Front Door Camera", b"device_label": b"Front Door"}
    read = wire.parse_trigger(packed({b"timestamp": 1_700_000_000, b"output_triggered": output}))
    assert (read.camera, read.label) == ("Front Door Camera", "Front Door")


def test_unknown_fields_are_passed_over() -> None:
    read = wire.parse_trigger(packed(trigger(firmware={1: "9"}, output={"volume": 11})))
    assert read.camera == "Front Door Camera"


@pytest.mark.parametrize(
    "held",
    [
        b"\xa4\xff\xfe\x00\x80",  # text that is no UTF-8
        b"\xc4\x02\xff\xfe",  # bytes
        b"\xd4\x05x",  # an extension type
        b"\xd4\x00x",  # one that is a class of ours between threads
        b"\xc7\x0c\xff" + b"\x00" * 4 + b"\x7f" + b"\xff" * 7,  # a timestamp in the year 292 billion
        b"\x81\x91\x01\x02",  # a map whose key is a list
        b"\x81\xa1\xff\x02",  # a map whose key is no UTF-8
        b"\x92\xd4\x05x\x81\xd4\x05x\xa1\xff",  # all of it, nested
    ],
)
def test_an_unknown_field_may_hold_anything(held: bytes) -> None:
    body = msgpack.packb(trigger())
    before = b"\x83\xa8firmware" + held + body[1:]
    assert wire.parse_trigger(Delivery(before)).camera == "Front Door Camera"
    output = msgpack.packb(trigger()["output_triggered"])
    within = body.replace(output, b"\x83" + output[1:] + b"\xa1x" + held)
    assert wire.parse_trigger(Delivery(within)).timestamp == NOON


@pytest.mark.parametrize("held", [b'"K\xfcche"', b"9" * 10_000, b"1e999", b'"\\ud800"'])
def test_an_unknown_field_of_json_may_hold_anything(held: bytes) -> None:
    body = b'{"room": ' + held + b", " + json.dumps(trigger()).encode()[1:]
    assert wire.parse_trigger(Delivery(body)).camera == "Front Door Camera"


@pytest.mark.parametrize("held", [b"\xa1\xff", b"\xd4\x00x", b"\xc7\x0c\xff" + b"\x00" * 4 + b"\x7f" + b"\xff" * 7])
def test_what_is_passed_on_must_be_readable_by_others(held: bytes) -> None:
    body = msgpack.packb(trigger())
    active = b"\xacactive_input\x81\xa5value"
    assert "active_input holds" in str(refused(Delivery(b"\x83" + active + held + body[1:])))


def test_what_is_passed_on_keeps_its_moments_whatever_else_the_message_holds() -> None:
    moment = {"since": msgpack.Timestamp.from_datetime(NOON)}
    body = msgpack.packb(trigger(active_input=moment, firmware=msgpack.ExtType(5, b"x")))
    assert wire.parse_trigger(Delivery(body)).active_input == {"since": NOON}
    unreadable = b"\x84\xa1x\x81\x91\x01\x02" + msgpack.packb(trigger(active_input=moment))[1:]
    assert wire.parse_trigger(Delivery(unreadable)).active_input == {"since": NOON}


def test_an_empty_label_is_the_cameras_name() -> None:
    assert wire.parse_trigger(packed(trigger(output={"device_label": ""}))).label == "Front Door Camera"


def test_the_trace_context_may_come_in_the_headers() -> None:
    delivery = Delivery(msgpack.packb(trigger()), headers={"traceparent": TRACE, "baggage": b"a=b"})
    read = wire.parse_trigger(delivery)
    assert (read.traceparent, read.baggage) == (TRACE, "a=b")


def test_the_trace_context_of_the_body_counts_before_that_of_the_headers() -> None:
    other = TRACE.replace("0af7", "1af7")
    body = msgpack.packb(trigger(traceparent=TRACE, baggage="a=b"))
    read = wire.parse_trigger(Delivery(body, headers={"traceparent": other, "baggage": "c=d"}))
    assert (read.traceparent, read.baggage) == (TRACE, "a=b")
    body = msgpack.packb(trigger(traceparent="broken", baggage="x" * 8193))
    read = wire.parse_trigger(Delivery(body, headers={"traceparent": other, "baggage": "x" * 8192}))
    assert (read.traceparent, len(read.baggage)) == (other, 8192)


def test_as_much_as_is_allowed_is_taken() -> None:
    output = {"device_key": "x" * 200, "device_label": "y" * 200, "device_params": "z" * 500}
    active = {"a": "x" * (64 * 1024 - 6)}
    assert len(msgpack.packb(active)) == 64 * 1024
    read = wire.parse_trigger(packed(trigger(output=output, active_input=active)))
    assert (len(read.camera), len(read.label), read.active_input) == (200, 200, active)
    active["a"] += "x"
    assert "active_input takes 65537 bytes" in str(refused(packed(trigger(active_input=active))))


@pytest.mark.parametrize("params", [None, "", b""])
def test_a_login_that_is_empty_is_none(params: object) -> None:
    assert wire.parse_trigger(packed(trigger(output={"device_params": params}))).device_params is None


def test_a_trigger_is_for_the_broker_s_delivery_and_of_now() -> None:
    before = time.monotonic()
    read = wire.parse_trigger(packed(trigger()))
    assert before <= read.arrived <= time.monotonic()


@pytest.mark.parametrize(
    "broken",
    [
        *("no trace", 7, TRACE.upper(), TRACE + "\n", TRACE[:-1], f"{TRACE}-more", f"{TRACE}-{'x' * 200_000}"),
        f"ff{TRACE[2:]}",
        f"00-{'0' * 32}-b7ad6b7169203331-01",
        f"00-0af7651916cd43dd8448eb211c80319c-{'0' * 16}-01",
        f"01{TRACE[2:]}more",
        f"01{TRACE[2:]}-{'x' * 201}",
    ],
)
def test_a_broken_trace_context_does_not_cost_the_trigger(broken: object) -> None:
    read = wire.parse_trigger(packed(trigger(traceparent=broken, baggage="a\r\nb: c")))
    assert (read.traceparent, read.baggage) == ("", "")


@pytest.mark.parametrize("trace", [TRACE, f"cc{TRACE[2:]}", f"cc{TRACE[2:]}-what-the-future-brings"])
def test_a_trace_of_this_version_or_a_later_one_is_passed_on(trace: str) -> None:
    assert wire.parse_trigger(packed(trigger(traceparent=trace))).traceparent == trace


def test_baggage_is_counted_in_bytes() -> None:
    assert wire.parse_trigger(packed(trigger(baggage="ü" * 4096))).baggage
    assert not wire.parse_trigger(packed(trigger(baggage="ü" * 4097))).baggage


def test_a_message_id_names_the_event_and_the_trigger_for_ever() -> None:
    body = msgpack.packb(trigger())
    first, again = (wire.parse_trigger(Delivery(body, message_id="m 1")) for _ in range(2))
    other = wire.parse_trigger(Delivery(body, message_id="m 2"))
    assert first.id == again.id != other.id
    assert (first.key, first.id) == ("id:m 1", "738d7d38f29e5a65a310e9e246dabf38")  # in every version


def test_without_a_message_id_the_body_is_the_key_and_each_event_new() -> None:
    body = msgpack.packb(trigger())
    first, again = (wire.parse_trigger(Delivery(body)) for _ in range(2))
    assert first.id != again.id
    assert first.key == again.key
    assert first.key.startswith("sha:")
    assert wire.parse_trigger(packed(trigger(firmware="9"))).key != first.key


def test_what_the_broker_says_about_a_delivery_is_kept() -> None:
    read = wire.parse_trigger(Delivery(msgpack.packb(trigger()), redelivered=True, queued=True, receipt="1:2"))
    assert (read.redelivered, read.queued, read.receipt) == (True, True, "1:2")


def test_a_login_in_a_trigger_is_not_shown() -> None:
    read = wire.parse_trigger(packed(trigger(output={"device_params": "bob:hunter2@10.0.0.9:88,554"})))
    assert "hunter2" not in repr(read)


# -- triggers that are not ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "the message is not MessagePack"),
        (b"hello", "the message is not MessagePack: more data after the first value"),
        (b"\xc1", "the message is not MessagePack"),
        (msgpack.packb(trigger())[:-1], "the message is not MessagePack"),
        (b"\x91" * 5000, "the message is not MessagePack"),
        (b"\x81\xa1k\xa1\xff", "output_triggered is missing"),
        (b"\x81\x80\x01", "output_triggered is missing"),
        (msgpack.packb({"a": msgpack.ExtType(1, b"")}), "output_triggered is missing"),
        (msgpack.packb(msgpack.ExtType(1, b"")), "the message must be a map, not an extension type"),
        (b"{", "the message is not JSON"),
        (b'{"a": ' * 100_000, "the message is not JSON"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "output_triggered is missing"),
        (b"{\xff", "the message is not JSON"),
        (msgpack.packb([1]), "the message must be a map, not a list"),
        (msgpack.packb(7), "the message must be a map, not a number"),
        (msgpack.packb(None), "the message must be a map, not nothing"),
    ],
)
def test_what_is_no_map_is_refused(body: bytes, sentence: str) -> None:
    assert sentence in str(refused(Delivery(body)))


def test_json_that_is_named_and_is_none_is_refused() -> None:
    delivery = Delivery(msgpack.packb(trigger()), content_type="application/json")
    assert "the message is not JSON" in str(refused(delivery))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"timestamp": ...}, "timestamp is missing"),
        ({"output_triggered": ...}, "output_triggered is missing"),
        ({"output": {"device_key": ...}}, "device_key is missing"),
        ({"output": {"device_label": ...}}, "device_label is missing"),
        ({"output_triggered": []}, "output_triggered must be a map, not a list"),
        ({"output_triggered": None}, "output_triggered must be a map, not nothing"),
        ({"output": {"device_key": 7}}, "device_key must be text, not a number"),
        ({"output": {"device_key": True}}, "device_key must be text, not true or false"),
        ({"output": {"device_key": b"\xff"}}, "device_key must be text, not bytes"),
        ({"output": {"device_key": msgpack.ExtType(5, b"x")}}, "device_key must be text, not an extension type"),
        ({"timestamp": msgpack.ExtType(5, b"x")}, "timestamp must be unix seconds or ISO 8601, not an extension type"),
        ({"timestamp": msgpack.Timestamp(2**62)}, "timestamp is out of range"),
        ({"output": {"device_key": "x" * 201}}, "device_key has 201 characters, more than 200"),
        ({"output": {"device_key": "a\nb"}}, "device_key holds control characters"),
        ({"output": {"device_label": None}}, "device_label must be text, not nothing"),
        ({"output": {"device_params": {}}}, "device_params must be text, not a map"),
        ({"output": {"device_params": "x" * 501}}, "device_params has 501 characters, more than 500"),
        ({"active_input": "open"}, "active_input must be a map, not text"),
        ({"active_input": {"a": "x" * 70_000}}, "active_input takes"),
        ({"timestamp": True}, "timestamp must be unix seconds or ISO 8601, not true or false"),
        ({"timestamp": None}, "timestamp must be unix seconds or ISO 8601, not nothing"),
        ({"timestamp": [1]}, "timestamp must be unix seconds or ISO 8601, not a list"),
        ({"timestamp": math.nan}, "timestamp is not a finite number"),
        ({"timestamp": math.inf}, "timestamp is not a finite number"),
        ({"timestamp": 1_700_000_000_000}, "timestamp looks like milliseconds"),
        ({"timestamp": "1700000000000"}, "timestamp looks like milliseconds"),
        ({"timestamp": 2**64 - 1}, "timestamp is out of range"),
        ({"timestamp": 1e300}, "timestamp is out of range"),
        ({"timestamp": -1e9}, "timestamp is out of range"),
        ({"timestamp": "9" * 400}, "timestamp is not a finite number"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp is out of range"),
        ({"timestamp": "yesterday"}, "timestamp is neither unix seconds nor ISO 8601"),
        ({"timestamp": ""}, "timestamp is neither unix seconds nor ISO 8601"),
        ({"timestamp": b"\xff"}, "timestamp is neither unix seconds nor ISO 8601"),
    ],
)
def test_a_field_that_is_wrong_is_named(changes: dict[str, Any], sentence: str) -> None:
    assert sentence in str(refused(packed(trigger(**changes))))


@pytest.mark.parametrize(
    ("active_input", "sentence"),
    [
        (
            '{"a": 123456789012345678901234567890}',
            "active_input holds numbers or text that MessagePack cannot",
        ),
        ('{"a": "\\ud800"}', "active_input holds numbers or text that MessagePack cannot"),
        ('{"a":' * 33 + "1" + "}" * 33, "active_input is nested more than 32 levels deep"),
        ('{"a":' * 800 + "1" + "}" * 800, "active_input is nested more than 32 levels deep"),
    ],
)
def test_what_cannot_be_passed_on_is_refused(active_input: str, sentence: str) -> None:
    body = json.dumps(trigger())[:-1] + f', "active_input": {active_input}}}'
    assert sentence in str(refused(Delivery(body.encode())))


def test_what_is_nested_as_deep_as_allowed_can_be_passed_on() -> None:
    active: dict[str, Any] = {}
    for _ in range(31):
        active = {"a": active}
    read = wire.parse_trigger(packed(trigger(active_input=active)))
    assert wire.description(inspection(active_input=read.active_input))["active_input"] == active


def test_no_sentence_shows_a_login() -> None:
    problem = refused(packed(trigger(output={"device_params": "bob:hunter2\n@10.0.0.9:88"})))
    assert "device_params holds control characters" in str(problem)
    assert "hunter2" not in str(problem)
    assert problem.__cause__ is None


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_read_or_refused(body: bytes) -> None:
    refused(Delivery(body))


@given(st.dictionaries(st.sampled_from(["timestamp", "output_triggered", "active_input", "traceparent"]), plain_values))
def test_any_map_at_all_is_read_or_refused(body: dict[str, Any]) -> None:
    refused(packed(body))


@pytest.mark.parametrize("key", [unicodedata.normalize("NFD", "Haustür Camera"), "Haustuer Camera", "haustür camera"])
def test_a_camera_in_another_spelling_is_the_camera(key: str) -> None:
    decode = decoder({"Haustür Camera", "Garage Camera"})
    assert decode(packed(trigger(output={"device_key": key}))).camera == "Haustür Camera"


def test_a_spelling_that_may_mean_two_cameras_means_none() -> None:
    decode = decoder({"Tör Camera", "Tór Camera"})
    with pytest.raises(UnknownCamera, match="no camera"):
        decode(packed(trigger(output={"device_key": "Tor Camera"})))


def test_an_unknown_camera_is_refused_with_what_was_meant() -> None:
    decode = decoder({"Front Door Camera", "Garage Camera"})
    assert decode(packed(trigger())).camera == "Front Door Camera"
    with pytest.raises(UnknownCamera) as caught:
        decode(packed(trigger(output={"device_key": "Front Dor Camera"})))
    assert str(caught.value) == "unknown_camera: no camera 'Front Dor Camera'; did you mean 'Front Door Camera'?"


def test_an_unknown_camera_like_no_other_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownCamera) as caught:
        decoder([f"Room {n:02} Camera" for n in range(12)])(packed(trigger(output={"device_key": "?"})))
    assert "no camera '?'; there are: Room 00 Camera, Room 01 Camera" in str(caught.value)
    assert str(caught.value).endswith("and 2 more")


# -- what goes out --------------------------------------------------------------------------------


def inspection(*labels: Label, persons: int = 0, **changes: Any) -> Inspection:
    fields: dict[str, Any] = {
        "id": "0" * 32,
        "camera": "Front Door Camera",
        "label": "Front Door",
        "timestamp": NOON,
        "taken_at": NOON + timedelta(seconds=1.5),
        "delay_s": 1.5,
        "origin": "rabbitmq",
        "path": "/cache/picture.jpg",
    }
    seen = Detection(labels=labels, person_count=persons)
    return Inspection(Snapshot(**fields | changes), detector="hog", detection=seen, decision="person")


def sent(what: Inspection, picture: bytes = b"jpeg") -> dict[str, Any]:
    event = wire.event(what, picture=picture, topic="snapshot", device_name="pi")
    body: dict[str, Any] = msgpack.unpackb(event.body, timestamp=3)
    return body


def test_an_event_has_the_fields_that_its_readers_know() -> None:
    box = Box(0.1, 0.2, 0.3, 0.4)
    labels = (Label("Person", 0.9, (box, box)), Label("Dog", 0.8))
    body = sent(inspection(*labels, persons=2, active_input={"device_key": "Door"}, traceparent=TRACE, baggage="a=b"))
    assert body == {
        "timestamp": "2026-05-01T12:00:00+00:00",
        "active_input": {"device_key": "Door"},
        "traceparent": TRACE,
        "baggage": "a=b",
        "inputs": [
            {
                "device_key": "Front Door Camera",
                "device_label": "Front Door",
                "type": "camera",
                "image": b"jpeg",
                "image_timestamp": str(int(NOON.timestamp())),
                "storage_url": "",
                "storage_path": "/cache/picture.jpg",
                "event_detail": "2 person(s) and 2 things",
                "event_id": "0" * 32,
                "person_count": 2,
                "labels": [
                    {"name": "Person", "confidence": 0.9, "boxes": [[0.1, 0.2, 0.3, 0.4]] * 2},
                    {"name": "Dog", "confidence": 0.8, "boxes": []},
                ],
                "detector": "hog",
                "decision": "person",
                "decision_reasons": {},
                "problem": "",
                "delay_s": 1.5,
                "thumbnail_url": "",
                "animation_url": "",
                "origin": "rabbitmq",
                "frames": 0,
                "best": "",
            }
        ],
    }


def test_an_event_without_a_person_has_no_detail_and_without_a_picture_no_bytes() -> None:
    (entry,) = sent(inspection(Label("Dog", 0.8)), picture=b"")["inputs"]
    assert "event_detail" not in entry
    assert entry["image"] == b""


def test_an_event_leads_to_where_its_picture_is_kept() -> None:
    event = wire.event(
        inspection(timestamp=NOON + timedelta(seconds=0.9)),
        picture=b"",
        topic="t",
        device_name="d",
        storage_url="https://drive",
        thumbnail_url="https://album",
    )
    (entry,) = msgpack.unpackb(event.body)["inputs"]
    assert (entry["storage_url"], entry["thumbnail_url"]) == ("https://drive", "https://album")
    assert entry["image_timestamp"] == str(int(NOON.timestamp()))  # whole seconds, and none of the future


@pytest.mark.parametrize(("content_type", "blanks"), [("", 1), ("application/json", 20)])
def test_an_event_may_be_read_from_json_too(content_type: str, blanks: int) -> None:
    assert wire.parse_event(b" " * blanks + b'{"inputs": []}', content_type) == {"inputs": []}


def test_a_description_is_of_the_whole_picture() -> None:
    described = wire.description(inspection(width=640, height=480, size=9, traceparent=TRACE, baggage="a=b"))
    told = {name: described[name] for name in ("timestamp", "width", "height", "size", "traceparent", "baggage")}
    assert told == {
        "timestamp": "2026-05-01T12:00:00+00:00",
        "width": 640,
        "height": 480,
        "size": 9,
        "traceparent": TRACE,
        "baggage": "a=b",
    }
    assert "traceparent" not in wire.description(inspection())


def test_an_event_goes_under_its_id_with_its_trace() -> None:
    event = wire.event(inspection(traceparent=TRACE), picture=b"", topic="snapshot", device_name="pi")
    assert event.routing_key == "event.notify.snapshot.pi.image"
    assert (event.message_id, event.headers) == ("0" * 32, {"traceparent": TRACE})


def test_a_trace_that_an_earlier_release_recorded_and_no_broker_takes_does_not_cost_the_event() -> None:
    recorded = inspection(traceparent=f"{TRACE}-{'x' * 200_000}", baggage="y" * 200_000)
    event = wire.event(recorded, picture=b"", topic="snapshot", device_name="pi")
    assert (event.headers, len(event.body) < 1000) == ({}, True)


def test_names_on_the_exchanges_are_the_contracts() -> None:
    assert wire.control_exchange("home_automation") == "home_automation_control"
    assert wire.trigger_key("snapshot") == "event.trigger.snapshot"
    assert wire.heartbeat_key("snapshot") == "event.heartbeat.snapshot"


def test_a_heartbeat_names_inputs_and_outputs() -> None:
    body = wire.heartbeat(inputs=[HeartbeatDevice("Door", "Front")], outputs=[HeartbeatDevice("Camera", "Front Door")])
    assert msgpack.unpackb(body) == {
        "inputs": [{"type": "Door", "location": "Front", "device_key": "Front Door"}],
        "outputs": [{"type": "Camera", "location": "Front Door", "device_key": "Front Door Camera"}],
    }


@given(st.none() | st.dictionaries(words, plain_values, max_size=4), words, moments)
def test_an_event_is_read_as_it_was_sent(active: dict[str, Any] | None, label: str, moment: datetime) -> None:
    what = inspection(Label(label, 0.5), active_input=active, timestamp=moment)
    event = wire.event(what, picture=b"\x00\xff", topic="t", device_name="d")
    read = wire.parse_event(event.body)
    assert datetime.fromisoformat(read["timestamp"]) == moment
    assert read.get("active_input") == active
    assert read["inputs"][0]["image"] == b"\x00\xff"
    assert read["inputs"][0]["labels"][0]["name"] == label


@pytest.mark.parametrize("body", [b"", b"\x90", b"{}", b'{"inputs": 1}', b'{"inputs": [1]}'])
def test_what_is_no_event_is_said_so(body: bytes) -> None:
    with pytest.raises(MalformedEvent):
        wire.parse_event(body)


def test_a_description_is_fit_for_json_whatever_the_sensor_sent() -> None:
    active = {"raw": b"\xff", "at": NOON, "nan": math.nan, 7: [b"x"], "deep": {b"k": (1, 2)}}
    described = wire.description(inspection(active_input=active))
    text = json.dumps(described, allow_nan=False)
    assert json.loads(text)["active_input"] == {
        "raw": "\ufffd",
        "at": NOON.isoformat(),
        "nan": None,
        "7": ["x"],
        "deep": {"k": [1, 2]},
    }
    assert "image" not in described
    assert (described["event_id"], described["taken_at"]) == ("0" * 32, "2026-05-01T12:00:01.500000+00:00")


def test_a_trigger_may_ask_for_several_pictures() -> None:
    assert wire.checked_burst({"frames": 5}) == Burst(5, 0.5, 0.0, "all")
    assert wire.checked_burst({b"frames": 2, "pace": 1, "delay": 2.5, b"look": b"person"}) == Burst(2, 1, 2.5, "person")
    assert wire.checked_burst(None) is None


@pytest.mark.parametrize(
    ("burst", "code"),
    [
        (5, "mistyped_field"),
        ({}, "mistyped_field"),
        ({"frames": True}, "mistyped_field"),
        ({"frames": "5"}, "mistyped_field"),
        ({"frames": 2, "pace": "1"}, "mistyped_field"),
        ({"frames": 31}, "bad_burst"),
        ({"frames": 0}, "bad_burst"),
        ({"frames": 2, "pace": -1}, "bad_burst"),
        ({"frames": 2, "delay": 10**400}, "bad_burst"),
        ({"frames": 2, "pace": float("nan")}, "bad_burst"),
        ({"frames": 30, "pace": 2.5}, "bad_burst"),
        ({"frames": 2, "look": "away"}, "bad_burst"),
    ],
)
def test_a_burst_beyond_its_bounds_is_refused_in_one_sentence(burst: object, code: str) -> None:
    with pytest.raises(wire.MalformedTrigger) as refused:
        wire.checked_burst(burst)
    assert refused.value.code == code
