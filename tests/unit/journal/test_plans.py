"""What is asked all the time costs the same with a million snapshots as with none: no statement looks through them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from app.journal import Journal

GROWING = re.compile(r"SCAN (snapshots|labels|deliveries|media|answers|told)\b(?! USING (COVERING )?INDEX)")
"""The step of a plan that looks at every row of a table that grows with each event."""

EXPLAINED = "EXPLAIN QUERY PLAN "

ALL_THE_TIME: dict[str, Callable[[Journal], object]] = {
    "triggers without a picture": lambda journal: journal.accepted(),
    "pictures without a look": lambda journal: journal.uninspected(),
    "bursts without an end": lambda journal: journal.unfinished_bursts(),
    "groups": lambda journal: journal.groups_due(1),
    "a camera's group": lambda journal: journal.group_due("Front Door Camera", 1),
    "deliveries": lambda journal: journal.pending("rabbitmq", limit=10),
    "deliveries, the newest first": lambda journal: journal.pending("rabbitmq", limit=10, newest_first=True),
    "a digest": lambda journal: journal.digest_due("mail", limit=10),
    "what waits": lambda journal: journal.backlog("rabbitmq"),
    "jobs": lambda journal: journal.jobs_due(),
    "jobs that wait": lambda journal: journal.jobs_waiting("animate"),
    "jobs that failed": lambda journal: journal.failed_jobs(),
    "looks of the month": lambda journal: journal.detections_since("rekognition", datetime.now(UTC)),
    "the last picture": lambda journal: journal.last_taken(["Front Door Camera"]),
    "what was sent before": lambda journal: journal.sent_before("Front Door Camera", b"digest"),
    "what a trigger led to": lambda journal: journal.recorded("rabbitmq:1"),
    "groups of a setting that is gone": lambda journal: journal.release_held(),
}


@pytest.mark.parametrize("asked", ALL_THE_TIME)
def test_nothing_is_looked_through_for(asked: str, journal: Journal) -> None:
    statements: list[str] = []
    journal.database.do(lambda db: db.set_trace_callback(statements.append))
    ALL_THE_TIME[asked](journal)
    journal.database.do(lambda db: db.set_trace_callback(None))
    chosen = [each for each in statements if each.lstrip().startswith(("SELECT", "UPDATE", "DELETE", "WITH", "INSERT"))]
    assert chosen
    plans = journal.database.do(
        lambda db: {each: db.execute(f"EXPLAIN QUERY PLAN {each}").fetchall() for each in chosen}
    )
    assert not {each: plan for each, plan in plans.items() if any(GROWING.match(step) for *_, step in plan)}
