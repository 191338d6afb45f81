"""What guests of the booth have kept: pictures and words in the record, the evening's gallery, the host's list."""

from __future__ import annotations

import io
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog
from PIL import Image

from app.booth.guests import Guest
from app.booth.jobs import DAY_S, KIND
from app.booth.settings import CAMERA, LABEL, BoothSettings
from app.booth.shelf import Shelf
from app.journal import Job, Journal
from app.journal.media import Medium
from app.messages import Inspection, Snapshot
from app.naming import slug
from app.storage.cache import Cache, CacheUnavailable
from app.storage.event_media import EventMedia
from pylib.aws.calls import AwsFailure
from pylib.files import durable
from pylib.sqlite import DatabaseUnavailable

log = structlog.get_logger(__name__)

ORIGIN = "booth"
ANIMATION = "animation.gif"
EVENING_S = 16 * 3600.0
"""Seconds for which the gallery shows an animation."""
MOST_SHOWN = 24


class KeptAnimations:
    """Everybody's. Every method may be called from any thread."""

    def __init__(
        self,
        settings: BoothSettings,
        *,
        journal: Journal,
        cache: Cache,
        media: EventMedia,
        shelf: Shelf,
        page: Callable[[str, float], str] = lambda _guest, _seconds: "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`page`: a link that opens a guest's page for so many seconds, empty where nobody could open it."""
        self._settings = settings
        self._journal = journal
        self._cache = cache
        self._media = media
        self._shelf = shelf
        self._page = page
        self._now = now

    def keep(self, guest_id: str, guest: Guest, *, begun: Path, language: str) -> None:
        """Keep the frames and the animation in the folder `begun`, and have the animation stored and mailed.

        The same again changes nothing. When this returns it is on the disk. Raises `CacheUnavailable`,
        `DatabaseUnavailable`.
        """
        now, count, event = self._now(), self._settings.pictures, self._settings.event
        kept = self._media.path(guest_id, ANIMATION).parent
        with disk_errors(kept):
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
            *(guest_id, self.camera, event or LABEL, now, now, 0.0, ORIGIN),
            *(str(path), first.size, first.width, first.height),
            frames=count,
        )
        arguments = {
            "name": guest.name,
            "email": guest.email,
            "event": event,
            "language": language,
            "key": f"{slug(event) or 'booth'}/{now:%Y-%m-%d}/{guest_id}.gif",
            "page": self._page(guest_id, self._settings.link_days * DAY_S),
            "at": now.timestamp(),
        }
        self._journal.import_picture(Inspection(snapshot), (), media=media, job=(KIND, arguments))

    def discard(self, guest: str) -> None:
        """Leave no file of an attempt to keep it that failed."""
        self._media.drop(guest)

    def undo(self, guest: str) -> None:
        """Leave no record and no picture of such an attempt either, should a slow disk have taken it after all."""
        try:
            self.delete(guest)
            deleted = self._journal.delete(guest, archives=())
        except DatabaseUnavailable as error:
            log.warning("what a guest did not keep after all is in the album", event_id=guest, reason=error.detail)
            return
        if deleted is not None and deleted.path:
            Path(deleted.path).unlink(missing_ok=True)

    def link(self, guest: str) -> str:
        """What a guest's code says: it opens the animation for as long as the settings say; empty without any."""
        seconds = self._settings.link_days * DAY_S
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
            return "sent" if self._settings.mail.host else "stored"
        if job.state == "failed":
            return "failed"
        return "later" if job.problem else "sending"

    def gallery(self) -> list[str]:
        """The ids of the evening's guests, the latest first; empty where the settings show none."""
        since = self._now().timestamp() - EVENING_S
        jobs = self._kept_jobs() if self._settings.gallery else []
        return [job.key for job in jobs if job.arguments["at"] >= since and job.state != "failed"][:MOST_SHOWN]

    def shown(self, guest: str) -> bytes | None:
        """An animation of the gallery."""
        return self.animation(guest) if guest in self.gallery() else None

    def animation(self, guest: str) -> bytes | None:
        """The animation that a guest has kept; None when it is gone, or never was."""
        return content_of(self._media.path(guest, ANIMATION)) if self._journal.job(KIND, guest) else None

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
        return str(job.arguments["language"]) if job else self._settings.language

    @property
    def camera(self) -> str:
        """Device key of what takes the pictures."""
        return self._settings.camera or CAMERA

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


def content_of(path: Path) -> bytes | None:
    """What is in a file; None where there is none."""
    try:
        return durable.read(str(path))
    except OSError:
        return None


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Errors of the disk, as the cache tells them."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or error
        raise CacheUnavailable("cache_unavailable", f"cannot write in {folder}: {reason}") from error
