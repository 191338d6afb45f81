"""Deletes the files of snapshots that the journal has let go."""

from __future__ import annotations

from pathlib import Path

import structlog

from app.storage.event_media import EventMedia
from app.storage.thumbnails import Thumbnails

log = structlog.get_logger(__name__)


class Erasure:
    """Deletes a snapshot's picture, and what was derived from it. From any thread."""

    def __init__(self, thumbnails: Thumbnails, media: EventMedia) -> None:
        self._thumbnails = thumbnails
        self._media = media

    def __call__(self, snapshot_id: str, *files: str) -> None:
        """`files`: the paths of its picture and its video; empty where there is none."""
        for path in filter(None, files):
            _unlink(Path(path))
        self._thumbnails.drop(snapshot_id)
        self._media.drop(snapshot_id)
        log.info("deleted", event_id=snapshot_id)


def _unlink(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        # The journal no longer has it: the retention's daily search for orphans will delete it.
        log.warning("cannot delete", path=str(path), reason=error.strerror)
