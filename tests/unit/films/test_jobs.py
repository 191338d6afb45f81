"""Films as jobs: ordered, made once, described, deleted; and those by the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from app.films.job import FilmJobs
from app.films.maker import Chapter
from app.films.recipe import ScheduledFilm
from app.films.schedule import FilmSchedule
from app.films.selection import Selection, SelectionError
from app.films.shelf import KIND, Films, chapters_as_webvtt
from app.jobs import Work
from app.journal import Job, Journal
from app.media.film import FilmError
from tests.fakes.clock import Clock
from tests.fakes.films import NOON, maker, taken, wanted


@pytest.fixture
def films(journal: Journal, tmp_path: Path) -> Films:
    (tmp_path / "films").mkdir()
    return Films(tmp_path / "films", journal=journal, selection=Selection(journal.oldest, zone=UTC))


def work_off(journal: Journal, films: Films) -> list[Job]:
    work = Work([FilmJobs(films, maker(journal))], journal=journal)
    for job in work.pending():
        list(work.handle(job))
    return journal.jobs()


def test_an_ordered_film_is_made_described_and_deleted(journal: Journal, films: Films, tmp_path: Path) -> None:
    for number in range(6):
        taken(journal, tmp_path, number, after=number * 6 * 3600)
    film_id = films.order("My days", wanted(cameras=["Front Door Camera"]))
    assert [(job.key, order.name) for job, order in films.ordered()] == [(film_id, "My days")]
    assert [job.state for job in work_off(journal, films)] == ["done"]
    (film,) = films.films()
    assert (film.id, film.name, film.camera, film.frames, film.duration_s) == (
        film_id,
        "My days",
        "Front Door Camera",
        6,
        0.6,
    )
    assert (film.taken_at, film.size) == (NOON, Path(film.path).stat().st_size)
    about = films.description(film)
    assert about.until == NOON + timedelta(hours=30)
    assert about.chapters == (Chapter("2026-03-04", 0.0), Chapter("2026-03-05", 0.2))
    assert Image.open(Path(film.path).with_suffix(".jpg")).size == (64, 48)
    assert sorted(path.suffix for path in films.folder.iterdir()) == [".jpg", ".json", ".mp4"]
    assert films.ordered() == []
    assert films.remove(film_id)
    assert not films.remove(film_id)
    assert list(films.folder.iterdir()) == []


def test_a_film_that_cannot_be_made_says_so_and_leaves_nothing(journal: Journal, films: Films) -> None:
    film_id = films.order("Nothing", wanted())
    assert [job.problem for job in work_off(journal, films)] == ["no_pictures: there is no picture for the film"]
    ((job, order),) = films.ordered()
    assert (job.state, order.id, list(films.folder.iterdir())) == ("failed", film_id, [])
    assert films.order_of(film_id) == (job, order)
    with pytest.raises(SelectionError):
        films.order("Day", wanted(filter="daylight"))


def test_without_an_encoder_no_film_is_ordered(films: Films, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.media.film._has_encoder", lambda _: False)
    with pytest.raises(FilmError, match="no_film_encoder"):
        films.order("Nothing", wanted())
    assert films.ordered() == []


def test_what_killed_films_left_is_swept_unless_they_go_on(films: Films) -> None:
    waiting = films.order("Waits", wanted())
    for film_id in (waiting, "0" * 32):
        (films.folder / f".{film_id}.parts").mkdir()
        (films.folder / f".{film_id}.mp4.part").touch()
    films.sweep()
    assert sorted(path.name for path in films.folder.iterdir()) == [f".{waiting}.mp4.part", f".{waiting}.parts"]


def scheduled(**changes: object) -> ScheduledFilm:
    return ScheduledFilm.model_validate({"name": "Days", "stamp": {"position": "none"}, **changes})


def spans(journal: Journal, films: Films, clock: Clock, *each: ScheduledFilm) -> list[tuple[str, datetime, datetime]]:
    zone = ZoneInfo("Europe/Berlin")
    FilmSchedule(each, journal=journal, shelf=films, zone=zone, clock=clock).tick()
    searches = [(order.name, order.wanted.search) for _, order in films.ordered()]
    return sorted(
        (name, search.since.astimezone(zone), search.until.astimezone(zone))
        for name, search in searches
        if search.since and search.until
    )


def test_the_day_that_ended_last_is_filmed_once(journal: Journal, films: Films, clock: Clock, tmp_path: Path) -> None:
    clock.now = datetime(2026, 3, 29, 22, 30, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()  # the day has 23 hours
    zone = ZoneInfo("Europe/Berlin")
    evening = scheduled(name="Evening", at="22:00")
    assert spans(journal, films, clock, scheduled(), evening) == [
        ("Days", datetime(2026, 3, 28, tzinfo=zone), datetime(2026, 3, 29, tzinfo=zone)),
        ("Evening", datetime(2026, 3, 28, 22, tzinfo=zone), datetime(2026, 3, 29, 22, tzinfo=zone)),
    ]
    assert len(spans(journal, films, clock, scheduled(), evening)) == 2  # a restart orders nothing twice
    moment = datetime(2026, 3, 28, 12, tzinfo=UTC)
    taken(journal, tmp_path, 1, after=(moment - NOON).total_seconds())
    work_off(journal, films)
    assert [(film.name, film.frames) for film in films.films()] == [("Days", 1)]
    assert spans(journal, films, clock, scheduled(), evening) == []
    clock.now += 86_400
    assert [name for name, *_ in spans(journal, films, clock, scheduled(), evening)] == ["Days", "Evening"]


def test_a_week_ends_on_monday(journal: Journal, films: Films, clock: Clock) -> None:
    clock.now = datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()  # a Wednesday
    zone = ZoneInfo("Europe/Berlin")
    assert spans(journal, films, clock, scheduled(each="week", at="06:00")) == [
        ("Days", datetime(2026, 2, 23, 6, tzinfo=zone), datetime(2026, 3, 2, 6, tzinfo=zone)),
    ]


def test_late_pictures_are_waited_for_and_an_empty_day_is_no_failure(
    journal: Journal, films: Films, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 5, 0, 1, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    FilmSchedule([scheduled()], journal=journal, shelf=films, zone=ZoneInfo("Europe/Berlin"), clock=clock).tick()
    assert [job.state for job in work_off(journal, films)] == ["waiting"]
    clock.now += 600
    assert [(job.kind, job.state) for job in work_off(journal, films)] == [(KIND, "done")]
    assert films.films() == []


def test_days_are_chapters_in_webvtt() -> None:
    chapters = (Chapter("2026-03-04", 0.0), Chapter("2026-03-05", 3661.5))
    assert chapters_as_webvtt(chapters, 3662.25) == (
        "WEBVTT\n\n00:00:00.000 --> 01:01:01.500\n2026-03-04\n\n01:01:01.500 --> 01:01:02.250\n2026-03-05\n"
    )
