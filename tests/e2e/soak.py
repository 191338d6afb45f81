"""Hours of mishaps on end, and the ledger afterwards: `python -m tests.e2e.soak --minutes 60 --seed 7`."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from tests.broker import Broker
from tests.e2e.conftest import service_process
from tests.e2e.ledger import Account, account
from tests.e2e.mishaps import befall, settled, stamping
from tests.e2e.peers import Caller, Consumer, House, Sender, Sensor, stream
from tests.e2e.pictures import StampingCameras, jpeg

LOCATIONS = [f"Place{letter}" for letter in "ABCDEFGHIJKL"]
MISHAPS = ["kill"] * 6 + ["terminate", "restart broker", "kill broker", "kill both", "freeze broker"]
EVERY = 0.05
"""Seconds between the triggers of one sender; there are three."""
BALANCE_EVERY = 300.0
"""Seconds after which sensors pause until everything is told, as a house does at night."""


def soak(*, minutes: float, seed: int) -> Account:
    """Run for so long and return the account of all of it."""
    chance = random.Random(seed)
    end = time.monotonic() + minutes * 60
    with (
        tempfile.TemporaryDirectory(prefix="snapshot-soak-") as folder,
        Broker() as broker,
        StampingCameras(jpeg(320, 240), delay=0.03) as cameras,
    ):
        house = House(broker.url, "soak")
        service = service_process(Path(folder), house, cameras=stamping(cameras, *LOCATIONS))
        senders: list[Sender] = [Sensor(house, with_ids=True), Sensor(house, with_ids=False), Caller(service)]
        keys = [f"{location} Camera" for location in LOCATIONS]
        with service, Consumer(house) as consumer:
            service.start().wait_ready()
            while (left := end - time.monotonic()) > 0:
                pause_at = time.monotonic() + min(left, BALANCE_EVERY)
                with stream(senders, keys, every=EVERY):
                    while time.monotonic() < pause_at:
                        time.sleep(chance.uniform(0.1, 6))
                        befall(chance.choice(MISHAPS), service, broker, chance)
                if not settled(senders, consumer, service).balanced:
                    break
            return account(senders, consumer)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.minutes:g} minutes", flush=True)
    final = soak(minutes=arguments.minutes, seed=arguments.seed)
    print(final)
    sys.exit(0 if final.balanced else 1)


if __name__ == "__main__":
    main()
