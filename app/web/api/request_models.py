"""The models of requests, by which they are checked and from which they are described."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    WithJsonSchema,
    create_model,
)
from pydantic.json_schema import SkipJsonSchema

from app import wire
from app.media.animation import AnimationFormat
from app.messages import MOST_FRAMES
from app.rules.burst import BurstSettings
from app.rules.push import LONGEST_ENDPOINT
from app.web.api.param_types import (
    DATE_TIME,
    Day,
    Flag,
    Hours,
    Moment,
    Number,
    Ordinal,
    Position,
    Switch,
    Text,
    Whole,
)
from pylib.errors import Permanent

M = TypeVar("M", bound=BaseModel)

LONGEST_WAIT_S = 120.0
LONGEST_LINK_S = 31_536_000
MOST_LABELS = 50

Kind = Literal["image", "thumbnail", "preview", "annotated", "animation"]

ONE_LINE = r"^[^\x00-\x1f\x7f]*$"
_LINES = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"


class RequestParams(BaseModel):
    """Parameters in an address: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True)


class RequestBody(BaseModel):
    """A JSON body: types are not converted, unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, strict=True, defer_build=True)


def _wait(seconds: object) -> object:
    try:
        value = float(str(seconds))
    except ValueError:
        value = -1.0
    if not 0 <= value <= LONGEST_WAIT_S:
        raise ValueError(f"wait is a number of seconds from 0 to {LONGEST_WAIT_S:.0f}")
    return value


Wait = Annotated[
    float,
    Field(default=0.0, ge=0, le=LONGEST_WAIT_S, description="Seconds to wait for the event."),
    BeforeValidator(_wait),
]


class NoParams(RequestParams):
    """No parameters."""


class WaitParams(RequestParams):
    """How long to wait."""

    wait: Wait


class FilterParams(RequestParams):
    """Selects snapshots: those that match everything that is set."""

    camera: Text = Field(default="", description="Device key, or its plain form: `front-door`.")
    label: Text = Field(default="", description="Something in the picture, in any case.")
    confidence: Number = Field(default=0.0, ge=0, le=1, description="How sure the detector has to be of it.")
    day: Day | SkipJsonSchema[None] = Field(default=None, description="A day at home.")
    since: Moment | SkipJsonSchema[None] = Field(default=None, description="Taken then or later.")
    until: Moment | SkipJsonSchema[None] = Field(default=None, description="Taken earlier than that.")
    q: Text = Field(default="", description="Words in labels, cameras' names and notes.")
    person: Flag | SkipJsonSchema[None] = Field(default=None, description="Whether a person is in the picture.")
    starred: Flag | SkipJsonSchema[None] = Field(default=None, description="Whether it has a star.")
    problem: Flag | SkipJsonSchema[None] = Field(default=None, description="Whether something went wrong.")
    reviewed: Flag | SkipJsonSchema[None] = Field(default=None, description="Whether somebody has looked at it.")
    visit: Ordinal = Field(default=0, description="The visit that it belongs to.")
    hours: Hours | SkipJsonSchema[None] = Field(
        default=None, description="Hours of the day at home: `22-6` is from 22:00 to 6:00."
    )


class SearchParams(FilterParams):
    """Which snapshots, and which page of them."""

    before: Position | SkipJsonSchema[None] = Field(default=None, description="`next` of the page before, or a moment.")
    limit: Whole = Field(default=60, ge=1, le=200, description="At most so many.")


class FollowParams(FilterParams):
    """Which snapshots, from which on."""

    last_event_id: Text = Field(default="", description="Begin behind this one; as the header `Last-Event-ID`.")


class LiftParams(RequestParams):
    """Whose bans are lifted."""

    address: Text = Field(default="", description="Address or IPv6 network whose bans are lifted; all without one.")


class SpanParams(RequestParams):
    """From when to when."""

    since: Moment | SkipJsonSchema[None] = Field(default=None, description="28 days before the end where not given.")
    until: Moment | SkipJsonSchema[None] = Field(default=None, description="Now where not given.")


class SignedLinkParams(RequestParams):
    """A signed link's parameters."""

    expires: Text = Field(default="", description="Of a signed link.")
    signature: Text = Field(default="", description="Of a signed link.")


class ThumbnailParams(SignedLinkParams):
    """How wide, and a signed link's parameters."""

    width: Whole | SkipJsonSchema[None] = Field(default=None, description="Pixels; 480 where not given.")


class LatestParams(SignedLinkParams):
    """In which form, and a signed link's parameters."""

    boxes: Switch = Field(
        default=False,
        description="With a frame around everything that was seen; not together with `width`.",
        json_schema_extra={"default": "false"},  # as it is written in an address
    )
    width: Whole | SkipJsonSchema[None] = Field(
        default=None, description="Pixels of a thumbnail; the whole picture where not given."
    )


class FrameParams(SignedLinkParams):
    """How large, and a signed link's parameters."""

    thumbnail: Flag = Field(default=False, description="At most 480 pixels wide, as a JPEG.")


class AnimationParams(SignedLinkParams):
    """In which format, and a signed link's parameters."""

    format: AnimationFormat | SkipJsonSchema[None] = Field(
        default=None, description="gif, webp or mp4; the one that is made anyway where not given."
    )


class UploadParams(RequestParams):
    """The description of an uploaded picture."""

    camera: Text = Field(default="", description="Device key or plain form; needed where there are several cameras.")
    taken_at: Moment | SkipJsonSchema[None] = Field(
        default=None, description="When it was taken; else its name or its EXIF decides."
    )
    note: Annotated[str, StringConstraints(max_length=2000, pattern=_LINES)] = Field(
        default="", description="Something to find it by."
    )


class UploadAndWaitParams(UploadParams, WaitParams):
    """The same for a picture that is the body itself."""


class RedetectionRequestBody(RequestBody):
    """Which pictures are looked at again, and by which detector."""

    since: Moment = Field(description="Taken then or later.")
    until: Moment | SkipJsonSchema[None] = Field(default=None, description="Taken earlier than that; now unless given.")
    camera: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="Device key or plain form; all cameras unless given."
    )
    detector: Annotated[str, StringConstraints(max_length=50)] = Field(
        default="", description="Its kind; the one that looks at new pictures unless given."
    )


class UploadFormRequestBody(RequestBody):
    """The picture that a form is wanted for."""

    camera: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="Device key or plain form; needed where there are several cameras."
    )
    note: Annotated[str, StringConstraints(max_length=2000, pattern=_LINES)] = Field(
        default="", description="Something to find it by; a bucket keeps about 1,900 plain characters."
    )
    name: Annotated[str, StringConstraints(max_length=255)] = Field(default="", description="The file's name.")
    type: Annotated[str, StringConstraints(max_length=100)] = Field(
        default="", description="Its media type; by its name where it is none that is taken."
    )
    size: int = Field(ge=1, description="Its bytes.")


def _timestamp(value: object) -> object:
    return _permitted(wire.parse_timestamp, value)


def _active_input(value: object) -> object:
    return _permitted(wire.checked_active_input, value)


def _permitted(check: Any, value: object) -> object:
    try:
        return check(value)
    except Permanent as error:
        raise ValueError(error.detail) from None


class BurstBody(BurstSettings):
    """Several pictures of one event, within a minute in all."""

    model_config = ConfigDict(strict=True)


class EventBody(RequestBody):
    """What happened, as far as the sensor reports it. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")

    timestamp: Annotated[
        Any, AfterValidator(_timestamp), WithJsonSchema({"anyOf": [{"type": "number"}, DATE_TIME]})
    ] = Field(default=None, description="When, in unix seconds or ISO 8601; now where it is not given.")
    active_input: Annotated[dict[str, JsonValue] | None, BeforeValidator(_active_input)] = Field(
        default=None, description="What set the sensor off; passed on as it stands."
    )
    burst: BurstBody | None = Field(
        default=None, description="How many pictures; where it is not given, rules and the camera say that."
    )


class PushKeys(RequestBody):
    """A browser's keys, base64url."""

    p256dh: Annotated[str, StringConstraints(max_length=200)] = Field(
        description="A point on the curve P-256.",
        examples=["BGXeFf7LfsPN-1cPqHq3HOHxjonVl2sHBXzbv_X_hbdgZ9hQmLaQO62CvrDJiPefHylenBKFxYCxmYNhIO0bv34"],
    )
    auth: Annotated[str, StringConstraints(max_length=100)] = Field(
        description="16 bytes.", examples=["BTBZMqHH6r4Tts7J_aSIgg"]
    )


class EndpointBody(RequestBody):
    """Which browser."""

    endpoint: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ENDPOINT)] = Field(
        description="Its address at its push service.", examples=["https://push.example.org/send/d7f1c8"]
    )


class SubscriptionBody(EndpointBody):
    """A browser that wants messages: a `PushSubscription`, whose it is, and of which outlet."""

    keys: PushKeys
    person: Annotated[str, StringConstraints(max_length=60, pattern=ONE_LINE)] = Field(
        default="", description="Whose device it is."
    )
    outlet: Annotated[str, StringConstraints(max_length=50, pattern=ONE_LINE)] = Field(
        default="", description="Name of an outlet of kind webpush; needed where there are several."
    )
    replaces: Annotated[str, StringConstraints(max_length=LONGEST_ENDPOINT)] = Field(
        default="", description="The address that its push service gave it before; that one's person and outlet stay."
    )
    expirationTime: float | None = Field(default=None, description="As browsers send it; not used.")  # noqa: N815 - theirs


class ChangeBody(RequestBody):
    """Changes to a snapshot; fields that are not given stay as they are."""

    starred: bool = Field(default=False, description="Keep the picture whatever its age.")
    reviewed: bool = Field(default=False, description="Whether somebody has looked at it.")
    note: Annotated[str, StringConstraints(max_length=2000, pattern=_LINES)] = Field(default="", description="A note.")
    note_was: Annotated[str, StringConstraints(max_length=2000)] | None = Field(
        default=None,
        description="The note as it was known: where it is another one now, nothing is changed. null: whatever it is.",
    )
    corrected_labels: list[Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=ONE_LINE)]] | None = (
        Field(default=None, max_length=MOST_LABELS, description="What is in the picture; null takes that back.")
    )


class ReviewBody(RequestBody):
    """Whether somebody has looked at it."""

    reviewed: bool = Field(description="Whether somebody has.")


class WantedBody(RequestBody):
    """Which link is wanted."""

    kind: Kind = Field(default="image", description="Which picture.")
    frame: int | None = Field(
        default=None, ge=0, lt=MOST_FRAMES, description="A frame of a burst by its number, in place of `kind`."
    )
    seconds: int = Field(default=604_800, ge=60, le=LONGEST_LINK_S, description="How long the link opens it.")
    width: int | SkipJsonSchema[None] = Field(
        default=None, description="Of a thumbnail, in pixels; the link opens no other. No other picture has one."
    )


class LinkForBody(RequestBody):
    """How long the link opens it."""

    seconds: int = Field(default=604_800, ge=60, le=LONGEST_LINK_S, description="How long the link opens it.")


@cache
def of_widths(model: type[M], widths: tuple[int, ...]) -> type[M]:
    """The model of a request with a width, described with the widths that there are; who uses it checks that."""
    described = WithJsonSchema(
        {"type": ["integer", "null"], "enum": [*widths, None]}
        if issubclass(model, RequestBody)
        else {"type": "integer", "enum": list(widths)}
    )
    field = model.model_fields["width"]
    fields: Any = {"width": (Annotated[field.rebuild_annotation(), described], field)}
    return create_model(model.__name__, __base__=model, __doc__=model.__doc__, **fields)
