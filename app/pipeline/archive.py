"""The archive stage: stores every picture in one archive, at its own pace, the newest first after an outage."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from app.archives import Archive, ArchiveBlocked
from app.journal import Backoff, Journal
from app.messages import Inspection
from app.pipeline.delivery import TargetDelivery
from pylib.errors import Permanent, Transient
from pylib.observability.health import Status
from pylib.runtime.circuit_breaker import Breaker, State
from pylib.runtime.stage import Stage

log = structlog.get_logger(__name__)

PAUSE_S = 300.0
"""Longest pause of an archive that is away."""
BLOCKED_PAUSE_S = 900.0
"""Longest pause of one that waits for a person."""
BACKOFF = Backoff(first_s=5.0, last_s=900.0)
"""Of one picture: longer than `PAUSE_S`, so that one that always fails does not take every trial of the target."""
NO_BACKOFF = Backoff(0.0, 0.0)
"""Of a picture that failed for a reason that is not its own: the pauses of the archive count."""

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
    """Has pictures kept by one archive. Retries are the journal's delivery rows; while the archive is away as a
    whole it is left alone but for a trial now and then, so that an outage costs neither threads nor attempts.
    """

    def __init__(
        self,
        archive: Archive,
        *,
        journal: Journal,
        backoff: Backoff = BACKOFF,
        late: float = 3600.0,
        count: Callable[[str, str], None] = lambda _target, _outcome: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`late`: seconds that a picture may wait before something is wrong; `clock`: seconds for the pauses."""
        self._archive = archive
        self._late = late
        self._journal = journal
        self._account = TargetDelivery(archive.name, journal=journal, backoff=backoff, count=count)
        self._away = Breaker(threshold=3, cooldown=5.0, longest=PAUSE_S, clock=clock)
        self._waits = Breaker(threshold=1, cooldown=30.0, longest=BLOCKED_PAUSE_S, clock=clock)
        self._opening = threading.Lock()
        self._is_open = False
        self._blocked = ""

    def handle(self, inspection: Inspection) -> Iterable[object]:
        if not inspection.snapshot.path:
            self._account.delivered(inspection.id)  # a failure has nothing to keep
            return ()
        if self._is_away:
            return ()  # it stays owed as it is
        try:
            picture = Path(inspection.snapshot.path).read_bytes()
        except FileNotFoundError:
            gone = Permanent("picture_gone", f"{inspection.snapshot.path} is not there any more")
            self._account.abandon(inspection.id, gone)
            return ()
        except OSError as error:
            self._account.postpone(inspection.id, _unreadable(inspection, error), away=False)
            return ()
        if self._waits.allow() and self._away.allow():
            self._keep(inspection, picture)
        return ()

    def pending(self) -> Iterable[Inspection]:
        if self._is_away:
            return ()
        # Few at once, for what comes while a backlog is worked off must not stand behind all of it.
        on_trial = State.HALF_OPEN in (self._waits.state, self._away.state)
        limit = 1 if on_trial else max(32, 8 * self._archive.concurrency)
        return self._account.pending(limit=limit, newest_first=True)

    @property
    def _is_away(self) -> bool:
        """Whether it is left alone for now, or a worker is about to find out how it is."""
        return State.OPEN in (self._waits.state, self._away.state) or self._opening.locked()

    def try_now(self) -> None:
        """Try the archive once more at once, however long it was to be left alone. From any thread."""
        self._waits.probe_now()
        self._away.probe_now()

    def close(self) -> None:
        self._archive.close()

    def status(self) -> Status:
        """How it stands, for health; asks the journal."""
        backlog = self._journal.backlog(self._archive.name)
        age = time.time() - backlog.since if backlog.since else 0.0
        waiting = f"{backlog.count} pictures to archive, the oldest for {age:.0f} s"
        detail = f"{self._blocked} ({waiting})" if self._blocked else waiting
        return Status(ok=not self._blocked and age < self._late, detail=detail)

    def _keep(self, inspection: Inspection, picture: bytes) -> None:
        try:
            if not self._ready():
                return
            self._archive.store(inspection, picture)
        except Permanent as error:
            self._works()  # it answered: what it would not take says nothing of the next picture
            self._account.abandon(inspection.id, error)
        except ArchiveBlocked as error:
            self._is_open = False
            self._alarm(error)
            self._account.postpone(inspection.id, error, backoff=NO_BACKOFF)
        except Exception as error:  # noqa: BLE001 - whatever it was, the picture stays owed
            self._is_open = False
            self._away.failed()
            self._account.postpone(inspection.id, error, away=self._away.state is not State.CLOSED)
        else:
            self._works()
            self._account.delivered(inspection.id, md5=hashlib.md5(picture, usedforsecurity=False).hexdigest())

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
        self._waits.failed()
        if self._blocked != str(error):
            log.error("archive waits for a person", target=self._archive.name, reason=str(error))
        self._blocked = str(error)

    def _works(self) -> None:
        self._waits.succeeded()
        self._away.succeeded()
        if self._blocked:
            log.info("archive takes pictures again", target=self._archive.name)
        self._blocked = ""


def _unreadable(inspection: Inspection, error: OSError) -> Transient:
    return Transient("picture_unreadable", f"cannot read {inspection.snapshot.path}: {error.strerror}")
