"""What comes in is wrong, or too much: messages, cameras, load."""

from __future__ import annotations

import time

from tests.e2e.peers import Sensor
from tests.faults.fault import Fault, Measured, Setting
from tests.faults.mishaps import POISON
from tests.faults.stand import KEYS, stand
from tests.simulators.camera import pixel_bomb

MESSAGES, POISON_EVERY = 1_000, 20
BAD = ("500", "404", "truncated", "html", "empty", "huge", "redirect", "not_an_image", "gibberish", "bomb", "hang")
"""Behaviours of cameras, one each."""
NORMAL_EVERY_S = 0.25
"""Seconds between the triggers of each of two senders."""


def poisoned(setting: Setting) -> Measured:
    """Every twentieth of 1,000 messages is no trigger."""
    with stand(setting.folder, setting.broker) as tried, Sensor(tried.house) as poisoner:
        calm_s = tried.p95(tried.pace(40))
        queue = f"{tried.house.exchange}.{tried.house.topic}.triggers.dead"
        poison = 0
        for number in range(MESSAGES // POISON_EVERY):
            tried.trigger(POISON_EVERY - 1)
            poisoner.send_raw(POISON[number % len(POISON)])
            poison += 1
        ledger = tried.settle()
        during_s = tried.p95(tried.pace(40))
        dead = setting.broker.waiting(queue)
        assert dead == poison, f"{dead} of {poison} are dead letters"
        return Measured(ledger, calm_s=calm_s, during_s=during_s, note=f"{dead} dead letters")


def dripping(setting: Setting) -> Measured:
    """One camera sends a byte a second; the others are measured."""
    with stand(setting.folder, setting.broker, behaving={"Attic": "drip"}) as tried:
        count = setting.pick(100, 2_000)
        calm_s = tried.p95(tried.pace(count))
        with Sensor(tried.house) as asker:
            tried.senders.append(asker)
            for _ in range(4):
                asker.send("Attic Camera")
            during_s = tried.p95(tried.pace(count))
        return Measured(tried.settle(), calm_s=calm_s, during_s=during_s)


def bad_answers(setting: Setting) -> Measured:
    """Cameras that answer with anything but a picture, each in a way of its own."""
    places = {f"Odd{number}": behaviour for number, behaviour in enumerate(BAD)}
    with stand(setting.folder, setting.broker, behaving=places) as tried:
        pixel_bomb()  # the simulator's, not the service's, work of seconds
        count = setting.pick(100, 2_000)
        calm_s = tried.p95(tried.pace(count))
        odd = tried.trigger(3 * len(places), [f"{place} Camera" for place in places])
        during_s = tried.p95(tried.pace(count))
        tried.await_told(odd)
        ledger = tried.settle()
        assert sum(ledger.problems.values()) == len(odd), ledger.problems
        return Measured(ledger, calm_s=calm_s, during_s=during_s, note=f"{len(places)} ways")


def overloaded(setting: Setting) -> Measured:
    """Ten times the load; what is not done at once waits."""
    with stand(setting.folder, setting.broker) as tried:
        with tried.load(every=NORMAL_EVERY_S, http=False):
            time.sleep(5)
        tried.settle()
        with tried.load(every=NORMAL_EVERY_S / 10, http=False):
            time.sleep(setting.pick(20, 3600))
        end = time.monotonic()
        last = tried.pace(len(KEYS))
        tried.await_told(last)
        return Measured(tried.settle(), time.monotonic() - end)


FAULTS = {
    "poison": Fault(f"poison: every {POISON_EVERY}th of {MESSAGES:,} messages", poisoned),
    "drip": Fault("a camera that drips", dripping),
    "bad-answers": Fault("cameras with bad answers", bad_answers),
    "load": Fault("ten times the load", overloaded),
}
