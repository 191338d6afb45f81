"""The channels of all configured cameras, each made when it is first asked for: most of many cameras stand idle."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

from app.pipeline.channel import Channel
from pylib.runtime.circuit_breaker import State

S = TypeVar("S")


class Channels(Mapping[str, Channel], Generic[S]):
    """By device key. Thread-safe."""

    def __init__(self, cameras: Mapping[str, S], make: Callable[[S], Channel]) -> None:
        """`cameras`: device key -> settings, of which `make` makes a channel."""
        self._cameras = cameras
        self._make = make
        self._made: dict[str, Channel] = {}
        self._lock = threading.Lock()

    def __getitem__(self, key: str) -> Channel:
        made = self._made.get(key)
        if made is None:
            settings = self._cameras[key]
            with self._lock:
                made = self._made.get(key)
                if made is None:
                    made = self._made[key] = self._make(settings)
        return made

    def __contains__(self, key: object) -> bool:
        return key in self._cameras

    def __iter__(self) -> Iterator[str]:
        return iter(self._cameras)

    def __len__(self) -> int:
        return len(self._cameras)

    @property
    def made(self) -> list[Channel]:
        """Those that were asked for until now."""
        with self._lock:
            return list(self._made.values())

    def state(self, key: str) -> State:
        """Of this camera's circuit: one that was never asked for is closed."""
        made = self._made.get(key)
        return made.breaker.state if made else State.CLOSED

    def retry_in(self, key: str) -> float:
        """Seconds until a paused camera is asked again; 0 when it would be now."""
        made = self._made.get(key)
        return made.breaker.retry_in if made else 0.0

    def close(self) -> None:
        """Close the cameras' connections."""
        for channel in self.made:
            channel.camera.close()
