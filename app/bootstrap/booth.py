"""Builds the photo booth, and the jobs by which what guests keep is stored and mailed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec

from app.booth.booth import Animate, Booth
from app.booth.jobs import BoothJobs
from app.booth.kept import ANIMATION, KeptAnimations
from app.booth.shelf import Shelf, shelf_of
from app.bootstrap.adapters import make_camera
from app.bootstrap.core import Core
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.media.animation import animate
from pylib.errors import Permanent


class BoothBlocked(Permanent):
    """Something that the booth needs is not installed."""


def booth_of(core: Core, *, page: Callable[[str, float], str]) -> Booth | None:
    """The booth of these settings, if any; `page`: a link to a guest's page. Raises `pylib.errors.Permanent`."""
    settings = core.settings
    if not settings.booth.enabled:
        return None
    if find_spec("segno") is None:
        raise BoothBlocked("no_segno", "the photo booth needs segno: pip install 'snapshot-processor[booth]'")
    return Booth(
        settings.booth,
        kept=KeptAnimations(
            settings.booth,
            journal=core.journal,
            cache=core.cache,
            media=core.media,
            shelf=_shelf(settings),
            page=page,
        ),
        now_folder=DataDir(settings.data_dir).booth_now,
        animate=_animate(settings),
        camera=_camera(settings),
        max_pixels=settings.max_pixels,
    )


def booth_jobs(core: Core) -> list[BoothJobs]:
    """What does the booth's jobs, if there is one."""
    settings = core.settings
    if not settings.booth.enabled:
        return []
    return [BoothJobs(settings.booth, shelf=_shelf(settings), file=lambda guest: core.media.path(guest, ANIMATION))]


def _shelf(settings: Settings) -> Shelf:
    return shelf_of(settings.booth, folder=DataDir(settings.data_dir).booth)


def _camera(settings: Settings) -> Callable[[], bytes] | None:
    """Takes a picture with the booth's camera. An object of its own: triggers use the other one at any time."""
    for camera in settings.cameras:
        if camera.device_key == settings.booth.camera:
            own = make_camera(camera, settings)
            return lambda: own.snapshot().data
    return None


def _animate(settings: Settings) -> Animate:
    style = replace(settings.animations.style, size=settings.booth.size)
    return lambda pictures, path: animate(pictures, path, "gif", style, max_pixels=settings.max_pixels)
