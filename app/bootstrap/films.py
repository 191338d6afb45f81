"""Builds what makes films: of the album's pictures, on demand and by the clock."""

from __future__ import annotations

from app.bootstrap.core import Core
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.films.job import FilmJobs
from app.films.maker import FilmMaker
from app.films.recipe import ScheduledFilm
from app.films.schedule import FilmSchedule
from app.films.selection import Page, Selection
from app.films.shelf import Films
from app.naming import CameraNames
from pylib.runtime.periodic import Every, Periodic
from pylib.timezones import local_zone

SCHEDULE_EVERY_S = 30.0


def selection_of(settings: Settings, page: Page) -> Selection:
    """What chooses pictures at this home."""
    return Selection(page, zone=local_zone(settings.time_zone), place=settings.home.place)


def maker_of(settings: Settings, page: Page) -> FilmMaker:
    """What makes films."""
    zone = local_zone(settings.time_zone)
    return FilmMaker(selection_of(settings, page), zone=zone, max_pixels=settings.max_pixels)


def films_of(core: Core) -> Films:
    """The films that there are."""
    folder = DataDir(core.settings.data_dir).films
    return Films(folder, journal=core.journal, selection=selection_of(core.settings, core.journal.oldest))


def film_jobs_of(core: Core) -> FilmJobs:
    """The jobs that make films."""
    return FilmJobs(films_of(core), maker_of(core.settings, core.journal.oldest))


def film_schedule_of(core: Core) -> Periodic:
    """What orders films by the clock, and at first removes what films left that will not be finished."""
    settings, films = core.settings, films_of(core)
    scheduled = [with_device_keys(film, settings) for film in settings.films]
    zone = local_zone(settings.time_zone)
    schedule = FilmSchedule(scheduled, journal=core.journal, shelf=films, zone=zone)
    begun: list[bool] = []

    def tick() -> None:
        if not begun:
            films.sweep()
            begun.append(True)
        schedule.tick()

    return Periodic("films", tick, Every(SCHEDULE_EVERY_S))


def with_device_keys(film: ScheduledFilm, settings: Settings) -> ScheduledFilm:
    """The film with its cameras as the journal knows them."""
    names = CameraNames([camera.device_key for camera in settings.cameras])
    return film.model_copy(update={"cameras": tuple(names.find(camera) for camera in film.cameras)})
