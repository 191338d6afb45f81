"""The models of responses, from which they are described; a test checks the responses against them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.rules.model import Digest, Mode, Rule, Still, Zone


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
    still: list[bool] = Field(description="For each box, whether what is in it has stood there for a while.")


class DecisionModel(ResponseModel):
    """Whether an outlet was told, and why."""

    outlet: str
    told: bool
    reason: str = Field(description="In words: `door: zone porch: 41 % < 60 %`.")
    rule: str = Field(description="The rule that had it told; empty when none did.")
    digest_at: datetime | None = Field(description="When it is told together with others; null for alone and at once.")


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
    frames: int = Field(description="Pictures that there are of it; 0 where one was wanted.")
    best: str = Field(description="Why this one is the best of them, in words; empty where it is the only one.")
    bucket: str = Field(description="That the picture was found in; empty for one from elsewhere.")
    object_key: str = Field(description="Its key there.")
    width: int
    height: int
    size: int = Field(description="Bytes of the picture; 0 when there never was one.")
    person_count: int
    labels: list[SeenLabelModel]
    detector: str
    decision: str
    decision_reasons: dict[str, str] = Field(description="Outlet -> whether it was told and why, in words.")
    decisions: list[DecisionModel] = Field(description="Those in which a rule, quiet hours or a snooze had a say.")
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
    animation_url: str | None = Field(description="null when there is one picture, or none.")


class UploadFormModel(ResponseModel):
    """A form that a bucket accepts for a while, from whoever has it."""

    url: str = Field(description="Where to send it, as multipart/form-data.")
    fields: dict[str, str] = Field(description="Its fields, which stand before the file; that one is called `file`.")
    bucket: str
    object_key: str = Field(description="As the snapshot will have it.")
    until: datetime = Field(description="When the bucket no longer accepts it, or when the AWS login ends.")


class FrameModel(ResponseModel):
    """One of several pictures of a snapshot."""

    number: int = Field(description="From 0 on, in their order.")
    taken_at: datetime
    width: int
    height: int
    size: int = Field(description="Bytes.")
    url: str = Field(description="With `thumbnail=true`: at most 480 pixels wide.")


class SnapshotWithRelatedModel(SnapshotModel):
    """A snapshot, the others of its group, and its frames."""

    related: list[str]
    frame_pictures: list[FrameModel] = Field(description="Empty where there is only one picture.")


class SnapshotPageModel(ResponseModel):
    """Some snapshots, newest first."""

    snapshots: list[SnapshotModel]
    next: str | None = Field(description="`before` of the next page; null on the last one.")


class ModeModel(ResponseModel):
    """The home's mode."""

    mode: Mode


class SnoozeModel(ResponseModel):
    """No messages of a camera, or of all."""

    camera: str | None = Field(description="Device key; null for all cameras.")
    until: datetime | None = Field(description="null until somebody ends it.")


class SnoozesModel(ResponseModel):
    """All snoozes that last."""

    snoozes: list[SnoozeModel]


class RulesModel(ResponseModel):
    """The rules that hold."""

    zones: list[Zone]
    rules: list[Rule]
    quiet_hours: str
    still: Still
    digest: Digest
    problems: list[str] = Field(
        description="What is wrong with the file as it is now: names that are not there are left out; of a file that"
        " cannot be used, the rules before it hold."
    )


class DifferenceModel(ResponseModel):
    """An event of which an outlet is told by one of two rule books only."""

    event_id: str
    device_label: str
    taken_at: datetime
    url: str = Field(description="Its page.")
    thumbnail_url: str | None
    before: DecisionModel
    after: DecisionModel


class PreviewModel(ResponseModel):
    """What the rules that are tried would have told, and those that hold."""

    since: datetime = Field(description="When the oldest of these events was; there may be earlier ones, see `events`.")
    mode: Mode = Field(description="The home's, all that time.")
    events: int = Field(description="So many were tried, the newest 3000 at most.")
    before: int = Field(description="Messages by the rules that hold; a digest is one.")
    after: int = Field(description="Messages by those that are tried.")
    changed: int = Field(description="So many changes there are.")
    changes: list[DifferenceModel] = Field(description="The newest 100 of them, newest first.")


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


class JobModel(ResponseModel):
    """A piece of long work."""

    id: int
    kind: str
    title: str = Field(description="What people call this kind.")
    key: str = Field(description="Names it among its kind.")
    state: Literal["waiting", "done", "failed"]
    progress: float = Field(ge=0, le=1)
    attempts: int
    problem: str = Field(description="Of its last attempt, as `code: sentence`; empty when all is well.")
    next_at: datetime | None = Field(description="When it is tried; null for at once, or never again.")


class JobsModel(ResponseModel):
    """Jobs: those that wait, then the last that ended."""

    jobs: list[JobModel]


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
