"""Which objects count, and the camera that each is of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import structlog

from app.messages import ObjectCreated
from app.naming import CameraNames, UnknownCamera, composed
from app.sources import object_id
from app.sources.buckets.notifications import FoundObject
from app.sources.buckets.settings import BucketSourceSettings, WatchedBucket

log = structlog.get_logger(__name__)

MAX_LABEL = 60
"""Characters of a folder's name that become a camera's."""
TYPE = "Camera"


class WatchedObjects:
    """The objects that count, by the settings of their source. Thread-safe."""

    def __init__(self, settings: BucketSourceSettings, *, cameras: Mapping[str, str]) -> None:
        """`cameras`: device key -> label of the configured ones."""
        self._cameras = cameras
        self._names = CameraNames(cameras)
        self._suffixes = settings.suffixes
        # Of two that hold a key, the one that says more about it.
        self._watched = sorted(settings.buckets, key=lambda one: len(one.prefix), reverse=True)
        for watched in settings.buckets:
            self._look_up(watched)

    def created(
        self, found: FoundObject, *, origin: str, receipt: str = "", redelivered: bool = False
    ) -> ObjectCreated | None:
        """The object as a message to the pipeline, or None where it does not count."""
        watched = self._watching(found.bucket, found.key)
        if watched is None or (self._suffixes and not found.key.lower().endswith(self._suffixes)):
            return None
        camera, label = self._camera(watched, found.key)
        created = ObjectCreated(
            id="",
            camera=camera,
            label=label,
            origin=origin,
            bucket=found.bucket,
            key=found.key,
            timestamp=found.timestamp,
            size=found.size,
            etag=found.etag,
            version=found.version,
            sequencer=found.sequencer,
            receipt=receipt,
            redelivered=redelivered,
        )
        return replace(created, id=object_id(created))

    def _watching(self, bucket: str, key: str) -> WatchedBucket | None:
        return next((one for one in self._watched if one.bucket == bucket and key.startswith(one.prefix)), None)

    def _camera(self, watched: WatchedBucket, key: str) -> tuple[str, str]:
        """Device key and label."""
        folder, below, _ = key[len(watched.prefix) :].lstrip("/").partition("/")
        name = _clean(watched.camera) or (_clean(folder) if below else "") or watched.bucket[:MAX_LABEL]
        try:
            camera = self._names.find(name)
        except UnknownCamera:
            place = name.removesuffix(f" {TYPE}")
            return f"{place} {TYPE}", place
        return camera, self._cameras[camera]

    def _look_up(self, watched: WatchedBucket) -> None:
        if watched.camera and self._cameras:
            try:
                self._names.find(watched.camera)
            except UnknownCamera as error:
                log.warning("bucket of a camera that is not configured", bucket=watched.bucket, reason=str(error))


def _clean(name: str) -> str:
    """A name as a camera may have it."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in composed(name)).split())[:MAX_LABEL].strip()
