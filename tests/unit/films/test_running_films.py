"""Running films are looked after by jobs: announced pictures are awaited a while, and then named."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.films.running_films import KIND, Kept, RunningFilms, UnknownFilm
from app.jobs import Work
from app.journal import Job, Journal
from pylib.errors import Permanent
from tests.fakes.clock import Clock
from tests.fakes.journal import opened
from tests.fakes.running_films import put, running_film, shades


class Home:
    """A film, its jobs and a clock."""

    def __init__(self, folder: Path, journal: Journal, clock: Clock) -> None:
        self.folder, self.journal, self.clock = folder, journal, clock
        kept = Kept(running_film(folder, journal), every_s=60, announced_wait_s=600, announced_tries=2)
        self.films = RunningFilms({"diary": kept}, journal=journal, clock=clock)
        self._work = Work([self.films], journal=journal)

    def work(self) -> None:
        """Do what is due."""
        for job in self.journal.jobs_due([KIND]):
            self._work.handle(job)

    def later(self, seconds: float) -> None:
        """Do what is due after a while."""
        self.clock.now += seconds
        self.work()

    @property
    def job(self) -> Job:
        """The announcement's."""
        return next(job for job in self.journal.jobs() if "announced" in job.key)

    @property
    def film(self) -> Path:
        return self.folder / "diary.mp4"


def test_looks_are_ordered_by_the_clock_once_a_day_and_film(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        home = Home(tmp_path, journal, clock)
        put(tmp_path / "in", "2026-03-01.jpg", 1)
        for _ in range(3):
            home.films.tick()
        assert [job.key for job in journal.jobs()] == ["diary 1970-01-12"]
        home.work()
        assert shades(home.film) == [1]
        put(tmp_path / "in", "2026-03-02.jpg", 2)
        home.films.tick()
        home.work()
        assert shades(home.film) == [1]
        clock.now += 60
        home.films.tick()
        home.work()
        assert shades(home.film) == [1, 2]
        assert [job.state for job in journal.jobs()] == ["done"]


def test_announced_pictures_are_awaited_and_then_shown(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        home = Home(tmp_path, journal, clock)
        home.films.announce("diary", 2)
        put(tmp_path / "in", "2026-03-01.jpg", 1)
        home.work()
        assert home.job.problem == "pictures_awaited: it waits for 1 of 2 announced pictures"
        home.films.order("diary")
        home.work()
        assert not home.film.exists()
        put(tmp_path / "in", "2026-03-02.jpg", 2)
        home.later(120)
        assert (home.job.state, shades(home.film)) == ("done", [1, 2])


def test_what_does_not_come_is_named_and_the_film_goes_on(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        home = Home(tmp_path, journal, clock)
        home.films.announce("diary", 0, names=["2026-03-01.jpg", "b.jpg"])
        put(tmp_path / "in", "2026-03-01.jpg", 1)
        home.work()
        home.later(600)
        home.later(119)
        home.later(1)
        assert (home.job.state, home.job.attempts) == ("waiting", 0)
        assert not home.film.exists()
        home.later(120)
        assert home.job.state == "failed"
        assert home.job.problem == ("pictures_missing: the film diary goes on without 1 of 2 announced pictures: b.jpg")
        assert shades(home.film) == [1]


def test_a_date_that_somebody_gives_is_at_home_and_brings_the_picture_in(tmp_path: Path) -> None:
    clock = Clock()
    with opened(tmp_path / "journal.db", clock=clock) as journal:
        home = Home(tmp_path, journal, clock)
        put(tmp_path / "in", "holiday.jpg", 7)
        home.films.order("diary")
        home.work()
        assert [one.name for one in home.films.undated("diary")] == ["holiday.jpg"]
        assert home.films.date("diary", "holiday.jpg", datetime(2026, 2, 3, 4, 5))  # noqa: DTZ001 - a form's
        assert not home.films.date("diary", "holiday.jpg", datetime(2026, 2, 3, tzinfo=UTC))
        home.work()
        assert shades(home.film) == [7]
        assert journal.films()[0].taken_at == datetime(2026, 2, 3, 4, 5, tzinfo=UTC)


def test_a_film_that_is_no_longer_configured_is_named(tmp_path: Path, journal: Journal) -> None:
    films = RunningFilms({}, journal=journal)
    with pytest.raises(UnknownFilm, match="no running film 'gone'"):
        films.order("gone")
    with pytest.raises(Permanent, match="unknown_film"):
        films.run(Job(1, KIND, "gone 2026-03-01", {"film": "gone"}), lambda _kept, _progress: None)
