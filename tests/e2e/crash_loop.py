"""A service that is killed again and again while triggers wait: none may become a dead letter.

By hand, against any broker: `python -m tests.e2e.crash_loop --broker amqp://guest:guest@host:5672/%2F --kills 25`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import uuid
from dataclasses import dataclass
from pathlib import Path

from tests.broker import Broker
from tests.e2e.conftest import service_process
from tests.e2e.ledger import Account
from tests.e2e.mishaps import settled, stamping
from tests.e2e.peers import Consumer, House, Sensor
from tests.e2e.pictures import jpeg
from tests.e2e.process import until
from tests.simulators.camera import CameraSimulator

LOCATIONS = ("Front", "Yard", "Porch")
SLOW, QUICK = 60.0, 0.02
"""Seconds that the cameras take while the service is killed, so that next to nothing is answered, and after that."""


@dataclass(frozen=True)
class Outcome:
    """What became of the triggers."""

    account: Account
    dead_letters: int


def crash_loop(folder: Path, broker: Broker, name: str, *, kills: int, triggers: int) -> Outcome:
    """Kill a service `kills` times, each time with all `triggers` in its hands, then let it answer them.

    `name`: of the exchange, and in the names of the queues.
    """
    house, queue = House(broker.url, name), f"{name}.snapshot.triggers"
    with CameraSimulator(jpeg(64, 48), delay=SLOW) as cameras, Consumer(house) as consumer, Sensor(house) as sensor:
        configured = [{**camera, "timeout": 2 * SLOW} for camera in stamping(cameras, *LOCATIONS)]
        environment = {"MAX_AGE": "0", "MAX_PENDING": str(triggers)}
        with service_process(folder, house, cameras=configured, environment=environment) as service:
            service.start().wait_ready()
            for number in range(triggers):
                sensor.send(f"{LOCATIONS[number % len(LOCATIONS)]} Camera")
            for _ in range(kills):
                until(lambda: broker.waiting(queue) == 0, what="all triggers are with the service")
                service.kill()
                until(lambda: broker.waiting(queue), what="the broker has them back")
                service.start()
            until(lambda: broker.waiting(queue) == 0, what="all triggers are with the service")
            cameras.delay = QUICK
            service.kill()
            service.start()
            account = settled([sensor], consumer, service)
        return Outcome(account, broker.waiting(f"{queue}.dead"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", default="", help="URL of a running broker; a private node unless given")
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--triggers", type=int, default=300)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="snapshot-crashes-") as folder:
        broker = Broker(arguments.broker)
        if not arguments.broker:
            with broker:
                outcome = crash_loop(
                    Path(folder), broker, "crashes", kills=arguments.kills, triggers=arguments.triggers
                )
        else:
            name = f"crashes-{uuid.uuid4().hex[:6]}"
            outcome = crash_loop(Path(folder), broker, name, kills=arguments.kills, triggers=arguments.triggers)
    print(f"{arguments.kills} kills, {outcome.dead_letters} dead letters, {outcome.account}")
    sys.exit(0 if outcome.account.balanced and not outcome.dead_letters else 1)


if __name__ == "__main__":
    main()
