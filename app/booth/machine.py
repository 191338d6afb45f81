"""What the booth is doing for whom: a guest's way from the first touch to the last look, drawn in docs/booth.md."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pylib.errors import Permanent

State = Literal["ready", "countdown", "pictures", "animation", "choice", "guest", "done", "preview"]
Event = Literal["start", "picture", "made", "retake", "keep", "stay", "kept", "finish", "cancel"]

LIMITS: Mapping[State, float] = {
    "countdown": 30.0,
    "pictures": 30.0,
    "animation": 60.0,
    "choice": 45.0,
    "guest": 120.0,
    "done": 45.0,
    "preview": 10.0,
}
"""State -> seconds after which it ends by itself; `ready` stays."""

NEXT: Mapping[tuple[State, Event], State] = {
    ("ready", "start"): "countdown",
    ("countdown", "picture"): "pictures",
    ("pictures", "picture"): "pictures",
    ("animation", "made"): "choice",
    ("choice", "retake"): "countdown",
    ("choice", "keep"): "guest",
    ("guest", "stay"): "guest",
    ("guest", "retake"): "countdown",
    ("guest", "kept"): "done",
    ("done", "finish"): "preview",
}
"""Besides these, `cancel` leads from everywhere to `ready`, and the last picture to `animation`."""

AFTERWARDS: Mapping[State, State] = {"done": "preview"}
"""What follows a state that ended by itself; `ready` in all other cases."""


class NotNow(Permanent):
    """The booth is in no state for this."""

    def __init__(self, event: str, state: str) -> None:
        super().__init__("not_now", f"{event} is not possible while the booth is in the state {state}")


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a guest is on the way."""

    state: State = "ready"
    guest: str = ""
    """Their id, under which everything of theirs is kept; empty when there is none."""
    taken: int = 0
    """Pictures so far."""
    until: float = math.inf
    """When the state ends by itself, by the machine's clock."""


READY = Turn()


class Machine:
    """The booth's states. It knows a guest's id and nothing else of them. For one thread at a time."""

    def __init__(self, *, pictures: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`pictures`: of one guest; `clock`: seconds."""
        self._pictures = pictures
        self._clock = clock
        self._turn = READY

    @property
    def turn(self) -> Turn:
        """Where it is now: what is over has ended."""
        while self._clock() >= self._turn.until:
            self._turn = self._enter(AFTERWARDS.get(self._turn.state, "ready"), begun=self._turn.until)
        return self._turn

    @property
    def seconds_left(self) -> float | None:
        """Until the state ends by itself; None for never."""
        left = self.turn.until - self._clock()
        return None if math.isinf(left) else left

    def on(self, event: Event, guest: str) -> Turn:
        """Where an event of this guest leads. Raises `NotNow`, and then nothing has changed."""
        turn = self.turn
        if event != "start" and guest != turn.guest:
            raise NotNow(event, turn.state)
        state = "ready" if event == "cancel" else NEXT.get((turn.state, event))
        if state is None:
            raise NotNow(event, turn.state)
        if event == "start":
            turn = replace(turn, guest=guest)
        taken = turn.taken + 1 if event == "picture" else 0 if event == "retake" else turn.taken
        if event == "picture" and taken == self._pictures:
            state = "animation"
        self._turn = self._enter(state, begun=self._clock(), guest=turn.guest, taken=taken)
        return self._turn

    def _enter(self, state: State, *, begun: float, guest: str = "", taken: int = 0) -> Turn:
        if state == "ready":
            return READY
        known = guest or self._turn.guest
        return Turn(state, known, taken or (0 if guest else self._turn.taken), begun + LIMITS[state])
