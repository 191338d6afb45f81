"""Builds the photo booth, and the jobs by which what guests keep is stored and mailed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec

from app.booth.booth import Animate, Booth
from app.booth.jobs import BoothJobs
from app.booth.kept import ANIMATION, KeptAnimations
from app.booth.shelf import Shelf, shelf_of
from app.bootstrap.core import Core
from app.cameras import CameraError, CameraUnavailable
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.media.animation import animate
from app.media.picture import BadPicture
from app.naming import CameraNames
from app.pipeline.channel import Channel
from pylib.errors import Permanent, Transient


class BoothBlocked(Permanent):
    """Something that the booth needs is not installed."""


def booth_of(core: Core, channels: Mapping[str, Channel], *, page: Callable[[str, float], str]) -> Booth | None:
    """The booth of these settings, if any; `channels`: the cameras by device key, `page`: a link to a guest's page.

    Raises `pylib.errors.Permanent`.
    """
    settings = core.settings
    if not settings.booth.enabled:
        return None
    if find_spec("segno") is None:
        raise BoothBlocked("no_segno", "the photo booth needs segno: pip install 'snapshot-processor[booth]'")
    own = settings.booth
    if own.camera:
        own = own.model_copy(update={"camera": CameraNames(core.labels).find(own.camera)})
    return Booth(
        own,
        kept=KeptAnimations(
            own,
            journal=core.journal,
            cache=core.cache,
            media=core.media,
            shelf=_shelf(settings),
            page=page,
        ),
        now_folder=DataDir(settings.data_dir).booth_now,
        animate=_animate(settings),
        camera=_camera(channels.get(own.camera), settings),
        max_pixels=settings.max_pixels,
    )


def begins_of(core: Core, booth: Booth | None) -> Mapping[str, Callable[[], object]]:
    """Device key -> what a trigger for it begins, which is no picture of a camera."""
    return dict.fromkeys(core.settings.booth.triggers, booth.start) if booth else {}


def booth_jobs(core: Core) -> list[BoothJobs]:
    """What does the booth's jobs, if there is one."""
    settings = core.settings
    if not settings.booth.enabled:
        return []
    return [BoothJobs(settings.booth, shelf=_shelf(settings), file=lambda guest: core.media.path(guest, ANIMATION))]


def _shelf(settings: Settings) -> Shelf:
    return shelf_of(settings.booth, folder=DataDir(settings.data_dir).booth)


def _camera(channel: Channel | None, settings: Settings) -> Callable[[], bytes] | None:
    """Takes a picture with one of the service's cameras, whatever its make, in turn with those who ask it too."""
    if channel is None:
        return None

    def take() -> bytes:
        try:
            return channel.take(None, max_pixels=settings.max_pixels)[0]
        except (CameraError, BadPicture, Transient) as error:
            raise CameraUnavailable(error.code, error.detail) from None

    return take


def _animate(settings: Settings) -> Animate:
    style = replace(settings.animations.style, size=settings.booth.size)
    return lambda pictures, path: animate(pictures, path, "gif", style, max_pixels=settings.max_pixels)
