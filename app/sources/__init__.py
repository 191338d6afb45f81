"""Sources: where triggers come from, and objects in buckets. A new one is one file here and one row in `KINDS`."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

from pydantic import BaseModel

from app.journal import Journal
from app.messages import Burst, ObjectCreated, Trigger
from app.pipeline.collect import ObjectReader
from app.rules.telling import Telling
from app.wire import trace
from pylib.runtime.relay import Transport
from pylib.runtime.stage import Source
from pylib.runtime.threads import ManagedThread
from pylib.settings.kinds import Registry


@dataclass(frozen=True, slots=True)
class SourceContext:
    """What a source gets beside its settings."""

    name: str
    """The `origin` of its triggers: the source that gets their acknowledgement."""
    app_name: str
    cameras: Mapping[str, str]
    """Device key -> label of every configured camera."""
    telling: Telling
    """What people switch by hand, from this source too."""
    transport: Transport
    address: str
    """Where triggers go."""
    settled: Callable[[Collection[str]], None]
    """Called with receipts whose triggers will never be delivered again."""
    count: Callable[[str, str], None]
    """Counts a rejected trigger, by origin and failure code."""
    journal: Journal
    data_dir: Path = Path("data")
    """Where a source may keep files, each in a folder of its kind."""
    objects_address: str = ""
    """Where objects go."""
    leads: Callable[[], bool] = lambda: True
    """Whether this service listens to what tells all replicas the same; else another one does. From any thread."""

    def feeder(self, source: Source) -> ManagedThread:
        """A thread that polls a plain source and passes its triggers on."""
        return self.transport.feeder(self.name, source, sink=self.address)

    def object_feeder(self, source: Source) -> ManagedThread:
        """A thread that polls a plain source and passes its objects on."""
        return self.transport.feeder(self.name, source, sink=self.objects_address)


class TriggerSource(Protocol):
    """Brings triggers from one place, and acknowledges there each that is done."""

    @property
    def thread(self) -> ManagedThread:
        """The thread that brings the triggers; it ends after the last one was acknowledged."""
        ...

    def acknowledge(self, receipt: str) -> None:
        """The outcome of the trigger with this receipt is recorded: it need not be redelivered. From any thread."""
        ...


@runtime_checkable
class ConnectedSource(TriggerSource, Protocol):
    """A source whose health is that of its connection."""

    @property
    def connected(self) -> bool:
        """Whether triggers can come now. From any thread."""
        ...


@runtime_checkable
class ObjectSource(ConnectedSource, ObjectReader, Protocol):
    """A source of objects in buckets: the collect stage reads them through it."""

    queued: ClassVar[bool]
    """What it says comes from a queue, which keeps it for a limited time; else its objects are seen again and again."""

    @property
    def problem(self) -> str:
        """Why nothing can come now, in a sentence; or what people should know. Empty when all is well."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a source before it runs, for people."""

    text: str
    remedy: str = ""
    """What to do about it, where it may be wrong."""


@runtime_checkable
class CheckedSource(Protocol):
    """The class of a source that can be looked at before it runs."""

    @staticmethod
    def check(settings: Any) -> Iterable[Found]:
        """What is there, by calls that change nothing. Raises `Failure` where nothing would come."""
        ...


@runtime_checkable
class CameraSourceSettings(Protocol):
    """The settings of a source that belongs to a camera, and has the rest from there."""

    def completed(self, cameras: Sequence[Any]) -> Self:
        """The settings that count, given those of all cameras. Raises ValueError where they are not enough."""
        ...


class SourceKind(Protocol):
    """The class behind a kind."""

    Settings: type[BaseModel]
    title: ClassVar[str]
    """What people read behind "Triggered by"."""

    def __call__(self, settings: Any, context: SourceContext) -> TriggerSource:
        """A source of these `Settings`; connects to nothing yet."""
        ...


def completed(settings: Any, cameras: Sequence[Any]) -> Any:
    """The settings of a source as they count, given those of all cameras. Raises ValueError."""
    return settings.completed(cameras) if isinstance(settings, CameraSourceSettings) else settings


def new_trigger(
    camera: str,
    *,
    label: str,
    origin: str,
    timestamp: datetime | None = None,
    active_input: Mapping[str, Any] | None = None,
    key: str = "",
    receipt: str = "",
    traceparent: str = "",
    baggage: str = "",
    burst: Burst | None = None,
) -> Trigger:
    """A trigger of now, unless it has a `timestamp`; for `key` and `receipt` see `Trigger`.

    A `traceparent` or `baggage` that W3C's rules do not allow is left out.
    """
    return Trigger(
        id=uuid.uuid4().hex,
        camera=camera,
        label=label,
        timestamp=timestamp or datetime.now(UTC),
        arrived=time.monotonic(),
        origin=origin,
        key=key,
        receipt=receipt,
        active_input=active_input,
        traceparent=trace.traceparent(traceparent),
        baggage=trace.baggage(baggage),
        burst=burst,
    )


def object_id(found: ObjectCreated) -> str:
    """The id of the event that an object becomes: always the same for what was announced (32 hex digits).

    An attempt that a crash cut short leaves nothing behind which the next one does not replace.
    """
    said = (
        *(found.origin, found.bucket, found.key, found.version),
        *(found.sequencer, found.etag, found.timestamp.isoformat()),
    )
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:32]


RABBITMQ = "rabbitmq"
MQTT = "mqtt"

KINDS: Registry[SourceKind] = Registry(
    {
        RABBITMQ: "app.sources.rabbitmq:RabbitMQ",
        MQTT: "app.sources.mqtt:Mqtt",
        "sqs": "app.sources.sqs:Sqs",
        "bucket": "app.sources.buckets.listing:Listing",
        "bucket_amqp": "app.sources.buckets.amqp:BucketAmqp",
        "onvif": "app.sources.onvif:OnvifEvents",
    }
)
"""Loaded when configured."""
