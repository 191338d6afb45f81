"""What films are made of in tests: pictures in a journal, each of one colour."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import av
from PIL import Image

from app.films.maker import FilmMaker
from app.films.recipe import Recipe
from app.films.selection import Selection, Wanted
from app.journal import Journal
from app.journal.entries import Filter
from app.messages import Detection, Inspection, Snapshot
from tests.fakes.archives import event_id
from tests.fakes.decisions import told_to

movie: Callable[..., Any] = av.open
"""PyAV's stubs know no types of what is read."""
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
SIZE = (64, 48)


@cache
def picture(colour: str, size: tuple[int, int] = SIZE) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def taken(
    journal: Journal,
    folder: Path,
    number: int,
    *,
    after: float = 0.0,
    colour: str = "grey",
    camera: str = "Front Door Camera",
    content: bytes | None = None,
    size: tuple[int, int] = SIZE,
    detection: Detection | None = None,
) -> Inspection:
    """A picture in the journal and on the disk, taken so many seconds after noon."""
    data = picture(colour, size) if content is None else content
    path = folder / "cache" / f"{number}.png"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    moment = NOON + timedelta(seconds=after)
    snapshot = Snapshot(
        event_id(number), camera, camera, moment, moment, 0.1, "http", str(path), len(data), size[0], size[1]
    )
    inspection = Inspection(snapshot, "fake", detection or Detection(), "", "")
    journal.record(snapshot)
    journal.inspect(told_to(inspection, ()))
    return inspection


def maker(journal: Journal, **changes: Any) -> FilmMaker:
    return FilmMaker(
        Selection(journal.oldest, zone=UTC), **{"zone": UTC, "max_pixels": 1_000_000, "part": 4, **changes}
    )


def wanted(**recipe: Any) -> Wanted:
    """All of it, without a date on it unless it is asked for."""
    return Wanted(Recipe.model_validate({"stamp": {"position": "none"}, "fps": 10, **recipe}), Filter())


def greys(path: Path) -> list[int]:
    """How bright the middle of each frame is."""
    with movie(str(path)) as source:
        return [frame.to_image().convert("L").getpixel((32, 10)) for frame in source.decode(video=0)]
