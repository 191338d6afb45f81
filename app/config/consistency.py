"""What settings have to agree about with each other, once each of them is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app import sources
from app.naming import CameraNames, UnknownCamera
from app.publishers import THUMBNAILS
from pylib.settings.draft import ConfigError, SettingsBuilder
from pylib.settings.error_texts import did_you_mean

if TYPE_CHECKING:
    from app.config.settings import Settings


def refuse_what_does_not_fit(draft: SettingsBuilder, settings: Settings) -> None:
    """Raises `ConfigError` for a hook whose camera there is not, messages whose outlet of thumbnails, and a source that
    takes away what another one waits for."""
    names = CameraNames([camera.device_key for camera in settings.cameras])
    _refuse_odd_replica(draft, settings)
    triggered = CameraNames([*(camera.device_key for camera in settings.cameras), *settings.booth.triggers])
    for index, hook in enumerate(settings.hooks):
        try:
            if hook.camera:
                triggered.find(hook.camera)
        except UnknownCamera as error:
            draft.problem(("hooks", index, "camera"), error.detail)
    for index, film in enumerate(settings.films):
        if film.filter == "daylight" and settings.home.place is None:
            draft.problem(("films", index, "filter"), "daylight needs home.latitude and home.longitude")
    for section in ("films", "running_films"):
        for index, film in enumerate(getattr(settings, section)):
            for camera in film.cameras:
                try:
                    names.find(camera)
                except UnknownCamera as error:
                    draft.problem((section, index, "cameras"), error.detail)
    try:
        if settings.booth.camera:
            names.find(settings.booth.camera)
    except UnknownCamera as error:
        draft.problem(("booth", "camera"), error.detail)
    outlets = [entry.title for entry in settings.publishers if entry.kind == THUMBNAILS]
    for index, entry in enumerate(settings.publishers):
        wanted = getattr(entry, "thumbnail", "")
        if wanted and wanted not in outlets:
            hint = did_you_mean(wanted, outlets) or f"; there are: {', '.join(outlets) or 'none'}"
            draft.problem(("publishers", index, "thumbnail"), f"no outlet of kind thumbnails {wanted!r}{hint}")
    takers: dict[str, str] = {}
    for index, entry in enumerate(settings.sources):
        try:
            sources.completed(entry, settings.cameras)
        except ValueError as error:
            draft.problem(("sources", index), str(error))
        place = getattr(entry, "takes_from", "")
        if place and (first := takers.setdefault(place, entry.title)) != entry.title:
            sentence = f"{first} takes all messages from {place} already: list the buckets of both in one source"
            draft.problem(("sources", index), sentence)
    if draft.problems:
        raise ConfigError(draft.problems, draft.warnings)


def _refuse_odd_replica(draft: SettingsBuilder, settings: Settings) -> None:
    """What no replica can be."""
    if not settings.replicas.group:
        return
    if not settings.rabbitmq.server_address:
        draft.problem(("replicas", "group"), "replicas share a RabbitMQ: set RABBITMQ_SERVER_ADDRESS")
    if not settings.device_name.isascii():
        draft.problem(("device_name",), "the name of a replica has plain letters, for it names a queue")
    if settings.booth.enabled:
        draft.problem(("booth",), "a photo booth belongs to one machine: run it as a service of its own")


def refuse_mixed_thumbnails(draft: SettingsBuilder, settings: Settings) -> None:
    """Raises `ConfigError` for an outlet of thumbnails that would write those of one bucket over those of another."""
    watched = {one.bucket for source in settings.sources for one in getattr(source, "buckets", ())}
    for index, entry in enumerate(settings.publishers):
        if len(watched) > 1 and getattr(entry, "mixes_buckets", False):
            both = " and ".join(sorted(watched)[:2])
            sentence = f"pictures of one name in {both} would share a thumbnail: begin it with <bucket>/"
            draft.problem(("publishers", index, "key"), sentence)
    if draft.problems:
        raise ConfigError(draft.problems, draft.warnings)
