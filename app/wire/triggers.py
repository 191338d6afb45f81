"""The payload of triggers: every field is checked, and an error is one sentence."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgpack

from app.messages import Burst, Trigger
from app.wire import fields, trace
from app.wire.fields import MISSING
from pylib.errors import Permanent
from pylib.rabbitmq.delivery import Delivery
from pylib.settings.credentials import Secret

EVENT_IDS = uuid.UUID("3d1a6b0e-8f0c-5d52-9a53-6f1f0b1c7e42")
"""Namespace of the event ids that are made from message ids; drawn once."""
EARLIEST = -86_400
"""1969-12-31: a clock that was never set, in whatever time zone, begins about 1970 and is accepted."""
LATEST = 100_000_000_000
"""The year 5138; in milliseconds it was 1973, so anything above must be milliseconds."""
UNIX_SECONDS = re.compile(r"-?\d{9,}(\.\d*)?")
"""Shorter digits are ISO 8601's basic dates (`20231114`)."""
MAX_ACTIVE_INPUT = 64 * 1024
MAX_DEPTH = 32

CODES = {
    "not_messagepack": ("The trigger is not valid MessagePack.", "mend the sender"),
    "not_json": ("The trigger is not valid JSON.", "mend the sender"),
    "not_a_map": ("The trigger is no map.", "mend the sender"),
    "missing_field": ("A field of the trigger is not there.", "mend the sender; the message names the field"),
    "mistyped_field": (
        "A field of the trigger is of the wrong type.",
        "mend the sender; the message names the field",
    ),
    "bad_timestamp": (
        "The trigger's timestamp is out of range, in milliseconds, or neither unix seconds nor ISO 8601.",
        "mend the sender, or its clock",
    ),
    "bad_burst": (
        "The trigger asks for more pictures, or for a longer time, than a burst may have.",
        "mend the sender; the message says the bounds",
    ),
    "too_large": ("The trigger, a name in it or `active_input` is over its limit.", "mend the sender"),
    "unknown_camera": (
        "No camera of this name is configured.",
        "correct the name; the log says which one may have been meant",
    ),
}
"""Code -> what happened, and what to do about it."""


class MalformedTrigger(Permanent):
    """A trigger that can never be answered; `detail` describes what is wrong with it."""


def parse_trigger(delivery: Delivery) -> Trigger:
    """The trigger in a delivery. Raises `MalformedTrigger`. Unknown fields are ignored."""
    try:
        body = fields.unpack(delivery.body, delivery.content_type)
        output = _output(body)
        camera = fields.text(output, "device_key").strip()
        return Trigger(
            id=event_id_of(delivery.message_id),
            camera=camera,
            label=fields.text(output, "device_label").strip() or camera,
            timestamp=parse_timestamp(fields.field(body, "timestamp")),
            arrived=time.monotonic(),
            origin="rabbitmq",
            queued=delivery.queued,
            key=_key(delivery),
            redelivered=delivery.redelivered,
            receipt=delivery.receipt,
            device_params=_device_params(output),
            active_input=checked_active_input(fields.field(body, "active_input")),
            traceparent=_first(trace.traceparent, "traceparent", body, delivery.headers),
            baggage=_first(trace.baggage, "baggage", body, delivery.headers),
            burst=checked_burst(fields.field(body, "burst")),
        )
    except MalformedTrigger:
        raise
    except Permanent as error:
        raise MalformedTrigger(error.code, error.detail) from None


def trigger_body(
    device_key: str,
    device_label: str,
    *,
    timestamp: datetime,
    device_params: Secret | None = None,
    active_input: Mapping[str, Any] | None = None,
    traceparent: str = "",
    baggage: str = "",
    burst: Burst | None = None,
) -> bytes:
    """A trigger as a sensor would send it, in MessagePack."""
    output = {"device_key": device_key, "device_label": device_label}
    if device_params is not None:
        output["device_params"] = device_params.get_secret_value()
    body: dict[str, object] = {"timestamp": timestamp.timestamp(), "output_triggered": output}
    if active_input is not None:
        body["active_input"] = active_input
    if traceparent:
        body["traceparent"] = traceparent
    if baggage:
        body["baggage"] = baggage
    if burst is not None:
        body["burst"] = dataclasses.asdict(burst)
    packed: bytes = msgpack.packb(body, datetime=True)
    return packed


def parse_timestamp(value: object) -> datetime:
    """The moment in unix seconds (also as text), ISO 8601 or MessagePack's own timestamp, as UTC.

    ISO 8601 without an offset is UTC. Raises `MalformedTrigger`.
    """
    if value is MISSING:
        raise MalformedTrigger("missing_field", "timestamp is missing")
    if isinstance(value, str | bytes):
        value = _from_text(fields.as_text(value) or "")
    if isinstance(value, msgpack.Timestamp):
        value = value.to_unix()
    if isinstance(value, datetime):
        return _from_datetime(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        problem = f"timestamp must be unix seconds or ISO 8601, not {fields.kind_of(value)}"
        raise MalformedTrigger("mistyped_field", problem)
    return _from_seconds(value)


def checked_active_input(value: object) -> dict[str, Any] | None:
    """The sensor's own description, if any, when it can be passed on. Raises `MalformedTrigger`."""
    if value is MISSING or value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedTrigger("mistyped_field", f"active_input must be a map, not {fields.kind_of(value)}")
    try:
        packed = msgpack.packb(value, datetime=True)
        active: dict[str, Any] = msgpack.unpackb(packed, timestamp=3, strict_map_key=False)
    except (ValueError, TypeError, OverflowError, RecursionError):
        problem = "active_input holds numbers or text that MessagePack cannot"
        raise MalformedTrigger("mistyped_field", problem) from None
    if len(packed) > MAX_ACTIVE_INPUT:
        raise MalformedTrigger("too_large", f"active_input takes {len(packed)} bytes, more than {MAX_ACTIVE_INPUT}")
    if fields.is_deeper(active, MAX_DEPTH):
        raise MalformedTrigger("too_large", f"active_input is nested more than {MAX_DEPTH} levels deep")
    return active


def checked_burst(value: object) -> Burst | None:
    """The burst that is asked for, if any: `{"frames": 5, "pace": 0.5, "delay": 0, "look": "all"}`.

    Raises `MalformedTrigger`.
    """
    if value is MISSING or value is None:
        return None
    if not isinstance(value, dict):
        raise MalformedTrigger("mistyped_field", f"burst must be a map, not {fields.kind_of(value)}")
    frames, look = fields.field(value, "frames"), fields.as_text(fields.field(value, "look"))
    if isinstance(frames, bool) or not isinstance(frames, int):
        raise MalformedTrigger("mistyped_field", "frames of burst must be a whole number")
    given = {name: _seconds(value, name) for name in ("pace", "delay") if fields.field(value, name) is not MISSING}
    try:
        return Burst(frames, **given, **({"look": look} if look is not None else {}))  # type: ignore[arg-type]
    except ValueError as error:
        raise MalformedTrigger("bad_burst", str(error)) from None


def _seconds(burst: Mapping[Any, Any], name: str) -> float:
    seconds = fields.field(burst, name)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise MalformedTrigger("mistyped_field", f"{name} of burst must be a number of seconds")
    return float(seconds) if abs(seconds) < LATEST else math.inf


def carried(value: object) -> dict[str, Any] | None:
    """As much of another program's message as can be passed on as `active_input`.

    Fields that MessagePack cannot hold are left out: nobody asked for them. None where it is no map, too large or
    nested too deep.
    """
    if not isinstance(value, dict) or fields.is_deeper(value, MAX_DEPTH):
        return None
    try:
        return checked_active_input(_packable(value))
    except MalformedTrigger:
        return None


def _packable(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _packable(inner) for key, inner in value.items() if _packs(key) and _packs(inner)}
    return [_packable(inner) for inner in value if _packs(inner)] if isinstance(value, list) else value


def _packs(value: object) -> bool:
    """Whether MessagePack can hold it; of maps and lists, whether it can hold such."""
    try:
        msgpack.packb(None if isinstance(value, dict | list) else value, datetime=True)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def _output(body: Mapping[Any, Any]) -> Mapping[Any, Any]:
    output = fields.field(body, "output_triggered")
    if output is MISSING:
        raise MalformedTrigger("missing_field", "output_triggered is missing")
    if not isinstance(output, dict):
        raise MalformedTrigger("mistyped_field", f"output_triggered must be a map, not {fields.kind_of(output)}")
    return output


def _device_params(output: Mapping[Any, Any]) -> Secret | None:
    if fields.field(output, "device_params") in (MISSING, None, "", b""):
        return None
    return Secret(fields.text(output, "device_params", longest=500))


def event_id_of(message_id: str) -> str:
    """The id of the event that a message becomes: the same for every delivery of one that has an id of its own."""
    return (uuid.uuid5(EVENT_IDS, message_id) if message_id else uuid.uuid4()).hex


def _key(delivery: Delivery) -> str:
    if delivery.message_id:
        return f"id:{delivery.message_id}"
    return f"sha:{hashlib.sha256(delivery.body).hexdigest()}"


def _from_text(value: str) -> float | datetime:
    value = value.strip().upper()  # ISO 8601 allows a small `t` and `z`
    if UNIX_SECONDS.fullmatch(value):
        return float(value)
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise MalformedTrigger("bad_timestamp", "timestamp is neither unix seconds nor ISO 8601") from None


def _from_datetime(value: datetime) -> datetime:
    try:
        return _from_seconds((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    except OverflowError:
        raise MalformedTrigger("bad_timestamp", "timestamp is out of range") from None


def _from_seconds(value: float) -> datetime:
    if isinstance(value, float) and not math.isfinite(value):
        raise MalformedTrigger("bad_timestamp", "timestamp is not a finite number")
    if LATEST <= value < LATEST * 1000:
        raise MalformedTrigger("bad_timestamp", "timestamp looks like milliseconds, it must be in seconds")
    if not EARLIEST <= value < LATEST:
        raise MalformedTrigger("bad_timestamp", "timestamp is out of range, it must be unix seconds")
    return datetime.fromtimestamp(value, UTC)


def _first(valid: Callable[[str], str], name: str, *sources: Mapping[Any, Any]) -> str:
    """The first of the sources' texts of this name that is valid; an invalid one is left out, without an error."""
    texts = (fields.as_text(fields.field(source, name)) for source in sources)
    return next((found for text in texts if text and (found := valid(text))), "")
