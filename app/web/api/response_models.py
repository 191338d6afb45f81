"""The models of responses, from which they are described; a test checks the responses against them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ResponseModel(BaseModel):
    """A response: exactly these fields."""

    model_config = ConfigDict(extra="forbid")


class ErrorModel(ResponseModel):
    """What is wrong, for people; programs use the status."""

    error: Annotated[str, Field(description="`code: sentence`")]


class SeenLabelModel(ResponseModel):
    """One thing that the detector saw."""

    name: str
    confidence: float = Field(ge=0, le=1)
    boxes: list[Annotated[list[float], Field(min_length=4, max_length=4)]] = Field(
        description="Left, top, width, height, as fractions of the picture."
    )


class SnapshotModel(ResponseModel):
    """A snapshot: the fields of an event, and people's changes to it."""

    event_id: str
    device_key: str
    device_label: str
    type: Literal["camera"]
    timestamp: datetime = Field(description="Of the trigger.")
    taken_at: datetime
    image_timestamp: str = Field(description="Of the trigger, in whole unix seconds.")
    delay_s: float = Field(description="From the trigger to the picture.")
    origin: str
    width: int
    height: int
    size: int = Field(description="Bytes of the picture; 0 when there never was one.")
    person_count: int
    labels: list[SeenLabelModel]
    detector: str
    decision: str
    problem: str = Field(description="Why there is no picture, or no detection; empty when all is well.")
    event_detail: str | None = Field(default=None, description="Only when a person is in the picture.")
    active_input: dict[str, Any] | None
    storage_url: str
    storage_path: str
    thumbnail_url: str | None
    traceparent: str = ""
    baggage: str = ""
    starred: bool
    note: str
    corrected_labels: list[str] | None
    archived_in: list[str]
    url: str = Field(description="Its page.")
    image_url: str | None = Field(description="null when there is no picture (any more).")
    preview_url: str | None
    annotated_url: str | None


class SnapshotWithRelatedModel(SnapshotModel):
    """A snapshot, and the others of its group."""

    related: list[str]


class SnapshotPageModel(ResponseModel):
    """Some snapshots, newest first."""

    snapshots: list[SnapshotModel]
    next: str | None = Field(description="`before` of the next page; null on the last one.")


class AcceptedModel(ResponseModel):
    """The trigger or picture is on the disk, and will become an event."""

    event_id: str
    url: str


class IgnoredModel(ResponseModel):
    """The hook's condition does not hold."""

    ignored: str = Field(description="What does not hold, in words.")


class CameraModel(ResponseModel):
    """A configured camera."""

    device_key: str
    label: str
    name: str = Field(description="As addresses carry it.")
    circuit: Literal["closed", "half_open", "open"]
    retry_in_s: float = Field(description="Seconds until it is asked again; 0 when it would be now.")
    last_snapshot: SnapshotModel | None


class CamerasModel(ResponseModel):
    """All configured cameras."""

    cameras: list[CameraModel]


class ArchiveModel(ResponseModel):
    """An archive's state."""

    name: str
    url: str = Field(description="Where people find the pictures; empty when that is no address.")
    archived: int
    waiting: int
    waiting_since: datetime | None = Field(description="Since when the oldest waits.")
    given_up: int
    never_asked_for: int = Field(description="Pictures in the cache from before it was configured.")
    problem: str = Field(description="What went wrong last; empty when all is well.")


class ArchivesModel(ResponseModel):
    """All configured archives."""

    archives: list[ArchiveModel]


class RetriedModel(ResponseModel):
    """What an archive retries from now on."""

    waiting: int
    taken_up: int = Field(description="Of these, what it had given up or never had enqueued.")


class BanModel(ResponseModel):
    """A login that is not checked at an address for a while."""

    server: str = Field(description="web, ftp or mail.")
    address: str = Field(description="An IPv4 address, the /64 of an IPv6 one, or `all` that are not private.")
    login: str = Field(description="Empty for all logins there but those that worked there lately.")
    until: datetime
    failures: int = Field(description="Different wrong passwords that led to it.")


class BansModel(ResponseModel):
    """All bans."""

    bans: list[BanModel]


class LiftedModel(ResponseModel):
    """What was lifted."""

    lifted: int = Field(description="So many bans.")


class TestedModel(ResponseModel):
    """A test message that arrived."""

    outlet: str


class PushKeyModel(ResponseModel):
    """What a browser needs to subscribe."""

    key: str = Field(description="`applicationServerKey`: a point on the curve P-256, base64url.")
    outlets: list[str] = Field(description="Names of the outlets of kind webpush.")


class QuarterModel(ResponseModel):
    """A quarter of an hour with snapshots."""

    start: datetime
    snapshots: int
    persons: int


class HeatModel(ResponseModel):
    """How many snapshots there were when."""

    quarters: list[QuarterModel]


class LabelsModel(ResponseModel):
    """All labels, of the detector or of people."""

    labels: list[str]


class LinkModel(ResponseModel):
    """A link that opens one picture, without a login, until it expires."""

    url: str
    expires: datetime


class CheckModel(ResponseModel):
    """One part of the service."""

    name: str
    ok: bool
    detail: str
    critical: bool = Field(description="Whether the service fails with it.")
    live: bool = Field(description="Whether a restart may help.")
    alarm: bool = Field(description="Whether people should be alerted.")


class LiveModel(ResponseModel):
    """Whether the process works; the checks are for those who may see everything."""

    live: bool
    checks: list[CheckModel] = []


class ReadyModel(ResponseModel):
    """Whether the service can do its job; the rest is for those who may see everything."""

    ready: bool
    live: bool = True
    checks: list[CheckModel] = []
