"""A crash loop costs no trigger; `tests.e2e.crash_loop` does it at length, and against any broker."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.broker import Broker
from tests.e2e.crash_loop import crash_loop


@pytest.mark.long
def test_what_waits_through_a_crash_loop_is_answered_and_never_a_dead_letter(
    tmp_path: Path, broker: Broker, name: str
) -> None:
    outcome = crash_loop(tmp_path, broker, name, kills=3, triggers=60)
    assert outcome.account.balanced, outcome.account
    assert (outcome.account.problems, outcome.dead_letters) == ({}, 0)
