"""Publishers: where events are sent. A new one is one file here and one row in `KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from app.media.picture import MAX_PIXELS
from app.messages import Inspection
from app.rules.subscribers import SubscriberStore
from app.rules.telling import Telling
from pylib.errors import Failure, Permanent, Transient
from pylib.runtime.threads import ManagedThread
from pylib.settings.kinds import Registry

MESSAGES = "messages"
"""In the data folder: the pictures of messages that are being sent, a folder for each outlet."""


class PublishError(Failure):
    """An event was not delivered."""


class PublishUnavailable(PublishError, Transient):
    """The target is unreachable, or has no consumer yet: try later."""

    def __init__(self, code: str, detail: str, *, outage: bool = True) -> None:
        """`outage`: False where it says nothing about other events; `abandon_after` then has its code."""
        super().__init__(code, detail)
        self.outage = outage


class PublishRejected(PublishError, Permanent):
    """The target will never take this event."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What the service has done, and what waits."""

    calls: int = 0
    """Of the detector, this month (UTC)."""
    cost_usd: float = 0.0
    """Of those calls."""
    oldest_undelivered_s: float = 0.0
    """Age of the oldest event that waits for a publisher; 0 when none does."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link that opens something for a while, without a login."""

    url: str
    until: datetime
    """UTC."""


@dataclass(frozen=True, slots=True)
class PublisherContext:
    """What a publisher gets beside its settings."""

    name: str = ""
    """Its name as a target in the journal; its kind unless set."""
    device_name: str = ""
    """This device's word in routing keys."""
    replica: str = ""
    """The same where several replicas publish; else empty."""
    storage_url: Callable[[], str] = lambda: ""
    """A link for people to where the pictures are; empty when there is none."""
    thumbnail_url: Callable[[str], str] = lambda _event_id: ""
    """A link that opens an event's thumbnail; empty where nobody could open it."""
    picture_url: Callable[[str], str] = lambda _event_id: ""
    """A link that opens an event's picture for some days; empty where nobody could open it."""
    animation_url: Callable[[str], str] = lambda _event_id: ""
    """A link that opens the animation of an event with several pictures for some days; empty where nobody could."""
    animation: Callable[[str], bytes] = lambda _event_id: b""
    """The animation of an event with several pictures, a GIF, made now unless it is there; empty where there is none.
    Raises `pylib.errors.Failure` or OSError."""
    archived_url: Callable[[Inspection], str] = lambda _inspection: ""
    """A link that opens its picture in an archive for some days, once that has it; empty where none gives links."""
    stored_thumbnail: Callable[[str, Inspection], Link | None] = lambda _outlet, _inspection: None
    """A link to the thumbnail that this outlet of thumbnails stores, which is stored by then; None where there is no
    such outlet or no picture. Raises `PublishError`."""
    order_of: Callable[[str], int] = lambda _event_id: 0
    """An event's place in the order in which the journal recorded them; 0 for one that it does not know (any more).
    Raises `pylib.sqlite.DatabaseUnavailable`."""
    event_url: Callable[[str], str] = lambda _event_id: ""
    """The event's page in the album, which asks for a login; empty where there is none."""
    snooze_url: Callable[[str], str] = lambda _camera: ""
    """A link to a page with one button, which snoozes this camera (a device key); empty where there is none."""
    max_pixels: int = MAX_PIXELS
    """Of a picture that is decoded."""
    cameras: Mapping[str, str] = field(default_factory=dict)
    """Device key -> label of every configured camera."""
    reachable: Callable[[str], bool] = lambda _camera: True
    """Whether this camera (a device key) answers, as far as is known. Returns at once."""
    figures: Callable[[], Figures] = Figures
    """Asks the journal; raises `pylib.sqlite.DatabaseUnavailable`."""
    telling: Telling | None = None
    """The home's mode and snoozes; None where nothing is told, as in a check."""
    subscribers: SubscriberStore | None = None
    """The browsers that want messages; None where there is no album."""
    data_dir: Path = Path("data")
    zone: tzinfo = UTC
    """The home's."""
    version: str = ""
    target_recovered: Callable[[], None] = lambda: None
    """Called when the target is reachable again: its pending events are tried at once. From any thread."""


class Publisher(Protocol):
    """Delivers events to one target.

    Called by one thread at a time, so that events keep their order. One that needs none has an attribute
    `concurrency`: so many threads call it at once then.
    """

    @property
    def name(self) -> str:
        """The target's name in the journal's delivery rows; stable across restarts."""
        ...

    @property
    def threads(self) -> Sequence[ManagedThread]:
        """The threads it needs, a connection's for example; they end after the last event was published."""
        ...

    @property
    def abandon_after(self) -> Mapping[str, float]:
        """Failure code -> seconds after which an event that still fails so is given up."""
        ...

    def publish(self, inspection: Inspection) -> None:
        """Deliver one event and return when the target has confirmed it.

        Raises `PublishUnavailable` or `PublishRejected`, in bounded time.
        """
        ...


@runtime_checkable
class DigestPublisher(Publisher, Protocol):
    """A publisher that can tell of many events in one message."""

    def publish_digest(self, inspections: Sequence[Inspection]) -> None:
        """Deliver them, oldest first, as one message. Raises what `publish` raises."""
        ...


@runtime_checkable
class EditFollower(Publisher, Protocol):
    """A publisher that gets an event again, with its `review`, when somebody has corrected or deleted it."""

    follows_edits: Literal[True]


@runtime_checkable
class CheckedPublisher(Publisher, Protocol):
    """A publisher whose target can be looked at before anything is sent."""

    def check(self) -> str:
        """What was found, for people: the target would take events. Raises `PublishError`."""
        ...


@runtime_checkable
class ThumbnailPublisher(Publisher, Protocol):
    """A publisher that stores thumbnails where a link may lead to them."""

    def stored(self, inspection: Inspection) -> Link | None:
        """A link to an event's thumbnail, which is stored by then; None where there will be none. From any thread.

        Raises `PublishUnavailable`, in bounded time.
        """
        ...


class PublisherKind(Protocol):
    """The class behind a kind."""

    Settings: type[BaseModel]
    title: ClassVar[str]
    """The name that people see."""
    notifies: ClassVar[bool]
    """Whether it tells people, so that rules decide what it gets; otherwise it gets every event."""

    def __call__(self, settings: Any, context: PublisherContext) -> Publisher:
        """A publisher of these `Settings`; connects to nothing. Raises `PublishError` where they make no sense."""
        ...


RABBITMQ = "rabbitmq"
WEBHOOK = "webhook"
MQTT = "mqtt"
THUMBNAILS = "thumbnails"

KINDS: Registry[PublisherKind] = Registry(
    {
        RABBITMQ: "app.publishers.rabbitmq:RabbitMQ",
        WEBHOOK: "app.publishers.webhook:Webhook",
        "apprise": "app.publishers.apprise:Apprise",
        "sns": "app.publishers.sns:Sns",
        "webpush": "app.publishers.webpush:WebPush",
        MQTT: "app.publishers.mqtt:Mqtt",
        "dynamodb": "app.publishers.dynamodb:DynamoDB",
        "postgres": "app.publishers.postgres:PostgresTable",
        THUMBNAILS: "app.publishers.thumbnails:Thumbnails",
    }
)
"""Loaded when configured."""
