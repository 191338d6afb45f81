"""An album with a past: what some weeks around a house leave in the journal and the cache."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from app.journal import Journal, Medium
from app.journal.entries import Correction
from app.messages import Box, Burst, Detection, Inspection, Label, Snapshot
from app.pipeline.decide import sum_up
from app.storage.cache import Cache
from app.storage.event_media import EventMedia
from tests.browser.drawing import scene
from tests.fakes.decisions import told, told_to

ZONE = ZoneInfo("Europe/Berlin")
"""The home's."""
ARCHIVE = "folder"
DAYS = 21
"""Days before today of which there are pictures; fewer than the cache keeps."""
WALKED = 8
"""Days before today at which leaving was seen by a burst."""

AWAY = "timeout: 192.168.1.20 did not answer within 10 s"
UNSEEN = "detector_away: rekognition failed repeatedly and is not asked for 60 s"
SPITEFUL_NOTE = "<script>document.title='taken over'</script> & <b>\"quotes\"</b>"


@dataclass(frozen=True)
class Seed:
    """One entry of the album, and how it comes about."""

    name: str
    """What its id is made of."""
    location: str
    about: datetime
    shows: str = "person"
    """Who is in the picture: "person", "cat" or "nobody"."""
    things: tuple[tuple[str, float], ...] = ()
    """Labels besides, with their confidence."""
    origin: str = "rabbitmq"
    problem: str = ""
    has_picture: bool = True
    starred: bool = False
    note: str = ""
    corrected: tuple[str, ...] | None = None
    archived_only: bool = False
    others: tuple[Seed, ...] = field(default=())
    """What settled into one event with it."""
    frames: int = 0
    """Pictures of its burst, one a second; the first is shown."""

    @property
    def id(self) -> str:
        return seed_id(self.name)


def seed_id(name: str) -> str:
    """The event id of the seed of this name."""
    return hashlib.md5(name.encode(), usedforsecurity=False).hexdigest()


def at(ago: int, hour: int, minute: int = 0) -> datetime:
    """A time of that day at home."""
    return datetime.combine(datetime.now(ZONE).date() - timedelta(days=ago), time(hour, minute), ZONE)


def ordinary_days(days: int = DAYS) -> Iterator[Seed]:
    """What happens every day: the same six things."""
    for ago in range(days, 0, -1):
        coming = (("Door", 0.97), ("Coat", 0.71))
        yield Seed(f"leaving {ago}", "Front Door", at(ago, 7, 45), things=coming, frames=3 if ago == WALKED else 0)
        yield Seed(f"driving {ago}", "Driveway", at(ago, 8, 15), things=(("Car", 0.93), ("Driveway", 0.88)))
        yield Seed(
            f"cat {ago}", "Garden", at(ago, 12, 30), "cat", things=(("Cat", 0.91), ("Tree", 0.99), ("Lawn", 0.96))
        )
        yield Seed(f"parcel {ago}", "Front Door", at(ago, 17, 15), things=(("Parcel", 0.62), ("Door", 0.95)))
        yield Seed(f"van {ago}", "Driveway", at(ago, 17, 15), things=(("Car", 0.81), ("Van", 0.44)), origin="ftp")
        yield Seed(f"night {ago}", "Garden", at(ago, 21, 30), "nobody", things=(("Tree", 0.93), ("Night", 0.85)))


def a_visit() -> Iterator[Seed]:
    """Somebody who came yesterday evening and was seen twice, and the empty door after that."""
    for number, (after, shows, sure) in enumerate([(0, "person", 0.6), (20, "person", 0.97), (40, "nobody", 0.5)]):
        about = at(1, 18) + timedelta(seconds=after)
        yield Seed(f"visit {number}", "Front Door", about, shows, (("Doorbell", sure),))


def oddities() -> Iterator[Seed]:
    """One of each kind that is not ordinary."""
    yield Seed("away", "Garage", at(2, 9), "nobody", problem=AWAY, has_picture=False)
    yield Seed("unseen", "Garden", at(2, 10), "nobody", problem=UNSEEN)
    yield Seed(
        "bicycle",
        "Front Door",
        at(3, 10),
        things=(("Bicycle", 0.66),),
        starred=True,
        note="The postman brought the new bicycle",
    )
    yield Seed("fox", "Garden", at(3, 12), "cat", things=(("Cat", 0.58),), corrected=("Fox",))
    yield Seed("spite", "Driveway", at(4, 10), note=SPITEFUL_NOTE)
    yield Seed("archived", "Driveway", at(5, 10), things=(("Car", 0.9),), archived_only=True)
    yield Seed(
        "burst",
        "Garden",
        at(5, 15),
        origin="ftp",
        others=(Seed("burst, a little later", "Garden", at(5, 15) + timedelta(minutes=2), origin="ftp"),),
    )


def today() -> Iterator[Seed]:
    """The last two hours."""
    now = datetime.now(ZONE)
    quarter = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0)
    for number, (location, shows) in enumerate(
        [("Garden", "cat"), ("Driveway", "person"), ("Garden", "nobody"), ("Front Door", "person")]
    ):
        things = (("Cat", 0.93),) if shows == "cat" else ()
        yield Seed(f"today {number}", location, quarter - timedelta(minutes=120 - 30 * number), shows, things)


class Seeder:
    """Writes seeds into the data folder of a service that does not run."""

    def __init__(self, data: Path) -> None:
        data.mkdir(parents=True, exist_ok=True)
        self._now = 0.0
        self._cache = Cache(data / "cache", zone=ZONE)
        self._media = EventMedia(data / "media")
        self._journal = Journal(data / "journal.db", clock=lambda: self._now)

    def sow(self, *seeds: Seed) -> None:
        """Record all of these, the oldest first."""
        self._cache.open()
        self._journal.open()
        self._journal.database.start()
        try:
            for one in sorted(seeds, key=lambda seed: seed.about):
                self._sow(one)
        finally:
            self._journal.database.stop()
            self._journal.database.join(10)

    def _sow(self, seed: Seed) -> None:
        inspection = self._inspection(seed)
        self._now = inspection.snapshot.taken_at.timestamp() + 1
        self._journal.record(inspection.snapshot)
        self._journal.record_media([self._frame(seed, inspection.snapshot, number) for number in range(seed.frames)])
        if seed.others:
            self._settle(inspection, seed.others)
        else:
            self._journal.inspect(told_to(inspection, [ARCHIVE] if seed.has_picture else []))
        for one in (seed, *seed.others):
            self._journal.delivered(one.id, ARCHIVE, md5=one.id)
        if seed.starred or seed.note or seed.corrected:
            correction = Correction(seed.corrected) if seed.corrected else None
            self._journal.change(seed.id, starred=seed.starred, note=seed.note, correction=correction)
        if seed.archived_only:
            self._let_go(seed)

    def _settle(self, best: Inspection, others: tuple[Seed, ...]) -> None:
        self._journal.hold(best)
        for other in map(self._inspection, others):
            self._journal.record(other.snapshot)
            self._journal.hold(other)
        self._journal.settle(best.id, [other.id for other in others], told([ARCHIVE]), archives=[ARCHIVE])

    def _let_go(self, seed: Seed) -> None:
        pictures = self._journal.pictures(targets=[ARCHIVE], archives=[ARCHIVE], limit=1000)
        picture = next(picture for picture in pictures if picture.id == seed.id)
        assert self._journal.evict([picture], targets=[ARCHIVE], archives=[ARCHIVE])
        Path(picture.path).unlink()

    def _inspection(self, seed: Seed) -> Inspection:
        place = scene(seed.location, seed.about)
        taken_at = place.moment(seed.about, seed.shows)
        snapshot = Snapshot(
            seed.id,
            f"{seed.location} Camera",
            seed.location,
            timestamp=taken_at - timedelta(seconds=0.4),
            taken_at=taken_at,
            delay_s=0.4,
            origin=seed.origin,
            frames=seed.frames,
            burst=Burst(seed.frames) if seed.frames else None,
        )
        if not seed.has_picture:
            return Inspection(replace(snapshot, problem=seed.problem), decision=sum_up(None), problem=seed.problem)
        picture, box = place.shows(seed.shows, taken_at)
        snapshot = self._with_picture(snapshot, picture)
        if seed.problem:
            return Inspection(snapshot, decision=sum_up(None), problem=seed.problem)
        detection = _detection(seed, box)
        best = f"best of {seed.frames}: 1 person" if seed.frames else ""
        return Inspection(snapshot, "rekognition", detection, sum_up(detection), best=best)

    def _frame(self, seed: Seed, snapshot: Snapshot, number: int) -> Medium:
        taken_at = snapshot.taken_at + timedelta(seconds=number)
        picture, _ = scene(seed.location, seed.about).shows(seed.shows, taken_at)
        path = self._media.store(picture, event_id=seed.id, name=f"{number:02d}.jpg")
        size, width, height = len(picture), snapshot.width, snapshot.height
        of_burst = {"snapshot": seed.id, "position": number}
        ours = (f"{number:02d}{seed.id[2:]}", "frame", "jpeg", snapshot.camera, str(path), size, width, height)
        return Medium(*ours, taken_at, **of_burst)  # type: ignore[arg-type]

    def _with_picture(self, snapshot: Snapshot, picture: bytes) -> Snapshot:
        path = self._cache.store(
            picture, event_id=snapshot.id, camera=snapshot.camera, taken_at=snapshot.taken_at, format="JPEG"
        )
        return replace(snapshot, path=str(path), size=len(picture), width=1280, height=720)


def _detection(seed: Seed, box: Box | None) -> Detection:
    persons = 1 if seed.shows == "person" else 0
    boxes = (box,) if box else ()
    labels = [Label("Person", 0.98, boxes)] if persons else []
    labels += [Label(name, sure, boxes if name == "Cat" else ()) for name, sure in seed.things]
    return Detection(tuple(labels), persons)
