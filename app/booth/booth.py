"""The booth: takes a guest's pictures, makes the animation, and keeps what the guest wants to have kept."""

from __future__ import annotations

import io
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
from PIL import Image, ImageOps

from app.booth.guests import Guest
from app.booth.jobs import DAY_S, KIND
from app.booth.machine import Event, Machine, NotNow, Turn
from app.booth.settings import BoothSettings
from app.booth.shelf import Shelf
from app.journal import Job, Journal
from app.journal.media import Medium
from app.media.picture import upright
from app.messages import Inspection, Snapshot
from app.naming import slug
from app.storage.cache import Cache, CacheUnavailable
from app.storage.event_media import EventMedia
from pylib.aws.calls import AwsFailure
from pylib.errors import Permanent
from pylib.files import durable

log = structlog.get_logger(__name__)

ORIGIN = "booth"
CAMERA = "Booth Camera"
"""Device key of the tablet's own camera."""
ANIMATION = "animation.gif"
EVENING_S = 16 * 3600.0
"""Seconds for which the gallery shows an animation."""
MOST_SHOWN = 24

Animate = Callable[[Sequence[Path], Path], object]
"""Makes a GIF of pictures that lie in files, at this path."""


class BadFramePicture(Permanent):
    """The picture that is laid over all others cannot be used."""


class Booth:
    """One booth. Every method may be called from any thread."""

    def __init__(
        self,
        settings: BoothSettings,
        *,
        journal: Journal,
        cache: Cache,
        media: EventMedia,
        now_folder: Path,
        shelf: Shelf,
        animate: Animate,
        camera: Callable[[], bytes] | None = None,
        page: Callable[[str, float], str] = lambda _guest, _seconds: "",
        max_pixels: int = 50_000_000,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`now_folder`: for the guest who stands here, emptied when they leave and at each start; `camera`: takes a
        picture, where it is not the tablet that does; `page`: a link that opens a guest's page for so many seconds,
        empty where nobody could open it."""
        self.settings = settings
        self.takes_pictures = camera is not None
        self._machine = Machine(pictures=settings.pictures, clock=clock)
        self._journal = journal
        self._cache = cache
        self._media = media
        self._now_folder = now_folder
        self._shelf = shelf
        self._animate = animate
        self._camera = camera
        self._page = page
        self._max_pixels = max_pixels
        self._now = now
        self._lock = threading.RLock()
        self._here = ""
        """Whose files lie in `now_folder`."""
        self._kept = ""
        """Who has kept theirs last."""
        self._overlay: Image.Image | None = None

    def open(self) -> None:
        """Make the folder, forget a guest of an earlier run, and read the frame picture. Raises `BadFramePicture`."""
        shutil.rmtree(self._now_folder, ignore_errors=True)
        durable.make_folder(self._now_folder)
        if self.settings.frame_picture is not None:
            try:
                data = self.settings.frame_picture.read_bytes()
                self._overlay = upright(data, faithful=True).convert("RGBA")
            except (OSError, Permanent) as error:
                reason = error.strerror if isinstance(error, OSError) else getattr(error, "detail", "")
                raise BadFramePicture("frame_picture", f"booth.frame_picture cannot be used: {reason}") from None

    # -- a guest's way ------------------------------------------------------------------------------

    def look(self) -> tuple[Turn, float | None]:
        """Where the booth is, and the seconds until that ends by itself."""
        with self._lock:
            return self._synced(), self._machine.seconds_left

    def start(self) -> Turn:
        """Begin with a guest; with one there already, nothing changes."""
        with self._lock:
            turn = self._synced()
            if turn.state != "ready":
                return turn
            return self._on("start", uuid.uuid4().hex)

    def on(self, event: Event, guest: str) -> Turn:
        """Follow a guest's choice. Raises `NotNow`."""
        with self._lock:
            return self._on(event, guest)

    def picture(self, guest: str, position: int, data: bytes = b"") -> Turn:
        """Take the picture of this position, from 0 on; the last one makes the animation.

        The same one again changes nothing. `data` is the tablet's; without, the booth's camera takes it. Raises
        `NotNow`, `app.media.picture.BadPicture`, `app.cameras.CameraError`, `CacheUnavailable`.
        """
        with self._lock:
            turn = self._synced()
            if guest == turn.guest and guest and position < turn.taken:
                return turn
            if guest != turn.guest or turn.state not in ("countdown", "pictures") or position != turn.taken:
                raise NotNow("picture", turn.state)
            drawn = self._drawn(self._camera() if self._camera else data)
            with _disk(self._now_folder):
                durable.make_folder(self._now_folder / guest)
                durable.write(self._frame(guest, position), drawn, sync=False)
            turn = self._on("picture", guest)
            if turn.state == "animation":
                turn = self._animated(turn)
            return turn

    def keep(self, turn_of: str, guest: Guest, *, language: str) -> Turn:
        """Keep a guest's animation, and have it stored and mailed. The same again changes nothing.

        When this returns it is on the disk. Raises `NotNow`, `CacheUnavailable`, `DatabaseUnavailable`.
        """
        with self._lock:
            turn = self._synced()
            if turn.state == "done" and turn.guest == turn_of:
                return turn
            if turn.state != "guest" or turn.guest != turn_of:
                raise NotNow("kept", turn.state)
            self._keep(turn_of, guest, language)
            self._kept = turn_of
            return self._on("kept", turn_of)

    def animation(self, guest: str) -> bytes | None:
        """The animation of the guest who stands here; None when there is none (any more)."""
        with self._lock:
            turn = self._synced()
            if not guest or turn.guest != guest:
                return None
            return _content(self._now_folder / guest / ANIMATION) or self.kept(guest)

    def link(self, guest: str) -> str:
        """What a guest's code says: it opens the animation for as long as the settings say; empty without any."""
        seconds = self.settings.link_days * DAY_S
        job = self._journal.job(KIND, guest)
        if job is None:
            return ""
        try:
            stored = self._shelf.link(job.arguments["key"], seconds=seconds)
        except AwsFailure as failure:
            log.warning("no link to a guest's animation", reason=failure.sentence)
            stored = ""
        return stored or self._page(guest, seconds)

    def delivery(self, guest: str) -> str:
        """How far it is: `sending`, `later` while something is in the way, `sent`, `stored`, `failed`, or empty."""
        job = self._journal.job(KIND, guest)
        if job is None:
            return ""
        if job.state == "done":
            return "sent" if self.settings.mail.host else "stored"
        if job.state == "failed":
            return "failed"
        return "later" if job.problem else "sending"

    # -- what was kept --------------------------------------------------------------------------------

    def gallery(self) -> list[str]:
        """The ids of the evening's guests, the latest first; empty where the settings show none."""
        since = self._now().timestamp() - EVENING_S
        jobs = self._kept_jobs() if self.settings.gallery else []
        return [job.key for job in jobs if job.arguments["at"] >= since and job.state != "failed"][:MOST_SHOWN]

    def shown(self, guest: str) -> bytes | None:
        """An animation of the gallery."""
        return self.kept(guest) if guest in self.gallery() else None

    def kept(self, guest: str) -> bytes | None:
        """The animation that a guest has kept; None when it is gone, or never was."""
        return _content(self._media.path(guest, ANIMATION)) if self._journal.job(KIND, guest) else None

    def guests(self) -> Iterator[tuple[datetime, str, str, str, str]]:
        """When, name, e-mail, file and state of all who kept theirs, the latest first."""
        for job in self._kept_jobs():
            asked = job.arguments
            yield datetime.fromtimestamp(asked["at"], UTC), asked["name"], asked["email"], asked["key"], job.state

    def delete(self, guest: str) -> bool:
        """Delete a guest's files and words here, and have the stored one deleted; False when there is nothing."""
        job = self._journal.job(KIND, guest)
        if job is None:
            return False
        self._journal.enqueue_job(KIND, f"{guest}/delete", {"key": job.arguments["key"]}, again=True)
        self._journal.forget_media([medium.id for medium in self._journal.media_of(guest)])
        self._media.drop(guest)
        self._journal.drop_job(KIND, guest)
        return True

    def language_of(self, guest: str) -> str:
        """The language of one who kept theirs; the setting's where that is not known."""
        job = self._journal.job(KIND, guest)
        return str(job.arguments["language"]) if job else self.settings.language

    # -- inside ---------------------------------------------------------------------------------------

    def _on(self, event: Event, guest: str) -> Turn:
        self._synced()
        self._machine.on(event, guest)
        if event == "retake":
            self._forget()
        return self._synced()

    def _synced(self) -> Turn:
        """Where it is, with nothing left of somebody who is no longer there."""
        turn = self._machine.turn
        if turn.guest != self._here:
            self._forget()
            self._here = turn.guest
        return turn

    def _forget(self) -> None:
        if self._here and self._here != self._kept:
            shutil.rmtree(self._now_folder / self._here, ignore_errors=True)
            self._media.drop(self._here)  # of an attempt to keep it that failed

    def _frame(self, guest: str, position: int) -> Path:
        return self._now_folder / guest / f"frame-{position}.jpg"

    def _drawn(self, data: bytes) -> bytes:
        """The picture as it is kept: upright, of the setting's size, with the frame picture over it."""
        side = self.settings.size
        image = upright(data, max_pixels=self._max_pixels)
        image.thumbnail((side, side), Image.Resampling.BICUBIC)
        if self._overlay is not None:
            over = ImageOps.fit(self._overlay, image.size, Image.Resampling.BICUBIC)
            image.paste(over, mask=over)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=90)
        return buffer.getvalue()

    def _animated(self, turn: Turn) -> Turn:
        frames = [self._frame(turn.guest, position) for position in range(turn.taken)]
        with _disk(self._now_folder):
            self._animate(frames, self._now_folder / turn.guest / ANIMATION)
        return self._on("made", turn.guest)

    def _keep(self, guest_id: str, guest: Guest, language: str) -> None:
        now, count, event = self._now(), self.settings.pictures, self.settings.event
        begun, kept = self._now_folder / guest_id, self._media.path(guest_id, ANIMATION).parent
        with _disk(kept):
            if begun.exists():  # else an earlier attempt came as far as that
                durable.make_folder(kept.parent)
                shutil.rmtree(kept, ignore_errors=True)
                begun.rename(kept)
                durable.sync_folder(kept.parent)
            frames = [kept / f"frame-{position}.jpg" for position in range(count)]
            media = [_medium(guest_id, self.camera, now, path, position) for position, path in enumerate(frames)]
            media.append(_medium(guest_id, self.camera, now, kept / ANIMATION, 0, frames=count))
        first = media[0]
        path = self._cache.store(
            frames[0].read_bytes(), event_id=guest_id, camera=self.camera, taken_at=now, format="JPEG"
        )
        snapshot = Snapshot(
            *(guest_id, self.camera, event or "Photo booth", now, now, 0.0, ORIGIN),
            *(str(path), first.size, first.width, first.height),
            frames=count,
        )
        self._journal.import_picture(Inspection(snapshot), ())
        self._journal.record_media(media)
        arguments = {
            "name": guest.name,
            "email": guest.email,
            "event": event,
            "language": language,
            "key": f"{slug(event) or 'booth'}/{now:%Y-%m-%d}/{guest_id}.gif",
            "page": self._page(guest_id, self.settings.link_days * DAY_S),
            "at": now.timestamp(),
        }
        self._journal.enqueue_job(KIND, guest_id, arguments)

    @property
    def camera(self) -> str:
        """Device key of what takes the pictures."""
        return self.settings.camera or CAMERA

    def _kept_jobs(self) -> list[Job]:
        return [job for job in self._journal.jobs_of(KIND) if not job.key.endswith("/delete")]


def _medium(guest: str, camera: str, at: datetime, path: Path, position: int, *, frames: int = 1) -> Medium:
    data = path.read_bytes()
    is_animation = path.name == ANIMATION
    with Image.open(io.BytesIO(data)) as image:
        width, height = image.size
    return Medium(
        id=uuid.uuid5(uuid.UUID(guest), path.name).hex,
        kind="animation" if is_animation else "frame",
        format="gif" if is_animation else "jpeg",
        camera=camera,
        path=str(path),
        size=len(data),
        width=width,
        height=height,
        taken_at=at,
        snapshot=guest,
        position=position,
        frames=frames,
    )


def _content(path: Path) -> bytes | None:
    try:
        return durable.read(str(path))
    except OSError:
        return None


@contextmanager
def _disk(folder: Path) -> Iterator[None]:
    """Errors of the disk, as the cache tells them."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise CacheUnavailable("cache_unavailable", f"cannot write in {folder}: {reason}") from error
