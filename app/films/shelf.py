"""The films that there are: ordered, found, described, deleted."""

from __future__ import annotations

import io
import json
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from app.films.maker import PARTS, Chapter, MadeFilm
from app.films.selection import Selection, Wanted
from app.journal import Job, Journal, Medium
from app.media.film import FilmUnwritable, best_encoder
from app.media.film_file import still
from pylib.files import durable

log = structlog.get_logger(__name__)

KIND = "film"
"""Of its jobs and of its media."""
STILL_WIDTH = 960
"""Pixels of the picture that stands for a film."""


@dataclass(frozen=True, slots=True)
class Order:
    """A film that somebody, or the clock, wants."""

    id: str
    """32 hex digits: the film's, and the key of its job."""
    name: str
    wanted: Wanted
    scheduled: bool = False
    """Whether the clock wants it: a span without a picture is no failure then."""

    def as_map(self) -> dict[str, Any]:
        return {"name": self.name, "scheduled": self.scheduled, **self.wanted.as_map()}

    @classmethod
    def of(cls, job: Job) -> Order:
        arguments = job.arguments
        return cls(job.key, arguments["name"], Wanted.of(arguments), arguments["scheduled"])


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a film besides its record."""

    chapters: tuple[Chapter, ...] = ()
    notes: tuple[str, ...] = ()
    """What is not as one might expect, a sentence each."""
    until: datetime | None = None
    """When its last picture was taken."""


class Films:
    """The folder of films: `<id>.mp4`, with a still `<id>.jpg` and a description `<id>.json` beside it."""

    def __init__(self, folder: Path, *, journal: Journal, selection: Selection) -> None:
        self.folder = folder
        self._journal = journal
        self._selection = selection

    def order(self, name: str, wanted: Wanted) -> str:
        """Have a film made soon; returns its id.

        Raises `app.films.selection.SelectionError`, `app.media.film.FilmError`, `pylib.sqlite.DatabaseUnavailable`.
        """
        self._selection.check(wanted.recipe)
        best_encoder()
        order = Order(uuid.uuid4().hex, name, wanted)
        self._journal.enqueue_job(KIND, order.id, order.as_map())
        return order.id

    def ordered(self) -> list[tuple[Job, Order]]:
        """What is being made, waits or has failed."""
        return [(job, Order.of(job)) for job in self._journal.jobs() if job.kind == KIND and job.state != "done"]

    def order_of(self, film_id: str) -> tuple[Job, Order] | None:
        """A film that is being made, waits or has failed; None where there is none of this id."""
        job = self._journal.job(KIND, film_id)
        return (job, Order.of(job)) if job is not None and job.state != "done" else None

    def path(self, film_id: str) -> Path:
        """Where a film of this id lies."""
        return self.folder / f"{film_id}.mp4"

    def keep(self, order: Order, made: MadeFilm) -> None:
        """Record a film whose file is there. Raises `FilmUnwritable`, `FilmError`, `DatabaseUnavailable`."""
        film = made.film
        chapters = [(chapter.day, chapter.start_s) for chapter in made.chapters]
        write_description(film.path, chapters, notes=made.notes(), until=made.last)
        cameras = order.wanted.recipe.cameras
        medium = Medium(
            id=order.id,
            kind="film",
            format="mp4",
            camera=cameras[0] if len(cameras) == 1 else order.wanted.search.camera,
            path=str(film.path),
            size=film.size,
            width=film.width,
            height=film.height,
            taken_at=made.first,
            name=order.name,
            frames=film.frames,
            duration_s=film.duration_s,
        )
        self._journal.record_media([medium])

    def films(self) -> list[Medium]:
        """All of them, the newest first."""
        return self._journal.films()

    def film(self, film_id: str) -> Medium | None:
        """The film of this id; None when there is none."""
        medium = self._journal.medium(film_id)
        return medium if medium is not None and medium.kind == KIND else None

    def description(self, film: Medium) -> Description:
        """What is known of it; nothing where its description is gone."""
        try:
            about: Mapping[str, Any] = json.loads(Path(film.path).with_suffix(".json").read_bytes())
            chapters = tuple(Chapter(day, start) for day, start in about["chapters"])
            return Description(chapters, tuple(about["notes"]), datetime.fromtimestamp(about["until"], UTC))
        except (OSError, ValueError, KeyError, TypeError):
            return Description()

    def remove(self, film_id: str) -> bool:
        """Delete a film: its record, then its files; False where there is none."""
        film = self.film(film_id)
        if film is None:
            return False
        self._journal.forget_media([film_id])
        for suffix in (".mp4", ".jpg", ".json"):
            try:
                Path(film.path).with_suffix(suffix).unlink(missing_ok=True)
            except OSError as error:
                log.warning("cannot delete", path=film.path, reason=error.strerror)
        return True

    def sweep(self) -> None:
        """Delete what films left that were given up or killed."""
        waiting = {job.key for job in self._journal.jobs(limit=10_000) if job.kind == KIND and job.state == "waiting"}
        for folder in self.folder.glob(f".*{PARTS}"):
            if folder.name[1 : -len(PARTS)] not in waiting:
                shutil.rmtree(folder, ignore_errors=True)
        for partial in self.folder.glob(f".*{durable.PARTIAL}"):
            if partial.name[1:33] not in waiting:
                with suppress(OSError):
                    partial.unlink(missing_ok=True)


def write_description(
    film: Path, chapters: Sequence[tuple[str, float]], *, notes: Sequence[str], until: datetime | None
) -> None:
    """Write a film's still and description beside it. Raises `FilmUnwritable`, `FilmError`."""
    about = {"chapters": chapters, "notes": notes, "until": until.timestamp() if until else None}
    try:
        durable.write(film.with_suffix(".jpg"), _still_of(film))
        durable.write(film.with_suffix(".json"), json.dumps(about).encode())
    except OSError as error:
        raise FilmUnwritable("film_unwritable", f"cannot write beside {film}: {error.strerror}") from error


def chapters_as_webvtt(chapters: tuple[Chapter, ...], duration_s: float) -> str:
    """The days of a film as players read them (WebVTT, chapters)."""
    starts = [chapter.start_s for chapter in chapters]
    cues = (
        f"{_clock(chapter.start_s)} --> {_clock(end)}\n{chapter.day}\n"
        for chapter, end in zip(chapters, [*starts[1:], duration_s], strict=True)
    )
    return "\n".join(("WEBVTT\n", *cues))


def _clock(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"


def _still_of(path: Path) -> bytes:
    image = still(path)
    image.thumbnail((STILL_WIDTH, STILL_WIDTH))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
