"""The fetch stage: answers a trigger with a picture, or with the reason why there is none."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import structlog

from app.journal import Journal
from app.media.picture import Picture
from app.messages import Burst, BurstBegun, Snapshot, Trigger
from app.pipeline.channel import Channel
from app.pipeline.redelivery import Redeliveries
from app.pipeline.ring import BeforeTriggers, RingPicture
from app.pipeline.staleness import delay_of, is_stale
from app.storage.cache import Cache
from pylib import tracing
from pylib.errors import Failure
from pylib.runtime.stage import Stage

log = structlog.get_logger(__name__)

CODES = {
    "stale": (
        "The trigger was too old when its turn came: a picture would have shown another moment.",
        "nothing, after an outage; else find out why triggers wait, or raise MAX_AGE",
    ),
    "overloaded": (
        "Too many triggers were waiting for this camera.",
        "trigger less often; look at why the camera is slow, or raise MAX_PENDING",
    ),
    "unknown_camera": ("No camera of this name is configured.", "configure it again"),
    "circuit_open": (
        "The camera had failed several times and was not asked for a while.",
        "look at the failures before it",
    ),
    "internal_error": (
        "Something in the service itself went wrong. The log says more.",
        "report it, with the traceback from the log",
    ),
}
"""Code -> what happened, and what to do about it."""


class Fetch(Stage[Trigger]):
    """Turns triggers into recorded snapshots, and acknowledges each trigger as its last step.

    Of a burst it takes the first picture only, and none where that is to come later: it waits for nobody. Those from
    before the trigger it keeps first.
    """

    def __init__(
        self,
        channels: Mapping[str, Channel],
        *,
        journal: Journal,
        cache: Cache,
        acknowledge: Callable[[Trigger], None] = lambda _trigger: None,
        max_age: float = 120.0,
        max_pixels: int = 50_000_000,
        wanted: Callable[[str], Burst | None] = lambda _camera: None,
        before: BeforeTriggers | None = None,
        begins: Mapping[str, Callable[[], object]] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        count: Callable[[str, str], None] = lambda _camera, _outcome: None,
        count_trigger: Callable[[str, str], None] = lambda _origin, _outcome: None,
        close: Callable[[], None] = lambda: None,
        resumes: bool = True,
    ) -> None:
        """`wanted`: the burst that the rules ask of a camera now, before anything is seen; `before`: what cameras
        have of the seconds before a trigger; `begins`: what triggers for these device keys begin instead of having a
        picture taken; `close`: closes the cameras' connections; `resumes`: triggers of the record without an
        outcome are its own."""
        self._channels = channels
        self._journal = journal
        self._cache = cache
        self._acknowledge = acknowledge
        self._max_age = max_age
        self._max_pixels = max_pixels
        self._wanted = wanted
        self._before = before
        self._close = close
        self._resumes = resumes
        self._begins = begins or {}
        self._now = now
        self._count = count
        self._count_trigger = count_trigger
        self._repeats: dict[str, Redeliveries] = {}
        self._repeats_lock = threading.Lock()
        self._just_started = True
        self._made = time.monotonic()

    def handle(self, trigger: Trigger) -> Iterable[Snapshot | BurstBegun]:
        if self._repeats_of(trigger.origin).seen(trigger):
            return self._drop(trigger)
        begin = self._begins.get(trigger.camera)
        if begin is not None and not is_stale(trigger, self._now(), max_age=self._max_age):
            return self._begin(trigger, begin)
        return self._end(trigger, self._answer(trigger))

    def shed(self, trigger: Trigger) -> Iterable[Snapshot | BurstBegun]:
        """Too many triggers wait for this camera: end this one with a reason, so that the others stay young."""
        if self._repeats_of(trigger.origin).seen(trigger):
            return self._drop(trigger)
        problem = "overloaded: too many triggers are waiting for this camera"
        log.warning("not fetched", camera=trigger.camera, event_id=trigger.id, reason=problem)
        return self._end(trigger, self._snapshot(trigger, problem=problem))

    def may_shed(self, trigger: Trigger) -> bool:
        # Its first delivery may be waiting here, too: if both ended, one trigger would have two outcomes.
        return not trigger.redelivered

    def pending(self) -> Iterable[Trigger]:
        if not self._resumes:
            return ()
        if self._just_started:
            self._just_started = False
            # A trigger younger than this object has a message that announces it.
            return self._journal.accepted(older_than=time.monotonic() - self._made)
        return self._journal.accepted()

    def settled(self, origin: str, receipts: Collection[str]) -> None:
        """This source's broker has processed these acknowledgements: their triggers will not come again.

        From any thread.
        """
        self._repeats_of(origin).settled(receipts)

    def close(self) -> None:
        self._close()

    def _repeats_of(self, origin: str) -> Redeliveries:
        with self._repeats_lock:
            return self._repeats.setdefault(origin, Redeliveries(self._journal, origin))

    def _drop(self, trigger: Trigger) -> list[Snapshot]:
        log.info("delivered again, recorded before", camera=trigger.camera, event_id=trigger.id)
        self._acknowledge(trigger)
        self._count_trigger(trigger.origin, "duplicate")
        return []

    def _begin(self, trigger: Trigger, begin: Callable[[], object]) -> list[Snapshot]:
        """Carry out a command; one that comes again finds it begun."""
        begin()
        self._journal.withdraw(trigger.id)
        self._acknowledge(trigger)
        self._count_trigger(trigger.origin, "accepted")
        return []

    def _end(self, trigger: Trigger, snapshot: Snapshot) -> list[Snapshot | BurstBegun]:
        self._journal.record(snapshot, trigger_key=trigger.key)
        self._repeats_of(trigger.origin).recorded(trigger)
        self._acknowledge(trigger)
        self._count_trigger(trigger.origin, "accepted")
        if snapshot.path or snapshot.problem:  # else the outcome is still to come
            self._count(trigger.camera, snapshot.problem or "ok")
        return [_begun(snapshot, trigger) if snapshot.burst else snapshot]

    def _answer(self, trigger: Trigger) -> Snapshot:
        if is_stale(trigger, self._now(), max_age=self._max_age):
            return self._failed(trigger, "stale: older than max_age when its turn came, so no picture of its moment")
        channel = self._channels.get(trigger.camera)
        if channel is None:
            return self._failed(trigger, "unknown_camera: no camera of this name is configured any more")
        wished = trigger.burst or self._wanted(trigger.camera)
        burst = wished or channel.burst or Burst(1)
        single = wished is not None and wished.frames == 1
        before = () if self._before is None or single else self._before.of(trigger)
        if burst.delay:
            return self._begun_after(before, self._snapshot(trigger, burst=burst))
        params = trigger.device_params.get_secret_value() if trigger.device_params else None
        try:
            data, picture = channel.take(params, max_pixels=self._max_pixels)
        except Failure as error:
            return self._missed(trigger, str(error), burst, before)
        except Exception as error:
            log.exception("camera failed unexpectedly", camera=trigger.camera, event_id=trigger.id)
            return self._missed(trigger, f"internal_error: {type(error).__name__}", burst, before)
        taken_at = self._now()
        path = self._cache.store(
            data, event_id=trigger.id, camera=trigger.camera, taken_at=taken_at, format=picture.format
        )
        before = [one for one in before if one.picture.format == picture.format]
        several = burst if burst.frames > 1 or before else None
        snapshot = self._snapshot(
            trigger, taken_at=taken_at, path=str(path), picture=picture, size=len(data), burst=several
        )
        return self._begun_after(before, snapshot)

    def _missed(self, trigger: Trigger, problem: str, burst: Burst, before: Sequence[RingPicture]) -> Snapshot:
        """Without a picture from the trigger on."""
        if not before:
            return self._failed(trigger, problem)
        log.warning("only pictures from before", camera=trigger.camera, event_id=trigger.id, reason=problem)
        return self._begun_after(before, self._snapshot(trigger, burst=burst))

    def _begun_after(self, before: Sequence[RingPicture], snapshot: Snapshot) -> Snapshot:
        """The snapshot, with pictures from before its trigger as its first frames, on the disk."""
        return self._before.keep(before, snapshot) if self._before and before else snapshot

    def _failed(self, trigger: Trigger, problem: str) -> Snapshot:
        log.warning("no picture", camera=trigger.camera, event_id=trigger.id, reason=problem)
        return self._snapshot(trigger, problem=problem)

    def _snapshot(
        self,
        trigger: Trigger,
        *,
        taken_at: datetime | None = None,
        path: str = "",
        picture: Picture | None = None,
        size: int = 0,
        problem: str = "",
        burst: Burst | None = None,
    ) -> Snapshot:
        taken_at = taken_at or self._now()
        if problem:
            tracing.failed(problem)
        return Snapshot(
            id=trigger.id,
            camera=trigger.camera,
            label=trigger.label,
            timestamp=trigger.timestamp,
            taken_at=taken_at,
            delay_s=round(delay_of(trigger, taken_at, waited=time.monotonic() - trigger.arrived), 3),
            origin=trigger.origin,
            path=path,
            size=size,
            width=picture.width if picture else 0,
            height=picture.height if picture else 0,
            problem=problem,
            active_input=trigger.active_input,
            traceparent=trigger.traceparent,
            baggage=trigger.baggage,
            burst=burst,
        )


def _begun(snapshot: Snapshot, trigger: Trigger) -> BurstBegun:
    return BurstBegun(snapshot, time.monotonic() if snapshot.path else trigger.arrived, trigger.device_params)
