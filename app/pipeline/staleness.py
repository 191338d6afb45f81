"""How old a trigger is, trusting the sensor's clock only within limits."""

from __future__ import annotations

import time
from datetime import datetime

from app.messages import Snapshot, Trigger

BELIEVABLE_S = 120.0
"""Seconds: a trigger that did not wait anywhere and claims to be older than this has a wrong clock."""


def is_stale(trigger: Trigger, now: datetime, *, max_age: float) -> bool:
    """Whether a picture taken now would show something else; `max_age` in seconds, 0 for never.

    A trigger that arrived while its queue was caught up is only as old as it has waited in this process, whatever
    its timestamp claims; one that waited before it reached us is as old as it claims.
    """
    if not max_age:
        return False
    waited = time.monotonic() - trigger.arrived
    age = (now - trigger.timestamp).total_seconds() if trigger.queued else 0.0
    return max(waited, age) > max_age


def delay_of(trigger: Trigger, taken_at: datetime, *, waited: float) -> float:
    """Seconds from the trigger to the picture: by the sensor's clock where that is possible, else since it arrived."""
    by_clock = (taken_at - trigger.timestamp).total_seconds()
    if by_clock < waited:
        return waited  # the sensor's clock is ahead of ours
    if not trigger.queued and by_clock - waited > BELIEVABLE_S:
        return waited
    return by_clock


def delay_at(snapshot: Snapshot, taken_at: datetime) -> float:
    """Seconds from its trigger to another picture of it; less than 0 for one from before the trigger."""
    return round(snapshot.delay_s + (taken_at - snapshot.taken_at).total_seconds(), 3)
