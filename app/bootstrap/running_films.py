"""Builds the running films."""

from __future__ import annotations

from app.bootstrap.core import Core
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.films.buckets import BucketPictures, FilmBuckets
from app.films.day_parts import Plan, film_id
from app.films.pictures import CameraPictures, FolderPictures, PictureSource
from app.films.running import RunningFilm
from app.films.running_films import Kept, RunningFilms
from app.films.running_settings import RunningFilmSettings
from app.journal import Journal
from app.naming import CameraNames, slug
from pylib.runtime.periodic import Every, Periodic
from pylib.timezones import local_zone

LOOK_EVERY_S = 30.0


def plan_of(film: RunningFilmSettings, settings: Settings) -> Plan:
    """What a configured film is to be."""
    folder = DataDir(settings.data_dir).running_films
    name = f"{slug(film.name)}-{film_id(film.name)[:6]}"  # two names may have one slug
    return Plan(
        film.name,
        folder / f"{name}.mp4",
        folder / name,
        local_zone(settings.time_zone),
        each=film.each,
        at=film.hour,
        width=film.width,
        fps=film.fps,
        crf=film.quality,
        look=film.stamp.look,
        originals=film.originals,
        buckets=_buckets(film),
        max_pixels=settings.max_pixels,
    )


def _buckets(film: RunningFilmSettings) -> FilmBuckets | None:
    """Where it and its originals go; None where they go nowhere else."""
    if not (film.buckets.originals or film.buckets.films):
        return None
    return FilmBuckets(film.buckets)


def running_film_of(film: RunningFilmSettings, settings: Settings, journal: Journal) -> RunningFilm:
    """A configured film with its pictures."""
    zone, source = local_zone(settings.time_zone), film.folder
    pictures: PictureSource
    if film.buckets.pictures:
        known = journal.known_versions
        pictures = BucketPictures(film.buckets, known=known, zone=zone, max_pixels=settings.max_pixels)
    elif source is None:
        names = CameraNames([camera.device_key for camera in settings.cameras])
        pictures = CameraPictures([names.find(camera) for camera in film.cameras], journal=journal, zone=zone)
    else:
        pictures = FolderPictures(source, known=journal.known_versions, zone=zone, max_pixels=settings.max_pixels)
    return RunningFilm(plan_of(film, settings), pictures, journal=journal)


def running_films_of(core: Core) -> RunningFilms:
    """All of them."""
    settings, journal = core.settings, core.journal
    films = {
        film.name: Kept(running_film_of(film, settings, journal), film.every, film.announced_wait, film.announced_tries)
        for film in settings.running_films
    }
    return RunningFilms(films, journal=journal, zone=local_zone(settings.time_zone))


def running_film_looks(films: RunningFilms) -> Periodic:
    """What has them look for new pictures."""
    return Periodic("running films", films.tick, Every(LOOK_EVERY_S))
