"""What people switch by hand: the mode of the home, and for which cameras they want no messages for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

MODES = ("home", "away", "night")
"""The modes of the home; it starts with the first."""

EVERYWHERE = ""
"""In place of a camera's device key: all of them."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """No messages of a camera, or of all."""

    camera: str
    """Its device key, or `EVERYWHERE`."""
    until: float | None
    """Unix seconds; None until somebody ends it."""


class TellingStore(Protocol):
    """Keeps this over a restart; the journal does."""

    def mode(self) -> str:
        """The mode that was set last; empty when none ever was."""
        ...

    def set_mode(self, mode: str) -> None: ...

    def snoozes(self) -> Mapping[str, float | None]:
        """Device key, or `EVERYWHERE` -> until when."""
        ...

    def snooze(self, camera: str, until: float | None) -> None: ...

    def wake(self, camera: str) -> None:
        """End this camera's snooze."""
        ...


class Telling:
    """The mode and the snoozes of this home. Every method may be called from any thread."""

    def __init__(self, store: TellingStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._mode = MODES[0]
        self._snoozes: dict[str, float | None] = {}
        self._listeners: list[Callable[[], None]] = []

    def open(self) -> None:
        """Read what was set before. Raises `pylib.sqlite.DatabaseUnavailable`."""
        stored = self._store.mode()
        with self._lock:
            self._mode = stored if stored in MODES else MODES[0]
            self._snoozes = dict(self._store.snoozes())

    @property
    def mode(self) -> str:
        """One of `MODES`."""
        return self._mode

    def set_mode(self, mode: str) -> None:
        """Switch to another mode. Raises ValueError, `pylib.sqlite.DatabaseUnavailable`."""
        if mode not in MODES:
            raise ValueError(f"the mode must be one of {', '.join(MODES)}")
        self._store.set_mode(mode)
        self._mode = mode
        self._changed()

    def snooze(self, camera: str = EVERYWHERE, *, seconds: float | None = None) -> Snooze:
        """No messages of this camera for so long, or until `wake`. Raises `pylib.sqlite.DatabaseUnavailable`."""
        snooze = Snooze(camera, None if seconds is None else self._clock() + seconds)
        self._store.snooze(camera, snooze.until)
        with self._lock:
            self._snoozes[camera] = snooze.until
        self._changed()
        return snooze

    def wake(self, camera: str = EVERYWHERE) -> None:
        """Messages of this camera again, as far as not all are snoozed. Raises `DatabaseUnavailable`."""
        self._store.wake(camera)
        with self._lock:
            self._snoozes.pop(camera, None)
        self._changed()

    def snoozed(self, camera: str = EVERYWHERE) -> Snooze | None:
        """What keeps messages of this camera back now: its own snooze or that of all, whichever lasts longer."""
        now = self._clock()
        with self._lock:
            running = [
                Snooze(one, self._snoozes[one])
                for one in dict.fromkeys((camera, EVERYWHERE))
                if one in self._snoozes and _lasts(self._snoozes[one], now)
            ]
        return max(running, key=lambda snooze: float("inf") if snooze.until is None else snooze.until, default=None)

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this after every change, in the thread that made it; it must return at once."""
        with self._lock:
            self._listeners.append(listener)

    def _changed(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


def _lasts(until: float | None, now: float) -> bool:
    return until is None or until > now
