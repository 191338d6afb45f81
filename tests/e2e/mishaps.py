"""What befalls a service in its life: it, its broker, or both are killed, restarted, or stand still."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from app.journal import NOTHING_WAITS
from tests.broker import Broker
from tests.e2e.ledger import Account, account, missing
from tests.e2e.peers import Consumer, Sender
from tests.e2e.process import ServiceProcess, until
from tests.simulators.camera import CameraSimulator

FROZEN_FOR = (12.0, 30.0)
"""Seconds; both sides take a silence of about 20 s for a loss."""


def befall(mishap: str, service: ServiceProcess, broker: Broker, chance: random.Random) -> None:
    """Let it happen, and be over; the service is left running, though perhaps not ready."""
    print(f"{time.strftime('%H:%M:%S')} {mishap}", flush=True)
    match mishap:
        case "kill":
            service.kill()
        case "terminate":
            service.terminate()
            assert service.wait() == 0
        case "restart broker":
            broker.stop()
        case "kill broker":
            broker.kill()
        case "kill both":
            broker.kill()
            service.kill()
        case "freeze broker":
            broker.freeze()
            time.sleep(chance.uniform(*FROZEN_FOR))
            broker.thaw()
    time.sleep(chance.uniform(0, 0.5))
    if not service.running:
        service.start()
    time.sleep(chance.uniform(0, 0.5))
    broker.start()


def stamping(cameras: CameraSimulator, *locations: str) -> list[dict[str, Any]]:
    """Configuration of cameras behind the simulator."""
    return [{"location": one, "kind": "still", "url": cameras.url("stamped", one.lower())} for one in locations]


def settled(
    senders: Sequence[Sender], consumer: Consumer, service: ServiceProcess, *, but: Sequence[str] = ()
) -> Account:
    """The account once nothing is on its way any more, or that of what is lost."""
    service.wait_ready(but=but)
    with suppress(AssertionError):  # the account says more
        until(lambda: not missing(senders, consumer), timeout=240)
    until(lambda: _idle(service), timeout=120, what="an idle service")
    final = account(senders, consumer)
    print(final, flush=True)
    return final


def _idle(service: ServiceProcess) -> bool:
    """Whether nothing is in hand and nothing owed, for about a second."""
    for _ in range(3):
        stages = [service.metric("stage_in_hand", stage=stage) for stage in ("fetch", "detect", "publish")]
        if any(stages) or not service.check("undelivered")["detail"].startswith(NOTHING_WAITS):
            return False
        time.sleep(0.4)
    return True
