"""The animation of an event: made by a job or for who asks first, once, and gone with its event."""

from __future__ import annotations

import io
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.jobs import Work
from app.jobs.animation import Animate
from app.journal.jobs import EventJob
from app.media.animation import Animation, NotAnimated, animate
from app.messages import Inspection
from app.storage import animations
from app.storage.animations import Animations, AnimationSettings
from app.storage.cache import Cache
from app.storage.event_media import MediaUnavailable
from tests.fakes.bursts import taken as burst
from tests.fakes.bursts import walker
from tests.fakes.decisions import told_to
from tests.fakes.groups import pushed
from tests.unit.web.album.pages import PAGE
from tests.unit.web.api.conftest import House

ONE, TWO, THREE = "a" * 32, "b" * 32, "c" * 32
GIF = EventJob("animation", "gif", {"format": "gif"})


def frames_in(data: bytes) -> int:
    with Image.open(io.BytesIO(data)) as image:
        return int(getattr(image, "n_frames", 1))


def worked(house: House) -> list[str]:
    """Do the jobs that are due; their outcomes."""
    outcomes: list[str] = []
    kinds = [Animate(house.context.animations)]
    work = Work(kinds, journal=house.context.journal, count=lambda _kind, outcome: outcomes.append(outcome))
    for job in work.pending():
        work.handle(job)
    return outcomes


def test_a_group_that_settles_has_its_animation_made_once(house: House) -> None:
    house.context.journal.event_jobs = [GIF]
    pushed(house.context, house.folder, ONE, TWO, THREE)
    (job,) = house.context.journal.jobs_due()
    assert (job.id, job.arguments) == (f"animation:{ONE}.gif", {"event": ONE, "format": "gif"})
    assert worked(house) == ["ok"]
    (made,) = house.context.journal.media_of(ONE, kind="animation")
    assert Path(made.path) == house.folder / "media" / "aa" / ONE / "animation.gif"
    assert (made.format, made.frames, made.duration_s, made.size) == ("gif", 3, 1.2, Path(made.path).stat().st_size)
    answer = house.client.get(f"/api/snapshots/{ONE}/animation")
    assert answer.headers["Content-Type"] == "image/gif"
    assert frames_in(answer.content) == 3
    again = house.client.get(f"/api/snapshots/{ONE}/animation", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert house.context.animations.make(ONE, "gif") == made
    assert house.context.journal.media_of(ONE, kind="animation") == [made]


def test_a_burst_does_too_and_its_frames_come_in_their_order(house: House) -> None:
    house.context.journal.event_jobs = [GIF]
    cache = Cache(house.folder / "cache", zone=UTC)
    taken = burst(house.context.journal, cache, house.context.media, walker(0), walker(3))
    house.context.journal.inspect(told_to(Inspection(taken, "fake"), ()))
    assert [Path(one.path).name for one in house.context.journal.event_pictures(taken.id)] == ["00.jpg", "01.jpg"]
    assert worked(house) == ["ok"]
    assert frames_in(house.client.get(f"/api/snapshots/{taken.id}/animation").content) == 2


def test_of_an_event_that_is_deleted_while_its_animation_is_made_nothing_is_left(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = house.context.journal
    pushed(house.context, house.folder, ONE, TWO)

    def deleted_meanwhile(*args: Any, **changes: Any) -> Animation:
        journal.delete(ONE, archives=())
        return animate(*args, **changes)

    monkeypatch.setattr(animations, "animate", deleted_meanwhile)
    with pytest.raises(NotAnimated, match="the event was deleted"):
        house.context.animations.make(ONE, "gif")
    assert journal.media_of(ONE, kind="animation") == []
    assert [*(house.folder / "media").rglob("*.gif")] == []


def test_an_event_with_one_picture_brings_no_job_and_has_none(house: House) -> None:
    house.context.journal.event_jobs = [GIF]
    house.shown(ONE)
    assert house.context.journal.jobs_due() == []
    answer = house.client.get(f"/api/snapshots/{ONE}/animation")
    assert answer.status_code == 404
    assert answer.json()["error"] == "one_picture: the event has one picture: there is nothing to animate"
    assert house.client.get(f"/api/snapshots/{ONE}").json()["animation_url"] is None


@pytest.mark.parametrize(("kind", "type_"), [("gif", "image/gif"), ("webp", "image/webp"), ("mp4", "video/mp4")])
def test_what_is_not_there_yet_is_made_for_who_asks(house: House, kind: str, type_: str) -> None:
    pushed(house.context, house.folder, ONE, TWO)
    url = house.client.get(f"/api/snapshots/{ONE}").json()["animation_url"]
    answer = house.client.get(url, params={"format": kind})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, type_)
    assert [one.format for one in house.context.journal.media_of(ONE, kind="animation")] == [kind]
    assert house.client.get(url, params={"format": "png"}).status_code == 400


def test_it_goes_with_its_event(house: House) -> None:
    house.context.journal.event_jobs = [GIF]
    pushed(house.context, house.folder, ONE, TWO)
    path = Path(house.context.animations.make(ONE, "gif").path)
    assert house.client.delete(f"/api/snapshots/{ONE}").status_code == 204
    assert not path.exists()
    assert house.context.journal.media_of(ONE) == []
    assert worked(house) == ["ok"], "a job that comes too late is done"
    assert not path.exists()


def test_a_full_disk_puts_the_job_off(house: House) -> None:
    house.context.journal.event_jobs = [GIF]
    pushed(house.context, house.folder, ONE, TWO)
    (house.folder / "media").write_text("in the way")
    with pytest.raises(MediaUnavailable):
        house.context.animations.make(ONE, "gif")
    assert worked(house) == ["media_unavailable"]
    (job,) = house.context.journal.jobs()
    assert (job.state, job.attempts) == ("waiting", 1)


def test_without_formats_the_usual_one_is_a_gif(house: House) -> None:
    settings = AnimationSettings(formats=())
    none = Animations(settings, journal=house.context.journal, media=house.context.media)
    assert none.usual == "gif"
    assert (
        Animations(AnimationSettings(formats=("mp4", "gif")), journal=none._journal, media=none._media).usual == "mp4"
    )


def test_the_card_of_the_album_knows_what_moves_and_the_page_shows_it(house: House) -> None:
    pushed(house.context, house.folder, ONE, TWO)
    house.shown(THREE)
    grid = house.client.get("/?by=picture", headers=PAGE).text
    assert grid.count("data-moves=") == 1
    assert f'data-moves="/api/snapshots/{ONE}/animation?format=gif"' in grid
    page = house.client.get(f"/snapshots/{ONE}", headers=PAGE).text
    assert f"/api/snapshots/{ONE}/animation?format=gif" in page
    assert f"/api/snapshots/{ONE}/animation?format=mp4" in page
    assert "animation" not in house.client.get(f"/snapshots/{THREE}", headers=PAGE).text
