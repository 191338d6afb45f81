"""A sample of the fault suite; `make test-faults` runs all of it."""

from __future__ import annotations

import random
from pathlib import Path

from tests.broker import Broker
from tests.faults import mishaps
from tests.faults.brokers import through
from tests.faults.fault import Fault, Setting


def test_a_line_that_is_cut_under_load_loses_nothing_and_pays_for_nothing_twice(tmp_path: Path, broker: Broker) -> None:
    fault = Fault("line cut", through(mishaps.line_cut, short_s=2, long_s=2), back_within_s=90)
    measured = fault.run(Setting(tmp_path, broker, long=False, chance=random.Random(1)))
    assert fault.holds(measured), measured
    assert measured.ledger.events > 20
