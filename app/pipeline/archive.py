"""The archive stage: stores every picture in one archive, at its own pace, the newest first after an outage."""

from __future__ import annotations

import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from app.archives import Archive, ArchiveBlocked
from app.journal import Backoff, Journal, Medium
from app.messages import Detection, Inspection, Snapshot
from app.pipeline.delivery import TargetDelivery
from app.storage.animations import Animations
from pylib.errors import Failure, Permanent, Transient
from pylib.observability.health import Status
from pylib.runtime.circuit_breaker import Breaker, State
from pylib.runtime.stage import Stage

log = structlog.get_logger(__name__)

PAUSE_S = 300.0
"""Longest pause of an archive that is unreachable."""
BLOCKED_PAUSE_S = 900.0
"""Longest pause of an archive that waits for a person."""
BACKOFF = Backoff(first_s=5.0, last_s=900.0)
"""Of one picture: longer than `PAUSE_S`, so that one that always fails does not take every trial of the target."""
NO_BACKOFF = Backoff(0.0, 0.0)
"""Of a picture that failed for a reason that is not its own: only the archive's pauses apply."""

CODES = {
    "picture_unreadable": (
        "The picture in the cache cannot be read now; it is tried again.",
        "look at the disk",
    ),
    "picture_gone": (
        "The picture is not in the cache any more.",
        "nothing: it was deleted before it was archived",
    ),
}
"""Code -> what happened, and what to do about it."""


class Keep(Stage[Inspection]):
    """Stores pictures in one archive. Retries are the journal's delivery rows. While the archive is unreachable it
    gets only a trial now and then, so that an outage costs neither threads nor attempts.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        journal: Journal,
        backoff: Backoff = BACKOFF,
        late: float = 3600.0,
        all_frames: bool = False,
        animations: Animations | None = None,
        max_video: int = 0,
        count: Callable[[str, str], None] = lambda _target, _outcome: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`late`: seconds that a picture may wait before something is wrong; `all_frames`: whether it gets all pictures
        of a burst; `animations`: where it gets those of events too; `max_video`: bytes of the largest video that it
        gets; `clock`: seconds for the pauses."""
        self._archive = archive
        self._late = late
        self._all_frames = all_frames
        self._animations = animations
        self._max_video = max_video
        self._journal = journal
        self._deliveries = TargetDelivery(archive.name, journal=journal, backoff=backoff, count=count)
        self._circuit = Breaker(threshold=3, cooldown=5.0, longest=PAUSE_S, clock=clock)
        self._blocked_circuit = Breaker(threshold=1, cooldown=30.0, longest=BLOCKED_PAUSE_S, clock=clock)
        self._opening = threading.Lock()
        self._is_open = False
        self._blocked = ""

    def handle(self, inspection: Inspection) -> Iterable[object]:
        if not inspection.snapshot.path and not inspection.snapshot.video:
            self._deliveries.nothing_to_deliver(inspection.id)
            return ()
        if self._is_paused:
            return ()  # it stays pending
        try:
            picture = Path(inspection.snapshot.path).read_bytes() if inspection.snapshot.path else b""
        except FileNotFoundError:
            gone = Permanent("picture_gone", f"{inspection.snapshot.path} is not there any more")
            self._deliveries.abandon(inspection.id, gone)
            return ()
        except OSError as error:
            self._deliveries.postpone(inspection.id, _unreadable(inspection, error), outage=False)
            return ()
        if self._blocked_circuit.allow() and self._circuit.allow():
            self._keep(inspection, picture)
        return ()

    def pending(self) -> Iterable[Inspection]:
        if self._is_paused:
            return ()
        # Few at once, for what comes while a backlog is worked off must not stand behind all of it.
        on_trial = State.HALF_OPEN in (self._blocked_circuit.state, self._circuit.state)
        limit = 1 if on_trial else max(32, 8 * self._archive.concurrency)
        return self._deliveries.pending(limit=limit, newest_first=True)

    @property
    def _is_paused(self) -> bool:
        """Whether it is paused, or a worker is about to find out whether it works."""
        return State.OPEN in (self._blocked_circuit.state, self._circuit.state) or self._opening.locked()

    def try_now(self) -> None:
        """End a pause and try the archive at once. From any thread."""
        self._blocked_circuit.probe_now()
        self._circuit.probe_now()

    def close(self) -> None:
        self._archive.close()

    def status(self) -> Status:
        """Its backlog and blocker, for health; asks the journal."""
        backlog = self._journal.backlog(self._archive.name)
        now = time.time()
        waiting = backlog.told(now, one="picture", many="pictures")
        detail = f"{self._blocked} ({waiting})" if self._blocked else waiting
        return Status(ok=not self._blocked and backlog.age(now) < self._late, detail=detail)

    def _keep(self, inspection: Inspection, picture: bytes) -> None:
        try:
            if not self._ready():
                return
            self._store_frames(inspection)
            self._store_animations(inspection)
            self._store_video(inspection.snapshot)
            if inspection.snapshot.path:
                self._archive.store(inspection, picture)
        except Permanent as error:
            self._works()  # it answered: a refused picture says nothing about the next one
            self._deliveries.abandon(inspection.id, error)
        except ArchiveBlocked as error:
            self._is_open = False
            self._alarm(error)
            self._deliveries.postpone(inspection.id, error, backoff=NO_BACKOFF)
        except Exception as error:  # noqa: BLE001 - whatever it was, the picture stays pending
            self._is_open = False
            self._circuit.failed()
            self._deliveries.postpone(inspection.id, error, outage=self._circuit.state is not State.CLOSED)
        else:
            self._works()
            md5 = hashlib.md5(picture, usedforsecurity=False).hexdigest() if inspection.snapshot.path else ""
            self._deliveries.delivered(inspection.id, md5=md5)

    def _store_frames(self, inspection: Inspection) -> None:
        """Before the event's own picture: what is confirmed for the event is complete then."""
        if not self._all_frames or inspection.snapshot.frames < 2:
            return
        for frame in self._journal.media_of(inspection.id, kind="frame"):
            try:
                picture = Path(frame.path).read_bytes()
            except FileNotFoundError:
                continue  # deleted meanwhile
            self._archive.store(as_event(frame, inspection, f"{frame.position:02d}"), picture)

    def _store_animations(self, inspection: Inspection) -> None:
        """Those that cannot be made are left out: the disk may be full of pictures that wait for an archive."""
        if self._animations is None or inspection.snapshot.frames < 2:
            return
        for kind in self._animations.formats or (self._animations.usual,):
            try:
                animation = self._animations.make(inspection.id, kind)
                picture = Path(animation.path).read_bytes()
            except (Failure, OSError) as error:
                reason = str(error)
                log.warning("archived without animation", target=self._archive.name, id=inspection.id, reason=reason)
                continue
            self._archive.store(as_event(animation, inspection, "animation"), picture)

    def _store_video(self, snapshot: Snapshot) -> None:
        """What is too large for an archive, or cannot be read, is left out."""
        if not snapshot.video or not self._max_video:
            return
        try:
            with Path(snapshot.video).open("rb") as file:
                video = file.read(self._max_video + 1)
        except OSError as error:
            log.warning("archived without video", target=self._archive.name, id=snapshot.id, reason=error.strerror)
            return
        if len(video) > self._max_video:
            reason = f"it has more than {self._max_video} bytes"
            log.info("archived without video", target=self._archive.name, id=snapshot.id, reason=reason)
            return
        self._archive.store(Inspection(_video_as_event(snapshot)), video)

    def _ready(self) -> bool:
        """Open the archive where need be; False while another worker does."""
        if self._is_open:
            return True
        if not self._opening.acquire(blocking=False):
            return False
        try:
            self._archive.open()
            self._is_open = True
        finally:
            self._opening.release()
        return True

    def _alarm(self, error: ArchiveBlocked) -> None:
        self._blocked_circuit.failed()
        if self._blocked != str(error):
            log.error("archive waits for a person", target=self._archive.name, reason=str(error))
        self._blocked = str(error)

    def _works(self) -> None:
        self._blocked_circuit.succeeded()
        self._circuit.succeeded()
        if self._blocked:
            log.info("archive takes pictures again", target=self._archive.name)
        self._blocked = ""


def as_event(medium: Medium, inspection: Inspection, name: str) -> Inspection:
    """A file under a name beside the event's picture, and an id that no event has."""
    own = Path(inspection.snapshot.path)
    beside = own.with_name(f"{own.stem}-{name}{Path(medium.path).suffix}")
    snapshot = dataclasses.replace(inspection.snapshot, id=medium.id, path=str(beside), taken_at=medium.taken_at)
    return dataclasses.replace(inspection, snapshot=snapshot, detection=Detection())


def _video_as_event(snapshot: Snapshot) -> Snapshot:
    """A video under a name beside its picture's, whether there is one, and an id that no event has."""
    own = Path(snapshot.video)
    day, time_of_day = own.name[:8], own.name[9:15]
    folder = own.parent / day[:4] / day[4:6] / day[6:] / own.parent.name
    beside = folder / f"{time_of_day}-{snapshot.id}-video{own.suffix}"
    other = hashlib.sha256(f"video {snapshot.id}".encode()).hexdigest()[:32]
    return dataclasses.replace(snapshot, id=other, path=str(beside), video="")


def _unreadable(inspection: Inspection, error: OSError) -> Transient:
    return Transient("picture_unreadable", f"cannot read {inspection.snapshot.path}: {error.strerror}")
