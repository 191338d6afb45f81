"""What a fault is, and how it is measured."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.broker import Broker
from tests.faults.stand import Ledger

T = TypeVar("T")

BACK_WITHIN_S = 30.0


@dataclass(frozen=True)
class Setting:
    """Where a fault is tried."""

    folder: Path
    """An empty one of its own."""
    broker: Broker
    long: bool
    """Whether it may take as long as in a house, instead of a minute."""
    chance: random.Random

    def pick(self, short: T, long: T) -> T:
        """What the short and the long form differ in."""
        return long if self.long else short


@dataclass(frozen=True)
class Measured:
    """What was seen of one fault."""

    ledger: Ledger
    back_s: float | None = None
    """Seconds from the end of the fault until all works again; None where nothing stood still."""
    calm_s: float | None = None
    """Seconds within which 95 % of the events of all that is well are told, before the fault."""
    during_s: float | None = None
    """The same while it lasts."""
    note: str = ""


@dataclass(frozen=True)
class Fault:
    """One line of the table."""

    title: str
    run: Callable[[Setting], Measured]
    back_within_s: float = BACK_WITHIN_S

    @property
    def bound(self) -> str:
        """What has to hold, in words."""
        return f"0 lost, 0 twice, 0 paid twice, back within {self.back_within_s:g} s"

    def holds(self, measured: Measured) -> bool:
        """Whether it does."""
        return measured.ledger.balanced and (measured.back_s or 0.0) <= self.back_within_s


def since(moment: float) -> float:
    """Seconds since then (monotonic)."""
    return time.monotonic() - moment
