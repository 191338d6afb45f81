"""The messages between stages: small, frozen, timezone-aware, and free of credentials and pictures."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Any, Literal, get_args

import msgpack

from pylib.settings.credentials import Secret

PERSON = "Person"
"""The label of people, in every detector's words."""
IMPORTED = "import"
"""The origin of imported pictures."""

Look = Literal["all", "sharpest", "person"]

Tier = Literal["first", "second", "both"]
"""Which of two detectors look at a picture."""

MOST_FRAMES = 30
LONGEST_BURST_S = 60.0


@dataclass(frozen=True, slots=True)
class Burst:
    """A wish for several pictures of one event. Raises ValueError, with the bounds in its sentence."""

    frames: int
    """How many, 1..30; 1 is a wish for a single picture."""
    pace: float = 0.5
    """Seconds from one picture to the next; less than the camera takes for one is as fast as it can."""
    delay: float = 0.0
    """Seconds from the trigger to the first picture."""
    look: Look = "all"
    """Which of them the detector sees: all, the sharpest, or one after another until there is a person."""

    def __post_init__(self) -> None:
        if not 1 <= self.frames <= MOST_FRAMES:
            raise ValueError(f"a burst has 1 to {MOST_FRAMES} frames, not {self.frames}")
        if not (self.pace >= 0 and self.delay >= 0 and self.seconds <= LONGEST_BURST_S):
            raise ValueError(f"a burst takes at most {LONGEST_BURST_S:.0f} s, its delay and all its pictures")
        if self.look not in get_args(Look):
            raise ValueError(f"a burst looks at {', '.join(get_args(Look))}")

    @property
    def seconds(self) -> float:
        """From the trigger to the last picture."""
        return self.delay + (self.frames - 1) * self.pace


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something happened: take a picture with this camera."""

    id: str
    """The event id that everything downstream carries (32 hex digits)."""
    camera: str
    """`device_key` of the camera: `<location> <type>`."""
    label: str
    """`device_label`: what people call the place."""
    timestamp: datetime
    """When it happened by the sensor's clock; passed on as it stands, however wrong that is."""
    arrived: float
    """`time.monotonic()` at which this process accepted it."""
    origin: str
    """Where it came from: `rabbitmq`, `http`, `schedule`."""
    queued: bool = False
    """It waited before it reached us (a backlog, a redelivery, a restart), so its timestamp counts for staleness."""
    key: str = ""
    """Recognises the same trigger when it is delivered again: `id:<message id>`, which names one trigger for ever,
    or `sha:<digest of the body>`, which a sensor with a stopped clock repeats for each new trigger and which
    therefore counts only when `redelivered`. Empty when its source never repeats itself."""
    redelivered: bool = False
    """The broker reports that it delivered this one before."""
    receipt: str = ""
    """Names the delivery to acknowledge once the outcome is recorded; empty when there is none."""
    device_params: Secret | None = None
    """Address and login that override the configured camera's: `user:password@ip:port[,rtsp_port]`."""
    active_input: Mapping[str, Any] | None = None
    """The sensor's own description of what set it off; passed on unchanged."""
    traceparent: str = ""
    baggage: str = ""
    burst: Burst | None = None
    """How many pictures it asks for; None leaves that to rules and to the camera."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A complete file from a camera, in the inbox: find out what it is."""

    id: str
    """The id of the event it becomes (32 hex digits)."""
    camera: str
    """`device_key` of the camera it belongs to; empty when that is unknown."""
    label: str
    """What people call the place."""
    path: str
    """Absolute path of the file in the inbox."""
    name: str
    """Its path below the upload area, with slashes."""
    origin: str
    """Where it came from: `ftp`, `folder`, `mail`."""
    again: bool = False
    """An earlier run processed it already, and may have recorded it."""
    sender: str = ""
    """The address that it came from, where this run knows it."""


@dataclass(frozen=True, slots=True)
class ObjectCreated:
    """An object was written to a bucket: find out whether it is a picture."""

    id: str
    """The id of the event it becomes (32 hex digits)."""
    camera: str
    """`device_key` of the camera whose picture it counts as."""
    label: str
    """What people call the place."""
    origin: str
    """The source that said so, and that gets the acknowledgement."""
    bucket: str
    key: str
    """As the bucket has it: decoded, with all its slashes, 1,024 bytes at most."""
    timestamp: datetime
    """When it was written, by the bucket's clock."""
    size: int = -1
    """Bytes, as announced; -1 where that was left out."""
    etag: str = ""
    """Of the content that was announced, without quotes; empty where that was left out."""
    version: str = ""
    """Id of the object's version; empty in a bucket without versions."""
    sequencer: str = ""
    """Hex digits that order the events of one key, once padded to one length; empty where there are none."""
    receipt: str = ""
    """Names the delivery to acknowledge once the outcome is recorded; empty when there is none."""
    redelivered: bool = False
    """Its source has delivered it before."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One trigger's or upload's outcome: a picture on disk, or the reason why there is none."""

    id: str
    camera: str
    label: str
    timestamp: datetime
    """Of the trigger, as the sensor gave it."""
    taken_at: datetime
    """When the picture was taken, or when the attempt was given up (UTC)."""
    delay_s: float
    """Seconds from the trigger to `taken_at`; less than 0 for a picture from before it."""
    origin: str
    path: str = ""
    """Absolute path of the picture in the cache; empty when there is none."""
    size: int = 0
    """Bytes of the picture."""
    width: int = 0
    height: int = 0
    problem: str = ""
    """Why there is no picture, as `code: sentence`; empty when all is well."""
    active_input: Mapping[str, Any] | None = None
    traceparent: str = ""
    baggage: str = ""
    bucket: str = ""
    """The bucket that its picture was found in; empty for a picture from elsewhere."""
    object_key: str = ""
    """Its key there."""
    frames: int = 0
    """How many pictures there are of it, of which `path` is one; 0 where only one was wanted, or none is taken yet."""
    burst: Burst | None = None
    """How many were wanted; None for one."""
    alike: int = 0
    """How many more were taken that showed nothing new, and were dropped."""
    video: str = ""
    """Absolute path of the video that the camera sent, of which `path` is a picture; empty where it sent none."""

    @property
    def dated_name(self) -> str:
        """`YYYY/MM/DD/<camera>/HHMMSS-<event id>.jpg`, the day in the home's time zone: its name in the cache.

        Taken from the path instead of made anew, so that a second attempt after a change of the zone finds the first.
        """
        return "/".join(PurePath(self.path).parts[-5:])


@dataclass(frozen=True, slots=True)
class BurstBegun:
    """A recorded snapshot of which more pictures are to be taken."""

    snapshot: Snapshot
    began: float
    """`time.monotonic()` of its first picture, or of its trigger where that is to come; minus infinity when an earlier
    run has begun it."""
    device_params: Secret | None = None
    """As in its `Trigger`."""

    @property
    def id(self) -> str:
        return self.snapshot.id

    @property
    def camera(self) -> str:
        return self.snapshot.camera


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in a picture, as fractions of its width and height (0..1), origin top left."""

    left: float
    top: float
    width: float
    height: float
    still: bool = False
    """It has stood there for a while: rules pass over it."""


@dataclass(frozen=True, slots=True)
class Label:
    """One thing a detector saw."""

    name: str
    """As the detector names it, capitalised: `Person`, `Dog`."""
    confidence: float
    """0..1; of the surest one where there are several."""
    boxes: tuple[Box, ...] = ()
    """Where each of them is, as far as the detector reports it."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A detector's answer for one picture."""

    labels: tuple[Label, ...] = ()
    person_count: int = 0


@dataclass(frozen=True, slots=True)
class OutletDecision:
    """Whether one outlet gets an event, and why."""

    outlet: str
    tell: bool
    reason: str
    """In words, for people."""
    rule: str = ""
    """Name of the rule that had it told; empty when there is none."""
    digest_at: float = 0.0
    """When it is told together with others, in one message (Unix seconds); 0 for at once and alone."""

    @property
    def text(self) -> str:
        """For people: `not told, door: zone porch: 41 % < 60 %`."""
        return f"{'told' if self.tell else 'not told'}, {self.reason}"

    @property
    def by_rule(self) -> bool:
        """Whether a rule, quiet hours or a snooze had a say."""
        return bool(self.rule) or not self.tell


@dataclass(frozen=True, slots=True)
class Review:
    """What came to an event after it was made: people's changes in the album, and a sentence about it."""

    labels: tuple[str, ...] | None = None
    """What they say is in the picture; None while nobody said anything."""
    deleted: bool = False
    """They have deleted it."""
    description: str = ""
    """A sentence about the picture, by a model that saw it; empty while there is none."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """A snapshot after detection: what publishers and archives get."""

    snapshot: Snapshot
    detector: str = ""
    """Kind of the detector that looked; empty when none did."""
    detection: Detection = field(default_factory=Detection)
    decision: str = ""
    """The word of `pipeline.decide` for it."""
    problem: str = ""
    """The snapshot's problem, or why there is no detection."""
    decisions: tuple[OutletDecision, ...] = field(default=(), compare=False)
    """Which outlets get it, and why; what no rule is about is left out of what the journal gives back."""
    review: Review = Review()
    best: str = ""
    """Why its picture is the best of several, in words; empty where it is the only one."""
    looks: int = field(default=1, compare=False)
    """At how many of them the detector looked; the journal does not give it back."""
    cost_usd: float = 0.0
    """What looking at them cost, in US dollars."""
    detector_note: str = ""
    """Why another detector than the one that was to decide has decided, in words; empty when all went as set."""

    @property
    def id(self) -> str:
        return self.snapshot.id

    @property
    def camera(self) -> str:
        return self.snapshot.camera

    @property
    def description(self) -> str:
        """A sentence about the picture; empty while there is none."""
        return self.review.description

    @property
    def targets(self) -> tuple[str, ...]:
        """Names of the outlets that get it, at once or later."""
        return tuple(decision.outlet for decision in self.decisions if decision.tell)


Message = Trigger | Upload | ObjectCreated | Snapshot | BurstBegun | Inspection

_TYPES: tuple[type, ...] = (
    *(Trigger, Upload, ObjectCreated, Snapshot, BurstBegun, Burst),
    *(Box, Label, Detection, OutletDecision, Review, Inspection),
)
_CODES = {kind: code for code, kind in enumerate(_TYPES)}
_SECRET = len(_TYPES)
_FIELDS = {kind: operator.attrgetter(*(f.name for f in dataclasses.fields(kind))) for kind in _TYPES}


def encode(message: Message) -> bytes:
    """A message as a frame for another thread of this process (MessagePack with an extension type a class)."""
    return _packb(message)


def decode(frame: bytes) -> Message:
    """The message in a frame of `encode`."""
    message: Message = _unpackb(frame)
    return message


def _packb(value: object) -> bytes:
    packed: bytes = msgpack.packb(value, default=_pack, datetime=True)
    return packed


def _unpackb(frame: bytes) -> Any:
    return msgpack.unpackb(frame, ext_hook=_unpack, timestamp=3, use_list=False, strict_map_key=False)


def _pack(value: object) -> msgpack.ExtType:
    if isinstance(value, Secret):
        return msgpack.ExtType(_SECRET, value.get_secret_value().encode())
    kind = type(value)
    return msgpack.ExtType(_CODES[kind], _packb(_FIELDS[kind](value)))


def _unpack(code: int, data: bytes) -> object:
    if code == _SECRET:
        return Secret(data.decode())
    return _TYPES[code](*_unpackb(data))
