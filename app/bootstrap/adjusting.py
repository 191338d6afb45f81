"""What is done to each camera's pictures: by its settings, and by the privacy masks that are drawn in the album."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from app.bootstrap.adapters import notifying_names
from app.config.data_dir import DataDir
from app.config.settings import Settings
from app.media.adjustments import AS_IT_CAME, Adjustments
from app.rules.evaluate import of_camera
from app.rules.file import RulesFile
from app.rules.model import RuleBook


def rules_of(settings: Settings) -> RulesFile:
    """The rules' file of these settings."""
    cameras = [camera.device_key for camera in settings.cameras]
    return RulesFile(DataDir(settings.data_dir).rules, cameras=cameras, outlets=notifying_names(settings))


def adjustments_by(settings: Settings, book: Callable[[], RuleBook]) -> Callable[[str], Adjustments]:
    """By device key, as settings and rules have it at that moment. From any thread."""
    all_cameras = ((camera.device_key, camera.adjustments) for camera in settings.cameras)
    configured = {key: own for key, own in all_cameras if own != AS_IT_CAME}

    def now(camera: str) -> Adjustments:
        own = configured.get(camera, AS_IT_CAME)
        drawn = [zone.points for zone in book().zones if zone.private and of_camera(zone.camera, camera)]
        return dataclasses.replace(own, masks=(*own.masks, *drawn)) if drawn else own

    return now
