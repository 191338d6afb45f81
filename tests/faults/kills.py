"""The process, or one of its threads, is ended from outside."""

from __future__ import annotations

import time

from tests.faults.fault import Fault, Measured, Setting
from tests.faults.inside import POINTS, Inside
from tests.faults.stand import Stand, stand

SHORT_KILLS, LONG_KILLS = 10, 100
DEATHS_ALLOWED = 5
"""Of one thread in ten minutes; the sixth would end the process."""


def at_random(setting: Setting) -> Measured:
    """kill -9 at random moments, under load from everywhere."""
    with stand(setting.folder, setting.broker) as tried:
        starts = []
        with tried.load(every=0.25):
            for _ in range(setting.pick(SHORT_KILLS, LONG_KILLS)):
                time.sleep(setting.chance.uniform(0.5, 4))
                tried.service.kill()
                tried.killed()
                tried.service.start()
                starts.append(time.monotonic())
            tried.back_after(starts[-1])
        return _killed(tried, starts, "kills")


def at_points(setting: Setting) -> Measured:
    """kill -9 between two steps of ours, at every one that has a name."""
    with stand(setting.folder, setting.broker) as tried:
        starts = []
        for point in POINTS:
            tried.service.kill()
            tried.killed()
            inside = Inside(tried.service)
            tried.service.environment["FAULTS_POINT"] = point
            tried.service.start()
            with tried.load(every=0.5):
                status = tried.service.wait()
                assert status == -9, f"{point}: it ended with {status}"
                tried.killed()
                inside.leave()
                tried.service.start()
                starts.append(time.monotonic())
                tried.back_after(starts[-1])
        return _killed(tried, starts, "points")


def terminated(setting: Setting) -> Measured:
    """SIGTERM under load, several times: each time it ends in order."""
    with stand(setting.folder, setting.broker, environment={"SHUTDOWN_GRACE": "10"}) as tried:
        starts = []
        with tried.load(every=0.2):
            for _ in range(setting.pick(3, 30)):
                time.sleep(setting.chance.uniform(1, 3))
                tried.service.terminate()
                status = tried.service.wait()
                assert status == 0, f"it ended with {status}"
                tried.service.start()
                starts.append(time.monotonic())
            tried.back_after(starts[-1])
        return Measured(tried.settle(), _slowest(tried, starts), note=f"{len(starts)} times")


def threads(setting: Setting) -> Measured:
    """Each thread ends by an exception that nothing catches, one after the other, under load."""
    with stand(setting.folder, setting.broker, prepare=Inside) as tried:
        inside = Inside(tried.service)
        names = sorted({name for name in inside.threads() if name not in ("MainThread", "faults")})
        pid, slowest = tried.service.pid, 0.0
        for name in names:
            with tried.load(every=0.5):
                inside.kill(name)
                time.sleep(1)  # it ends at its next step, and that may be some way off
                sent = tried.pace(4)
                tried.await_told(sent)
                took = max(tried.told(sent))
                slowest = max(slowest, took)
                print(f"{name}: {took:.1f} s", flush=True)
        assert (tried.service.running, tried.service.pid) == (True, pid), "the process has ended"
        return Measured(tried.settle(), slowest, note=f"{len(names)} names of threads")


def _killed(tried: Stand, starts: list[float], what: str) -> Measured:
    ledger = tried.settle()
    note = f"{len(starts)} {what}; {ledger.asked_again} calls that were under way were made again"
    return Measured(ledger, _slowest(tried, starts), note=note)


def _slowest(tried: Stand, starts: list[float]) -> float:
    """The longest time from a start to the first event after it, of those starts that lived to see one."""
    ends = [*starts[1:], float("inf")]
    came = [(start, tried.next_event(start), end) for start, end in zip(starts, ends, strict=True)]
    return max(event - start for start, event, end in came if event is not None and event < end)


FAULTS = {
    "kill-random": Fault("kill -9 at random moments", at_random),
    "kill-points": Fault("kill -9 at every named point", at_points),
    "sigterm": Fault("SIGTERM under load", terminated),
    "threads": Fault("any one thread killed", threads),
}
