"""Reads what servers say of new objects: S3's events, EventBridge's, SNS around either; MinIO's and Ceph's.

Fields: "Event message structure" in the user guide of Amazon S3 (2.0 to 2.5) and "EventBridge event message structure";
docs.ceph.com "S3 Bucket Notifications Compatibility", and `rgw_pubsub_s3_event` in its source.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_to_bytes

from app.wire import fields
from pylib.errors import Permanent

MAX_BODY = 1024 * 1024
"""Bytes of a message: as many as SQS takes."""
MAX_RECORDS = 1000
MAX_DEPTH = 32
MAX_KEY = 1024
"""Bytes of a key, by S3's rules."""
MAX_SIZE = 2**63 - 1
"""Bytes that can be an object's size."""

CODES = {
    "not_an_event": (
        "A message that says nothing of an object.",
        "have the queue get S3's events only, and look at the reason",
    ),
}
"""Code -> what happened, and what to do about it."""

_TOKEN = re.compile(r"[\w.+/=~-]{1,1024}", re.ASCII)
"""What ETags and ids of versions consist of; they become part of a request."""
_HEX = re.compile(r"[0-9A-Fa-f]{1,64}")
_CEPH = "ceph:s3"
_CREATED = "ObjectCreated:"


class NotAnEvent(Permanent):
    """A message that is no event of an object (`not_an_event`)."""

    def __init__(self, sentence: str) -> None:
        super().__init__("not_an_event", sentence)


@dataclass(frozen=True, slots=True)
class FoundObject:
    """An object as it was announced or listed; the fields are those of `ObjectCreated`."""

    bucket: str
    key: str
    timestamp: datetime
    size: int = -1
    etag: str = ""
    version: str = ""
    sequencer: str = ""


def parse(body: bytes, *, in_part: Callable[[NotAnEvent], object] = lambda _error: None) -> list[FoundObject]:
    """The new objects that a message tells of; none for deletions, tests and all else that S3 may say.

    `in_part` hears why records were left out of a message whose others can be read. Raises `NotAnEvent`.
    """
    event = _map(body)
    if event.get("Type") == "Notification" and isinstance(event.get("Message"), str):  # SNS, around the event
        event = _map(event["Message"].encode(errors="surrogatepass"))
    if isinstance(event.get("Records"), list):
        return _of_records(event["Records"], in_part)
    if "detail-type" in event:
        return list(_of_event_bridge(event))
    if event.get("Event") == "s3:TestEvent":
        return []
    raise NotAnEvent("it has neither S3's Records nor EventBridge's detail-type")


def etag(value: object) -> str:
    """An ETag without its quotes; empty where it is none."""
    return _token(value.strip('"') if isinstance(value, str) else value)


def _map(body: bytes) -> Mapping[str, Any]:
    if len(body) > MAX_BODY:
        raise NotAnEvent(f"it has {len(body)} bytes, more than {MAX_BODY}")
    try:
        value = fields.from_json(body)
    except Permanent:
        raise NotAnEvent("it is not JSON") from None
    if not isinstance(value, dict):
        raise NotAnEvent(f"it must be a map, not {fields.kind_of(value)}")
    if fields.is_deeper(value, MAX_DEPTH):
        raise NotAnEvent(f"it is nested more than {MAX_DEPTH} levels deep")
    return value


def _of_records(records: list[Any], in_part: Callable[[NotAnEvent], object]) -> list[FoundObject]:
    """Of S3's own event, which other servers copied. Records that cannot be read harm themselves only."""
    if len(records) > MAX_RECORDS:
        raise NotAnEvent(f"it has {len(records)} records, more than {MAX_RECORDS}")
    found: list[FoundObject] = []
    errors: list[NotAnEvent] = []
    for record in records:
        try:
            found += _of_record(record)
        except NotAnEvent as error:
            errors.append(error)
    if errors and len(errors) == len(records):
        raise errors[0]
    if errors:
        in_part(NotAnEvent(f"{len(errors)} of {len(records)} records: {errors[0].detail}"))
    return found


def _of_record(record: object) -> Iterator[FoundObject]:
    source = str(_inner(record, "eventSource", "aws:s3"))
    if not source.endswith(":s3"):
        raise NotAnEvent("its records are of another service than S3")
    if not str(_inner(record, "eventVersion", "2.0")).startswith("2."):
        raise NotAnEvent("its version is none that begins with 2.")
    name = _inner(record, "eventName")
    if not isinstance(name, str):
        raise NotAnEvent("a record has no eventName")
    if name.removeprefix("s3:").startswith(_CREATED):
        s3 = _inner(record, "s3")
        found = _inner(s3, "object")
        ceph = source == _CEPH
        # Ceph does not encode its keys, which AWS and MinIO do.
        key = _key(_inner(found, "key"), encoded=not ceph)
        sequencer = _inner(found, "sequencer")
        if not key.endswith("/"):
            yield FoundObject(
                bucket=_bucket(_inner(s3, "bucket")),
                key=key,
                timestamp=_time(_inner(record, "eventTime")),
                size=_size(_inner(found, "size")),
                etag=etag(_inner(found, "eTag") or _inner(found, "etag")),
                version=_version(_inner(found, "versionId")),
                sequencer=_ceph_sequencer(sequencer) if ceph else _sequencer(sequencer),
            )


def _of_event_bridge(event: Mapping[str, Any]) -> Iterator[FoundObject]:
    kind = event["detail-type"]
    if event.get("source") != "aws.s3" or not isinstance(kind, str) or not kind.startswith("Object "):
        raise NotAnEvent("it is another event of EventBridge's than S3's: have the rule match `Object Created`")
    if kind == "Object Created":
        detail = _inner(event, "detail")
        found = _inner(detail, "object")
        key = _key(_inner(found, "key"), encoded=False)
        if not key.endswith("/"):
            yield FoundObject(
                bucket=_bucket(_inner(detail, "bucket")),
                key=key,
                timestamp=_time(event.get("time")),
                size=_size(_inner(found, "size")),
                etag=etag(_inner(found, "etag") or _inner(found, "eTag")),  # the latter is moto's
                version=_version(_inner(found, "version-id")),
                sequencer=_sequencer(_inner(found, "sequencer")),
            )


def _inner(source: object, name: str, default: object = None) -> Any:
    if not isinstance(source, dict):
        raise NotAnEvent(f"where a map with {name} should be, there is {fields.kind_of(source)}")
    return source.get(name, default)


def _bucket(value: object) -> str:
    name = _inner(value, "name")
    if not isinstance(name, str) or not 0 < len(name) <= 255 or fields.CONTROL.search(name):
        raise NotAnEvent("a record names no bucket")
    return name


def _key(value: object, *, encoded: bool) -> str:
    if not isinstance(value, str) or not value or len(value) > 3 * MAX_KEY:
        raise NotAnEvent(f"a record has no key of 1 to {MAX_KEY} bytes")
    try:
        key = unquote_to_bytes(value.replace("+", " ")) if encoded else value.encode()
        text = key.decode()
    except UnicodeError:  # lone surrogates, and what is no UTF-8 once decoded
        raise NotAnEvent("the key of a record is no UTF-8") from None
    if len(key) > MAX_KEY or "\0" in text:
        raise NotAnEvent(f"a record has no key of 1 to {MAX_KEY} bytes")
    return text


def _time(value: object) -> datetime:
    """Now, where it cannot be read: the object is there all the same."""
    with suppress(ValueError, TypeError, OverflowError):
        at = datetime.fromisoformat(str(value)[:40])
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    return datetime.now(UTC)


def _size(value: object) -> int:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_SIZE
    return value if known else -1  # type: ignore[return-value]


def _token(value: object) -> str:
    return value if isinstance(value, str) and _TOKEN.fullmatch(value) else ""


def _version(value: object) -> str:
    """Buckets whose versions are suspended write each one over `null`, as those without versions do."""
    return "" if value == "null" else _token(value)


def _sequencer(value: object) -> str:
    return value if isinstance(value, str) and _HEX.fullmatch(value) else ""


def _ceph_sequencer(value: object) -> str:
    """Ceph's as one that orders: it prints seconds and nanoseconds as a little-endian machine has them in memory."""
    text = _sequencer(value)
    if len(text) != 16:
        return ""
    return struct.pack(">II", *struct.unpack("<II", bytes.fromhex(text))).hex()
