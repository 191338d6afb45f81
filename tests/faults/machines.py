"""Faults of the machine: its disk and its clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import pairwise

from tests.e2e.disk import small_disk
from tests.e2e.process import ServiceProcess
from tests.faults.disturbed import Disturbance, disturb
from tests.faults.fault import Fault, Measured, Setting
from tests.faults.stand import stand

SLOW_SYNC_MS = 4_000
JUMPS_S = (3600, -3600, 86_400, -86_400, 0)
"""Seconds by which the clock is ahead, one after the other."""
SUMMER_ENDS = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
"""In Berlin 03:00 becomes 02:00."""
SUMMER_BEGINS = datetime(2027, 3, 28, 1, 0, tzinfo=UTC)


def full(setting: Setting) -> Measured:
    """The data folder's disk has no byte left, for a while."""
    with small_disk(setting.folder / "disk") as disk:
        environment = {"DATA_DIR": str(disk.folder / "data")}
        with stand(setting.folder / "home", setting.broker, environment=environment, ready_but=["disk"]) as tried:
            with tried.load(every=0.2, http=False):
                time.sleep(2)
                disk.fill(tried.service)
                time.sleep(setting.pick(10, 300))
                disk.free(tried.service)
                end = time.monotonic()
                back = tried.back_after(end)
            measured = Measured(tried.settle(but=["disk"]), back)
            tried.service.kill()
            return measured


def disturbed(how: Callable[[Disturbance], None], *, short_s: float, long_s: float) -> Callable[[Setting], Measured]:
    """The disk is not as it was, for a while."""

    def run(setting: Setting) -> Measured:
        found: list[Disturbance] = []

        def prepare(service: ServiceProcess) -> None:
            found.append(disturb(service, setting.folder))

        with stand(setting.folder / "home", setting.broker, prepare=prepare) as tried:
            (disk,) = found
            with tried.load(every=0.2, http=False):
                time.sleep(2)
                how(disk)
                disk.apply()
                time.sleep(setting.pick(short_s, long_s))
                disk.sync_ms, disk.read_only = 0, False
                disk.apply()
                end = time.monotonic()
                back = tried.back_after(end)
            return Measured(tried.settle(), back)

    return run


def read_only(disk: Disturbance) -> None:
    """As after an error of the disk."""
    disk.read_only = True


def slow(disk: Disturbance) -> None:
    """Seconds for each fsync, as a card at its end."""
    disk.sync_ms = SLOW_SYNC_MS


def jumping(setting: Setting) -> Measured:
    """The clock jumps an hour and a day ahead and back; sensors keep the right time."""
    with ExitStack() as stack:
        found: list[Disturbance] = []
        prepare = lambda service: found.append(disturb(service, setting.folder))  # noqa: E731
        tried = stack.enter_context(
            stand(setting.folder / "home", setting.broker, prepare=prepare, environment={"MAX_AGE": "120"})
        )
        (clock,) = found
        slowest = 0.0
        with tried.load(every=0.2):
            for ahead in JUMPS_S:
                time.sleep(setting.pick(4, 60))
                clock.clock_s = ahead
                clock.apply()
                slowest = max(slowest, tried.back_after(time.monotonic()))
        ledger = tried.settle()
        return Measured(ledger, slowest, note=f"{len(JUMPS_S)} jumps, problems: {dict(ledger.problems) or 'none'}")


def daylight_saving(setting: Setting) -> Measured:
    """The night in which summer time ends, and that in which it begins, in Berlin."""
    found: list[Disturbance] = []
    environment = {"TZ": "Europe/Berlin"}

    def prepare(service: ServiceProcess) -> None:
        found.append(disturb(service, setting.folder))
        found[0].clock_s = _until(SUMMER_ENDS)
        found[0].apply()

    with stand(setting.folder / "home", setting.broker, prepare=prepare, environment=environment) as tried:
        (clock,) = found
        slowest = 0.0
        for change in (SUMMER_ENDS, SUMMER_BEGINS):
            clock.clock_s = _until(change)
            clock.apply()
            with tried.load(every=0.2):
                time.sleep(setting.pick(20, 120))
            slowest = max(slowest, tried.back_after(time.monotonic() - 1))
        ledger = tried.settle()
        page = tried.service.http("GET", "/api/snapshots?limit=100").json()["snapshots"]
        taken = [datetime.fromisoformat(one["taken_at"]) for one in page]
        assert all(later >= earlier for later, earlier in pairwise(taken)), "the album is not in the order of time"
        return Measured(ledger, slowest, note="2 nights")


def _until(change: datetime) -> int:
    """Seconds by which the clock has to be ahead for the change to come soon."""
    return int(change.timestamp() - time.time()) - 10


FAULTS = {
    "disk-full": Fault("disk full", full),
    "disk-read-only": Fault("disk read-only", disturbed(read_only, short_s=10, long_s=300)),
    "disk-slow": Fault("disk slow: 4 s for each fsync", disturbed(slow, short_s=20, long_s=300)),
    "clock": Fault("clock jumps by an hour and a day, ahead and back", jumping),
    "daylight-saving": Fault("nights in which summer time ends and begins", daylight_saving),
}
