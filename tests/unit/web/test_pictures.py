"""Small pictures for the web side: those that are there do not wait for those that are made."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.media.annotate import annotate
from app.media.picture import BadPicture
from app.messages import Box, Detection, Inspection, Label, Snapshot
from app.storage import thumbnails
from app.storage.thumbnails import PictureGone, Thumbnails
from app.web.pictures import PictureFiles, TooMuchToDraw
from tests.fakes.cameras import jpeg
from tests.fakes.pictures import decoded

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.fixture
def small(tmp_path: Path) -> Thumbnails:
    return Thumbnails(tmp_path / "thumbnails", max_pixels=20_000_000)


def taken(folder: Path, event_id: str, data: bytes = b"") -> Snapshot:
    path = folder / f"{event_id}.jpg"
    path.write_bytes(data or jpeg(640, 480))
    return Snapshot(event_id, "Yard Camera", "Yard", NOON, NOON, 0.1, "http", str(path))


def test_pictures_are_made_and_kept(tmp_path: Path, small: Thumbnails) -> None:
    snapshot = taken(tmp_path, "a1")
    made = asyncio.run(PictureFiles(small).small(snapshot, "thumbnail"))
    assert decoded(made).size == (480, 360)
    assert small.found(snapshot, "thumbnail") == made


def test_what_was_seen_is_drawn_in(tmp_path: Path, small: Thumbnails) -> None:
    detection = Detection((Label("Person", 0.9, (Box(0.2, 0.2, 0.5, 0.5),)),), 1)
    inspection = Inspection(taken(tmp_path, "a1", jpeg(640, 480, color="white")), "hog", detection)
    made = decoded(asyncio.run(PictureFiles(small).annotated(inspection)))
    assert made.size == (640, 480)
    assert len(made.getcolors(1 << 20) or ()) > 10


def test_whoever_asks_hears_what_is_wrong(tmp_path: Path, small: Thumbnails) -> None:
    pictures = PictureFiles(small)
    with pytest.raises(BadPicture):
        asyncio.run(pictures.small(taken(tmp_path, "a1", b"<html>"), "preview"))
    gone = taken(tmp_path, "a2")
    Path(gone.path).unlink()
    for asked in (pictures.small(gone, "thumbnail"), pictures.annotated(Inspection(gone))):
        with pytest.raises(PictureGone):
            asyncio.run(asked)


def test_what_is_there_does_not_wait_for_what_is_made(
    tmp_path: Path, small: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = taken(tmp_path, "there")
    kept = small.read(there, "thumbnail")
    making, going_on = threading.Semaphore(0), threading.Event()
    make = thumbnails._MAKERS["thumbnail"]

    def slow(picture: bytes, *, max_pixels: int) -> bytes:
        making.release()
        assert going_on.wait(60)
        return make(picture, max_pixels=max_pixels)

    monkeypatch.setitem(thumbnails._MAKERS, "thumbnail", slow)
    new = [taken(tmp_path, f"a{number}") for number in range(5)]

    async def ask() -> list[bytes]:
        pictures = PictureFiles(small)
        asked = [asyncio.create_task(pictures.small(snapshot, "thumbnail")) for snapshot in new]
        for _ in range(2):
            await asyncio.to_thread(making.acquire)
        assert await asyncio.wait_for(pictures.small(there, "thumbnail"), 5) == kept
        assert not making.acquire(blocking=False)  # no more than two are made at once
        going_on.set()
        return await asyncio.gather(*asked)

    assert len(asyncio.run(ask())) == 5


def test_what_is_dropped_is_made_anew(tmp_path: Path, small: Thumbnails) -> None:
    snapshot = taken(tmp_path, "a1")
    pictures = PictureFiles(small)
    small.read(snapshot, "thumbnail")
    asyncio.run(pictures.drop("a1"))
    assert small.found(snapshot, "thumbnail") is None


def test_an_annotated_picture_is_drawn_once_however_often_it_is_asked_for(
    tmp_path: Path, small: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn, draw = [], annotate

    def counted(picture: bytes, detection: Detection) -> bytes:
        drawn.append(detection)
        return draw(picture, detection)

    monkeypatch.setattr("app.web.pictures.annotate", counted)
    inspection = Inspection(taken(tmp_path, "a1"), "hog", Detection())

    async def ask() -> list[bytes]:
        pictures = PictureFiles(small)
        at_once = await asyncio.gather(*(pictures.annotated(inspection) for _ in range(20)))
        return [*at_once, await pictures.annotated(inspection)]

    assert len(set(asyncio.run(ask()))) == 1
    assert len(drawn) == 1


def test_only_so_much_of_what_was_drawn_is_remembered(
    tmp_path: Path, small: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.web.pictures.REMEMBERED_BYTES", 25_000)
    monkeypatch.setattr("app.web.pictures.annotate", lambda _picture, _detection: b"x" * 10_000)

    async def ask() -> PictureFiles:
        pictures = PictureFiles(small)
        for number in range(5):
            await pictures.annotated(Inspection(taken(tmp_path, f"a{number}"), "hog", Detection()))
        await pictures.drop("a4")
        return pictures

    assert list(asyncio.run(ask())._annotated) == ["a3"]


def test_what_is_deleted_while_it_is_drawn_is_not_remembered(
    tmp_path: Path, small: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing, going_on = threading.Event(), threading.Event()

    def slow(_picture: bytes, _detection: Detection) -> bytes:
        drawing.set()
        assert going_on.wait(60)
        return b"drawn"

    monkeypatch.setattr("app.web.pictures.annotate", slow)
    inspection = Inspection(taken(tmp_path, "a1"), "hog", Detection())

    async def ask() -> PictureFiles:
        pictures = PictureFiles(small)
        asked = asyncio.create_task(pictures.annotated(inspection))
        await asyncio.to_thread(drawing.wait)
        Path(inspection.snapshot.path).unlink()
        await pictures.drop("a1")
        going_on.set()
        await asked
        return pictures

    assert not asyncio.run(ask())._annotated


def test_no_more_than_so_many_pictures_wait_to_be_annotated_and_small_ones_always_may(
    tmp_path: Path, small: Thumbnails, monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on = threading.Event()
    monkeypatch.setattr("app.web.pictures.MOST_WAITING", 3)
    monkeypatch.setattr("app.web.pictures.annotate", lambda _picture, _detection: going_on.wait(60) and b"drawn")
    inspections = [Inspection(taken(tmp_path, f"a{number}"), "hog", Detection()) for number in range(4)]

    async def ask() -> list[bytes]:
        pictures = PictureFiles(small)
        asked = [asyncio.create_task(pictures.annotated(one)) for one in inspections[:3]]
        await asyncio.sleep(0)
        with pytest.raises(TooMuchToDraw):
            await pictures.annotated(inspections[3])
        few = [asyncio.create_task(pictures.small(one.snapshot, "thumbnail")) for one in inspections]
        await asyncio.sleep(0)
        going_on.set()
        assert all(await asyncio.gather(*few))
        return await asyncio.gather(*asked, pictures.annotated(inspections[0]))

    assert asyncio.run(ask()) == [b"drawn"] * 4
