"""Which replicas there are, as far as this one has heard, and which shards are its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.replicas.names import owners
from app.replicas.presence import Presence

SILENT_S = 12.0
"""Seconds after which a replica that says nothing counts as gone: four of its messages."""
SETTLED_S = 1.0
"""Seconds from the first message of our own to the first shard that we take: all others have answered by then."""
CLOCKS_S = 2.0
"""Seconds by which clocks may differ."""


@dataclass(frozen=True, slots=True)
class _Heard:
    presence: Presence
    at: float
    """Monotonic."""
    ahead: float
    """Seconds by which its clock is ahead of ours."""


class Members:
    """All replicas that were heard lately. This one counts when it hears itself: then the others do, too."""

    def __init__(
        self, device: str, *, clock: Callable[[], float] = time.monotonic, now: Callable[[], float] = time.time
    ) -> None:
        self._device = device
        self._clock = clock
        self._now = now
        self._heard: dict[str, _Heard] = {}
        self._began: float | None = None

    def hear(self, presence: Presence) -> bool:
        """A replica has said something; returns whether it is new."""
        if presence.leaving:
            self._heard.pop(presence.device, None)
            return False
        new = presence.device not in {one.device for one in self.alive}
        self._heard[presence.device] = _Heard(presence, self._clock(), presence.at - self._now())
        if presence.device == self._device and (new or self._began is None):
            self._began = self._clock()
        return new

    @property
    def alive(self) -> list[Presence]:
        """By device name."""
        since = self._clock() - SILENT_S
        return [one.presence for _, one in sorted(self._heard.items()) if one.at >= since]

    @property
    def counts(self) -> bool:
        """Whether the broker carries what we say."""
        return any(one.device == self._device for one in self.alive)

    @property
    def leader(self) -> str:
        """Who says that it leads; empty where nobody does."""
        return next((one.device for one in self.alive if one.leads), "")

    def owned(self, queues: Iterable[str]) -> frozenset[str]:
        """Those that this one works on: none before the others had time to answer, and none while it is cut off."""
        alive = self.alive
        me = next((one for one in alive if one.device == self._device), None)
        if me is None or self._began is None or self._clock() < self._began + SETTLED_S:
            return frozenset()
        # Who spreads the cameras over another number of queues may not even know ours.
        peers = tuple(one.device for one in alive if one.ready and one.shards == me.shards)
        return frozenset(queue for queue, device in owners(tuple(queues), peers).items() if device == self._device)

    def differences(self) -> list[str]:
        """In which ways the others are not as this one, a sentence each."""
        me = next((one for one in self.alive if one.device == self._device), None)
        if me is None:
            return []
        found = []
        for other in self.alive:
            if other.device == self._device:
                continue
            if other.shards != me.shards:
                found.append(f"{other.device} has REPLICAS_SHARDS {other.shards}, not {me.shards}")
            if other.cameras != me.cameras:
                found.append(f"{other.device} has other cameras")
            if other.release != me.release:
                found.append(f"{other.device} runs release {other.release}, not {me.release}")
            ahead = self._heard[other.device].ahead
            if ahead > CLOCKS_S:
                found.append(f"the clock of {other.device} is {ahead:.0f} s ahead")
            if ahead < -CLOCKS_S:
                found.append(f"the clock of {other.device} is {-ahead:.0f} s behind")
        return found
