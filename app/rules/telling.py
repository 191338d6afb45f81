"""What people switch by hand: the mode of the home, and for which cameras they want no messages for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
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


@dataclass(frozen=True, slots=True)
class Switch:
    """What somebody switched, and when: of two of the same, the later one counts, wherever it was switched."""

    at: float
    """Unix seconds, by the clock of the machine where it was done."""
    mode: str = ""
    """Of the home; empty for a snooze."""
    camera: str = EVERYWHERE
    """Whose snooze."""
    until: float | None = 0.0
    """Unix seconds; None until somebody ends it, 0 where it was ended."""

    @property
    def name(self) -> str:
        """What it is about."""
        return "mode" if self.mode else f"snooze {self.camera}"


class TellingStore(Protocol):
    """Keeps this over a restart; the journal does."""

    def mode(self) -> str:
        """The mode that was set last; empty when none ever was."""
        ...

    def set_mode(self, mode: str, *, at: float) -> None: ...

    def snoozes(self) -> Mapping[str, float | None]:
        """Device key, or `EVERYWHERE` -> until when."""
        ...

    def snooze(self, camera: str, until: float | None, *, at: float) -> None: ...

    def wake(self, camera: str, *, at: float) -> None:
        """End this camera's snooze."""
        ...

    def switched(self) -> Mapping[str, float]:
        """`Switch.name` -> when it was switched last."""
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
        self._switch(Switch(self._moment("mode"), mode=mode))

    def snooze(self, camera: str = EVERYWHERE, *, seconds: float | None = None) -> Snooze:
        """No messages of this camera for so long, or until `wake`."""
        snooze = Snooze(camera, None if seconds is None else self._clock() + seconds)
        self._switch(Switch(self._moment(f"snooze {camera}"), camera=camera, until=snooze.until))
        return snooze

    def wake(self, camera: str = EVERYWHERE) -> None:
        """Messages of this camera again, as far as not all are snoozed."""
        self._switch(Switch(self._moment(f"snooze {camera}"), camera=camera))

    @property
    def switches(self) -> tuple[Switch, ...]:
        """All that was ever switched, as it is now, for other services of this home."""
        with self._lock:
            state = self._state
            snoozes = [name.removeprefix("snooze ") for name in state.switched if name != "mode"]
            mode = [Switch(state.switched["mode"], mode=state.mode)] if "mode" in state.switched else []
            return (
                *mode,
                *(Switch(state.switched[f"snooze {one}"], "", one, state.snoozes.get(one, 0.0)) for one in snoozes),
            )

    def adopt(self, switches: Iterable[Switch]) -> None:
        """Take over what was switched elsewhere later than here."""
        for switch in switches:
            known = self._state.switched.get(switch.name, 0.0)
            if switch.at > known and (not switch.mode or switch.mode in MODES):
                self._switch(switch)

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
            mode = stored if stored in MODES else MODES[0]
            return _State(mode, dict(self._store.snoozes()), dict(self._store.switched()))

    def _moment(self, name: str) -> float:
        """Now, but later than what was switched before: by a clock that is ahead of ours, maybe."""
        return max(self._clock(), self._state.switched.get(name, 0.0) + 0.001)

    def _switch(self, switch: Switch) -> None:
        with self._lock:
            state = self._state
            if switch.mode:
                self._store.set_mode(switch.mode, at=switch.at)
                state.mode = switch.mode
            elif switch.until == 0:
                self._store.wake(switch.camera, at=switch.at)
                state.snoozes.pop(switch.camera, None)
            else:
                self._store.snooze(switch.camera, switch.until, at=switch.at)
                state.snoozes[switch.camera] = switch.until
            state.switched[switch.name] = switch.at
        self._changed()

    def _changed(self) -> None:
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener()


@dataclass(slots=True)
class _State:
    mode: str
    snoozes: dict[str, float | None]
    switched: dict[str, float]


def _lasts(until: float | None, now: float) -> bool:
    return until is None or until > now
