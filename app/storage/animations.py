"""Animations of events with several pictures: each made once, by a job or for whoever asks first."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

from pydantic import Field

from app.journal import Journal, Medium
from app.media.animation import FORMATS, AnimationFormat, NotAnimated, Style, animate
from app.media.picture import MAX_PIXELS
from app.storage.event_media import EventMedia, MediaUnavailable
from pylib.files import durable
from pylib.runtime.key_locks import KeyedLock
from pylib.settings.fields import Section, SmallLetters

JOB = "animation"
"""Kind of the jobs that make them."""


class AnimationSettings(Section):
    """Animations of events that have several pictures: a burst, or what a camera pushed within `uploads.settle`."""

    formats: tuple[Annotated[AnimationFormat, SmallLetters], ...] = Field(
        default=("gif",),
        description="What is made as soon as such an event is settled: gif, webp, mp4 (which needs the extra `films`)."
        " Others are made when somebody asks for them.",
    )
    size: int = Field(default=480, ge=64, le=1280, description="Pixels of the longest side.")
    pace: float = Field(default=0.4, ge=0.05, le=5, description="Seconds from one picture to the next.")
    boomerang: bool = Field(default=False, description="Whether they run back to their beginning.")
    max_bytes: int = Field(
        default=3_000_000, ge=50_000, le=50_000_000, description="Bytes of one, kept by making it smaller."
    )

    @property
    def style(self) -> Style:
        return Style(self.size, self.pace, boomerang=self.boomerang, max_bytes=self.max_bytes)


class Animations:
    """Finds and makes them. From any thread."""

    def __init__(
        self, settings: AnimationSettings, *, journal: Journal, media: EventMedia, max_pixels: int = MAX_PIXELS
    ) -> None:
        self._style = settings.style
        self._journal = journal
        self._media = media
        self._max_pixels = max_pixels
        self._locks = KeyedLock()
        self.formats = settings.formats

    @property
    def usual(self) -> AnimationFormat:
        """The format where none is asked for: the first that is made anyway."""
        return next(iter(self.formats), FORMATS[0])

    def possible(self, event_id: str) -> bool:
        """Whether the event has several pictures."""
        return len(self._journal.event_pictures(event_id)) > 1

    def found(self, event_id: str, kind: AnimationFormat) -> Medium | None:
        """The one that is there already."""
        animations = self._journal.media_of(event_id, kind="animation")
        return next((one for one in animations if one.format == kind), None)

    def make(self, event_id: str, kind: AnimationFormat) -> Medium:
        """The event's animation, made now unless it is there.

        Raises `app.media.animation.NotAnimated`, `app.media.film.FilmError`, and where it cannot be written
        `MediaUnavailable` or `app.media.film.FilmUnwritable`.
        """
        with self._locks.take((event_id, kind)):
            return self.found(event_id, kind) or self._make(event_id, kind)

    def _make(self, event_id: str, kind: AnimationFormat) -> Medium:
        pictures = self._journal.event_pictures(event_id)
        if len(pictures) < 2:
            raise NotAnimated("one_picture", "the event has one picture: there is nothing to animate")
        path = self._media.path(event_id, f"animation.{kind}")
        paths = [Path(one.path) for one in pictures]
        try:
            durable.make_folder(path.parent)
            made = animate(paths, path, kind, self._style, max_pixels=self._max_pixels)
        except OSError as error:
            raise MediaUnavailable("media_unavailable", f"cannot write {path}: {error.strerror or error}") from error
        medium = Medium(
            id=uuid.uuid4().hex,
            kind="animation",
            format=kind,
            snapshot=event_id,
            camera=pictures[0].camera,
            path=str(path),
            size=made.size,
            width=made.width,
            height=made.height,
            taken_at=pictures[0].taken_at,
            frames=made.frames,
            duration_s=made.duration_s,
        )
        self._journal.record_media([medium])
        if not self._journal.with_picture([event_id]):  # deleted meanwhile
            self._journal.forget_media([medium.id])
            self._media.drop(event_id)
            raise NotAnimated("one_picture", "the event was deleted")
        return medium
