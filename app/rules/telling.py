"""What people switch by hand: the mode of the home, and for which cameras they want no messages for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
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
    """The mode and the snoozes of this home. Every method may be called from any thread.

    All raise `pylib.sqlite.DatabaseUnavailable` where the store cannot be used.
    """

    def __init__(self, store: TellingStore, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []

    @property
    def mode(self) -> str:
        """One of `MODES`."""
        return self._state.mode

    def set_mode(self, mode: str) -> None:
        """Switch to another mode. Raises ValueError."""
        if mode not in MODES:
            raise ValueError(f"the mode must be one of {', '.join(MODES)}")
        with self._lock:
            self._store.set_mode(mode)
            self._state.mode = mode
        self._changed()

    def snooze(self, camera: str = EVERYWHERE, *, seconds: float | None = None) -> Snooze:
        """No messages of this camera for so long, or until `wake`."""
        snooze = Snooze(camera, None if seconds is None else self._clock() + seconds)
        with self._lock:
            self._store.snooze(camera, snooze.until)
            self._state.snoozes[camera] = snooze.until
        self._changed()
        return snooze

    def wake(self, camera: str = EVERYWHERE) -> None:
        """Messages of this camera again, as far as not all are snoozed."""
        with self._lock:
            self._store.wake(camera)
            self._state.snoozes.pop(camera, None)
        self._changed()

    def snoozed(self, camera: str = EVERYWHERE) -> Snooze | None:
        """What keeps messages of this camera back now: its own snooze or that of all, whichever lasts longer."""
        now = self._clock()
        with self._lock:
            snoozes = self._state.snoozes
            running = [
                Snooze(one, snoozes[one])
                for one in dict.fromkeys((camera, EVERYWHERE))
                if one in snoozes and _lasts(snoozes[one], now)
            ]
        return max(running, key=lambda snooze: float("inf") if snooze.until is None else snooze.until, default=None)

    @property
    def snoozes(self) -> tuple[Snooze, ...]:
        """All that keeps messages back now, each camera's own and that of all."""
        now = self._clock()
        with self._lock:
            known = dict(self._state.snoozes)
        return tuple(Snooze(camera, known[camera]) for camera in sorted(known) if _lasts(known[camera], now))

    def listen(self, listener: Callable[[], None]) -> None:
        """Call this after every change, in the thread that made it; it must return at once."""
        with self._lock:
            self._listeners.append(listener)

    @cached_property
    def _state(self) -> _State:
        """Read when it is first needed: the store works only after the start."""
        with self._lock:
            stored = self._store.mode()
            return _State(stored if stored in MODES else MODES[0], dict(self._store.snoozes()))

    def _changed(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


@dataclass(slots=True)
class _State:
    mode: str
    snoozes: dict[str, float | None]


def _lasts(until: float | None, now: float) -> bool:
    return until is None or until > now
