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
from app.messages import Detection, Inspection
from app.pipeline.delivery import TargetDelivery
from pylib.errors import Permanent, Transient
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
        count: Callable[[str, str], None] = lambda _target, _outcome: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`late`: seconds that a picture may wait before something is wrong; `all_frames`: whether it gets all pictures
        of a burst; `clock`: seconds for the pauses."""
        self._archive = archive
        self._late = late
        self._all_frames = all_frames
        self._journal = journal
        self._deliveries = TargetDelivery(archive.name, journal=journal, backoff=backoff, count=count)
        self._circuit = Breaker(threshold=3, cooldown=5.0, longest=PAUSE_S, clock=clock)
        self._blocked_circuit = Breaker(threshold=1, cooldown=30.0, longest=BLOCKED_PAUSE_S, clock=clock)
        self._opening = threading.Lock()
        self._is_open = False
        self._blocked = ""

    def handle(self, inspection: Inspection) -> Iterable[object]:
        if not inspection.snapshot.path:
            self._deliveries.delivered(inspection.id)  # a failure has nothing to keep
            return ()
        if self._is_paused:
            return ()  # it stays pending
        try:
            picture = Path(inspection.snapshot.path).read_bytes()
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
        age = time.time() - backlog.since if backlog.since else 0.0
        waiting = f"{backlog.count} pictures to archive, the oldest for {age:.0f} s"
        detail = f"{self._blocked} ({waiting})" if self._blocked else waiting
        return Status(ok=not self._blocked and age < self._late, detail=detail)

    def _keep(self, inspection: Inspection, picture: bytes) -> None:
        try:
            if not self._ready():
                return
            self._store_frames(inspection)
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
            self._deliveries.delivered(inspection.id, md5=hashlib.md5(picture, usedforsecurity=False).hexdigest())

    def _store_frames(self, inspection: Inspection) -> None:
        """Before the event's own picture: what is confirmed for the event is complete then."""
        if not self._all_frames or inspection.snapshot.frames < 2:
            return
        for frame in self._journal.media_of(inspection.id, kind="frame"):
            try:
                picture = Path(frame.path).read_bytes()
            except FileNotFoundError:
                continue  # deleted meanwhile
            self._archive.store(_as_event(frame, inspection), picture)

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


def _as_event(frame: Medium, inspection: Inspection) -> Inspection:
    """A frame under a name beside the event's picture, and an id that no event has."""
    own = Path(inspection.snapshot.path)
    beside = own.with_name(f"{own.stem}-{frame.position:02d}{Path(frame.path).suffix}")
    snapshot = dataclasses.replace(inspection.snapshot, id=frame.id, path=str(beside), taken_at=frame.taken_at)
    return dataclasses.replace(inspection, snapshot=snapshot, detection=Detection())


def _unreadable(inspection: Inspection, error: OSError) -> Transient:
    return Transient("picture_unreadable", f"cannot read {inspection.snapshot.path}: {error.strerror}")
