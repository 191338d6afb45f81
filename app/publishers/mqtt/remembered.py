"""What outlives a restart: what the broker may hold for us, and how new what it was told is."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Collection
from pathlib import Path

import structlog

from pylib.files import durable

log = structlog.get_logger(__name__)


class Remembered:
    """A JSON file: the topics of what the broker keeps, and when the newest picture of each camera was taken.

    All methods may be called from any thread. A file that cannot be read says nothing, one that cannot be written
    costs what it would say after the next start.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._topics, self._newest = _read(file)

    @property
    def topics(self) -> frozenset[str]:
        """What the broker was given, by earlier runs too."""
        return self._topics

    def keep(self, topics: Collection[str]) -> None:
        """These are what the broker may hold now."""
        with self._lock:
            self._topics = frozenset(topics)
            self._write()

    def is_newest(self, camera: str, taken_at: float) -> bool:
        """Whether nothing later of this camera was told; unix seconds. What a wrong clock put beyond now is none."""
        newest = self._newest.get(camera, taken_at)
        return taken_at >= newest or newest > time.time()

    def told(self, camera: str, taken_at: float) -> None:
        """The broker has this one, which is the newest."""
        with self._lock:
            self._newest[camera] = taken_at
            self._write()

    def _write(self) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            body = {"topics": sorted(self._topics), "newest": self._newest}
            durable.write(self._file, json.dumps(body).encode())
        except OSError as error:
            log.warning("what the broker holds is not remembered", path=str(self._file), reason=error.strerror)


def _read(file: Path) -> tuple[frozenset[str], dict[str, float]]:
    try:
        body = json.loads(file.read_bytes())
    except (OSError, ValueError):
        body = None
    if isinstance(body, list):  # as the release before wrote it
        body = {"topics": body}
    body = body if isinstance(body, dict) else {}
    topics, newest = body.get("topics"), body.get("newest")
    return (
        frozenset(topic for topic in topics if isinstance(topic, str)) if isinstance(topics, list) else frozenset(),
        {camera: at for camera, at in newest.items() if isinstance(at, float)} if isinstance(newest, dict) else {},
    )
