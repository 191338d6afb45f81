"""What a persistent session is subscribed to: the broker keeps it until it is told otherwise."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

import structlog

from pylib.files import durable

log = structlog.get_logger(__name__)


class Subscribed:
    """A JSON file with the topics of the last connection that was set up."""

    def __init__(self, file: Path, wanted: Collection[str]) -> None:
        self._file = file
        self._wanted = sorted(wanted)
        self._known = _read(file)

    @property
    def gone(self) -> list[str]:
        """Those of before that are not wanted any more."""
        return sorted(self._known - set(self._wanted))

    def set_up(self) -> None:
        """The broker has all that are wanted, and no others."""
        if self._known == set(self._wanted):
            return
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            durable.write(self._file, json.dumps(self._wanted).encode())
            self._known = set(self._wanted)
        except OSError as error:
            log.warning("subscriptions not remembered", path=str(self._file), reason=error.strerror)


def _read(file: Path) -> set[str]:
    try:
        known = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return set()
    return {topic for topic in known if isinstance(topic, str)} if isinstance(known, list) else set()
