"""Objects in buckets of servers that notify nobody: the buckets are listed again and again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import structlog
from pydantic import Field

from app.messages import ObjectCreated
from app.pipeline.collect import ObjectContent, ObjectUnavailable
from app.sources import SourceContext
from app.sources.buckets import reading
from app.sources.buckets.cameras import WatchedObjects
from app.sources.buckets.hand import Hand
from app.sources.buckets.reading import ObjectStore, Page
from app.sources.buckets.settings import BucketSourceSettings, WatchedBucket
from pylib.errors import Failure
from pylib.files import durable

log = structlog.get_logger(__name__)

AGAIN_AFTER = 30.0
"""Seconds until a listing that failed is tried again, where `every` is not less."""
NOT_YET = "the buckets have not been listed yet"
REMEMBERED = 1000
"""Keys that the journal is asked for at once."""


class ListingSettings(BucketSourceSettings):
    """Buckets that are listed again and again, for servers that cannot notify."""

    every: float = Field(default=60, ge=5, le=86_400, description="Seconds from one look at the buckets to the next.")
    existing: Literal["skip", "take"] = Field(
        default="skip",
        description="What becomes of objects that were there when this source first looked: `skip`, or `take` them as"
        " if they had just come.",
    )


class Listing:
    """Brings what is new or was written over since the last look; holds a page and what has no outcome yet."""

    title = "an object in a bucket"
    queued = False
    Settings = ListingSettings
    check = staticmethod(reading.check)
    permissions = staticmethod(reading.permissions)

    def __init__(
        self, settings: ListingSettings, context: SourceContext, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings
        self._name = context.name
        self._journal = context.journal
        self._clock = clock
        self._store = ObjectStore(settings, source=context.name)
        self._watched = WatchedObjects(settings, cameras=context.cameras)
        self._first_looks = FirstLooks(context.data_dir / "buckets" / f"{context.name}.json")
        self._hand = Hand(settings.max_in_hand)
        self._waiting: list[ObjectCreated] = []
        self._look: Iterator[list[ObjectCreated]] | None = None
        self._failures: list[str] = []
        self._next_look = clock()
        self._looked = False
        self._paused = False
        self._trouble = NOT_YET
        self.thread = context.object_feeder(self)

    @property
    def connected(self) -> bool:
        """Whether the buckets could be listed and read, the last time."""
        return not self.problem

    @property
    def problem(self) -> str:
        """Why a bucket could not be listed or read; empty when all could."""
        return "; ".join(filter(None, (self._trouble, self._store.problem)))

    def read(self, found: ObjectCreated) -> ObjectContent:
        """What is in an object. Raises `ObjectRejected` or `ObjectUnavailable`."""
        return self._store.read(found)

    def acknowledge(self, receipt: str) -> None:
        """It is recorded; the next looks pass over it."""
        self._hand.done(receipt)

    def retry(self, receipt: str, *, after: float) -> None:
        """Bring it once more in so many seconds."""
        self._hand.retry(receipt, at=self._clock() + after)

    # -- in the feeder's thread -------------------------------------------------------------------

    def poll(self, timeout: float) -> Iterable[ObjectCreated]:
        """New objects, as many as there is room for; lists one page at most."""
        if self._paused:
            self._hand.wait(timeout)
            return []
        again = self._hand.due(self._clock())
        if not self._waiting and not again:
            self._waiting = self._next_page(timeout)
        room = max(0, self._hand.room)
        if self._waiting and not room and not again:
            self._hand.wait(timeout)
        new, self._waiting = self._waiting[:room], self._waiting[room:]
        for found in new:
            self._hand.take(found)
        return [*again, *new]

    def pause(self) -> None:
        """Bring nothing more; from any thread."""
        self._paused = True

    def close(self) -> None:
        """What has no outcome is found again after the next start."""
        self._store.close()

    def _next_page(self, timeout: float) -> list[ObjectCreated]:
        """What is new in the next page of this look; between two looks, waits."""
        now = self._clock()
        if self._look is None:
            if now < self._next_look:
                self._hand.wait(min(timeout, self._next_look - now))
                return []
            self._next_look = now + self._settings.every
            self._failures = []
            self._look = self._pages()
        found = next(self._look, None)
        if found is not None:
            return found
        self._looked = self._looked or not self._failures
        self._end_look("; ".join(dict.fromkeys(self._failures)))
        return []

    def _end_look(self, problem: str) -> None:
        self._look = None
        if problem:
            self._next_look = min(self._next_look, self._clock() + AGAIN_AFTER)
        if problem and problem != self._trouble:
            log.warning("buckets not listed", source=self._name, reason=problem)
        elif self._trouble and not problem:
            log.info("buckets listed", source=self._name)
        self._trouble = problem

    def _pages(self) -> Iterator[list[ObjectCreated]]:
        """What is new in each page of all buckets; a bucket that cannot be listed does not keep the others from it."""
        for watched in self._settings.buckets:
            try:
                yield from self._pages_of(watched)
            except (Failure, OSError) as error:
                self._failures.append(str(error))
                yield []  # one call in each poll

    def _pages_of(self, watched: WatchedBucket) -> Iterator[list[ObjectCreated]]:
        """Raises `Failure` or OSError."""
        behind, in_order, token = watched.prefix, True, ""
        while True:
            page = self._store.page(watched, token)
            keys = [found.key for found in page.objects]
            # Only of a list in order is it known what is missing in it.
            in_order = in_order and keys == sorted(keys) and (not keys or keys[0] >= behind)
            if in_order and (keys or not page.token):
                self._forget_vanished(watched, set(keys), behind=behind, up_to=keys[-1] if page.token else None)
                behind = keys[-1] if keys else behind
            yield self._new(watched, page)
            if not page.token:
                break
            if page.token == token:
                raise ObjectUnavailable("bad_answer", "The server gives one part of its list again and again.")
            token = page.token

    def _new(self, watched: WatchedBucket, page: Page) -> list[ObjectCreated]:
        """Those of a page that are not recorded as they are now, the oldest first."""
        since = datetime.min.replace(tzinfo=UTC)
        if self._settings.existing == "skip":
            since = self._first_looks.at(watched, now=page.asked_at)
        there = [found for found in page.objects if found.timestamp >= since and not found.key.endswith("/")]
        if not there:
            return []
        known = self._journal.known_objects(self._name, watched.bucket, [found.key for found in there])
        wanted = []
        for found in there:
            receipt = f"{found.bucket}/{found.key}"
            # Looking up whose it is costs more than all the rest: not for what is known, which is nearly all of a page.
            if known.get(found.key) != found.etag and receipt not in self._hand:
                # What an earlier run began may have ended it.
                created = self._watched.created(found, origin=self._name, receipt=receipt, redelivered=not self._looked)
                wanted += [created] if created else []
        return sorted(wanted, key=lambda found: found.timestamp)

    def _forget_vanished(
        self, watched: WatchedBucket, keys: Collection[str], *, behind: str, up_to: str | None
    ) -> None:
        """Forget what the journal remembers between two keys and the list has not; None for the end of the list."""
        while True:
            remembered = self._journal.remembered_objects(self._name, watched.bucket, after=behind, limit=REMEMBERED)
            there = [key for key in remembered if key.startswith(watched.prefix) and (up_to is None or key <= up_to)]
            if vanished := [key for key in there if key not in keys]:
                self._journal.forget_objects(self._name, watched.bucket, vanished)
            if len(there) < REMEMBERED:
                return
            behind = there[-1]


class FirstLooks:
    """A file with the time at which each bucket was first looked at: what is older was there before."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = _times(file)

    def at(self, watched: WatchedBucket, *, now: datetime) -> datetime:
        """When this one was, or that of a place around it; now, if never. Raises OSError."""
        place = f"{watched.bucket}/{watched.prefix}"
        around = [at for known, at in self._known.items() if place.startswith(known)]
        if around:
            return datetime.fromtimestamp(min(around), UTC)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        known = {**self._known, place: now.timestamp()}
        durable.write(self._file, json.dumps(known).encode())
        self._known = known
        log.info("objects from before are left alone", bucket=watched.bucket, prefix=watched.prefix)
        return now


def _times(file: Path) -> dict[str, float]:
    try:
        return {place: float(at) for place, at in json.loads(file.read_bytes()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.error("first looks not readable, made anew", path=str(file), reason=type(error).__name__)
        return {}
