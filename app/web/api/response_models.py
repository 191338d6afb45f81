"""The models of responses, from which they are described; a test checks the responses against them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.journal.timeline import Work
from app.rules.model import Digest, Mode, Rule, Still, Zone


class ResponseModel(BaseModel):
    """A response: exactly these fields. Built when the API is described: no answer is checked against it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


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
    delay_s: float = Field(description="Seconds from the trigger to the picture; negative for one from before it.")
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
    detector_note: str = Field(
        default="", description="Why not the detector that was to decide has decided; only where that is so."
    )
    cost_usd: float = Field(default=0.0, description="What looking at it cost, in US dollars; only where it did.")
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
    reviewed: bool = Field(description="Whether somebody has looked at it.")
    visit: int = Field(description="Number of what its camera saw within a minute; 0 before it is an event.")
    note: str
    description: str = Field(description="A sentence about the picture; empty while no model has said one.")
    corrected_labels: list[str] | None
    archived_in: list[str]
    url: str = Field(description="Its page.")
    image_url: str | None = Field(description="null when there is no picture (any more).")
    preview_url: str | None
    annotated_url: str | None
    animation_url: str | None = Field(description="null when there is one picture, or none.")
    video_url: str | None = Field(description="The video that the camera sent; null when it sent none.")


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


class StepModel(ResponseModel):
    """Something that was done to a snapshot, and is over."""

    work: Work = Field(description="`triggered` or, of a picture that was pushed, `received` is the first.")
    at: datetime
    after_s: float = Field(description="Seconds from the first step; negative for a picture from before the trigger.")
    outlet: str = Field(description="Of `delivered` and `given_up`: who got it, or did not; else empty.")


class SnapshotWithRelatedModel(SnapshotModel):
    """A snapshot, the others of its group, its frames and its way."""

    related: list[str]
    frame_pictures: list[FrameModel] = Field(description="Empty where there is only one picture.")
    timeline: list[StepModel] = Field(description="What was done to it when, as far as the record knows.")


class SnapshotPageModel(ResponseModel):
    """Some snapshots, newest first."""

    snapshots: list[SnapshotModel]
    next: str | None = Field(description="`before` of the next page; null on the last one.")


class VisitModel(ResponseModel):
    """What one camera saw, each picture at most a minute after the one before, as far as it matches."""

    visit: int = Field(description="Its number, for `visit` in a search.")
    device_key: str
    device_label: str
    first: datetime = Field(description="When its oldest picture was taken.")
    last: datetime = Field(description="When its newest one was.")
    pictures: int
    reviewed: bool = Field(description="Whether somebody has looked at each of them.")
    best: SnapshotModel = Field(description="The picture to show: people first, then the surest.")
    snapshots_url: str = Field(description="All of its pictures.")


class VisitPageModel(ResponseModel):
    """Some visits, newest first."""

    visits: list[VisitModel]
    next: str | None = Field(description="`before` of the next page; null on the last one.")


class ReviewedModel(ResponseModel):
    """What holds for all pictures of a visit now."""

    reviewed: bool
    pictures: int


class CountModel(ResponseModel):
    """How many snapshots match."""

    snapshots: int = Field(description="Up to 10,000.")
    more: bool = Field(description="Whether there are more than that.")


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
    note: str = Field(default="", description="Where somebody else makes the event of it: who.")


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
