"""A file of the uploads that were begun: only those are looked up in Drive before they are sent again."""

from __future__ import annotations

import threading
from pathlib import Path

from pylib.files import durable

KEPT = 50_000
"""Events in each of the two generations of the file."""


class Ledger:
    """Remembers at least the last `kept` event ids, across a kill or a power cut. Thread-safe."""

    def __init__(self, path: Path, *, kept: int = KEPT) -> None:
        self._path = path
        self._older = path.with_name(path.name + ".1")
        self._kept = kept
        self._lock = threading.Lock()
        self._ids: tuple[set[str], set[str]] | None = None

    def begin(self, event_id: str) -> bool:
        """Note that an event is about to be sent; True when it may have been sent before.

        Also True where that is unknown, because the file cannot be written.
        """
        with self._lock:
            if self._ids is None:
                self._ids = _read(self._path), _read(self._older)
            newer, older = self._ids
            if event_id in newer or event_id in older:
                return True
            try:
                if len(newer) >= self._kept:
                    self._path.replace(self._older)
                    newer, older = self._ids = set(), newer
                self._note(event_id)
            except OSError:
                return True
            newer.add(event_id)
            return False

    def _note(self, event_id: str) -> None:
        # The line's end comes first, so that a line which a power cut tore does not swallow the next.
        durable.append(self._path, f"\n{event_id}".encode())


def _read(path: Path) -> set[str]:
    try:
        return set(path.read_text("utf-8", errors="replace").splitlines())
    except OSError:
        return set()
