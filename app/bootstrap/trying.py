"""A picture taken now, as the service takes it, and what can be said of it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from app import wording
from app.bootstrap.adapters import make_camera
from app.cameras import CameraSettings, DescribedCamera, Remark
from app.config.settings import Settings
from app.media.picture import Picture, examine
from pylib.errors import Failure


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of it."""

    camera: CameraSettings
    ms: float
    """Until the picture was there, or the failure."""
    data: bytes = b""
    picture: Picture | None = None
    """None where there is none."""
    problem: Failure | None = None
    remarks: tuple[Remark, ...] = ()
    """What the camera says of itself besides; only beside a picture, for a wrong login must not be tried again."""

    @property
    def remedy(self) -> str:
        """What to do about the problem."""
        return _remedy(self.problem, self.camera) if self.problem else ""


def try_camera(configured: CameraSettings, settings: Settings) -> Tried:
    """Take a picture; the running service is not disturbed by it."""
    camera = make_camera(configured, settings)
    began = time.monotonic()
    try:
        data = camera.snapshot().data
        ms = (time.monotonic() - began) * 1000
        picture = examine(data, max_pixels=settings.max_pixels)
        remarks = _remarks(camera, configured) if isinstance(camera, DescribedCamera) else ()
    except Failure as error:
        return Tried(configured, (time.monotonic() - began) * 1000, problem=error)
    finally:
        camera.close()
    return Tried(configured, ms, data, picture, remarks=remarks)


def _remarks(camera: DescribedCamera, configured: CameraSettings) -> tuple[Remark, ...]:
    found: list[Remark] = []
    try:
        found.extend(camera.describe())
    except Failure as error:
        found.append(Remark(str(error), _remedy(error, configured)))
    return tuple(found)


def _remedy(error: Failure, camera: CameraSettings) -> str:
    return wording.explain(error.code, of="camera", kind=camera.kind)[1]
