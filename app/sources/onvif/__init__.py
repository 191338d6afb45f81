"""Triggers from a camera's own eyes: what an ONVIF device says happened, by a PullPoint of its events.

A device forgets a message once it was fetched, so each trigger is recorded before anything else is done with it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Annotated, Self

import structlog
from pydantic import AfterValidator, Field, FilePath, field_validator

from app.cameras import CameraError, CameraRejected, CameraSettings
from app.cameras.onvif import OnvifSettings
from app.cameras.onvif.events import Notification, PullPoint
from app.messages import Trigger
from app.naming import CameraNames, UnknownCamera
from app.sources import Found, SourceContext, new_trigger
from app.sources.onvif.edges import TOPICS, Begun, Edges, watched
from app.wire import carried
from pylib.errors import Transient
from pylib.settings.credentials import Secret
from pylib.settings.fields import Section

log = structlog.get_logger(__name__)

PULL_S = 2.0
"""Seconds that a device may wait before it says that nothing happened; stopping waits as long."""
LEAST_PULL_S = 0.5
"""Seconds between two questions, for devices that answer at once."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 60.0
"""Seconds before a device that failed is asked again, twice as long each time."""
REFUSED_PAUSE_S = 300.0
"""Seconds after a refusal: each wrong login counts towards the device locking us out."""
MOST_HELD = 20
"""Triggers that wait for a disk; a device keeps what it is not asked for meanwhile."""


def _known(events: tuple[str, ...]) -> tuple[str, ...]:
    if not events or not all(event in TOPICS or "/" in event for event in events):
        raise ValueError(f"must be of {', '.join(TOPICS)}, or topics such as tns1:RuleEngine/TamperDetector/Tamper")
    return events


class OnvifSourceSettings(Section):
    """What a camera says happened, over ONVIF: motion, a person, a line crossed, an input closed."""

    camera: str = Field(
        min_length=1, max_length=200, description="The camera that takes the picture, as triggers name it."
    )
    events: Annotated[tuple[str, ...], AfterValidator(_known)] = Field(
        default=("motion",),
        description=f"What is a trigger: any of {', '.join(TOPICS)}, or topics of the device's own.",
    )
    channel: str = Field(
        default="",
        max_length=200,
        description="Of a recorder: only messages about the video source of this token; all unless set.",
    )
    address: str = Field(
        default="",
        description="host[:port] of the device; that of the camera, which is of kind onvif then, unless set.",
    )
    https: bool = Field(default=False, description="Use TLS.")
    username: str = Field(default="", repr=False, description="User name; empty for no login.")
    password: Secret = Field(default=Secret(""), description="Password.")
    verify: bool = Field(default=True, description="Check the certificate of an https device.")
    ca_file: FilePath | None = Field(default=None, description="PEM file with the certificate of an https device.")
    legacy_tls: bool = Field(default=False, description="Allow what an old https device may know only.")
    timeout: float = Field(default=10.0, gt=0, le=30, description="Seconds for one answer, beyond what it may wait.")

    @field_validator("address")
    @classmethod
    def _readable(cls, address: str) -> str:
        return OnvifSettings.model_validate({"location": "any", "address": address}).address

    def completed(self, cameras: Sequence[CameraSettings]) -> Self:
        """The same with the camera's device key, and with its address and login where there are none.

        Raises ValueError where there is no such camera, or none whose address could be used.
        """
        try:
            key = CameraNames([camera.device_key for camera in cameras]).find(self.camera)
        except UnknownCamera as error:
            raise ValueError(error.detail) from None
        if self.address:
            return self.model_copy(update={"camera": key})
        camera = next(camera for camera in cameras if camera.device_key == key)
        if not isinstance(camera, OnvifSettings) or not camera.address:
            raise ValueError(f"needs an address, since {key} is no camera of kind onvif with one")
        same = ("address", "https", "username", "password", "verify", "ca_file", "legacy_tls")
        return self.model_copy(update={"camera": key} | {name: getattr(camera, name) for name in same})

    def device(self) -> OnvifSettings:
        """The device that is asked."""
        own = self.model_dump(exclude={"camera", "events", "channel", "kind", "name"})
        return OnvifSettings(location=self.camera, **own)

    def about(self, message: Notification) -> bool:
        """Whether a message is about the video source that is watched."""
        return not self.channel or self.channel in message.source.values()


class OnvifEvents:
    """One device's events. It has a thread of its own: one that does not answer delays no other."""

    title = "a camera's own detection, over ONVIF"
    Settings = OnvifSourceSettings

    def __init__(
        self, settings: OnvifSourceSettings, context: SourceContext, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`settings` are complete."""
        self._settings = settings
        self._context = context
        self._clock = clock
        self._edges = Edges(watched(settings.events), clock)
        self._pull_point = PullPoint(settings.device(), clock=clock)
        self._held: list[Trigger] = []
        """Not recorded yet."""
        self._next = clock()
        self._failures = 0
        self._paused = threading.Event()
        self.thread = context.feeder(self)

    @property
    def connected(self) -> bool:
        """Whether the device listens to us, and tells us; where another replica listens, as if it did."""
        return self._pull_point.subscribed or not self._context.leads()

    def poll(self, timeout: float) -> Iterable[Trigger]:
        """The triggers that have come, each in the journal."""
        wait = self._next - self._clock()
        if not self._context.leads():
            if self._pull_point.subscribed:
                self._pull_point.close()
            self._paused.wait(timeout)
            return self._recorded()
        if self._paused.is_set():
            time.sleep(timeout)
            return self._recorded()
        if wait > 0 or len(self._held) >= MOST_HELD:
            self._paused.wait(min(max(wait, LEAST_PULL_S), timeout))
            return self._recorded()
        try:
            if self._pull_point.subscribed:
                self._pull()
            else:
                self._subscribe()
        except CameraError as error:
            self._failed(error)
        return self._recorded()

    def acknowledge(self, receipt: str) -> None:
        """Nothing to tell: a device forgets by itself."""

    def pause(self) -> None:
        """Ask for nothing more."""
        self._paused.set()

    def close(self) -> None:
        """End the subscription."""
        self._pull_point.close()

    @staticmethod
    def check(settings: OnvifSourceSettings) -> Iterator[Found]:
        """Subscribe, and say what the device tells. Raises `CameraError`."""
        with closing(PullPoint(settings.device())) as pull_point:
            pull_point.subscribe()
            messages = pull_point.pull(1)
        topics = sorted({message.topic for message in messages if settings.about(message)})
        told = f"it tells {', '.join(topics[:10])}" if topics else "it told nothing yet"
        watching = watched(settings.events)
        if topics and not any(one.covers(topic) for one in watching for topic in topics):
            yield Found(
                f"{told}, and none of {', '.join(settings.events)}", "switch that on in the camera, or add a topic"
            )
        else:
            yield Found(f"subscribed for {settings.camera}: {told}")

    def _subscribe(self) -> None:
        self._pull_point.subscribe()
        self._edges.forget()
        if self._failures:
            log.info("events come again", source=self._context.name)
        self._failures = 0
        self._next = self._clock()

    def _pull(self) -> None:
        asked = self._clock()
        messages = [message for message in self._pull_point.pull(PULL_S) if self._settings.about(message)]
        self._next = asked + LEAST_PULL_S
        self._held += [self._trigger(begun) for begun in self._edges.begun(messages)]

    def _failed(self, error: CameraError) -> None:
        pause = min(FIRST_PAUSE_S * 2**self._failures, LONGEST_PAUSE_S)
        if isinstance(error, CameraRejected):
            pause = REFUSED_PAUSE_S
        if not self._failures:
            log.warning("no events come, said once", source=self._context.name, reason=str(error))
        self._failures = min(self._failures + 1, 10)
        self._next = self._clock() + pause

    def _recorded(self) -> list[Trigger]:
        """What is in the journal now; the rest waits for it."""
        recorded: list[Trigger] = []
        try:
            while self._held:
                self._context.journal.accept(self._held[0])
                recorded.append(self._held.pop(0))
        except Transient as error:
            log.warning("trigger not recorded yet", source=self._context.name, reason=str(error))
            self._next = max(self._next, self._clock() + FIRST_PAUSE_S)
        return recorded

    def _trigger(self, begun: Begun) -> Trigger:
        message = begun.notification
        said = {"event": begun.event, "topic": message.topic, "source": message.source, "data": message.data}
        return new_trigger(
            self._settings.camera,
            label=self._context.cameras[self._settings.camera],
            origin=self._context.name,
            active_input=carried({**said, "camera_time": message.at}),
        )
