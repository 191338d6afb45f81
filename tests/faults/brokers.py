"""Faults of the broker, and of the way to it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.peers import Caller
from tests.e2e.process import until
from tests.faults import mishaps
from tests.faults.fault import Fault, Measured, Setting, since
from tests.faults.stand import KEYS, Stand, stand

BURST, AFTER = 1_000, 300
"""Triggers of the burst, and after how many events the broker goes."""
REFUSED_BACK_S = 90.0
"""A broker that refuses is asked once a minute, for a person has to correct it; and the machine is busy."""


def restarted(setting: Setting) -> Measured:
    """The broker is restarted in the middle of 1,000 triggers that come as quickly as it confirms them."""
    with stand(setting.folder, setting.broker) as tried, ThreadPoolExecutor(1) as sensor:
        burst = sensor.submit(tried.trigger, BURST)
        until(lambda: len(tried.consumer.latest) >= AFTER, what="some of the burst")
        with mishaps.broker_away(tried):
            pass
        end = time.monotonic()
        burst.result()
        return Measured(tried.settle(), tried.back_after(end))


def through(mishap: mishaps.Mishap, *, short_s: float, long_s: float) -> Callable[[Setting], Measured]:
    """It befalls a service that has work all the time."""

    def run(setting: Setting) -> Measured:
        with stand(setting.folder, setting.broker) as tried:
            with tried.load(every=0.25):
                time.sleep(2)
                with mishap(tried):
                    time.sleep(setting.pick(short_s, long_s))
                end = time.monotonic()
                back = tried.back_after(end)
            return Measured(tried.settle(), back)

    return run


def mismatched(setting: Setting) -> Measured:
    """Somebody has declared our queue with other arguments; later it is deleted."""
    with stand(setting.folder, setting.broker) as tried:
        queue = f"{tried.house.exchange}.{tried.house.topic}.triggers"
        tried.pace(5)
        tried.settle()
        tried.service.terminate()
        assert tried.service.wait() == 0
        with setting.broker.channel() as channel:
            channel.queue_delete(queue)
            channel.queue_declare(queue, durable=True, arguments={"x-max-length": 7})
        tried.service.start().wait_ready(but=["broker"])
        until(lambda: not tried.service.check("broker")["ok"], what="it says that the broker refuses")
        _by_http(tried)
        with setting.broker.channel() as channel:
            channel.queue_delete(queue)
        end = time.monotonic()
        tried.pace(5)
        tried.service.wait_ready()
        return Measured(tried.settle(), since(end))


def _by_http(tried: Stand) -> None:
    """What needs no queue goes on."""
    caller = Caller(tried.service)
    tried.senders.append(caller)
    tried.await_told([caller.send(key) for key in KEYS])


FAULTS = {
    "broker-restarted": Fault(f"broker restarted in a burst of {BURST:,}", restarted),
    "broker-killed": Fault("broker killed (-9) under load", through(mishaps.broker_killed, short_s=2, long_s=60)),
    "broker-frozen": Fault(
        "broker frozen: connections stay, nothing is answered", through(mishaps.broker_frozen, short_s=20, long_s=300)
    ),
    "black-hole": Fault("black hole on the way to the broker", through(mishaps.black_hole, short_s=20, long_s=300)),
    "memory-alarm": Fault("broker's memory alarm", through(mishaps.memory_alarm, short_s=10, long_s=300)),
    "queue-mismatch": Fault("queue with other arguments", mismatched, back_within_s=REFUSED_BACK_S),
}
