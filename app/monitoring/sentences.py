"""What outcomes say of themselves, for health, the command line and monitors outside: short English sentences."""

from __future__ import annotations

from collections.abc import Sequence

from app.monitoring.outcomes import Outcome
from pylib.observability.health import Status, worst

NOT_USED = "not used"
"""The detail of a check of something that is not used: there is nothing that could fail, or was seen to work."""
NAMED = 5
"""How many of many are named; the rest is a number."""


def status_of(outcomes: Sequence[Outcome], now: float) -> Status:
    """How these do together: what fails first, by name and with its reason, then what was not tried."""
    if not outcomes:
        return Status(ok=True, detail=NOT_USED)
    state = worst(one.state for one in outcomes)
    working = [one for one in outcomes if one.state == "working"]
    untried = [one.title for one in outcomes if one.state == "untried"]
    ill = [one for wanted in ("failing", "degraded") for one in outcomes if one.state == wanted]
    parts = [f"{one.title}: {failure(one, now)}" for one in ill[:NAMED]]
    if len(ill) > NAMED:
        parts.append(f"{len(ill) - NAMED} more have failed")
    if untried:
        parts.append(f"not tried yet: {some(untried)}")
    if len(outcomes) == 1 and working:
        parts.append(f"worked {ago(working[0].succeeded_at, now)}")
    elif len(outcomes) > 1:
        parts.append(f"{len(working)} of {len(outcomes)} working")
    return Status(ok=state != "failing", detail="; ".join(parts), state=state)


def failure(outcome: Outcome, now: float) -> str:
    """How often it failed, since when, why, and what to do about it."""
    code = outcome.problem.partition(":")[0]
    times = f"failed {outcome.failures} times in a row" if outcome.failures > 1 else "failed"
    last = f"last worked {ago(outcome.succeeded_at, now)}" if outcome.succeeded_at else "never seen to work"
    remedy = f" -> {outcome.remedy}" if outcome.remedy else ""
    return f"{times}, {last}: {code}: {outcome.reason}{remedy}"


def ago(at: float | None, now: float) -> str:
    """`just now`, `23 s ago`, `4 min ago`, `3 h ago`, `2 days ago`; `never`."""
    if at is None:
        return "never"
    seconds = max(0.0, now - at)
    for unit, length, limit in (("s", 1, 100), ("min", 60, 90), ("h", 3600, 48)):
        if seconds < limit * length:
            return f"{seconds / length:.0f} {unit} ago" if seconds >= 1 else "just now"
    return f"{seconds / 86_400:.0f} days ago"


def some(names: Sequence[str]) -> str:
    """`Shed, Yard`, and the number of those beyond the first few."""
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])
