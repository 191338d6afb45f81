"""The table of faults says what was seen, and a bound that is missed is seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.__main__ import FAULTS, Line, table
from tests.faults.fault import Fault, Measured
from tests.faults.stand import Ledger

GOOD = Ledger(events=10, lost=0, twice=0, paid_twice=0, asked_again=3, spoilt=0, problems={})
FAULT = FAULTS["kill-random"]


@pytest.mark.parametrize(
    "wrong", [replace(GOOD, lost=1), replace(GOOD, twice=1), replace(GOOD, paid_twice=1), replace(GOOD, spoilt=1)]
)
def test_a_ledger_that_does_not_balance_misses_the_bound(wrong: Ledger) -> None:
    assert FAULT.holds(Measured(GOOD, 30.0))
    assert not FAULT.holds(Measured(wrong, 1.0))


def test_who_is_late_misses_the_bound() -> None:
    assert not FAULT.holds(Measured(GOOD, 30.1))


def test_a_fault_that_was_not_measured_to_its_end_has_failed_with_its_reason() -> None:
    line = Line("x", Fault("X", lambda _setting: Measured(GOOD)), None, "no event came")
    assert not line.holds
    assert "**failed**: no event came" in str(line)


def test_every_line_has_as_many_columns_as_the_head_and_its_own_command() -> None:
    lines = [Line(name, fault, Measured(GOOD, 1.0, 0.1, 0.2, "a note")) for name, fault in FAULTS.items()]
    lines.append(Line("x", FAULT, None, "gone"))
    rows = table(lines).splitlines()
    assert {row.count("|") for row in rows} == {rows[0].count("|")}
    assert all(f"ARGS={name}`" in row for name, row in zip(FAULTS, rows[2:], strict=False))
